"""The Maps page: several kinds of map side by side, and whether they can be trusted."""
