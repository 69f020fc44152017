"""What an author may write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct, field

from grader.model import lab
from grader.model.diagnostic import Diagnostic, fault_at


class TextTry(Struct, frozen=True, forbid_unknown_fields=True):
    """What is read."""

    file: Annotated[str, Meta(description="A file handed in.")]


class TextExpect(Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold of each file. All given expectations must hold."""

    holds: Annotated[list[str], Meta(description="Words that stand in some line.")] = []
    lacks: Annotated[list[str], Meta(description="Words that stand in no line.")] = []


class TextCheck(lab.Check, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A check of a text."""

    attempts: Annotated[list[TextTry], Meta(min_length=1)] = field(name="try")
    expect: TextExpect


class TextLab(lab.Lab, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="text"):
    """A lab whose students hand in a text."""

    checks: Annotated[list[TextCheck], Meta(min_length=1)]


LAB = TextLab


def complaints(lab: TextLab) -> Iterator[Diagnostic]:
    """Files that are not handed in, and checks that would judge nothing."""
    for number, check in enumerate(lab.checks):
        for place, entry in enumerate(check.attempts):
            if entry.file not in lab.submission.required:
                yield fault_at(("checks", number, "try", place, "file"), f"{entry.file!r} is not handed in")
        if not (check.expect.holds or check.expect.lacks):
            yield fault_at(("checks", number, "expect"), "nothing is expected of the text")


def completed(lab: TextLab, path: Path, data: bytes) -> TextLab:
    """The file holds the whole lab."""
    return lab


def texts(lab: TextLab, variant: str) -> dict[str, str]:
    """There are none."""
    return {}
