"""The formulas and published numbers that this project grew out of, computed anew."""
