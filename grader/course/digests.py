"""Digests of everything that a grade depends on, by which a resumed class knows what is still to do."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from grader import __version__
from grader.course.intake.handin import HandIn
from grader.course.overrides import Override
from grader.labs.cache import digest
from grader.labs.world import read_world
from grader.model.lab import Lab
from grader.model.submission import Submission
from grader.model.variant import Variant


def of_class(lab: Lab, image: str, hints: str) -> str:
    """The part that is the same for a whole class: the program, the image, the lab and the lab's world."""
    parts = (__version__, image, hints, read_world().digest)
    return digest([*(part.encode() for part in parts), msgspec.json.encode(lab)])


def of_submission(
    class_digest: str,
    hand_in: HandIn,
    variant: Variant,
    handed_in: Submission,
    decided: Sequence[Override] = (),
) -> str:
    """The whole, for one submission."""
    about = (hand_in.students, hand_in.time, hand_in.late, hand_in.notes, decided)
    parts = [msgspec.json.encode(about), msgspec.json.encode(variant), handed_in.digest]
    return digest([class_digest.encode(), *parts])
