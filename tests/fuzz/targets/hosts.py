"""What a student's host says of itself: its log, its settings, its queue, its sockets, and what programs print."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from grader.engines.guest.exposing import Exposures
from grader.engines.guest.log import Log
from grader.engines.guest.loop import Loop
from grader.engines.guest.postfix import queued_in
from grader.judge import judge
from grader.kinds.server.judge.settings import PostfixSettings
from grader.kinds.server.run.greetings import DEATH, WAITS
from grader.kinds.server.run.others import attempts_at_others, further, sockets
from grader.kinds.server.run.ports import STARTED
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.log import LogLookups
from grader.model.traffic import Command, Queued
from tests.fuzz.target import Target, sound
from tests.judge import builders
from tests.judge.builders import TOKEN

LOG = (
    b"1 postfix/smtpd[7]: ", b"opendkim[8]: ", b"opendkim: ", b"warning: ", b"fatal: ", b"error", b"milter",
    b"connect from ", b"disconnect from ", b"a[198.51.100.66]", b"queued as 4ABCDEF012", b"4ABCDEF012: ",
    b"message-id=<rosa.k4v2@x>", b"\n", b" ", b"can't", b"not internal", b"unknown smtpd restriction: ",
    b"[", b"]", b": ", b"<34>Nov 23 10:00:00 ", b"\x00", b"rosa.k4v2", b"Nov 23 10:00:00 mail ",
    b"connect to private/x: No such file", b"450 ", b"421 ", b"Service unavailable", b"250-AUTH PLAIN",
    b"4.3.0 ", b"<a>: Sender address rejected: not owned by user b",
    b"Recipient address rejected: Access denied",
)  # fmt: skip
SETTINGS = (
    b"mynetworks = ", b"127.0.0.0/8 ", b"\n", b"smtp/inet/", b"submission/inet/",
    b"smtpd_relay_restrictions = ", b"permit", b"reject, ", b" = ", b"/", b"=", b" ", b"a", b"/inet/",
    b"relay_domains = ", b"smtpd_milters = ", b"[::1]:25/inet/", b"regexp:/x ", b"\t",
)  # fmt: skip
TABLE = b"  0: 00000000:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1\n"


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "backslashreplace").split("\n")


def _judged(data: bytes) -> None:
    """What a server says, in every place of the evidence that it can fill, judged as a refusal and as an answer."""
    lines = _lines(data)
    said, first = "\n".join(lines[:50]), lines[0]
    greeted = builders.check("greets", greets=True)
    sent = builders.check("stranger", arrives="outside")
    refused = builders.check("refused", refused=True)
    alike = builders.check("alike", alike=True, replies=["250", "550"])
    auth = builders.check("auth", authenticates=False)
    checks = (greeted, sent, refused, alike, auth)
    for stage, code in (("greeting", 421), ("rcpt", 450), ("accepted", 250)):
        evidence = builders.evidence(
            builders.lab(*checks),
            [builders.facts(check.code, say=[f"RCPT TO:<{builders.OUTSIDE}>"]) for check in checks],
            [
                builders.outcome(stage, f"{check.code}/1", code=code, text=f"{code} {said}", last_line=1)
                for check in checks
            ],
            [builders.arrival(raw=data, attempts=["stranger/1"])],
            [Queued("deferred", first, first, said, ["refused/1"])],
            sessions=[builders.session(first, said)],
            log=[f"1 postfix/smtpd[7]: connect from a[198.51.100.66] {TOKEN}", *lines],
            commands=[Command(["postconf", "-nx"], 0, said), Command(["postconf", "-P"], 0, said)],
        )
        sound(judge(evidence))


def _log(data: bytes) -> None:
    lines = _lines(data)
    for line in lines:
        _ = STARTED.search(line), WAITS.search(line), DEATH.search(line)
    facts = builders.facts()
    LogLookups(lines).of(facts, builders.session(lines[0]))
    case = TrafficCase(facts, builders.outcome("data", text=lines[0]), None, [], [])
    _ = case.pointers(), case.waits_for_outside()


def _settings(data: bytes) -> None:
    text = data.decode("utf-8", "backslashreplace")
    found = PostfixSettings([Command(["postconf", "-nx"], 0, text), Command(["postconf", "-P"], 1, text)])
    for name in ("mynetworks", "smtpd_relay_restrictions"):
        for listener in ("25", "587+starttls", "2525"):
            _ = found.on(name, listener, "203.0.113.10").words, found.on(name, listener, "2001:db8::1").shown


def _sockets(data: bytes) -> None:
    found = sockets(data.decode("utf-8", "backslashreplace"))
    assert all(0 < socket.port < 65_536 for socket in found)
    further(found, "203.0.113.10", [25])
    attempts_at_others([], found, [])


def _queue(data: bytes) -> None:
    for entry in queued_in(data.decode("utf-8", "backslashreplace")):
        assert all(isinstance(value, str) for value in entry.values())


def _syslog(data: bytes) -> None:
    log = Log(_loop())
    for read in (log.read_stdout, _datagrams(log)):
        reader, writer = os.pipe()
        try:
            os.write(writer, data[:60_000])
            os.set_blocking(reader, False)
            read(reader)
        finally:
            os.close(reader)
            os.close(writer)
    assert all(isinstance(line, str) for line in log.whole())


def _datagrams(log: Log) -> Any:
    return log._read_syslog


@cache
def _loop() -> Loop:
    return Loop()


def _printed(data: bytes) -> None:
    exposures = Exposures([b"correct-horse", b"AGFsaWNlAGNvcnJlY3Q="])
    exposures.search("output", data)
    shown = exposures.left_out_of(data)
    assert "correct-horse" not in shown


def _entry() -> bytes:
    return (
        b'{"queue_name": "deferred", "queue_id": "4A", "sender": "a@b", "recipients": '
        b'[{"address": "c@d", "delay_reason": "connect to x"}]}\n'
    )


def _said() -> list[bytes]:
    return [
        b"220 mail.example.com ESMTP Postfix\n250 2.1.5 Ok",
        b"1 postfix/smtpd[7]: NOQUEUE: reject: RCPT from a[198.51.100.66]: 554 5.7.1 Relay access denied",
        b"2 postfix/smtpd[7]: warning: connect to Milter service inet:localhost:8891: Connection refused",
    ]


TARGETS = (
    Target(
        "judged words", _judged, _said, LOG, shapes=tuple((b"450 ", word, b"\nx") for word in LOG), weight=0.5
    ),
    Target("log lines", _log, _said, LOG),
    Target(
        "postconf", _settings, lambda: [b"mynetworks = 10.20.30.0/24\nsmtp/inet/smtpd_milters = \n"], SETTINGS
    ),
    Target(
        "socket table",
        _sockets,
        lambda: [TABLE, TABLE.replace(b"00000000:0019", b"0" * 32 + b":01BB")],
        (b"0A ", b":", b"0", b"FFFFFFFF", b"-19 ", b"_", b"\n", b" ", TABLE, b"0x19", b"1" * 40),
    ),
    Target(
        "postqueue",
        _queue,
        lambda: [_entry()],
        (_entry(), b"[", b"{", b'"', b"\n", b'"recipients": ', b"null", b'{"a":', b"\\ud800", b"1", b"}"),
    ),
    Target("syslog", _syslog, lambda: [b"<34>Nov 23 10:00:00 postfix/smtpd[7]: connect\n"], LOG),
    Target(
        "printed",
        _printed,
        lambda: [b"the password is correct-horse\n", b"AGFsaWNlAGNvcnJlY3QtaG9yc2U="],
        (b"correct-horse", b"Y29ycmVjdC1ob3JzZQ==", b"AAAA", b"=", b" ", b"AGFsaWNl", b"\n", b"\xff"),
    ),
)
