"""What the lesson's simulator page shows, and what its script reads."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import cache

from msgspec import Struct, to_builtins

from grader import resources
from grader.labs.yamlfile import parse, read_bytes
from grader.lesson.entries import Enhanced, Example, Id, ReplyEntry, Text
from grader.lesson.library import Library
from grader.lesson.simulator.differences import known_differences
from grader.lesson.simulator.table import table
from grader.lesson.simulator.transcript import Scene, Turn, write

MODES = ("command", "message", "login", "chunk")


class Quick(Struct, frozen=True, forbid_unknown_fields=True):
    """A line that is offered."""

    label: Text
    line: str


class Played(Struct, frozen=True, forbid_unknown_fields=True):
    """An annotated session of the lesson, and where it takes place."""

    example: Id
    listener: Id


class Offered(Struct, frozen=True, forbid_unknown_fields=True):
    """``quick.yaml``: lines by the session's mode, and whole sessions."""

    command: list[Quick]
    message: list[Quick]
    login: list[Quick]
    chunk: list[Quick]
    sessions: list[Played]

    def lines(self, mode: str) -> list[Quick]:
        """The lines for a mode."""
        found: list[Quick] = getattr(self, mode)
        return found


@cache
def offered() -> Offered:
    """What is offered. Raises ``LabError`` with what is wrong in the file."""
    path = resources.folder("reports") / "data" / "simulator" / "quick.yaml"
    return parse(read_bytes(path, "the simulator's quick lines"), path, Offered)


def played(library: Library, session: Played) -> str:
    """The client's lines of an annotated session, as a transcript to be played."""
    example = library.entries[session.example]
    assert isinstance(example, Example)
    turns = [Turn([line.line], []) for line in example.lines if line.who == "C"]
    return write(Scene(session.listener), turns)


def values(library: Library) -> Mapping[str, object]:
    """For the template: the server, and its users with what they send to log in by PLAIN."""
    server = table().server
    users = [
        (user, password, b64encode(f"\0{user}\0{password}".encode()).decode())
        for user, password in server.users.items()
    ]
    sessions = [library.entries[session.example] for session in offered().sessions]
    return {"server": server, "users": users, "differences": known_differences(), "sessions": sessions}


def data(library: Library, addresses: Mapping[str, str]) -> object:
    """For the script: the table, the quick lines, and title and address of every entry that explains a reply."""
    rules = table()
    named = {id_ for stage in rules.stages.values() for id_ in stage.see}
    named |= {id_ for stage in rules.stages.values() for rule in stage.rules for id_ in rule.see}
    named |= {entry.id for entry in library.entries.values() if isinstance(entry, ReplyEntry | Enhanced)}
    links = {id_: [library.entries[id_].title, address] for id_, address in addresses.items() if id_ in named}
    sessions = {session.example: played(library, session) for session in offered().sessions}
    quick = {mode: to_builtins(offered().lines(mode)) for mode in MODES}
    return {"table": rules.data(), "quick": quick, "links": links, "sessions": sessions}
