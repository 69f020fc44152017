"""What the lesson tells of Postfix in prose: the real one does it. The words stand in the entry as quoted here."""

from __future__ import annotations

import re
import ssl
import time
from typing import NamedTuple

import pytest

from grader.lesson.entries import Example
from grader.lesson.library import library
from grader.lesson.simulator.real import RealServer
from grader.lesson.simulator.server import Settings
from grader.lesson.simulator.table import table
from grader.model.deadline import Deadline
from grader.model.protocol.host import ReadLog, RunCommand
from grader.model.traffic import Command
from tests.lesson import texts

pytestmark = pytest.mark.slow

MAIN_CF = {
    "relay_domains": "backup.example",
    "luser_relay": "alice",
    "maximal_queue_lifetime": "0",
    "virtual_alias_maps": "inline:{ info@example.com=alice }",
    "transport_maps": "inline:{ {loop.example = smtp:[mail.example.com]} }",
}
"""What programs other than smtpd(8) read, too: it has to stand in main.cf itself."""
ADDRESS = ["EHLO x", "MAIL FROM:<a@b.example>"]


def hello() -> str:
    """How a TLS client begins, as text of single octets."""
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(received, sent, server_hostname="mail.example.com")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read().replace(b"\n", b"\r").decode("latin-1")


class Told(NamedTuple):
    """``entry`` says ``words``; with these settings each line gets a reply of which a line begins so."""

    entry: str
    words: str
    settings: Settings
    session: list[tuple[str, str]]


