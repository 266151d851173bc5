"""The AdvProp Lens library."""
