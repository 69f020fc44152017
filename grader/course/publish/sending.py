"""Sends grades, one student after the other, and remembers in ``published.jsonl`` what has been sent.

What stands there unchanged is not sent again, so a run that was interrupted is taken up by the same command.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

import msgspec
from msgspec import Struct

from grader.course.intake.names import PUBLISHED
from grader.course.publish.outgoing import WHY, Outgoing
from grader.course.publish.web import NotTaken
from grader.model.errors import OutputError

What = Literal["sent", "would be sent", "sent before", "kept back", "not taken"]


class Platform(Protocol):
    """Something that takes grades."""

    @property
    def name(self) -> str:
        """What ``smtplab publish`` calls it."""

    @property
    def says_states(self) -> bool:
        """Whether it is told, too, why there is no score."""

    @property
    def place(self) -> str:
        """Where grades go, for the log."""

    def user(self, one: Outgoing) -> str:
        """How it is told who the student is; empty where it cannot be."""

    def send(self, one: Outgoing) -> None:
        """Send one. Raises ``NotTaken``, ``PlatformError``."""


class Line(Struct, frozen=True, kw_only=True):
    """A line of the log: what was sent, to where and when."""

    time: str
    platform: str
    place: str
    student: str
    user: str
    state: str
    score: int | None
    max_score: int
    digest: str


class Done(Struct, frozen=True):
    """What became of one student's grade, and why where that is not plain."""

    one: Outgoing
    what: What
    why: str = ""


def published(folder: Path, grades: Iterable[Outgoing], platform: Platform, *, send: bool) -> Iterator[Done]:
    """Send what has not been sent, or tell what would be: nothing leaves this machine without ``send``.

    Raises ``PlatformError`` where the platform takes nothing more, ``OutputError`` where the log cannot be used.
    """
    log = folder / PUBLISHED
    before = {(line.platform, line.place, line.student): line for line in read_log(log)}
    for one in grades:
        earlier = before.get((platform.name, platform.place, one.student))
        if one.score is None and not platform.says_states:
            yield Done(one, "kept back", WHY[one.state])
        elif one.score is None and earlier is not None and earlier.score is not None:
            # Canvas and Moodle would take the score away that they have.
            yield Done(one, "kept back", f"{WHY[one.state]}; the score sent before stays")
        elif not platform.user(one):
            yield Done(one, "not taken", "no launch has told the platform's id of this student")
        elif earlier is not None and earlier.digest == one.digest:
            yield Done(one, "sent before")
        elif not send:
            yield Done(one, "would be sent", WHY.get(one.state, ""))
        else:
            yield _sent(log, one, platform)


def _sent(log: Path, one: Outgoing, platform: Platform) -> Done:
    # Where nothing can be noted, nothing is sent: it would be sent twice.
    with _opened(log) as note:
        try:
            platform.send(one)
        except NotTaken as error:
            return Done(one, "not taken", str(error))
        note(
            Line(
                time=datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
                platform=platform.name, place=platform.place, student=one.student, user=platform.user(one),
                state=one.state, score=one.score, max_score=one.max_score, digest=one.digest,
            )
        )  # fmt: skip
    return Done(one, "sent", WHY.get(one.state, ""))


class _opened:
    """The log open for one more line."""

    def __init__(self, log: Path) -> None:
        try:
            self._file = log.open("ab")
        except OSError as error:
            raise OutputError(f"cannot write {str(log)!r}: {error.strerror}") from error

    def __enter__(self) -> Callable[[Line], None]:
        return self._note

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _note(self, line: Line) -> None:
        self._file.write(msgspec.json.encode(line) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def read_log(log: Path) -> list[Line]:
    """What has been sent, the oldest first; a last line that a killed run left unfinished is left out.

    Raises ``OutputError`` where a line before it is damaged.
    """
    if not log.is_file():
        return []
    *lines, last = log.read_bytes().split(b"\n")
    try:
        found = [msgspec.json.decode(line, type=Line) for line in lines]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise OutputError(
            f"{str(log)!r} is damaged ({error}): correct or remove it; removed, all is sent again"
        ) from error
    if last:
        with log.open("r+b") as file:
            file.truncate(len(log.read_bytes()) - len(last))
    return found
