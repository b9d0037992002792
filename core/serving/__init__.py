"""A run's encoder for use elsewhere: as ONNX, checked, with all that is needed to feed it."""
