"""A comparison in one file, and the same comparison made again from that file."""
