"""What an author wrote, checked and completed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from grader.kinds.base import Words
from grader.model.diagnostic import Diagnostic, fault_at
from smtplab_text.declare import TextExpect, TextLab, TextTry


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


def vocabulary() -> Sequence[Words]:
    """The keys, as the types describe them."""
    from grader.labs.vocabulary import keys_of

    return [
        Words("Keys of try", "in each entry of `try`", keys_of(TextTry)),
        Words("Expectations", "in `expect`", keys_of(TextExpect)),
    ]
