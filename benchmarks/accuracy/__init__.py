"""Predicted stars and ranked lists of the shipped defaults, beside baselines and other systems."""
