"""A run of a program, made by hand, and what the judge says of it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from grader.judge import judge
from grader.kinds.program.declare import (
    Program,
    ProgramCheck,
    ProgramExpect,
    ProgramLab,
    ProgramTry,
    RunMessage,
)
from grader.kinds.program.facts import ProgramFacts, RunFacts, Wanted
from grader.model.evidence import Evidence
from grader.model.lab import SubmissionRules
from grader.model.result import CheckResult
from grader.model.submission_server import Authentication, Conversation, ServerBehaviour, Transaction
from grader.model.traffic import Arrival, AttemptFacts, Command, Line, Outcome, Reply, Session

WANTED = Wanted(
    sender="erika@example.com",
    from_name="Erika Lang",
    to=["a@x.example"],
    cc=["b@y.example"],
    bcc=["c@z.example"],
    subject="Minutes",
    body=b"Dear all,\n\n.\nErika\n",
)
EVERYBODY = ["a@x.example", "b@y.example", "c@z.example"]
HEADER = (
    "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
    'From: "Erika Lang" <erika@example.com>\r\n'
    "To: a@x.example\r\n"
    "Cc: b@y.example\r\n"
    "Subject: Minutes\r\n"
    "Message-ID: <1.2@example.com>\r\n"
)
BODY = "\r\nDear all,\r\n\r\n.\r\nErika\r\n"
LETTER = HEADER + BODY
LINES = [
    Line(0, "S", "220 mail.example.com ESMTP ready"),
    Line(1, "C", "AUTH PLAIN <credentials>"),
    Line(2, "S", "235 2.7.0 Authentication successful"),
    Line(3, "C", "MAIL FROM:<erika@example.com>"),
    Line(4, "S", "250 OK"),
    Line(5, "C", "."),
    Line(6, "S", "250 2.0.0 taken"),
]
TAKEN = Transaction(3, 6, "erika@example.com", "", EVERYBODY, [], True, 0)
LOGGED_IN = Authentication("PLAIN", encrypted=True, accepted=True, line=1)
GOOD = Conversation(0, tls="TLSv1.3", authentications=[LOGGED_IN], transactions=[TAKEN])


def with_replies(conversation: Conversation, lines: list[Line]) -> Conversation:
    """The conversation with what the server records beside the lines: replies, credentials, a client that goes."""
    command, replies = "", []
    credentials = [n for n, line in enumerate(lines) if line.text == "<credentials>"]
    for number, line in enumerate(lines):
        if line.who == "C" and number not in credentials:
            command = line.text
        elif line.who == "S" and line.text[3:4] != "-":
            replies.append(Reply(command, int(line.text[:3]), line.text, number))
    gone = next((n for n, line in enumerate(lines) if line.text == "The client hung up."), None)
    return replace(conversation, replies=replies, credentials=credentials, hung_up=gone)


def judged(
    expected: str,
    *,
    letter: str | bytes = LETTER,
    conversations: list[Conversation] | None = None,
    sessions: list[list[Line]] | None = None,
    code: int = 0,
    output: str = "",
    wanted: Wanted = WANTED,
    first_line: str = "#!/bin/sh",
    behaviour: dict[str, Any] | None = None,
    others: list[Arrival] | None = None,
    asked: tuple[str, ...] = ("it/1",),
    started: str = "2026-11-23T10:00:01.000Z",
    first: str = "",
    unhindered: list[Conversation] | None = None,
    seconds: float = 1.0,
    **run: Any,
) -> CheckResult:
    """The result of a check that expects one thing of one run; ``first`` is what a check before it expects of it,
    ``unhindered`` what another run said at a server that takes everything.
    """
    conversations = [GOOD] if conversations is None else conversations
    checks = [
        ProgramCheck(
            code=code, title=code, points=5, why="w", next="n",
            attempts=[ProgramTry(meets=["server"], sends=["plain"])],
            expect=ProgramExpect(program=[wish]),  # type: ignore[list-item]
        )
        for code, wish in (("first", first), ("it", expected)) if wish
    ]  # fmt: skip
    asked = ("first/1", *asked) if first else asked
    server = ServerBehaviour(about="a server", **(behaviour or {}))
    lab = ProgramLab(
        id="demo", title="Demo", version="1", summary="s", checks=checks,
        submission=SubmissionRules(required=["send"]),
        program=Program(
            environment={}, servers={"server": server, "good": ServerBehaviour(about="good")},
            messages={"plain": RunMessage(to=["a@x.example"], subject="s", body="b")},
        ),
    )  # fmt: skip
    spoken = sessions or [LINES] * len(conversations)
    conversations = [with_replies(c, spoken[c.session]) for c in conversations]
    raw = letter.encode() if isinstance(letter, str) else letter
    taken = any(t.taken for c in conversations for t in c.transactions)
    evidence = Evidence(
        lab=lab, student=None, variant="canonical", names={}, started=started, duration=1.0,
        engine="local", image="",
        facts=ProgramFacts(
        attempts=[
            AttemptFacts(
                id=attempt, check=attempt.partition("/")[0], title="a server", source="plain", address="10.20.30.50",
                listener="587",
            )
            for attempt in asked
        ],
        outcomes=[Outcome(attempt, "accepted", 0) for attempt in asked],
        sessions=[
            Session(number, "send", "10.20.30.50", "203.0.113.9", "587", "quit", lines)
            for number, lines in enumerate(spoken)
        ],
        arrivals=[*([Arrival(0, "outside", "mail", ["it/1"], raw)] if taken else []), *(others or [])],
        commands=[Command(["./send"], code, output)],
        program="send", first_line=first_line, executable=True,
        run_of={attempt: "run-1" for attempt in asked if attempt.endswith("/1")},
        runs=[
            RunFacts("run-1", "server", "plain", wanted, 0, seconds, conversations=conversations, **run),
            *(
                [RunFacts("run-2", "good", "plain", wanted, 0, 1.0, conversations=unhindered)]
                if unhindered
                else []
            ),
        ],
        ),
    )  # fmt: skip
    return judge(evidence).checks[-1]


NOTHING = replace(GOOD, transactions=[])
