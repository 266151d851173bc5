"""How an auxiliary branch is best added to a network that is there."""
