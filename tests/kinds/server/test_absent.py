"""A program of Postfix's own that master.cf does not start is named with the line that it takes."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from grader.model.traffic import Line, Queued
from tests.judge.builders import OUTSIDE, outcome, session
from tests.kinds.server.test_advice import refused, result, told

WARNING = "9 postfix/smtpd[18]: warning: "
CLEANUP = f"{WARNING}connect #1 to subsystem public/cleanup: No such file or directory"
TLSMGR = f"{WARNING}problem talking to server private/tlsmgr: No such file or directory"
LOCAL = "9 postfix/qmgr[11]: warning: connect to transport private/local: No such file or directory"


def test_whom_an_smtpd_asks_in_vain_is_named_where_it_says_nothing() -> None:
    only = result(
        {"arrives": "mailbox"},
        outcome("data", replies=[]),
        log=[LOCAL, CLEANUP],
        sessions=[session("220 hi", end="timeout")],
    )
    assert "connect #1 to subsystem public/cleanup" in only.observed
    assert "`cleanup unix n - y - 0 cleanup`" in only.next


def test_and_where_it_refuses_for_now() -> None:
    only = result({"authenticates": True}, refused("454 4.7.0 TLS not available"), log=[TLSMGR])
    assert "`tlsmgr unix - - y 1000? 1 tlsmgr`" in only.next


def test_not_where_it_says_no_or_nobody_listens() -> None:
    assert result({"arrives": "mailbox"}, refused("550 5.7.1 no"), log=[CLEANUP]).next == "n"
    closed = result({"arrives": "mailbox"}, outcome("connect", replies=[]), log=[CLEANUP])
    assert "cleanup" not in closed.next


@pytest.mark.parametrize("expect", ["mailbox", "outside"])
def test_mail_that_nobody_carries_waits_for_a_service(expect: str) -> None:
    queued = [
        Queued("deferred", "someone@third.example", OUTSIDE, "mail transport unavailable", ["stranger/1"])
    ]
    only = result({"arrives": expect}, outcome("accepted"), log=[LOCAL], queued=queued)
    assert "`local unix - n n - - local`" in only.next


def test_users_whom_proxymap_cannot_see() -> None:
    text = "550 5.1.1 <alice@example.com>: Recipient address rejected: User unknown in local recipient table"
    log = [
        f"{WARNING.replace('smtpd', 'proxymap')}cannot access UNIX password database: No such file or directory"
    ]
    only = result({"arrives": "mailbox"}, refused(text), log=log)
    assert "`proxymap unix - - n - - proxymap`" in only.next
    assert "proxymap" not in result({"arrives": "mailbox"}, refused(text)).next


@pytest.mark.parametrize(
    ("said", "named"),
    [
        (("C: EHLO a", "S: 250 mail.example.com"), "another command of `EHLO`"),
        (("C: STARTTLS", "S: 250 2.0.0 Ok"), "another command of `STARTTLS`"),
        (("C: EHLO a", "S: 250-mail.example.com", "S: 250 SIZE"), None),
        (("C: STARTTLS", "S: 220 2.0.0 Ready"), None),
    ],
)
def test_a_command_that_became_another_one(said: tuple[str, ...], named: str | None) -> None:
    filter_ = "smtpd_command_filter = pcre:/f"
    lines = [Line(float(n), "C" if text[0] == "C" else "S", text[3:]) for n, text in enumerate(said)]
    made = {"sessions": [replace(session(), lines=lines)], "commands": told(filter_)}
    only = result(
        {"authenticates": True}, refused("502 5.5.1 no"), {"user": "alice", "listener": "465"}, **made
    )
    if named is None:
        assert only.next == "n"
    else:
        assert f"`{filter_}` (main.cf) makes {named}" in only.next


def test_a_transport_of_ones_own_that_master_cf_has_not() -> None:
    queued = [
        Queued("deferred", "someone@third.example", OUTSIDE, "mail transport unavailable", ["stranger/1"])
    ]
    log = [LOCAL.replace("local", "spamassassin")]
    only = result({"arrives": "outside"}, outcome("accepted"), log=log, queued=queued)
    assert "take out what names `spamassassin:`" in only.next


@pytest.mark.parametrize(
    ("value", "named"), [("silent-discard, auth", "AUTH"), ("STARTTLS dsn", "STARTTLS"), ("dsn", None)]
)
def test_what_is_not_offered_to_anybody(value: str, named: str | None) -> None:
    made = {"commands": told(f"smtpd_discard_ehlo_keywords = {value}")}
    only = result(
        {"authenticates": True}, refused("502 5.5.1 no"), {"user": "alice", "listener": "465"}, **made
    )
    assert (f"takes {named} out of the answer to EHLO" in only.next) if named else only.next == "n"


def test_a_service_of_another_name_that_an_smtpd_waits_for() -> None:
    log = [LOCAL, CLEANUP.replace("cleanup", "clean")]
    silence = [session("220 hi", end="timeout")]
    only = result({"arrives": "mailbox"}, outcome("data", replies=[]), log=log, sessions=silence)
    assert "connect #1 to subsystem public/clean:" in only.observed
    assert "`clean`" in only.next
    assert "`cleanup_service_name`" in only.next
