"""Pictures: decoding them, and everything that changes one without asking a network."""
