"""What the schema cannot say about a lab of the kind ``program``: names that nothing bears, too many runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grader.kinds.program.declare import Program, ProgramCheck, ProgramLab, ProgramTry, RunMessage
from grader.labs.world import read_world
from grader.model.diagnostic import Diagnostic, fault_at
from grader.model.templates import names_in, nearest, unknown_name

PEOPLE = tuple(f"person{number}" for number in range(1, 10))
MOST_RUNS = 40
"""Each has an account of its own on the workstation, which the image makes."""
FOR_ENVIRONMENT = frozenset(
    {"server", "port", "user", "password", "from", "from_name", "to", "cc", "bcc", "subject", "body_file"}
)


def program_complaints(lab: ProgramLab) -> Iterator[Diagnostic]:
    """What the schema cannot say of a lab of this kind: names that nothing bears, too many runs."""
    program = lab.program
    if program.run not in lab.submission.required:
        yield fault_at(("program", "run"), f"{program.run!r} is not among the files required: add it there")
    names = read_world().names
    for key, text in program.environment.items():
        known = names.keys() | FOR_ENVIRONMENT
        for name in sorted(names_in(text) - known):
            yield fault_at(("program", "environment", key), unknown_name(name, known))
    for key, message in program.messages.items():
        yield from _message_complaints(
            message, names.keys() | {*PEOPLE, "secret"}, ("program", "messages", key)
        )
    for place, check in enumerate(lab.checks):
        for number, attempt in enumerate(check.attempts):
            yield from _try_complaints(program, attempt, ("checks", place, "try", number))
    if len(runs := {pair for check in lab.checks for pair in pairs(check)}) > MOST_RUNS:
        yield fault_at(
            ("checks",), f"there are {len(runs)} pairs of server and message, and {MOST_RUNS} at most"
        )


def _message_complaints(
    message: RunMessage, known: Iterable[str], here: tuple[str | int, ...]
) -> Iterator[Diagnostic]:
    texts = {"subject": message.subject, "from-name": message.from_name, "password": message.password}
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


def _try_complaints(
    program: Program, attempt: ProgramTry, here: tuple[str | int, ...]
) -> Iterator[Diagnostic]:
    for key, named, known in (
        ("meets", attempt.meets, program.servers),
        ("sends", attempt.sends, program.messages),
    ):
        for number, name in enumerate(named):
            if name not in known:
                hint = nearest("%r", name, known) or f" (there are {', '.join(known)})"
                yield fault_at((*here, key, number), f"{key!r} names {name!r}, which 'program' has not{hint}")


def pairs(check: ProgramCheck) -> list[tuple[str, str]]:
    """The servers that the program meets for a check, each with the message that it is to send there."""
    return [
        (server, message) for entry in check.attempts for server in entry.meets for message in entry.sends
    ]
