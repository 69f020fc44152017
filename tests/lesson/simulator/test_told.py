"""What the lesson tells of Postfix in prose: the real one does it. The words stand in the entry as quoted here."""

from __future__ import annotations

import re
import time

import pytest

from grader.lesson.entries import Example
from grader.lesson.library import library
from grader.lesson.simulator.real import RealConversation, RealServer
from grader.lesson.simulator.table import table
from grader.model.deadline import Deadline
from grader.model.protocol.host import ReadLog, RunCommand
from grader.model.traffic import Command
from tests.conftest import PATIENCE
from tests.lesson import texts
from tests.lesson.simulator.told import ADDRESS, LOGGED, SENT, TOLD

pytestmark = [pytest.mark.slow, pytest.mark.together("configured")]


def prose(entry: str) -> str:
    """Everything that an entry says, white space as single spaces."""
    return " ".join(texts.of(library().entries[entry]))


def run(server: RealServer, *argv: str) -> Command:
    return server.machines.host.call(RunCommand(list(argv), limit=PATIENCE), timeout=2 * PATIENCE)


def awaited(server: RealServer, pattern: str) -> bool:
    """Whether such a line comes into the log."""
    deadline = Deadline(PATIENCE)
    while not any(
        re.search(pattern, line) for line in server.machines.host.call(ReadLog(), timeout=PATIENCE)
    ):
        if deadline.over:
            return False
        time.sleep(0.02)
    return True


def queue_managers(server: RealServer) -> set[str]:
    """The queue managers that have begun: with these settings each has something to say of them."""
    log = server.machines.host.call(ReadLog(), timeout=PATIENCE)
    return {found[1] for line in log if (found := re.search(r"postfix/qmgr\[([0-9]+)\]: warning: ", line))}


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


def test_postscreen_greets_in_two_halves_and_puts_off_a_client_that_it_tests(configured: RealServer) -> None:
    told = prose("postscreen")
    assert "It sends half a greeting, `220-`, and waits for `postscreen_greet_wait`" in told
    assert "with one of them on, even a good client's first mail gets `450 4.3.2`" in told
    server = table().server
    client = server.clients[0]
    conversation = RealConversation(configured.machines.world, "postscreen", server.host)
    greeting = conversation.dial(client, 10525, "none")
    assert greeting.replies == [[f"220{sign}mail.example.com ESMTP Postfix" for sign in "- "]]
    for line in ADDRESS:
        assert conversation.say(f"{line}\r\n".encode(), 1).replies[0][-1].startswith("250 ")
    refused = conversation.say(b"RCPT TO:<alice@example.com>\r\n", 1).replies
    assert refused == [["450 4.3.2 Service currently unavailable"]]
    conversation.hang_up()


def test_tls_1_0_is_taken_where_nothing_is_set(configured: RealServer) -> None:
    assert "Postfix 3.10 still takes TLS 1.0 unless told otherwise" in prose("tls")
    client = "openssl s_client -connect 127.0.0.1:25 -starttls smtp -tls1 -cipher ALL:@SECLEVEL=0"
    assert re.search(
        r"Protocol *: TLSv1$", run(configured, "sh", "-c", f"echo QUIT | {client}").output, re.MULTILINE
    )


def test_bcc_is_dropped_as_told(configured: RealServer) -> None:
    assert "Postfix drops the field (`message_drop_headers`)" in prose("bcc")
    message = "Subject: to bob alone\\nBcc: alice@example.com\\n\\nhello\\n"
    run(configured, "sh", "-c", f"printf '{message}' | sendmail -f alice bob")
    assert awaited(configured, r"from=<alice@example.com>.*")
    assert awaited(configured, r"to=<bob@example.com>.* status=sent")
    mailbox = run(configured, "cat", "/var/mail/bob").output
    assert "Subject: to bob alone" in mailbox
    assert "\nBcc:" not in mailbox


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
    entries = [library().entries[id_] for id_ in ("log-warnings", "log-faults")]
    lines = [line.line for entry in entries if isinstance(entry, Example) for line in entry.lines]
    (shown,) = (line.partition("]: ")[2] for line in lines if words in line)
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
    before = "|".join(queue_managers(configured))
    run(
        configured,
        "sh",
        "-c",
        "echo nameserver 127.0.0.1 > /var/spool/postfix/etc/resolv.conf; postfix reload",
    )
    # Until the new one has begun, the old one may hand mail to programs that know the old resolver.
    assert awaited(configured, rf"postfix/qmgr\[(?!(?:{before})\])[0-9]+\]: warning: ")
    run(configured, "sh", "-c", "echo hello | sendmail -f alice x@waits.example")
    assert awaited(configured, r"to=<x@waits.example>.* dsn=4\.4\.3, status=deferred \(Host or domain name")
