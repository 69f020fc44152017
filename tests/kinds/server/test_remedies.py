"""What to do about a trouble of the server's own, or a refusal that one setting explains."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from grader.judge import judge
from grader.model.traffic import Queued, Reply
from tests.judge.builders import OUTSIDE, arrival, check, evidence, facts, lab, outcome, session
from tests.kinds.server.test_advice import refused, result, told

USER = {"user": "alice", "listener": "587+starttls"}
DIED = "9 postfix/submission/smtpd[18]: fatal: no SASL authentication mechanisms"
NO_SOCKET = (
    "8 postfix/submission/smtpd[18]: warning: SASL: Connect to Dovecot auth socket "
    "'/var/spool/postfix/private/auth' failed: No such file or directory"
)
MUTE = {"sessions": [session("220 hi", end="reset")]}


def test_a_socket_that_is_not_in_the_chroot_is_named_with_its_setting() -> None:
    path = "smtpd_sasl_path = /var/spool/postfix/private/auth"
    only = result(
        {"authenticates": True},
        outcome("ehlo", replies=[]),
        USER,
        log=[NO_SOCKET, DIED],
        commands=told(path),
        **MUTE,
    )
    assert "'/var/spool/postfix/private/auth' failed" in only.observed
    assert f"`{path}` (main.cf)" in only.next
    assert "Write `smtpd_sasl_path = private/auth`" in only.next


@pytest.mark.parametrize("name", ["smtpd_sasl_security_options", "smtpd_sasl_tls_security_options"])
def test_passwords_that_are_forbidden_in_tls_are_named(name: str) -> None:
    line = f"{name} = noanonymous, noplaintext"
    only = result(
        {"authenticates": True}, outcome("ehlo", replies=[]), USER, log=[DIED], commands=told(line), **MUTE
    )
    assert f"`{line}` (main.cf)" in only.next
    assert "take `noplaintext` out" in only.next


@pytest.mark.parametrize("expect", ["mailbox", "outside"])
def test_tls_that_port_25_demands_is_named(expect: str) -> None:
    level = "smtpd_tls_security_level = encrypt"
    denied = refused("530 5.7.0 Must issue a STARTTLS command first")
    only = result({"arrives": expect}, denied, commands=told(level))
    assert f"`{level}` (main.cf)" in only.next
    assert "`smtpd_tls_security_level = may`" in only.next


def test_a_sender_whom_nobody_is_is_not_taken_for_a_recipient() -> None:
    text = "550 5.1.0 <printer@example.com>: Sender address rejected: User unknown in local recipient table"
    line = "smtpd_reject_unlisted_sender = yes"
    only = result({"arrives": "outside"}, refused(text), commands=told(line))
    assert f"`{line}` (main.cf)" in only.next
    assert "for a domain of its own" not in only.next


@pytest.mark.parametrize(("value", "named"), [("ipv4", True), ("all", False), ("ipv4, ipv6", False)])
def test_a_family_of_addresses_that_is_left_out_is_named(value: str, named: bool) -> None:
    made = outcome("connect", replies=[])
    line = f"inet_protocols = {value}"
    only = result({"arrives": "mailbox"}, made, {"server": "2001:db8:113::10"}, commands=told(line))
    assert (f"`{line}` (main.cf) leaves ipv6 out" in only.next) is named


def queued(reason: str, queue: str = "deferred") -> list[Queued]:
    return [Queued(queue, "someone@elsewhere.example", OUTSIDE, reason, ["stranger/1"])]


@pytest.mark.parametrize(
    ("filter_", "reason"),
    [
        ("smtp:[127.0.0.1]:10024", "connect to 127.0.0.1[127.0.0.1]:10024: Connection refused"),
        ("lmtp:unix:/run/scan", "connect to mail.example.com[/run/scan]: No such file or directory"),
    ],
)
def test_a_content_filter_that_does_not_answer_is_named(filter_: str, reason: str) -> None:
    line = f"content_filter = {filter_}"
    only = result({"arrives": "outside"}, outcome("accepted"), queued=queued(reason), commands=told(line))
    assert f"`{line}` (main.cf)" in only.next
    other = queued("connect to mx[198.51.100.25]:25: Connection timed out")
    only = result({"arrives": "outside"}, outcome("accepted"), queued=other, commands=told(line))
    assert "content_filter" not in only.next


def test_who_dies_over_the_mail_that_waits_is_quoted() -> None:
    log = ["3 postfix/smtp[9]: fatal: smtp_generic_maps map lookup problem for alice@example.com"]
    only = result({"arrives": "outside"}, outcome("accepted"), queued=queued("", "active"), log=log)
    assert "fatal: smtp_generic_maps map lookup problem" in only.observed
    assert "fatal: smtp_generic_maps map lookup problem" in only.next


def test_mail_for_nobody_that_is_thrown_away_is_not_called_a_matter_of_lists() -> None:
    nobody = {"recipients": ["rosa.k4v2@example.com"]}
    log = [
        "3 postfix/smtpd[9]: NOQUEUE: discard: RCPT from c[198.51.100.66]: x; to=<rosa.k4v2@example.com> proto=ESMTP"
    ]
    only = result({"refused": True}, outcome("accepted"), nobody, log=log)
    assert "Take `DISCARD`" in only.next


def test_a_bounce_is_told_with_the_recipient_who_does_not_exist() -> None:
    bounce = arrival("someone@elsewhere.example", sender="")
    only = result(
        {"refused": True},
        outcome("accepted"),
        {"recipients": ["rosa.k4v2@[203.0.113.10]"]},
        arrivals=[bounce],
    )
    assert "took the message for “rosa.k4v2@[203.0.113.10]” and later sent a bounce" in only.observed


@pytest.mark.parametrize(
    ("expect", "listener"), [({"greets": True}, "25"), ({"authenticates": True}, "587+starttls")]
)
def test_a_port_that_waits_for_tls_before_it_greets_is_named_and_no_client_of_ours_blamed(
    expect: dict[str, bool], listener: str
) -> None:
    line = "smtpd_tls_wrappermode = yes"
    log = [
        "7 postfix/smtpd[9]: warning: TLS library problem: error:0A00009B:SSL routines::https proxy request:../x.c:7:",
        "8 postfix/smtpd[9]: warning: hostname mail.example.com does not resolve to address 198.51.100.68",
    ]
    made = {"log": log, "commands": told(line), "sessions": [session("220 hi", end="timeout")]}
    only = result(expect, outcome("greeting", replies=[]), {"listener": listener}, **made)
    assert f"`{line}` (main.cf) has port {listener[:3].rstrip('+')} wait for a TLS handshake" in only.next
    assert "https proxy" not in only.observed
    assert not [pointer for pointer in only.evidence if pointer.startswith("log")]


def test_a_postscreen_with_nobody_behind_it_is_told_by_its_log() -> None:
    log = [
        "7 postfix/postscreen[13]: warning: cannot connect to service private/smtpd: No such file or directory"
    ]
    busy = outcome(
        "greeting", code=421, replies=[Reply("", 421, "421 4.3.2 All server ports are busy", 0, "4.3.2")]
    )
    only = result({"arrives": "mailbox"}, busy, log=log)
    assert "cannot connect to service private/smtpd" in only.observed
    assert "`smtpd pass - - y - - smtpd`" in only.next


def test_a_key_that_cannot_be_read_is_told_by_what_the_process_said_at_its_start() -> None:
    no_key = 'warning: cannot get RSA private key from file "/etc/ssl/lab/host.pem": disabling TLS support'
    log = [
        f"1 postfix/submission/smtpd[8]: {no_key}",
        "2 postfix/submission/smtpd[8]: connect from client66.stranger.example[198.51.100.66]",
        "3 postfix/submission/smtpd[8]: warning: TLS context initialization failed. For details see earlier warnings",
    ]
    line = "smtpd_tls_key_file = /etc/ssl/lab/host.pem"
    reply = refused("454 4.7.0 TLS not available due to local problem")
    only = result({"authenticates": True}, reply, USER, log=log, commands=told(line))
    assert no_key in only.observed
    assert "earlier warnings" not in only.observed
    assert f"`{line}` (main.cf)" in only.next


def test_a_host_with_a_mask_is_named_in_the_setting_that_holds_it() -> None:
    log = [
        "2 postfix/smtpd[8]: connect from client66.stranger.example[198.51.100.66]",
        "3 postfix/smtpd[8]: warning: smtpd_client_event_limit_exceptions: non-null host address bits in "
        '"10.1.2.3/24", perhaps you should use "10.1.2.0/24" instead',
    ]
    line = "mynetworks = 127.0.0.0/8 10.1.2.3/24"
    reply = refused("451 4.3.0 <a@example.com>: Temporary lookup failure")
    only = result({"arrives": "mailbox"}, reply, log=log, commands=told(line))
    assert f"`{line}` (main.cf)" in only.next
    assert "Write `10.1.2.0/24`" in only.next


@pytest.mark.parametrize(("networks", "named"), [("198.51.100.0/24", True), ("10.20.30.0/24", False)])
def test_networks_from_which_auth_is_hidden_are_named(networks: str, named: bool) -> None:
    line = f"smtpd_sasl_exceptions_networks = {networks}"
    only = result({"authenticates": True}, outcome("auth", replies=[]), USER, commands=told(line))
    assert (f"`{line}` (main.cf) hides AUTH" in only.next) is named


@pytest.mark.parametrize(
    ("override", "said"),
    [("smtp/inet/disable_vrfy_command = no", "(master.cf, below `smtp`) stands in its place"), ("", None)],
)
def test_an_override_that_undoes_the_advice_is_named_behind_it(override: str, said: str | None) -> None:
    vrfy = replace(check(alike=True), next="Set `disable_vrfy_command = yes`.")
    replies = [Reply("VRFY a", 252, "252 a", 0), Reply("VRFY b", 550, "550 b", 1)]
    made = outcome("said", replies=replies)
    commands = told("disable_vrfy_command = yes", overrides=override)
    run = evidence(lab(vrfy), [facts(say=["VRFY a", "VRFY b"])], [made], commands=commands)
    (only,) = judge(run).checks
    assert only.next.startswith("Set `disable_vrfy_command = yes`.")
    assert ("master.cf" in only.next) is (said is not None)
    assert said is None or said in only.next
