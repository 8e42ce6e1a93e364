"""Heads: what turns features into a logit a class. One file a method; each learns with scikit-learn and writes ONNX."""
