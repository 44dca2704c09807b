"""What the benchmarks of the service share: a trained store that is served, and a load on it."""
