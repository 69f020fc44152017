"""What people type into the lesson: the simulator, transcripts, the header builder."""

from __future__ import annotations

from grader.lesson.composer import compose
from grader.lesson.composer.tables import tables
from grader.lesson.simulator.addresses import extract
from grader.lesson.simulator.session import SimulatedSession
from grader.lesson.simulator.table import table
from grader.lesson.simulator.transcript import read
from grader.lesson.simulator.words import split
from grader.model.errors import UsageError
from tests.fuzz.target import Target

COMMANDS = (
    b"EHLO a.example\r\n", b"HELO a\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<bob@example.com>\r\n",
    b"DATA\r\n", b".\r\n", b"RSET\r\n", b"STARTTLS\r\n", b"AUTH PLAIN AGFsaWNlAHg=\r\n", b"AUTH LOGIN\r\n",
    b"BDAT 5\r\n", b"BDAT 99999999999 LAST\r\n", b"QUIT\r\n", b"\r\n", b" ", b"<", b">", b"(", b")", b'"',
    b"\\", b"@", b"%", b"!", b"[", b"]", b":", b",", b"SIZE=9", b"BODY=8BITMIME ", b"ORCPT=rfc822;+41",
    b"NOTIFY=", b"=", b"+", b"x", b"\xc3\xbc", b"From ", b"a: b\r\n", b"XCLIENT ", b"VRFY ", b"*", b"@a,@b:",
)  # fmt: skip
LINES = (
    b"# listener: smtp\n", b"# client: stranger\n", b"# switches: ", b"C: EHLO a\n", b"C+: x\n",
    b"S: 250 a\n", b"* note\n", b"\n", b"C:", b"S:", b"#", b" ", b"a", b",",
)  # fmt: skip
TYPED = (
    b"Alice <alice@example.com>", b"<", b">", b"@", b",", b'"', b"\\", b"(", b")", b" ", b"\xc3\xbc",
    b"\xe6\x97\xa5", b"=?utf-8?q?a?=", b"a", b"\xf0\x9f\x91\xa9\xe2\x80\x8d", b".", b":", b";", b"xn--",
    b"[1.2.3.4]", b"https://", b"\n", b"\xe2\x80\xae", b"Mon, 23 Nov 2026 10:00:00 +0000",
)  # fmt: skip


def _says(data: bytes) -> None:
    for listener in ("smtp", "submission"):
        session = SimulatedSession(table(), listener)
        session.connect()
        for line in data.decode("utf-8", "surrogateescape").split("\r\n"):
            if not session.state.connected:
                break
            session.say(line)
        session.status()


def _at_once(data: bytes) -> None:
    session = SimulatedSession(table())
    session.connect()
    session.say(*data.decode("utf-8", "surrogateescape").split("\n"))


def _path(data: bytes) -> None:
    text = data.decode("latin-1")
    extract(text)
    split(text)


def _transcript(data: bytes) -> None:
    read(data.decode("utf-8", "surrogateescape"), table().server)


def _typed(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    draft = compose({field.id: text for field in tables().fields})
    assert draft is not None


TARGETS = (
    Target(
        "simulator",
        _says,
        lambda: [b"EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nx\r\n.\r\n"],
        COMMANDS,
        largest=8_192,
    ),
    Target(
        "simulator, at once",
        _at_once,
        lambda: [b"EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nx\r\n.\r\n"],
        COMMANDS,
        largest=8_192,
    ),
    Target("path", _path, lambda: [b"<a@b.example>", b'"x y"@c', b"@a,@b:c@d"], COMMANDS[14:], largest=2_048),
    Target(
        "transcript",
        _transcript,
        lambda: [b"# listener: smtp\nC: EHLO a\nS: 250 b\n* x\n"],
        LINES,
        refuses=(UsageError,),
    ),
    Target(
        "header builder",
        _typed,
        lambda: [b"Alice <alice@example.com>", "Grüße".encode()],
        TYPED,
        largest=8_192,
        weight=0.5,
    ),
)
