"""Digests of everything that a grade depends on, by which a resumed class knows what is still to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from grader import __version__
from grader.course.intake.handin import HandIn
from grader.course.intake.roster import Student
from grader.course.overrides import Override
from grader.labs.cache import digest
from grader.labs.variant import DEFAULT_KEY, keyed
from grader.labs.world import read_world
from grader.model.lab import Lab
from grader.model.submission import Submission
from grader.model.variant import Variant


def of_class(lab: Lab, image: str, hints: str) -> str:
    """The part that is the same for a whole class: the program, the image, the lab and the lab's world."""
    parts = (__version__, image, hints, read_world().digest)
    return digest([*(part.encode() for part in parts), msgspec.json.encode(lab)])


def of_shards(
    lab: Lab,
    image: str,
    hints: str,
    *,
    key: str | None,
    draw: bool,
    trust: bool,
    roster: Sequence[Student],
    due: datetime | None,
    decided: Sequence[Override],
) -> dict[str, str]:
    """What must be the same for all shards of a class, each by the name that an instructor has for it.

    The course key is not in it: what is drawn with the key tells as much as any student's hand-out does.
    """
    course = keyed((key or DEFAULT_KEY).encode("utf-8", "surrogateescape"), "class", lab.id)
    parts = {
        "the version of smtplab": __version__.encode(),
        "the lab": read_world().digest.encode() + msgspec.json.encode(lab),
        "the image": image.encode(),
        "--hints": hints.encode(),
        "the course key": course + msgspec.json.encode(draw),
        "--trust-handout": msgspec.json.encode(trust),
        "the roster": msgspec.json.encode(roster),
        "the due date": msgspec.json.encode(due),
        "the decisions": msgspec.json.encode(decided),
    }
    return {name: digest([part]) for name, part in parts.items()}


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
