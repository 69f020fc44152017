"""Probes act on the two machines of a run and record what happened. They judge nothing."""

from grader.probes.conduct import conduct

__all__ = ["conduct"]
