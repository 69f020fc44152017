"""What the schema cannot say about a lab of the kind ``program``: names that nothing bears, too many runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path as Folder

from grader.kinds.base import Words
from grader.kinds.program.declare import (
    ENVIRONMENT,
    EVERY,
    Program,
    ProgramCheck,
    ProgramLab,
    ProgramTry,
    RunMessage,
    Text,
)
from grader.labs.world import read_world
from grader.model.diagnostic import Diagnostic, fault_at
from grader.model.templates import names_in, nearest, unknown_name

PEOPLE = tuple(f"person{number}" for number in range(1, 10))
MOST_RUNS = 40
"""Each has an account of its own on the workstation, which the image makes."""


def complaints(lab: ProgramLab) -> Iterator[Diagnostic]:
    """See ``grader.kinds.base.Author``: names that nothing bears, too many runs."""
    program = lab.program
    if program.run not in lab.submission.required:
        yield fault_at(("program", "run"), f"{program.run!r} is not among the files required: add it there")
    names = read_world().names
    for key, text in program.environment.items():
        known = names.keys() | ENVIRONMENT.keys()
        for name in sorted(names_in(text) - known):
            yield fault_at(("program", "environment", key), unknown_name(name, known))
    for key, message in program.messages.items():
        yield from _message_complaints(
            message, names.keys() | {*PEOPLE, "secret"}, ("program", "messages", key)
        )
    for place, check in enumerate(lab.checks):
        for number, attempt in enumerate(check.attempts):
            yield from _try_complaints(program, attempt, ("checks", place, "try", number))
    for check in lab.checks:
        for met, sent in pairs(lab, check):
            yield from _recipient_complaints(program, met, sent)
    if len(runs := {pair for check in lab.checks for pair in pairs(lab, check)}) > MOST_RUNS:
        yield fault_at(
            ("checks",), f"there are {len(runs)} pairs of server and message, and {MOST_RUNS} at most"
        )


def _message_complaints(
    message: RunMessage, known: Iterable[str], here: tuple[str | int, ...]
) -> Iterator[Diagnostic]:
    given: dict[str, Text] = {
        "subject": message.subject, "from-name": message.from_name, "password": message.password,
    }  # fmt: skip
    texts = {key: " ".join(choices(text)) for key, text in given.items()}
    for key, text in texts.items():
        if "\n" in text or "\0" in text:
            yield fault_at(
                (*here, key), "it holds a line feed or a NUL, which a header or a password has not"
            )
    texts |= {"body": message.body}
    for key, addresses in (("to", message.to), ("cc", message.cc), ("bcc", message.bcc)):
        texts |= {key: " ".join(addresses)}
        for number, address in enumerate(addresses):
            if "," in address or "@" not in address:
                yield fault_at((*here, key, number), f"{address!r} is not one plain address")
    for key, text in texts.items():
        for name in sorted(names_in(text) - {*known}):
            yield fault_at((*here, key), unknown_name(name, known))


def choices(text: Text) -> list[str]:
    """What a text may be, of which one is drawn."""
    return [text] if isinstance(text, str) else text


def _recipient_complaints(program: Program, server: str, message: str) -> Iterator[Diagnostic]:
    """A server that is to refuse a recipient whom a message sent to it has not."""
    if server not in program.servers or message not in program.messages:
        return
    asked, sent = program.servers[server].recipient, program.messages[message]
    there = len(sent.to) + len(sent.cc) + len(sent.bcc)
    if asked is not None and asked > there:
        yield fault_at(
            ("program", "servers", server, "recipient"),
            f"the message {message!r} that it gets has {there} recipients: give one of them",
        )


def _try_complaints(
    program: Program, attempt: ProgramTry, here: tuple[str | int, ...]
) -> Iterator[Diagnostic]:
    for key, named, known in (
        ("meets", attempt.meets, program.servers),
        ("sends", attempt.sends, program.messages),
    ):
        for number, name in enumerate(named):
            if name not in known and not (attempt.meets == attempt.sends == [EVERY]):
                hint = nearest("%r", name, known) or f" (there are {', '.join(known)})"
                yield fault_at((*here, key, number), f"{key!r} names {name!r}, which 'program' has not{hint}")


def pairs(lab: ProgramLab, check: ProgramCheck) -> list[tuple[str, str]]:
    """The servers that the program meets for a check, each with the message that it is to send there, each once."""
    named = [entry for known in lab.checks for entry in known.attempts if entry.meets != [EVERY]]
    found: dict[tuple[str, str], None] = {}
    for entry in check.attempts:
        for some in named if entry.meets == [EVERY] else [entry]:
            found |= dict.fromkeys((server, message) for server in some.meets for message in some.sends)
    return list(found)


def completed(lab: ProgramLab, path: Folder, data: bytes) -> ProgramLab:
    """See ``grader.kinds.base.Author``: the file holds the whole lab."""
    return lab


def texts(lab: ProgramLab, variant: str) -> dict[str, str]:
    """See ``grader.kinds.base.Author``: there are none."""
    return {}


def vocabulary() -> Sequence[Words]:
    """See ``grader.kinds.base.Author``."""
    from grader.kinds.program.words import made

    return made()
