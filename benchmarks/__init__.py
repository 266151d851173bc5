"""What `make bench` runs: one module per subject, each with a `run`."""

import os

# Before torch is loaded, as the command line does: waiting threads must not disturb what is timed.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "1000")
