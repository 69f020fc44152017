"""A channel over the socket that Docker attaches to a container's standard input, output and error."""

from __future__ import annotations

import os
import select
import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from grader.engines.base import ChannelLost, LineChannel
from grader.model.deadline import Deadline

if TYPE_CHECKING:
    import subprocess

_HEADER = struct.Struct(">BxxxI")
_STDOUT = 1
_CHUNK = 1 << 16
_LONGEST_COMPLAINT = 2000
SEND_SECONDS = 30.0


class Transport(Protocol):
    """Bytes to and from a container."""

    def send(self, data: bytes) -> None:
        """Write all of ``data`` within ``SEND_SECONDS``; ``OSError`` where nobody takes it."""

    def receive(self, timeout: float) -> bytes | None:
        """Some bytes within ``timeout`` seconds, ``b""`` at the end, ``None`` when the time is over."""

    def close(self) -> None:
        """Let go of the container; its standard input ends."""


def transport(attached: Any) -> Transport:
    """The transport over what ``APIClient.attach_socket`` returns, which differs from scheme to scheme."""
    if hasattr(attached, "proc"):  # ssh://
        return _PipeTransport(attached.proc)
    return _SocketTransport(getattr(attached, "_sock", attached), attached)


class _SocketTransport:
    """unix://, tcp:// and TLS over it."""

    def __init__(self, connection: socket.socket, owner: Any) -> None:
        self._connection = connection
        self._owner = owner

    def send(self, data: bytes) -> None:
        self._connection.settimeout(SEND_SECONDS)
        self._connection.sendall(data)

    def receive(self, timeout: float) -> bytes | None:
        # A timeout of zero would make the socket non-blocking, which TLS does not survive.
        self._connection.settimeout(max(timeout, 0.001))
        try:
            return self._connection.recv(_CHUNK)
        except TimeoutError:
            return None

    def close(self) -> None:
        # The response reads through the socket: it goes first.
        if response := getattr(self._owner, "_response", None):
            response.close()
        self._connection.close()


class _PipeTransport:
    """ssh://: the pipes of an ``ssh`` process."""

    def __init__(self, ssh: subprocess.Popen[bytes]) -> None:
        assert ssh.stdin is not None
        assert ssh.stdout is not None
        self._ssh = ssh
        self._requests = ssh.stdin
        self._answers = ssh.stdout

    def send(self, data: bytes) -> None:
        self._requests.write(data)
        self._requests.flush()

    def receive(self, timeout: float) -> bytes | None:
        if not select.select([self._answers], [], [], timeout)[0]:
            return None
        return os.read(self._answers.fileno(), _CHUNK)

    def close(self) -> None:
        with suppress(OSError):
            self._requests.close()
        self._answers.close()
        self._ssh.terminate()
        self._ssh.wait()


class AttachChannel(LineChannel):
    """A channel to the program in a container.

    Without a terminal Docker sends frames: one byte for the stream, three zeros, four bytes of length (big-endian),
    then the data. What comes on standard error is kept aside and told when the program is lost.
    """

    def __init__(self, name: str, transport: Transport) -> None:
        super().__init__(name)
        self._transport = transport
        self._frames = bytearray()
        self._said = bytearray()

    def close(self) -> None:
        """Let go of the container; its standard input ends."""
        self._transport.close()

    def write(self, data: bytes) -> None:
        """Give the container these bytes, outside the protocol. Raises ``ChannelLost``."""
        try:
            self._send(data)
        except OSError as error:
            raise ChannelLost(f"the {self._name} is gone: {error.strerror or error}") from error

    def read_line(self, deadline: Deadline) -> str:
        """A line of the container's, outside the protocol. Raises ``ChannelLost``."""
        return self._line("start", deadline).decode(errors="backslashreplace")

    def _send(self, data: bytes) -> None:
        self._transport.send(data)

    def _receive(self, timeout: float) -> bytes | None:
        deadline = Deadline(timeout)
        while not (output := self._unframe()):
            try:
                chunk = self._transport.receive(deadline.left)
            except OSError:
                chunk = b""
            if not chunk:
                return chunk
            self._frames += chunk
        return output

    def _unframe(self) -> bytes:
        """What the whole frames received so far hold of standard output."""
        output = bytearray()
        at = 0
        while len(self._frames) - at >= _HEADER.size:
            stream, length = _HEADER.unpack_from(self._frames, at)
            end = at + _HEADER.size + length
            if len(self._frames) < end:
                break
            data = self._frames[at + _HEADER.size : end]
            if stream == _STDOUT:
                output += data
            else:
                self._said = (self._said + data)[-_LONGEST_COMPLAINT:]
            at = end
        del self._frames[:at]
        return bytes(output)

    def _line(self, op: str, deadline: Deadline) -> bytearray:
        try:
            return super()._line(op, deadline)
        except ChannelLost as error:
            said = " ".join(self._said.decode(errors="backslashreplace").split())
            raise type(error)(f"{error}: {said}" if said else str(error)) from error
