"""Networks with several sets of norm layers, their files, and what ships with the project."""
