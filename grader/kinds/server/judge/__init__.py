"""From what happened to findings."""
