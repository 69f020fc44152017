"""The host's log: what is sent to its syslog, and what its services print."""

from __future__ import annotations

import os
import re
import time

# Not socket: its hundreds of named constants take a twentieth of the agent's processor time to make.
from _socket import AF_UNIX, SO_RCVBUF, SOCK_CLOEXEC, SOCK_DGRAM, SOL_SOCKET, socket

from .files import RequestRefused, read, read_some, text
from .loop import Loop

LONGEST = 20_000
"""Lines that are kept."""
MOST_BYTES = 8_000_000
"""In all of them: else a flood of long ones would fill the agent's memory."""
AT_A_TIME = 200
"""Lines that are waited for where all are wanted: a flood of them cannot keep the agent from its requests."""

_SYSLOG = re.compile(rb"^<\d+>(?:[A-Z][a-z]{2} [ \d]\d [\d:]{8} )?")
_STAMP = re.compile(rb"^[A-Z][a-z]{2} [ \d]\d [\d:]{8} \S+ ")


class Log:
    """Lines as they came, each with the milliseconds since the run began."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._began = time.monotonic()
        self._lost = self._held = 0
        self._listening: set[str] = set()
        self.lines: list[str] = []
        self.file = ""
        """Postfix's ``maillog_file``, should it write its log there."""

    def begin(self) -> None:
        """The run begins now: the host may have waited for it."""
        self._began = time.monotonic()
        self.lines = ["0 " + line.partition(" ")[2] for line in self.lines]

    def add(self, line: str) -> None:
        """Keep a line."""
        self._held += len(line)
        if len(self.lines) < LONGEST and self._held < MOST_BYTES:
            self.lines.append(f"{(time.monotonic() - self._began) * 1000:.0f} {line}")
        else:
            self._lost += 1

    def listen(self, path: str) -> None:
        """Be the syslog at this path (syslog(3)). Raises ``RequestRefused``."""
        if path in self._listening:
            return
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            server = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC)
            server.setsockopt(SOL_SOCKET, SO_RCVBUF, 1 << 20)
            server.bind(path)
            os.chmod(path, 0o666)
        except OSError as error:
            raise RequestRefused(f"cannot listen on {path}: {error.strerror}") from error
        self._loop.watch(server.detach(), self._read_syslog)
        self._listening.add(path)

    def _read_syslog(self, fd: int) -> None:
        # One at a time: to look whether there is another costs more than to be told.
        if (datagram := read_some(fd)) is not None:
            self.add(text(_SYSLOG.sub(b"", datagram, count=1).rstrip(b"\0\n")))

    def read_stdout(self, fd: int) -> None:
        """What a service writes to its standard output, where ``maillog_file = /dev/stdout`` leads too."""
        if not (data := read_some(fd)):
            if data is not None:
                self._loop.unwatch(fd)
            return
        for line in data.splitlines():
            self.add(text(_STAMP.sub(b"", line)))

    def whole(self) -> list[str]:
        """Every line there is now."""
        left = AT_A_TIME
        while left and self._loop.turn(0):
            left -= 1
        lines = list(self.lines)
        if self.file.startswith("/") and not self.file.startswith("/dev/"):
            try:
                lines += [text(line) for line in read(self.file).splitlines()][:LONGEST]
            except OSError:
                pass
        if self._lost:
            lines.append(f"0 smtplab: {self._lost} more lines were not kept")
        return lines
