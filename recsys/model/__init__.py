"""The models, their baselines, and the snapshot that training leaves behind."""
