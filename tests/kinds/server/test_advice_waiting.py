"""What to do next about mail that waits, or was to come back later, for a reason that few words tell."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from grader.judge import judge
from grader.model.result import CheckResult
from grader.model.traffic import Outcome, Queued, Reply
from tests.judge.builders import OUTSIDE, check, evidence, facts, lab, outcome


def result(made: Outcome, *, queued: list[Queued] | None = None, log: list[str] | None = None) -> CheckResult:
    wanted = replace(check(arrives="outside"), next="Take `On-NoSignature` out of opendkim.conf.")
    attempt = facts(server="203.0.113.10")
    (only,) = judge(evidence(lab(wanted), [attempt], [made], queued=queued or [], log=log or [])).checks
    return only


@pytest.mark.parametrize(
    ("queue", "observed", "advice"),
    [
        ("hold", "was put on hold", "`postsuper -H`"),
        ("maildrop", "(maildrop), and the server does not say for what.", "`On-NoSignature`"),
    ],
)
def test_mail_that_waits_without_a_reason(queue: str, observed: str, advice: str) -> None:
    only = result(outcome("accepted"), queued=[Queued(queue, "a@example.com", OUTSIDE, "", ["stranger/1"])])
    assert observed in only.observed
    assert advice in only.next
    assert "“”" not in only.observed + only.next


def test_what_opendkim_put_off_leads_to_its_settings() -> None:
    log = [
        "1 postfix/smtpd[8]: connect from client66.stranger.example[198.51.100.66]",
        "2 postfix/smtpd[8]: 63708B3: client=client66.stranger.example[198.51.100.66]",
        "3 opendkim[9]: 63708B3: no signature data",
        "4 postfix/smtpd[8]: disconnect from client66.stranger.example[198.51.100.66] commands=2/3",
    ]
    text = "451 4.7.0 no DKIM signature data"
    replies = [Reply(f"RCPT TO:<{OUTSIDE}>", 451, text, 1, "4.7.0")]
    only = result(outcome("rcpt", code=451, replies=replies), log=log)
    assert "`On-NoSignature`" in only.next
