"""Small evidence, built by hand: one check, one attempt, and what became of it."""

from __future__ import annotations

from typing import Any

from grader.kinds.server.declare import Expect, ServerCheck, ServerLab, ServerSubmission
from grader.kinds.server.facts import ServerEvidence, ServerFacts
from grader.model.evidence import Evidence
from grader.model.traffic import Arrival, AttemptFacts, Line, Outcome, Queued, Reply, Session

TOKEN = "rosa.k4v2"
OUTSIDE = f"{TOKEN}@elsewhere.example"


def check(code: str = "stranger", **expect: Any) -> ServerCheck:
    options = {key: expect.pop(key) for key in ("needs", "control") if key in expect}
    return ServerCheck(
        code=code, title=code, points=10, expect=Expect(**expect), why="w", next="n", **options
    )


def lab(*checks: ServerCheck) -> ServerLab:
    return ServerLab(
        id="demo",
        title="Demo",
        version="1",
        summary="s",
        submission=ServerSubmission(required=["main.cf"], installs="/etc/postfix"),
        checks=list(checks),
    )


def facts(check: str = "stranger", number: int = 1, **fields: Any) -> AttemptFacts:
    return AttemptFacts(
        **{
            "id": f"{check}/{number}",
            "check": check,
            "title": "plain",
            "source": "stranger",
            "address": "198.51.100.66",
            "listener": "25",
            "token": TOKEN,
            "sender": "someone@elsewhere.example",
            "recipients": [OUTSIDE],
            **fields,
        }
    )


def outcome(
    stage: str, attempt: str = "stranger/1", code: int = 250, text: str = "250 ok", **fields: Any
) -> Outcome:
    reply = Reply(command=f"RCPT TO:<{OUTSIDE}>", code=code, text=text, line=1)
    return Outcome(attempt=attempt, stage=stage, session=1, **{"replies": [reply], **fields})  # type: ignore[arg-type]


def arrival(recipient: str = OUTSIDE, sender: str = "someone@elsewhere.example", **fields: Any) -> Arrival:
    return Arrival(
        **{
            "id": 0,
            "place": "outside",
            "where": "mx",
            "attempts": ["stranger/1"],
            "raw": TOKEN.encode(),
            "sender": sender,
            "recipients": [recipient],
            **fields,
        }
    )


def session(*lines: str, end: str = "quit") -> Session:
    spoken = [Line(float(n), "S", text) for n, text in enumerate(lines or ("220 hi", "250 ok"))]
    return Session(
        id=1,
        source="stranger",
        address="198.51.100.66",
        server="203.0.113.10",
        listener="25",
        end=end,
        lines=spoken,
    )


def evidence(
    lab: ServerLab,
    attempts: list[AttemptFacts],
    outcomes: list[Outcome],
    arrivals: list[Arrival] | None = None,
    queued: list[Queued] | None = None,
    **fields: Any,
) -> ServerEvidence:
    head = {key: fields.pop(key) for key in ("error", "notes", "checks", "student", "files") if key in fields}
    return Evidence(
        lab=lab,
        student=head.pop("student", None),
        variant="canonical",
        names={"domain": "example.com"},
        started="2026-01-01T00:00:00.000Z",
        duration=0.1,
        engine="local",
        image="sha256:0",
        mta="Postfix 3.10",
        facts=ServerFacts(
            attempts=attempts,
            outcomes=outcomes,
            arrivals=arrivals or [],
            queued=queued or [],
            **{"sessions": [session()], **fields},
        ),
        **head,
    )
