"""Judges evidence. Pure: the same evidence gives the same result, today and in ten years, on any machine.

``judge`` is the way in. What is found of each check is its kind's affair (``grader.kinds``); what follows from it for
points, order, skipped checks, hints and words is the same for all kinds, and stands in ``verdicts``.
"""

from grader.judge.verdicts import judge

__all__ = ["judge"]
