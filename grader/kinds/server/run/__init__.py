"""Acts on the student's server and records what happened."""
