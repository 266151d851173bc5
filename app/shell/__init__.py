"""What every page uses; imports no page."""
