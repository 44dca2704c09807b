"""The from-scratch engine: reverse-mode autodiff over NumPy arrays."""
