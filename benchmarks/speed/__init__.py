"""How fast the trainer is, beside LIBMF: ``python -m benchmarks.speed``."""
