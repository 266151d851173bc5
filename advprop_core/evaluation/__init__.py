"""Accuracies per branch over a data set, clean, attacked and corrupted, each with its interval."""
