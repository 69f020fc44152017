"""Received fields of many mail systems, and what each tells: the reader of ``received.txt``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

DATE = "Mon, 16 Feb 2026 09:00:02 +0100"
TIME = 1771228802
"""The moment of DATE, which all lines bear in one form or another, in seconds since 1970."""


class Line(NamedTuple):
    """A line, the system that wrote it, and what it tells, by the names of the fields of ``Received``."""

    system: str
    text: str
    told: dict[str, str]


@cache
def corpus() -> list[Line]:
    """All of them, in the file's order."""
    found: list[Line] = []
    system, text = "", ""
    for line in Path(__file__).with_name("received.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            system = line[3:]
        elif line.startswith("> "):
            pairs = [part.partition("=") for part in line[2:].split(" | ")]
            found.append(Line(system, text, {name: value for name, _, value in pairs}))
        elif line.startswith(" "):
            text += f"\r\n{line}".removesuffix("@") + (DATE if line.endswith("@") else "")
        elif line and not line.startswith("#"):
            text = line.removesuffix("@") + (DATE if line.endswith("@") else "")
    return found
