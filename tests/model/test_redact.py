"""No secret survives in evidence, in any coding that SMTP gives it."""

from __future__ import annotations

import base64

import msgspec
import pytest

from grader.kinds.server.facts import ServerEvidence
from grader.model.redact import redact
from tests.judge.builders import check, evidence, facts, lab, outcome, session

SECRET = "Vb7kQmZt2x"


@pytest.mark.parametrize("told", [SECRET, base64.b64encode(SECRET.encode()).decode()])
def test_secret_is_gone_from_lines_and_log(told: str) -> None:
    run = evidence(
        lab(check(arrives="nowhere")),
        [facts()],
        [outcome("rcpt", text=f"550 {told}")],
        sessions=[session(f"220 your password is {told}")],
        log=[f"warning: {told}"],
    )
    document = msgspec.json.encode(redact(run, [SECRET], ServerEvidence))
    assert told.encode() not in document
    assert document.count(b"[redacted]") == 3


def test_evidence_without_secrets_stays_as_it_is() -> None:
    run = evidence(lab(check(arrives="nowhere")), [facts()], [outcome("rcpt")])
    assert redact(run, [SECRET], ServerEvidence) is run


def test_a_secret_is_found_however_its_characters_are_escaped() -> None:
    secret = 'a "quoted" \\ back ü'
    run = evidence(lab(check(arrives="nowhere")), [facts()], [outcome("rcpt")], log=[f"password {secret}"])
    assert redact(run, [secret], ServerEvidence).facts.log == ["password [redacted]"]
