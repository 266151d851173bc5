"""The page without a server: a network as one ONNX graph, and all else that a browser needs."""

import os

# Before onnxruntime is imported: since 1.32 it notes each use in the home folder, to send it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
