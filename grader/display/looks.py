"""What all screens agree on, whoever lays them out: looks of a status, widths, the last step of escaping."""

from __future__ import annotations

import re

from msgspec import Struct

from grader.display.text import encodable, inert
from grader.model.result import Status

WIDEST = 120
"""Columns beyond which lines are hard to follow."""


class Look(Struct, frozen=True):
    """How a status is told: by a word, by a sign (and one for terminals with ASCII alone), and by a colour."""

    word: str
    sign: str
    ascii: str
    style: str


LOOKS: dict[Status, Look] = {
    "pass": Look("passed", "✓", "+", "green"),
    "fail": Look("failed", "✗", "x", "bold red"),
    "skipped": Look("skipped", "↷", "-", "yellow"),
    "error": Look("error", "▲", "!", "bold magenta"),
    "manual": Look("manual", "◆", "?", "cyan"),
}
BAR = 16
SIGNS = "✓✗↷▲◆│▶─━"
QUIET = "dim"
TRAILING = re.compile(r"(?: |\x1b\[[0-9;]*m)+$", re.MULTILINE)


def is_fancy(encoding: str) -> bool:
    """Whether what takes this encoding can show the signs; else their plain forms are shown."""
    return encodable(SIGNS, encoding) == SIGNS


def cells(part: int, whole: int) -> int:
    """``part`` of ``whole`` as cells of a bar of ``BAR``: something fills at least one, and less than all never all."""
    return BAR if part >= whole > 0 else min(BAR - 1, max(int(part > 0), part * BAR // max(whole, 1)))


def finished(text: str, encoding: str) -> str:
    """Laid out text as it is written: lines that no CI server obeys and the terminal's encoding can carry."""
    return encodable(inert(TRAILING.sub(lambda end: end[0].replace(" ", ""), text)), encoding)
