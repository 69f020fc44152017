"""Sessions that questions quote are those of the simulator, which is held against Postfix line by line."""

from __future__ import annotations

import re

import pytest

from grader.lesson import library
from grader.lesson.simulator.session import SimulatedSession
from grader.lesson.simulator.table import table

QUESTIONS = {question.id: question for question in library().questions}
HELLO = ["EHLO client.example"]
OPEN = [*HELLO, "MAIL FROM:<alice@third.example>", "RCPT TO:<bob@example.com>"]
LOGIN = [*HELLO, "AUTH PLAIN AGFsaWNlAGFsaWNlLXNlY3JldA=="]
BEFORE: dict[str, tuple[str, list[str]]] = {
    "session-gap": ("smtp", []),
    "session-data": ("smtp", HELLO),
    "session-pipelined": ("smtp", HELLO),
    "large-message": ("smtp", HELLO),
    "not-owned": ("submissions", LOGIN),
}
"""On which listener a session takes place, and what comes before what is quoted."""


@pytest.mark.parametrize("name", BEFORE)
def test_the_server_says_what_is_quoted(name: str) -> None:
    listener, before = BEFORE[name]
    session = SimulatedSession(table(), listener)
    session.connect()
    for line in before:
        session.say(line)
    said = [line.partition(": ")[::2] for line in QUESTIONS[name].quoted]
    commands = [text for who, text in said if who == "C"]
    # No more than one reply is quoted for a command, so a quote without pauses is one that was sent at once.
    at_once = "CC" in "".join(who for who, _ in said if who)
    heard = session.say(*commands) if at_once else [reply for line in commands for reply in session.say(line)]
    lines = [line for reply in heard for line in reply.lines]
    quoted = [text for who, text in said if who == "S" and not text.startswith("220 ")]
    assert len(lines) == len(quoted)
    for real, shown in zip(lines, quoted, strict=True):
        assert re.fullmatch(re.escape(shown).replace(r"<\.\.\.>", ".*").replace(r"\.\.\.", ".*"), real)


def test_the_dot_and_the_chunk_are_what_their_questions_say() -> None:
    session = SimulatedSession(table(), "smtp")
    session.connect()
    for line in [*OPEN, "DATA"]:
        session.say(line)
    said = [line.removeprefix("C: ") for line in QUESTIONS["session-dots"].quoted]
    replies = [reply.lines for line in said for reply in session.say(line)]
    assert len(replies) == 1
    assert replies[0][0].startswith("250 2.0.0 Ok")
    for line in OPEN[1:]:
        session.say(line)
    chunk = QUESTIONS["bdat-length"].quoted
    right = next(one.text for one in QUESTIONS["bdat-length"].answers if one.right)  # type: ignore[union-attr]
    assert session.say(chunk[0].removeprefix("C: ").replace("____", right)) == []
    [reply] = session.say(chunk[1].removeprefix("C: "))
    assert reply.lines[0].startswith(f"250 2.0.0 Ok: {right} bytes queued")
