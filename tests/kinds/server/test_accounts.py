"""What a server took for other people has to be found again, or it may be sent on when nobody looks."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from grader.judge import judge
from grader.model.result import CheckResult
from grader.model.traffic import Arrival, AttemptFacts, Queued, Reply
from tests.judge.builders import OUTSIDE, TOKEN, arrival, check, evidence, facts, lab, outcome, session
from tests.tables import every

STRICT = check(arrives="nowhere", accounted=True)
LENIENT = check(arrives="nowhere")
NAMES = {"domain": "example.com", "outside": "elsewhere.example", "partner": "partner.example"}

SERVED = [
    "1 postfix/smtpd[20]: connect from client66.stranger.example[198.51.100.66]",
    "2 postfix/smtpd[20]: 63708B3: client=client66.stranger.example[198.51.100.66]",
    f"3 postfix/cleanup[30]: 63708B3: message-id=<{TOKEN}.1@client.example>",
]
TO = f"to=<{OUTSIDE}>, relay"
DISCARD_TRANSPORT = f"4 postfix/discard[31]: 63708B3: {TO}=none, delay=0, dsn=2.0.0, status=sent (spam)"
DISCARD_ACTION = (
    "4 postfix/smtpd[20]: NOQUEUE: discard: RCPT from client66.stranger.example[198.51.100.66]: "
    f"<{OUTSIDE}>: Recipient address triggers DISCARD action; from=<a@b.example> to=<{OUTSIDE}> proto=ESMTP"
)
DISCARD_HEADER = (
    "4 postfix/cleanup[30]: 63708B3: discard: header Subject: pills from client.example[198.51.100.66]; "
    f"from=<a@b.example> to=<{OUTSIDE}> proto=ESMTP helo=<h>"
)
BINNED = (
    f"4 postfix/local[31]: 63708B3: to=<null@h>, orig_{TO}=local, status=sent (delivered to file: /dev/null)"
)
GIVEN_UP = f"4 postfix/error[31]: 63708B3: {TO}=none, dsn=5.0.0, status=bounced (no mail to the world)"
STASHED = f"4 postfix/pipe[31]: 63708B3: {TO}=stash, dsn=2.0.0, status=sent (delivered via stash service)"
COMMAND = (
    f"4 postfix/local[31]: 63708B3: to=<x@example.com>, orig_{TO}=local, "
    "status=sent (delivered to command: /bin/keep)"
)
SOMEBODY_ELSES = (
    "4 postfix/discard[31]: 71111B3: to=<other@elsewhere.example>, relay=none, status=sent (spam)"
)
QUIET = f"4 postfix/smtp[31]: 63708B3: {TO}=127.0.0.1[127.0.0.1]:10025, dsn=2.0.0, status=sent (250 ok)"


def judged(
    *log: str,
    of: Any = STRICT,
    attempt: AttemptFacts | None = None,
    arrivals: list[Arrival] | None = None,
    queued: list[Queued] | None = None,
    sought: bool = True,
    **more: Any,
) -> CheckResult:
    run = evidence(
        lab(of),
        [attempt or facts()],
        [outcome("accepted", **more)],
        arrivals,
        queued,
        log=[*SERVED, *log],
        sought=sought,
        sessions=[session("220 hi", "250 2.1.5 Ok", "250 2.0.0 Ok: queued as 63708B3")],
    )
    (only,) = judge(replace(run, names=NAMES)).checks
    return only


def test_what_was_taken_and_is_nowhere_costs_the_check() -> None:
    told = judged()
    assert told.status == "fail"
    assert "taken and then vanished" in told.observed
    assert "reject_unauth_destination" in told.next
    assert told.evidence == ["session:1:1"]


def test_in_other_labs_a_person_judges_and_sees_the_session() -> None:
    told = judged(of=LENIENT)
    assert (told.status, told.points) == ("manual", 0)
    assert "taken and then vanished" in told.observed
    assert told.evidence == ["session:1:1"]
    assert "A person has to judge this" in told.remarks[0]


@pytest.mark.parametrize("line", [STASHED, COMMAND])
def test_a_program_that_got_it_is_named_with_the_line(line: str) -> None:
    told = judged(line)
    assert told.status == "fail"
    assert "a program got it" in told.observed
    assert "log:3" in told.evidence


@pytest.mark.parametrize("line", [STASHED, COMMAND])
def test_what_a_program_got_is_not_excused_by_a_copy_or_by_another_line(line: str) -> None:
    copy = arrival("archive@elsewhere.example")
    assert judged(line, arrivals=[copy]).status == "fail"
    assert judged(line, DISCARD_TRANSPORT).status == "fail"


@every(
    "line", [DISCARD_TRANSPORT, DISCARD_ACTION, DISCARD_HEADER, BINNED, GIVEN_UP], ids=lambda line: line[2:28]
)
@every("of", [STRICT, LENIENT], ids=["strict", "lenient"])
def test_what_postfix_threw_away_or_gave_up_is_accounted_for_and_said(line: str, of: Any) -> None:
    told = judged(line, of=of)
    assert told.status == "pass"
    assert "from the server's log alone" in told.remarks[0]


def test_an_address_that_others_write_to_as_well_is_known_by_its_sender() -> None:
    told = "from=<someone@elsewhere.example> to=<postmaster@elsewhere.example>"
    line = (
        f"4 postfix/smtpd[20]: NOQUEUE: discard: RCPT from x[198.51.100.66]: triggers DISCARD action; {told}"
    )
    assert judged(line, attempt=facts(recipients=["postmaster@elsewhere.example"])).status == "pass"
    assert (
        judged(line, attempt=facts(recipients=["postmaster@elsewhere.example"], sender="")).status == "fail"
    )


@pytest.mark.parametrize("line", [SOMEBODY_ELSES, QUIET])
def test_a_line_about_somebody_else_or_of_another_kind_excuses_nothing(line: str) -> None:
    assert judged(line).status == "fail"


@pytest.mark.parametrize(
    ("raw", "where", "status"),
    [
        (b"From a@b Mon\nSubject: s (" + TOKEN.encode() + b")\n", "/home/alice/mbox", "pass"),
        (b"Subject: s (" + TOKEN.encode() + b")\n\nDear", "/home/alice/Maildir/new/17.M1.host", "pass"),
        (b"Subject: s (" + TOKEN.encode() + b")\n\nDear", "/var/mail/alice", "pass"),
        (b"Subject: s (" + TOKEN.encode() + b")\n\nDear", "/home/alice/stash/m.17", "fail"),
    ],
)
def test_a_mailbox_is_where_mail_is_read(raw: bytes, where: str, status: str) -> None:
    found = arrival(place="mailbox", raw=raw, where=where, recipients=[], sender="")
    assert judged(arrivals=[found]).status == status


def test_a_bounce_and_an_entry_of_the_queue_account_for_it() -> None:
    bounce = arrival("someone@elsewhere.example", sender="")
    assert judged(arrivals=[bounce]).status == "pass"
    waiting = Queued("deferred", "someone@elsewhere.example", "held@example.com", "why", ["stranger/1"])
    assert judged(queued=[waiting]).status == "pass"


@pytest.mark.parametrize(
    "recipient",
    [f"{TOKEN}@example.com", f"{TOKEN}@other.example", TOKEN, f'"{TOKEN}@elsewhere.example"@example.com'],
)
def test_what_a_server_may_keep_as_its_own_is_not_asked_after(recipient: str) -> None:
    assert judged(attempt=facts(recipients=[recipient])).status == "pass"


def test_a_recipient_that_was_refused_beside_one_that_was_taken_is_not_missed() -> None:
    both = facts(recipients=["alice@example.com", OUTSIDE])
    replies = [
        Reply("RCPT TO:<alice@example.com>", 250, "250 2.1.5 Ok", 1),
        Reply(f"RCPT TO:<{OUTSIDE}>", 554, "554 5.7.1 Relay access denied", 1),
    ]
    assert judged(attempt=both, replies=replies).status == "pass"
    taken = [replies[0], Reply(f"RCPT TO:<{OUTSIDE}>", 250, "250 2.1.5 Ok", 1)]
    assert judged(attempt=both, replies=taken).status == "fail"


def test_evidence_in_which_nobody_looked_says_nothing() -> None:
    assert judged(sought=False).status == "pass"
