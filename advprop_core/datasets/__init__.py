"""Data sets that AdvProp Lens can read or draw."""
