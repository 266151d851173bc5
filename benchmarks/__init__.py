"""What `make bench` runs: one module per subject, each with a `run`."""
