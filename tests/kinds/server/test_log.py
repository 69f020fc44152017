"""Which lines of the log are about a session, and what they say of its trouble."""

from __future__ import annotations

import time

import pytest

from grader.judge import judge
from grader.kinds.traffic.log import LogLookups
from grader.model.result import CheckResult
from grader.model.traffic import Outcome, Reply, Session
from tests.judge import builders

LOG = [
    "1 postfix/smtpd[20]: connect from client.example[198.51.100.66]",
    "2 postfix/smtpd[21]: connect from client.example[198.51.100.66]",
    "3 postfix/smtpd[20]: 63708B3: client=client.example[198.51.100.66]",
    f"4 postfix/cleanup[30]: 63708B3: message-id=<{builders.TOKEN}.1@client.example>",
    "5 opendkim[8]: can't load key from /etc/opendkim/keys/mail.private: No such file or directory",
    "6 opendkim[8]: 63708B3: error loading key 'mail2026'",
    "7 postfix/smtpd[21]: warning: hash:/etc/postfix/access is unavailable. No such file or directory",
    "8 opendkim[8]: 71111B3: error loading key 'other'",
    "9 postfix/smtpd[21]: disconnect from client.example[198.51.100.66]",
    "10 postfix/smtpd[20]: disconnect from client.example[198.51.100.66]",
    "11 postfix/smtpd[21]: warning: of nobody's session",
]


def about(log: list[str], *answers: str, **facts: object) -> list[int]:
    session = builders.session(*answers) if answers else None
    return [line.index for line in LogLookups(log).of(builders.facts(**facts), session)]  # type: ignore[arg-type]


def test_lines_with_the_queue_id_belong_to_the_message_and_what_its_milter_says_meanwhile() -> None:
    assert about(LOG) == [0, 2, 3, 4, 5, 9]


def test_the_answer_gives_the_queue_id_where_the_log_does_not_know_the_message() -> None:
    assert about(LOG, "220 hi", "250 2.0.0 Ok: queued as 63708B3", token="other") == [0, 2, 3, 4, 5, 9]


def test_without_a_queue_id_the_process_tells_that_served_the_client() -> None:
    assert about(LOG, token="other") == [1, 6, 8]
    assert about(LOG, token="other", address="198.51.100.67") == []


def test_the_process_that_named_the_recipient_goes_before_another_one() -> None:
    log = [
        *LOG[:2],
        f"3 postfix/smtpd[20]: NOQUEUE: reject: RCPT: 451 4.3.0 to=<{builders.OUTSIDE}>",
        *LOG[6:],
    ]
    assert about(log) == [0, 2, 6]


@pytest.mark.parametrize(
    "line", ["", "no number", "1 odd", "1 a[b]: c: d", "1 postfix/smtpd[1]: connect from x"]
)
def test_odd_lines_are_nobodys(line: str) -> None:
    assert about([line]) == []


def told(text: str, log: list[str], stage: str = "data", check: str = "arrives") -> CheckResult:
    """What is said where the server answers so, of mail that should arrive or of a greeting."""
    wanted = builders.check("it", **({"arrives": "outside"} if check == "arrives" else {check: True}))
    reply = Reply(command=".", code=int(text[:3]), text=text, line=1)
    outcome = Outcome(attempt="it/1", stage=stage, session=1, replies=[reply])  # type: ignore[arg-type]
    session: Session = builders.session("220 hi", text)
    evidence = builders.evidence(
        builders.lab(wanted),
        [builders.facts("it", say=["VRFY alice"])],
        [outcome],
        log=log,
        sessions=[session],
    )
    [result] = judge(evidence).checks
    return result


@pytest.mark.parametrize(
    "text",
    [
        "451 4.7.0 resource unavailable",
        "451 4.3.0 Try again later",
        "451 4.3.5 Server configuration error",
        "451 4.7.1 Service unavailable - try again later",
    ],
)
def test_trouble_inside_begins_with_the_warnings_of_that_session(text: str) -> None:
    result = told(text, LOG)
    assert result.observed.startswith("The server's log says: “opendkim: can't load key from /etc/opendkim")
    assert text in result.observed
    assert result.evidence[:2] == ["log:4", "log:5"]
    assert "other" not in result.observed


