"""Train multi-layer nets with nothing but NumPy, as fast as their matrix products."""
