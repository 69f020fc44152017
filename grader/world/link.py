"""A TCP connection in the event loop, with no more about it than a session needs."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable

MOST_AT_ONCE = 64 * 1024
"""Octets that are read in one go."""


def connected(connection: socket.socket, address: tuple[str, int]) -> bool:
    """Begin to connect; whether that has come to its end already, as it has with who is near. Raises ``OSError``.

    A socket that does not block says so when it is asked again: the answer comes in while the first call ends. The
    event loop would need four calls of the system and another round for that.
    """
    for _ in range(2):
        error = connection.connect_ex(address)
        if not error:
            return True
        if error not in (errno.EINPROGRESS, errno.EALREADY):
            raise OSError(error, os.strerror(error))
    return False


class Link:
    """An open connection: octets go out through ``send`` and come in through ``received``.

    ``broken`` is called once when nothing more will come: with ``None`` where the other side has hung up, else with the
    error. asyncio's transports do more; making and closing one takes longer than all that is said in most sessions.
    """

    def __init__(
        self,
        connection: socket.socket,
        received: Callable[[bytes], object],
        broken: Callable[[OSError | None], object],
    ) -> None:
        """Takes over a connection that does not block. Made in a running loop."""
        self._socket = connection
        self._received = received
        self._broken = broken
        self._unsent = bytearray()
        self._open = True
        self._loop = asyncio.get_running_loop()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # By number: what is not known yet as an object is first put into words, with two calls of the system.
        self._number = connection.fileno()
        self._loop.add_reader(self._number, self._read)

    def send(self, data: bytes) -> None:
        """Send octets, as soon as there is room for them; a closed connection swallows them."""
        if not self._open:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._socket.send(data)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._break(error)
            return
        if sent < len(data):
            self._unsent += data[sent:]
            self._loop.add_writer(self._number, self._write)

    def acknowledge(self) -> None:
        """Acknowledge what has come at once."""
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def close(self) -> None:
        """Hang up. What was sent still goes out."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._number)
            if not self._unsent:
                self._socket.close()

    def abort(self) -> None:
        """Hang up at once, whatever has not gone out yet."""
        if self._unsent:
            self._unsent.clear()
            self._loop.remove_writer(self._number)
        self.close()
        self._socket.close()

    def _read(self) -> None:
        try:
            data = self._socket.recv(MOST_AT_ONCE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._break(error)
            return
        if data:
            self._received(data)
        else:
            self.close()
            self._broken(None)

    def _write(self) -> None:
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._break(error)
            return
        if not self._unsent:
            self._loop.remove_writer(self._number)
            if not self._open:
                self._socket.close()

    def _break(self, error: OSError) -> None:
        was_open = self._open
        self.abort()
        if was_open:
            self._broken(error)
