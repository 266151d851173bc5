"""The Robustness page: what is asked, how it is measured, and what is said of it."""
