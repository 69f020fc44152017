"""The host's log: what is sent to its syslog, and what its services print."""

from __future__ import annotations

import os
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
"""Lines that are read before anything else is looked at."""
LOOKS = 20
"""Taken where all lines are wanted: a flood of them cannot keep the agent from its requests."""

SYSLOG = "/dev/log"
"""Where syslog(3) finds it. A process that chroots finds it below its new root."""
QUEUED = "/proc/sys/net/unix/max_dgram_qlen"
"""How many datagrams a socket takes before it is read. Who sends one more has to wait."""
DEEP = 100
REST, SHORT_REST = 0.02, 0.001
"""Seconds for which lines are left to gather, where the queue is deep and where it is not."""

_SHAPE = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", b"A" * 26 + b"a" * 26 + b"0" * 10
)
_STAMPS = (b"Aaa 00 00:00:00 ", b"Aaa  0 00:00:00 ")
"""The time at the beginning of a line, as syslog(3) and Postfix write it."""


class Log:
    """Lines as they came, each with the milliseconds since the run began."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._began = time.monotonic()
        self._lost = self._held = 0
        self._listening: set[str] = set()
        self._sockets: list[int] = []
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

    def begin_listening(self, root: str) -> None:
        """Be the syslog of this host, for those who chroot to ``root`` too. Raises ``RequestRefused``.

        Both are one socket, so that all lines are read in the order in which they were written.
        """
        if SYSLOG in self._listening:
            return
        try:
            self.listen(root + SYSLOG)
            os.symlink(root + SYSLOG, SYSLOG)
        except (RequestRefused, OSError):
            self.listen(SYSLOG)
        self._listening.add(SYSLOG)

    def listen(self, path: str) -> None:
        """Be the syslog at this path. Raises ``RequestRefused``."""
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
        self._sockets.append(server.detach())
        self._listening.add(path)
        # Of two that rested, the lines of one would come before the other's that are older.
        rest = _rest() if len(self._sockets) == 1 else 0.0
        for fd in self._sockets:
            self._loop.watch(fd, self._read_syslog, rest)

    def _read_syslog(self, fd: int) -> None:
        for _ in range(AT_A_TIME):
            datagram = read_some(fd)
            if datagram is None:
                return
            self.add(text(_unwrapped(datagram).rstrip(b"\0\n")))

    def read_stdout(self, fd: int) -> None:
        """What a service writes to its standard output, where ``maillog_file = /dev/stdout`` leads too."""
        if not (data := read_some(fd)):
            if data is not None:
                self._loop.unwatch(fd)
            return
        for line in data.splitlines():
            self.add(text(_without_head(line)))

    def whole(self) -> list[str]:
        """Every line there is now."""
        for _ in range(LOOKS):
            self._loop.rouse()
            if not self._loop.turn(0):
                break
        lines = list(self.lines)
        if self.file.startswith("/") and not self.file.startswith("/dev/"):
            try:
                # When a line was written stands there in whole seconds, of whatever time zone Postfix was given.
                lines += ["0 " + text(_without_head(line)) for line in read(self.file).splitlines()[:LONGEST]]
            except OSError:
                pass
        if self._lost:
            lines.append(f"0 smtplab: {self._lost} more lines were not kept")
        return lines


def _rest() -> float:
    try:
        with open(QUEUED, "rb") as file:
            return REST if int(file.read()) >= DEEP else SHORT_REST
    except (OSError, ValueError):
        return SHORT_REST


def _unwrapped(datagram: bytes) -> bytes:
    """What was said to syslog, without the priority and the time before it."""
    head, mark, line = datagram.partition(b">")
    return _without_stamp(line) if mark and head[:1] == b"<" and head[1:].isdigit() else datagram


def _without_head(line: bytes) -> bytes:
    """What Postfix itself wrote into a file, without the time and the host's name before it."""
    said = _without_stamp(line)
    return line if said is line else said.partition(b" ")[2] or line


def _without_stamp(line: bytes) -> bytes:
    return line[16:] if line[:16].translate(_SHAPE) in _STAMPS else line
