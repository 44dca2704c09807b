"""Whether the service stands a long load while versions, workers and trainings come and go."""
