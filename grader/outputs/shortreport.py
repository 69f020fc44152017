"""A result on a terminal that has passed everything: as ``terminal`` shows it, without the library for that.

Most of a short report's time went into loading that library. Whatever it would have to wrap, excerpt or guess about the
terminal is left to it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from typing import IO

from grader.display.looks import BAR, LOOKS, QUIET, WIDEST, Look, cells, finished, is_fancy
from grader.display.sentences import count
from grader.model.result import CheckResult, Result
from grader.outputs.changes import Changes

GAP = "  "
WORD = 7
LABEL = 9
ONE_CELL = frozenset("·…✓")
"""Characters beyond ASCII that take one cell on every terminal."""
CODES = {"bold": "1", QUIET: "2", "green": "32"}
"""Styles as terminals know them (ECMA-48, SGR)."""
DECIDING = (
    "FORCE_COLOR",
    "NO_COLOR",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
    "JUPYTER_COLUMNS",
    "JUPYTER_LINES",
)
"""What people say in their environment about how their terminal is to be taken."""


class _TooLong(Exception):
    """A line would have to be wrapped, or nobody knows how wide its characters are."""


def shown(
    result: Result,
    *,
    changes: Changes | None = None,
    report: str | None = None,
    file: IO[str] | None = None,
    width: int | None = None,
    color: bool | None = None,
) -> bool:
    """Print a short result; whether it was one. Whatever else is given means what it does to ``terminal.show``."""
    out = file or sys.stdout
    if result.status != "graded" or not result.checks or not all(_is_plain(check) for check in result.checks):
        return False
    if color is None:
        if any(name in os.environ for name in DECIDING):
            return False
        color = out.isatty()
        if color and os.environ.get("TERM", "").lower() in ("", "dumb", "unknown"):
            return False
    encoding = getattr(out, "encoding", None) or "utf-8"
    painter = _Painter(min(width or _columns(), WIDEST), color, is_fancy(encoding))
    try:
        text = "".join(f"{line}\n" for line in _lines(painter, result, changes, report))
    except _TooLong:
        return False
    out.write(finished(text, encoding))
    out.flush()
    return True


def _is_plain(check: CheckResult) -> bool:
    return check.status == "pass" and not check.remarks


def _columns() -> int:
    """The terminal's width: of whichever standard stream is one, unless the environment says another."""
    found = 0
    for descriptor in (0, 1, 2):
        try:
            found = os.get_terminal_size(descriptor).columns
            break
        except (OSError, ValueError):
            continue
    told = os.environ.get("COLUMNS", "")
    return (int(told) if told.isdigit() else found) or 80


class _Painter:
    """Gives text its style, and measures it."""

    def __init__(self, width: int, color: bool, fancy: bool) -> None:
        self.width = width
        self.fancy = fancy
        self._color = color

    def __call__(self, text: str, style: str) -> str:
        return f"\x1b[{CODES[style]}m{text}\x1b[0m" if self._color and text else text

    def sign(self, look: Look) -> str:
        """A status's sign in its colour."""
        return self(look.sign if self.fancy else look.ascii, look.style)

    def fitting(self, text: str, room: int) -> str:
        """``text``, filled up with blanks. Raises ``_TooLong`` where that is not known to fit."""
        if len(text) > room or not all(
            (sign.isascii() and sign.isprintable()) or sign in ONE_CELL for sign in text
        ):
            raise _TooLong
        return text + " " * (room - len(text))

    def wrapped(self, text: str, room: int) -> list[str]:
        """``text`` in lines, each filled up with blanks. Raises ``_TooLong`` where a word is not known to fit."""
        lines = [""]
        for word in text.split(" "):
            self.fitting(word, room)
            if lines[-1] and len(lines[-1]) + 1 + len(word) > room:
                lines.append(word)
            else:
                lines[-1] += f" {word}" if lines[-1] else word
        return [self.fitting(line, room) for line in lines]


def _lines(painter: _Painter, result: Result, changes: Changes | None, report: str | None) -> Iterator[str]:
    yield painter(painter.fitting(result.lab_title or result.lab, painter.width).rstrip(), "bold")
    facts = [f"{result.lab} {result.lab_version}"]
    facts += [f"student {result.student}"] if result.student else []
    facts += [f"{result.variant} variant"] if result.variant == "canonical" else [f"variant {result.variant}"]
    facts += [f"{result.engine.mta}, {result.engine.name}"] if result.engine.mta else []
    facts += [f"{result.duration:.2f} s"] if result.duration else []
    yield painter(painter.fitting(" · ".join(facts), painter.width).rstrip(), QUIET)
    yield ""
    yield from _checks(painter, result)
    yield painter(("─" if painter.fancy else "-") * painter.width, QUIET)
    yield _points(painter, result)
    room = painter.width - LABEL - len(GAP)
    for note in result.notes:
        yield from _labelled(painter, "Note", painter.wrapped(note, room))
    if changes is not None:
        told = list(_changed(changes))
        painter.fitting("".join(text for text, _ in told), room)
        said = "".join(painter(text, style) if style else text for text, style in told)
        yield from _labelled(painter, "Changed", [said])
    if report:
        yield from _labelled(painter, "Report", [painter.fitting(report, room)])


def _labelled(painter: _Painter, label: str, lines: Sequence[str]) -> Iterator[str]:
    yield painter(f"{label:<{LABEL}}", "bold") + GAP + lines[0]
    yield from (" " * (LABEL + len(GAP)) + line for line in lines[1:])


def _changed(changes: Changes) -> Iterator[tuple[str, str]]:
    """What the last run did not have, in pieces with their styles. None of it can have failed."""
    if changes.nothing:
        yield "nothing since the last run", QUIET
    if changes.points:
        yield f"{changes.points:+d} points", "bold"
    if changes.points and changes.passed:
        yield "; ", ""
    if changes.passed:
        codes = ", ".join(check.code.rpartition("/")[2] for check in changes.passed)
        yield f"newly passed: {codes}", LOOKS["pass"].style


def _checks(painter: _Painter, result: Result) -> Iterator[str]:
    look = LOOKS["pass"]
    points = [f"{check.points}/{check.max_points}" for check in result.checks]
    widest = max(map(len, points))
    room = painter.width - 1 - WORD - widest - 3 * len(GAP)
    for check, told in zip(result.checks, points, strict=True):
        first, *more = painter.wrapped(check.title or check.code, room)
        yield GAP.join((
            painter.sign(look), painter(f"{look.word:<{WORD}}", look.style), first, painter(f"{told:>{widest}}", QUIET),
        ))  # fmt: skip
        yield from (" " * (1 + WORD + 2 * len(GAP)) + line for line in more)


def _points(painter: _Painter, result: Result) -> str:
    look = LOOKS["pass"]
    points = f"{result.score} of {count(result.max_score, 'point')}"
    told = f" {len(result.checks)} {look.word}"
    if len(points) + BAR + 2 * len(GAP) + 1 + len(told) > painter.width:
        raise _TooLong
    full = cells(result.score, result.max_score)
    drawn, left = ("━", "─") if painter.fancy else ("=", "-")
    bar = painter(drawn * full, "green") + painter(left * (BAR - full), QUIET)
    return GAP.join([painter(points, "bold"), bar, painter.sign(look) + told])
