"""What comes over a connection: replies, answers of the program on the host, requests, what a client says."""

from __future__ import annotations

import asyncio
import base64
import struct
from collections.abc import Coroutine
from functools import cache
from typing import Any

from grader.engines.base import ChannelLost, LineChannel, RequestFailed
from grader.engines.docker.channel import AttachChannel
from grader.formats.reply import Heard, ReplyReader
from grader.model.attempt import Login
from grader.model.deadline import Deadline
from grader.model.protocol import Operation
from grader.model.protocol.host import (
    CountQueue,
    FindMail,
    IsAlive,
    ListQueue,
    ReadLog,
    RunCommand,
    RunPrograms,
    StartServices,
)
from grader.model.traffic import Reply
from grader.world.auth import authenticate
from grader.world.service import Service
from grader.world.submission_server.session_log import SessionLog
from grader.world.transcript import Room, Transcript, redacted
from tests.engines.test_docker_channel import Scripted, frame
from tests.fuzz.target import Target

REPLIES = (
    b"220 mail.example.com ESMTP\r\n", b"250-", b"250 ", b"\r\n", b"\n", b"\r", b"554 5.7.1 no\r\n", b"334 ",
    b"4.3.0", b"999 ", b"2", b"250-AUTH PLAIN\r\n", b"\xc3\xbc", b"\x00", b" ", b"-", b"a",
)  # fmt: skip
JSON = (
    b"{", b"}", b"[", b"]", b'"', b":", b",", b'{"ok": true, "value": ', b'{"ok": false, "error": "',
    b'"broken": true', b"null", b"\\ud800", b"1e999", b"-0", b"true", b'{"a":', b"\n", b'"raw": "', b"AAAA",
    b"0" * 30, b'"tokens": []', b'"path": "x"',
)  # fmt: skip
ASKED: tuple[Operation[Any], ...] = (
    IsAlive(), CountQueue(), ListQueue(), FindMail([]), ReadLog(), RunCommand([], 1.0),
    StartServices([], "/", 1.0), RunPrograms([], [], 1, 1.0),
)  # fmt: skip
COMMANDS = (
    b"AUTH PLAIN ", b"AUTH LOGIN\r\n", b"MAIL FROM:<", b"RCPT TO:<a@b>", b"\r\n", b"\n", b" ", b"=", b"*",
    b"correct-horse-battery", b"YWxpY2U=", b"AUTH ", b"\t", b"\xc3\xbc", b"\\", b"DATA\r\n", b".\r\n",
)  # fmt: skip


class _Given(LineChannel):
    """A channel whose other end says just this, in small and large pieces."""

    def __init__(self, data: bytes) -> None:
        super().__init__("host")
        self._given = [data[:7], data[7:19], data[19:]]

    def _send(self, data: bytes) -> None:
        """Nobody listens."""

    def _receive(self, timeout: float) -> bytes | None:
        return self._given.pop(0) if self._given else b""


def _replies(data: bytes) -> None:
    reader = ReplyReader()
    heard: list[Heard] = []
    for begin in range(0, len(data), max(1, len(data) // 5)):
        heard += reader.feed(data[begin : begin + max(1, len(data) // 5)])
    _ = reader.begun
    if (rest := reader.remainder()) is not None:
        heard.append(rest)
    transcript = Transcript(lambda: 0.0)
    transcript.keep_secret(["correct-horse"])
    for one in heard:
        reply = transcript.server("EHLO x", one, 0.0)
        assert 0 <= reply.code < 600
        _ = one.enhanced, {line[4:].split(" ")[0].upper() for line in reply.text.split("\n")[1:]}


def _answers(data: bytes) -> None:
    """Each request is answered with the same: it is refused where nobody could take it."""
    refused: list[Exception] = []
    for operation in ASKED:
        channel = _Given(data + b"\n")
        try:
            channel.call(operation, timeout=1)
        except (ChannelLost, RequestFailed) as error:
            refused.append(error)
    if len(refused) == len(ASKED):
        raise refused[0]


def _frames(data: bytes) -> None:
    channel = AttachChannel("host", Scripted([data[:5], data[5:]]))
    for _ in range(3):
        channel.read_line(Deadline(1))


def _requests(data: bytes) -> None:
    answer = _run(Service().answer(data))
    assert answer.startswith(b'{"ok":')


def _run(work: Coroutine[Any, Any, bytes]) -> bytes:
    return _loop().run_until_complete(work)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def _challenge(data: bytes) -> None:
    text = data.decode("utf-8", "backslashreplace")

    async def ask(command: str, *, shown: str | None = None) -> Reply:
        command.encode("ascii")
        return Reply(command, 334, f"334 {text}", 0)

    for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5"):
        _loop().run_until_complete(authenticate(Login("alice", "correct-horse", mechanism), ask))


def _client(data: bytes) -> None:
    """What a client says to a submission server, and how it goes on record: never with the password."""
    log = SessionLog(lambda: 0.0, "alice", "correct-horse-battery", Room())
    for number, line in enumerate(data.splitlines(keepends=True)):
        log.client(line, credentials=number % 3 == 2)
        log.server(f"250 {line.decode('ascii', 'backslashreplace').rstrip()}")
    log.message(data)
    log.client_gone()
    _ = log.replies
    for said in log.lines:
        assert "correct-horse-battery" not in said.text
        redacted(said.text)


def _framed() -> list[bytes]:
    return [frame(1, b'{"ok": true}\nx\ny\n') + frame(2, b"Traceback\n"), frame(1, b"a\n") * 3]


def _said() -> list[bytes]:
    return [
        b'{"ok": true, "value": {"master": true, "exit": null}}', b'{"ok": false, "error": "no"}',
        b'{"ok": true, "value": [{"path": "/var/mail/a", "raw": "AAAA", "tokens": ["x"]}]}',
    ]  # fmt: skip


TARGETS = (
    Target(
        "SMTP replies",
        _replies,
        lambda: [b"220 a\r\n250-b\r\n250 c\r\n", b"554 5.7.1 no\r\n"],
        REPLIES,
        shapes=((b"250-a", b"b", b""),),
    ),
    Target("host's answers", _answers, _said, JSON, refuses=(ChannelLost, RequestFailed), weight=2),
    Target(
        "Docker's frames",
        _frames,
        _framed,
        (frame(1, b""), frame(1, b"a\n"), frame(2, b"b"), struct.pack(">I", 2**31), b"\x01\x00\x00\x00"),
        refuses=(ChannelLost,),
    ),
    Target(
        "world's requests",
        _requests,
        lambda: [b'{"op": "arrivals"}', b'{"op": "resolve", "names": ["a"]}'],
        (*JSON, b'{"op": "', b"start"),
    ),
    Target(
        "AUTH challenge",
        _challenge,
        lambda: [base64.b64encode(b"<1@mail.example.com>"), b""],
        (b"AAAA", b"=", b" ", b"\xc3\xbc", b"\n"),
    ),
    Target(
        "client's commands",
        _client,
        lambda: [b"EHLO a\r\nAUTH PLAIN AGFsaWNlAGNvcnJlY3QtaG9yc2UtYmF0dGVyeQ==\r\n"],
        COMMANDS,
    ),
)
