"""Exit codes that are no error's own. Nothing is imported here: it is there before all else."""

INTERRUPTED = 130
"""Of a command that was interrupted."""