TOLD = {
    "no size limit": Told(
        "size",
        "With `message_size_limit = 0` there is none, and Postfix offers `SIZE` without a number.",
        {"message_size_limit": "0"},
        [("EHLO x", "250-SIZE\n"), ("MAIL FROM:<a@b.example> SIZE=9999999999", "250 2.1.0")],
    ),
    "strict envelopes": Told(
        "cmd-mail",
        "`strict_rfc821_envelopes = yes` refuses the second, without brackets, and still takes the first.",
        {"strict_rfc821_envelopes": "yes"},
        [
            ("EHLO x", "250 "),
            ("MAIL FROM:a@b.example", "501 5.1.7"),
            ("MAIL FROM: <a@b.example>", "250 2.1.0"),
        ],
    ),
    "no greeting": Told(
        "cmd-mail",
        "Postfix takes it without EHLO, too, unless `smtpd_helo_required = yes`.",
        {},
        [("MAIL FROM:<a@b.example>", "250 2.1.0")],
    ),
    "before the greeting": Told(
        "session-order",
        "NOOP, HELP, RSET, VRFY, EXPN and QUIT are allowed at any time, before EHLO as well.",
        {"smtpd_helo_required": "yes"},
        [
            ("NOOP", "250 2.0.0"),
            ("HELP", "214 2.0.0"),
            ("RSET", "250 2.0.0"),
            ("VRFY alice", "252 2.0.0"),
            ("EXPN staff", "500 5.5.2"),
            ("MAIL FROM:<a@b.example>", "503 5.5.1"),
            ("QUIT", "221 2.0.0"),
        ],
    ),
    "no such domain": Told(
        "reply-450",
        "whether DNS does not answer or answers that there is no such domain",
        {"smtpd_sender_restrictions": "reject_unknown_sender_domain"},
        [*((line, "250 ") for line in ADDRESS), ("RCPT TO:<alice@example.com>", "450 4.1.8")],
    ),
    "no such domain, refused": Told(
        "reply-450",
        "it puts both off, unless `unknown_address_reject_code = 550`.",
        {"smtpd_sender_restrictions": "reject_unknown_sender_domain", "unknown_address_reject_code": "550"},
        # The parameter counts for a certain no alone: this domain does not exist, as DNS says.
        [*((line, "250 ") for line in ADDRESS), ("RCPT TO:<alice@example.com>", "550 5.1.8")],
    ),
    "TLS in a transaction": Told(
        "cmd-starttls",
        "An open transaction is lost.",
        {},
        [*((line, "250 ") for line in ADDRESS), ("STARTTLS", "220 2.0.0")],
    ),
    "a handshake": Told(
        "reply-221",
        "to those who speak something else on a mail port: HTTP, a header field, or TLS",
        {},
        [(hello(), "221 2.7.0 Error: I can break rules, too.")],
    ),
    "backup MX": Told(
        "delivery",
        "`reject_unauth_destination` lets them through, with their subdomains",
        {},
        [
            *((line, "250 ") for line in ADDRESS),
            ("RCPT TO:<x@backup.example>", "250 2.1.5"),
            ("RCPT TO:<x@deep.backup.example>", "250 2.1.5"),
            ("RCPT TO:<x@elsewhere.example>", "554 5.7.1"),
        ],
    ),
    "no milter": Told(
        "signing",
        "by default the client is turned away with 421",
        {"smtpd_milters": "inet:127.0.0.1:1"},
        [("", "421 ")],
    ),
    "catch-all": Told(
        "catch-all",
        "`luser_relay`, for domains of `mydestination`",
        {"local_recipient_maps": ""},
        [*((line, "250 ") for line in ADDRESS), ("RCPT TO:<nobody@example.com>", "250 2.1.5")],
    ),
    "a trusted client": Told(
        "xclient",
        "and begins anew with its greeting",
        {"smtpd_authorized_xclient_hosts": "0.0.0.0/0", "smtpd_authorized_xforward_hosts": "0.0.0.0/0"},
        [
            ("EHLO x", "250-XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT\n"),
            ("EHLO x", "250-XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT\n"),
            ("XFORWARD NAME=client.example.net ADDR=192.0.2.77", "250 2.0.0 Ok"),
            ("XCLIENT NAME=client.example.net ADDR=192.0.2.77", "220 mail.example.com ESMTP Postfix"),
        ],
    ),
    "extensions that it lacks": Told(
        "deliverby",
        "Not offered; the parameter gets 555.",
        {},
        [
            ("EHLO x", "250-PIPELINING"),
            ("MAIL FROM:<a@example.org> BY=3600;R", "555 5.5.4"),
            ("MAIL FROM:<a@example.org> MT-PRIORITY=3", "555 5.5.4"),
            ("MAIL FROM:<a@example.org> REQUIRETLS", "555 5.5.4"),
        ],
    ),
    "48 hops": Told(
        "code-x.4.0",
        "Postfix refuses a message that arrives with 49 Received fields, because its own would be the 50th",
        {},
        [
            *((line, "250 ") for line in ADDRESS),
            ("RCPT TO:<alice@example.com>", "250 "),
            ("DATA", "354 "),
            ("Received: from a by b; Sat, 21 Feb 2026 10:00:00 +0000\r\n" * 48 + "\r\n.", "250 "),
            ("MAIL FROM:<a@b.example>", "250 "),
            ("RCPT TO:<alice@example.com>", "250 "),
            ("DATA", "354 "),
            ("Received: from a by b; Sat, 21 Feb 2026 10:00:00 +0000\r\n" * 49 + "\r\n.", "554 5.4.0"),
        ],
    ),
}
NAMELESS: Settings = {"smtpd_peername_lookup": "no"}
LOGGED: dict[str, tuple[Settings, list[str]]] = {
    "lost connection after CONNECT from": (NAMELESS, []),
    "Relay access denied; from=<y@elsewhere.example>": (
        NAMELESS,
        ["EHLO client", "MAIL FROM:<y@elsewhere.example>", "RCPT TO:<x@elsewhere.example>"],
    ),
    "cannot find your reverse hostname": (
        {**NAMELESS, "smtpd_client_restrictions": "reject_unknown_reverse_client_hostname"},
        ["EHLO client", "MAIL FROM:<y@elsewhere.example>", "RCPT TO:<x@elsewhere.example>"],
    ),
    "need fully-qualified hostname": (
        {**NAMELESS, "smtpd_helo_restrictions": "reject_non_fqdn_helo_hostname"},
        ["EHLO client", "MAIL FROM:<y@elsewhere.example>", "RCPT TO:<x@elsewhere.example>"],
    ),
    "improper command pipelining after EHLO": (NAMELESS, ["EHLO client\r\nMAIL FROM:<a@b.example>"]),
}
"""Words of a line in ``log-warnings``, and what makes Postfix log that line."""
SETTINGS: dict[str, Settings] = {
    **{f"told-{place}": told.settings for place, told in enumerate(TOLD.values())},
    **{f"logged-{place}": settings for place, (settings, _) in enumerate(LOGGED.values())},
}
SENT = [
    ("code-x.4.4", "Postfix bounces with `dsn=5.4.4`", "x@nosuch.invalid", r"dsn=5\.4\.4, status=bounced \(Host or "),
    ("step-route", "returned at once; Postfix says `dsn=5.4.4`", "y@nosuch.invalid", r"dsn=5\.4\.4, status=bounced"),
    ("code-x.4.6", "loops back to myself`, dsn 5.4.6", "x@loop.example", r"dsn=5\.4\.6.* loops back to "),
]  # fmt: skip
"""An entry, what it says, a recipient, and what stands in the log when mail for them is sent."""


