"""Reads a class's hand-ins for comparing them with each other; nothing is graded, and nothing is run."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from grader import labs
from grader.course.alike import Work
from grader.course.intake import Choices, take_in
from grader.course.intake.handouts import prepared, variant_of
from grader.model.errors import SubmissionError
from grader.model.lab import Lab
from grader.model.variant import CANONICAL, Variant

NOWHERE = Path(os.devnull)
"""Where no results are written."""


def read_works(
    folder: Path, sources: Sequence[Path], choices: Choices, *, draw: bool, key: str | None, trust: bool
) -> tuple[list[Work], list[str]]:
    """What the class handed in for the lab in ``folder``, and the names of what could not be read.

    ``draw``, ``key`` and ``trust`` are as for grading. Raises ``UsageError`` as it does.
    """
    lab = labs.load(folder)
    taken = take_in(sources, lab, NOWHERE, choices)
    decided = choices.roster is not None or bool(choices.decisions)
    variants = labs.Variants(lab, key)
    works: list[Work] = []
    unread: list[str] = []
    everybody_s: Work | None = None
    for hand_in in prepared(taken.hand_ins, lab, draw=draw, key=key, trust=trust, decided=decided):
        variant = variant_of(hand_in, variants, draw=draw)
        if variant.id != CANONICAL:
            started = _started(lab, folder, variant)
        elif everybody_s is None:
            started = everybody_s = _started(lab, folder, variant)
        else:
            started = everybody_s  # Made and held once.
        try:
            files = _texts(labs.read_submission(lab, hand_in.source, variant.names).files)
        except SubmissionError:
            unread.append(hand_in.label)
        else:
            works.append(replace(started, student=" + ".join(hand_in.students), files=files))
    return works, unread


def _started(lab: Lab, folder: Path, variant: Variant) -> Work:
    """The work of somebody who has only begun with a variant."""
    return Work(
        student="",
        files={},
        given=_texts(labs.handed_out_files(folder, labs.with_texts(variant, lab))),
        names={**variant.names, **variant.secrets},
        own=variant.id != CANONICAL,
    )


def _texts(files: Mapping[str, bytes]) -> dict[str, str]:
    return {name: data.decode(errors="backslashreplace") for name, data in files.items() if b"\0" not in data}
