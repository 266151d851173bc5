"""Which half of the norm makes a branch robust: the measurement and its tables."""
