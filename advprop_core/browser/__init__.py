"""The page without a server: a network as one ONNX graph, and all else that a browser needs."""
