"""Judges evidence. Pure: the same evidence gives the same result, today and in ten years, on any machine.

``judge`` is the way in. ``record`` looks things up in the evidence, ``expectations`` holds one function for each key
of a lab's ``expect``, ``functions`` the named ones, and ``verdicts`` turns their findings into a check's result.
"""

from grader.judge.verdicts import judge

__all__ = ["judge"]
