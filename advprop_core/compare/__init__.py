"""One photo: compare branches, sweep epsilon, film an attack, attack every branch."""
