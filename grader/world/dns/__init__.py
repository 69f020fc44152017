"""DNS for the world: what it answers, and asking it."""