def prose(entry: str) -> str:
    """Everything that an entry says, white space as single spaces."""
    return " ".join(texts.of(library().entries[entry]))


def run(server: RealServer, *argv: str) -> Command:
    return server.machines.host.call(RunCommand(list(argv), limit=20), timeout=30)


def awaited(server: RealServer, pattern: str) -> bool:
    """Whether such a line comes into the log."""
    deadline = Deadline(10)
    while not any(re.search(pattern, line) for line in server.machines.host.call(ReadLog(), timeout=5)):
        if deadline.over:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.parametrize("case", TOLD)
def test_postfix_does_what_is_told(configured: RealServer, case: str) -> None:
    told = TOLD[case]
    assert told.words in prose(told.entry)
    server = table().server
    on = frozenset({f"told-{list(TOLD).index(case)}"})
    conversation, greeting = configured.connect(server.clients[0], server.listeners[0], on)
    for line, expected in told.session:
        answer = conversation.say(f"{line}\r\n".encode("latin-1"), 1) if line else greeting
        heard = "".join(f"{one}\n" for reply in answer.replies for one in reply)
        assert re.search(f"^{re.escape(expected)}", heard, re.MULTILINE), (line[:60], heard)
    conversation.hang_up()


@pytest.mark.parametrize(("entry", "words", "recipient", "logged"), SENT)
def test_postfix_logs_what_is_told(
    configured: RealServer, entry: str, words: str, recipient: str, logged: str
) -> None:
    assert words in prose(entry)
    sent = run(configured, "sh", "-c", f"echo hello | sendmail -f alice {recipient}")
    assert sent.code == 0, sent.output
    assert awaited(configured, rf"to=<{recipient}>.* {logged}")


def test_unset_parameters_have_the_values_that_are_told(configured: RealServer) -> None:
    """As in a new installation: without a compatibility level Postfix keeps defaults of long ago for some."""
    told = {name: value for entry in library().entries.values() for name, value in entry.defaults.items()}
    fresh = "mkdir -p /tmp/new; echo 'compatibility_level = 3.9' > /tmp/new/main.cf; touch /tmp/new/master.cf"
    assert run(configured, "sh", "-c", fresh).code == 0
    written = run(configured, "postconf", "-d", *told).output
    expanded = run(configured, "postconf", "-c", "/tmp/new", "-x", *told).output
    for name, value in told.items():
        line = f"{name} = {value}".rstrip()
        assert line in map(str.rstrip, [*written.splitlines(), *expanded.splitlines()]), name
    assert len(told) > 40


def test_restrictions_that_are_named_are_those_of_smtpd(configured: RealServer) -> None:
    said = " ".join(text for found in texts.lesson(library()).values() for text in found)
    named = sorted(set(re.findall(r"(?<![\w])(?:permit|reject|defer)_[a-z0-9_]+", said)))
    assert len(named) > 5
    for name in named:
        found = run(configured, "grep", "-ac", name, "/usr/lib/postfix/sbin/smtpd")
        assert found.code == 0, name


@pytest.mark.parametrize(("recipient", "delivered"), [("info", "alice"), ("postmaster", "postmaster")])
def test_a_mailbox_shows_what_is_told_of_delivery(
    configured: RealServer, recipient: str, delivered: str
) -> None:
    told = prose("x-original-to")
    assert "Postfix writes it between Return-Path and Delivered-To." in told
    assert (
        "`virtual_alias_maps` led from the one to the other; aliases(5) of system users leave both as they were"
        in told
    )
    assert run(configured, "sh", "-c", f"echo hello | sendmail -f bob {recipient}@example.com").code == 0
    assert awaited(configured, rf"orig_to=<{recipient}@example.com>.* status=sent")
    mailbox = run(configured, "tail", "-n", "30", "/var/mail/alice").output
    fields = ["Return-Path: <bob@", f"X-Original-To: {recipient}@", f"Delivered-To: {delivered}@"]
    assert re.search("example.com>?\n".join(map(re.escape, fields)), mailbox), mailbox


