"""The dialogue of a program with its server, explained step by step, on the terminal and in the report."""

from __future__ import annotations

import io

from grader import outputs
from grader.judge import judge
from grader.kinds.program.declare import (
    Program,
    ProgramCheck,
    ProgramExpect,
    ProgramLab,
    ProgramTry,
    RunMessage,
)
from grader.kinds.program.facts import ProgramEvidence, ProgramFacts, RunFacts, Wanted
from grader.kinds.program.show import exemplary
from grader.kinds.traffic.dialogue import annotated
from grader.model.evidence import Evidence
from grader.model.lab import SubmissionRules
from grader.model.submission_server import Conversation, ServerBehaviour, Transaction
from grader.model.traffic import Line, Session
from grader.outputs import terminal
from tests.judge.builders import check, evidence, facts, lab, outcome

SPOKEN = [
    ("S", "220 mail.example.com ESMTP ready"),
    ("C", "EHLO desk"),
    ("S", "250-mail.example.com"),
    ("S", "250-STARTTLS"),
    ("S", "250 8BITMIME"),
    ("C", "STARTTLS"),
    ("S", "220 Ready to start TLS"),
    ("*", "TLS handshake: TLSv1.3, TLS_AES_256_GCM_SHA384"),
    ("C", "EHLO desk"),
    ("S", "250 AUTH PLAIN"),
    ("C", "AUTH PLAIN <credentials>"),
    ("S", "235 2.7.0 Authentication successful"),
    ("C", "MAIL FROM:<a@b.example>"),
    ("S", "250 OK"),
    ("C", "RCPT TO:<c@d.example>"),
    ("S", "250 OK"),
    ("C", "RCPT TO:<e@f.example>"),
    ("S", "550 5.1.1 nobody"),
    ("C", "DATA"),
    ("S", "354 go on"),
    ("C", "Subject: <script>alert(1)</script>"),
    ("C", ""),
    ("C", "MAIL FROM is only text here"),
    ("C", ""),
    ("C", "."),
    ("S", "250 2.0.0 taken"),
    ("C", "QUIT"),
    ("S", "221 Bye"),
]


def runs_of_a_program() -> ProgramFacts:
    lines = [Line(float(at), who, text) for at, (who, text) in enumerate(SPOKEN)]  # type: ignore[arg-type]
    session = Session(0, "send", "10.20.30.50", "203.0.113.9", "587", "quit", lines)
    wanted = Wanted("a@b.example", "", ["c@d.example"], [], [], "", b"")
    taken = Conversation(0, tls="TLSv1.3", transactions=[Transaction(12, 25, "a@b.example", taken=True)])
    run = RunFacts("run-1", "good", "plain", wanted, 0, 0.2, conversations=[taken])
    return ProgramFacts(
        program="send", first_line="#!/bin/sh", executable=True, runs=[run], sessions=[session]
    )


def run_of_a_program() -> ProgramEvidence:
    declared = Program(
        environment={},
        servers={"good": ServerBehaviour(about="a server")},
        messages={"plain": RunMessage(to=["c@d.example"], subject="s", body="b")},
    )
    sends = ProgramCheck(
        code="sends", title="t", points=1, why="w", next="n",
        attempts=[ProgramTry(meets=["good"], sends=["plain"])], expect=ProgramExpect(program=["delivers"]),
    )  # fmt: skip
    demo = ProgramLab(
        id="demo", title="Demo", version="1", summary="s", checks=[sends], program=declared,
        submission=SubmissionRules(required=["send"]),
    )  # fmt: skip
    return Evidence(
        lab=demo, student=None, variant="canonical", names={}, started="2026-01-01T00:00:00.000Z", duration=0.1,
        engine="local", image="", facts=runs_of_a_program(),
    )  # fmt: skip


def test_every_step_of_a_submission_is_explained_once() -> None:
    session = exemplary(runs_of_a_program())
    assert session is not None
    steps = annotated(session)
    notes = {step.text: step.note for step in steps if step.note}
    assert [(step.who, step.text) for step in steps] == SPOKEN
    assert "RFC 3207" in notes["STARTTLS"]
    assert "Asked again within TLS" in [s.note for s in steps if s.text == "EHLO desk"][1]
    assert "RFC 5321 section 4.2.5" in notes["250 2.0.0 taken"]
    assert "No, and the same" in notes["550 5.1.1 nobody"]
    assert "MAIL FROM is only text here" not in notes
    explained = [step.note for step in steps if step.note]
    assert len(set(explained)) == len(explained)
    for verb in ("EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"):
        assert any(text.startswith(verb) for text in notes)


def test_both_reports_show_it() -> None:
    run = run_of_a_program()
    result = judge(run)
    out = io.StringIO()
    terminal.show(result, run, verbose=True, file=out, width=100, color=False)
    assert "The dialogue, step by step" in out.getvalue()
    assert "send was run 1 time, against 1 submission server." in out.getvalue()
    page = outputs.html(result, run).decode()
    assert "The dialogue, step by step" in page
    assert "<script>alert" not in page
    assert "Only with this reply has the server taken the message" in page


def test_a_server_labs_report_has_no_such_dialogue() -> None:
    run = evidence(lab(check(arrives="nowhere")), [facts()], [outcome("rcpt")])
    assert "step by step" not in outputs.html(judge(run), run).decode()
