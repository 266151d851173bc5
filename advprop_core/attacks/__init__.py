"""Attacks: everything that perturbs pixels by looking at the network."""