def test_a_catch_all_takes_what_is_told(configured: RealServer) -> None:
    assert "with an empty `local_recipient_maps`" in prose("catch-all")
    on = frozenset({f"told-{list(TOLD).index('catch-all')}"})
    server = table().server
    conversation, _ = configured.connect(server.clients[0], server.listeners[0], on)
    for line in [*ADDRESS, "RCPT TO:<nobody-at-all@example.com>", "DATA", "Subject: x\r\n\r\nhello\r\n."]:
        answer = conversation.say(f"{line}\r\n".encode(), 1)
        assert answer.replies[0][0][0] in "23", answer.replies
    assert awaited(configured, r"to=<alice@example.com>, orig_to=<nobody-at-all@example.com>.* status=sent")


@pytest.mark.parametrize("words", LOGGED)
def test_postfix_logs_the_lines_that_are_shown(configured: RealServer, words: str) -> None:
    entry = library().entries["log-warnings"]
    assert isinstance(entry, Example)
    (shown,) = (line.line.partition("]: ")[2] for line in entry.lines if words in line.line)
    server = table().server
    on = frozenset({f"logged-{list(LOGGED).index(words)}"})
    conversation, _ = configured.connect(server.clients[0], server.listeners[0], on)
    for line in LOGGED[words][1]:
        conversation.say(f"{line}\r\n".encode(), 1)
    conversation.hang_up()
    assert awaited(configured, rf"postfix/smtpd\[[0-9]+\]: {re.escape(shown)}"), shown


def test_mail_that_comes_too_late_is_returned_with_the_last_code(configured: RealServer) -> None:
    assert "it returns the message with the last code, such as 4.4.1" in prose("code-x.4.7")
    run(configured, "sh", "-c", "echo hello | sendmail -f bob x@client66.stranger.example")
    assert awaited(configured, r"to=<x@client66.stranger.example>.* dsn=4\.4\.1, status=deferred")
    assert awaited(configured, r"to=<bob@example.com>.* status=sent")
    assert "\nStatus: 4.4.1\n" in run(configured, "cat", "/var/mail/bob").output


def test_postfix_check_finds_what_is_told_and_no_more(configured: RealServer) -> None:
    told = prose("postfix-first-aid")
    assert "parameters that nothing uses" in told
    assert "files and directories with a wrong owner" in told
    assert "It does not find an unknown restriction, a map that is missing" in told
    found = "unused parameter: smtpd_recipient_restriction=reject"
    lines = [
        "smtpd_recipient_restriction = reject",
        "smtpd_helo_restrictions = no_such_restriction",
        "sender_canonical_maps = cdb:/etc/postfix/missing",
    ]
    copy = (
        "cp -r /etc/postfix /tmp/check; cd /tmp/check; printf '%s\\n' \"$@\" >> main.cf; chown nobody main.cf"
    )
    said = run(configured, "sh", "-c", f"{copy}; postfix -c /tmp/check check", "sh", *lines).output
    problems = {one.partition("warning: ")[2] for one in said.splitlines() if re.search("warning|fatal", one)}
    assert problems == {f"/tmp/check/main.cf: {found}", "not owned by root: /tmp/check/./main.cf"}
    broken = "printf 'mynetworks\\n' >> /tmp/check/main.cf; postfix -c /tmp/check check"
    assert "fatal: " in run(configured, "sh", "-c", broken).output


def test_without_an_answer_of_dns_mail_waits(configured: RealServer) -> None:
    """Comes last: afterwards the host's resolver is gone."""
    assert "In Postfix's log `dsn=4.4.3`" in prose("code-x.4.3")
    assert "DNS does not answer: kept and tried again, `dsn=4.4.3`." in prose("step-route")
    resolver = "echo nameserver 127.0.0.1 > /var/spool/postfix/etc/resolv.conf && postfix reload"
    run(configured, "sh", "-c", f"{resolver} && echo hello | sendmail -f alice x@waits.example")
    assert awaited(configured, r"to=<x@waits.example>.* dsn=4\.4\.3, status=deferred \(Host or domain name")
