"""What the README and docs state as measured, and the commands that measure it."""