@pytest.mark.parametrize(
    "text", ["554 5.7.1 Relay access denied", "450 4.2.0 Greylisted", "552 5.3.4 too big"]
)
def test_a_refusal_on_purpose_is_no_trouble(text: str) -> None:
    assert "log says" not in told(text, LOG).observed


def test_a_server_without_its_milter_runs() -> None:
    hangs_up = "421 mail.example.com Service unavailable - try again later"
    log = [
        "1 postfix/smtpd[18]: connect from client.example[198.51.100.66]",
        "2 postfix/smtpd[18]: warning: connect to Milter service unix:x.sock: Permission denied",
        "3 postfix/smtpd[18]: disconnect from client.example[198.51.100.66] commands=0/0",
    ]
    assert told(hangs_up, log, "greeting", "greets").status == "pass"
    mail = told(hangs_up, log, "greeting")
    assert mail.status == "fail"
    assert mail.observed.startswith(
        "The server's log says: “postfix/smtpd: warning: connect to Milter service"
    )
    assert told(hangs_up, [], "greeting", "greets").status == "fail"
    assert told("554 5.7.1 go away", log, "greeting", "greets").status == "fail"
    # Nor is it a fault of the lab's that nobody could be asked anything.
    asked = told(hangs_up, log, "greeting", "alike")
    assert (asked.status, asked.observed) == ("fail", mail.observed)
    assert told(hangs_up, [], "greeting", "alike").status == "error"
    assert told("554 5.7.1 go away", log, "greeting", "alike").status == "error"


def test_a_client_turned_away_at_several_ports_is_told_of_the_one_that_it_asked() -> None:
    log = [
        line.format(n=n)
        for program, n in (
            ("postfix/submission/smtpd", 15),
            ("postfix/submissions/smtpd", 16),
            ("postfix/smtpd", 17),
        )
        for line in (
            f"1 {program}[{{n}}]: connect from client.example[198.51.100.66]",
            f"2 {program}[{{n}}]: warning: connect to Milter service inet:localhost:8891: Connection refused",
            f"3 {program}[{{n}}]: disconnect from client.example[198.51.100.66] commands=0/0",
        )
    ]
    assert about(log, token="other") == [6, 7, 8]
    assert about(log, token="other", listener="587+starttls") == [0, 1, 2]
    assert about(log, token="other", listener="465") == [3, 4, 5]
    assert about(log, token="other", listener="2525") == [6, 7, 8]


def _seconds(log: list[str], tokens: list[str]) -> float:
    """Processor time in which a log is read, and looked up for an attempt of each token."""
    began = time.thread_time()
    lookups = LogLookups(log)
    for token in tokens:
        lookups.of(builders.facts(token=token), None)
        lookups.to_token(token)
        lookups.to_addresses(["a@b.c"])
    return time.thread_time() - began


def test_a_flooded_log_is_read_once_and_not_again_for_every_attempt() -> None:
    tokens = [f"rosa.krug{number}" for number in range(1000, 1300)]
    client = "connect from x[198.51.100.66]"
    floods = {
        "recipients": ["1 postfix/smtp[7]: 4F0A12345: " + "to=<a@b.c> " * 30] * 5000,
        "tokens": ["1 postfix/smtp[7]: 4F0A12345: " + " ".join(f"to=<{t}@x.example>" for t in tokens)] * 150,
        "sessions": [f"1 postfix/smtpd[{number}]: {client}" for number in range(10_000)],
        "one session": [f"1 postfix/smtpd[7]: {client}", *["1 postfix/smtpd[7]: a@b warning: x"] * 10_000],
        "milter": ["1 opendkim[7]: x"] * 10_000,
        "digits": ["1 postfix/smtp[7]: to=<" + "0123456789" * 50 + "@x>"] * 2000,
    }
    for name, log in floods.items():
        assert min(_seconds(log, tokens) for _ in range(2)) < 1.0, name
