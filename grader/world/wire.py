"""One TCP connection to a server: octets out, replies in, in the clear or in TLS, and never a wait without end."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from collections import deque
from collections.abc import Callable

from grader.formats.reply import Heard, ReplyReader
from grader.model.errors import EngineError
from grader.world.link import Link, connected
from grader.world.tls import Encryption
from grader.world.transcript import Clock

MOST_OCTETS = 512 * 1024
"""What one server may say in one session."""

MOST_UNREAD = 1_000
"""Replies that nobody asked for, before the client hangs up."""

PATIENCE_SECONDS = 0.25
"""A wait longer than this is a slow server's, and others need not queue behind it."""


class HungUp(Exception):
    """The conversation is over. ``end`` is a ``Session.end``: closed, timeout, refused or reset."""

    def __init__(self, end: str, remark: str = "") -> None:
        super().__init__(remark or end)
        self.end = end
        self.remark = remark


class Wire:
    """A connection. Made by ``connect``."""

    def __init__(self, connection: socket.socket, clock: Clock, on_delay: Callable[[], None]) -> None:
        self.encryption: Encryption | None = None
        self.endless = False
        """Whether the server said more than a client can be asked to hear."""
        self._link = Link(connection, self._receive, self._break)
        self._clock = clock
        self._on_delay = on_delay
        self._reader = ReplyReader()
        self._heard: deque[tuple[float, Heard]] = deque()
        self._octets = 0
        self._ended: HungUp | None = None
        self._shaking = self._speaks = False
        self._waiter: asyncio.Future[None] | None = None
        self._wanted = 0
        self._timer: asyncio.TimerHandle | None = None
        self._due = self._over = 0.0
        self._loop = asyncio.get_running_loop()

    @property
    def ended(self) -> HungUp | None:
        """Why the connection is no more, ``None`` while it is."""
        return self._ended

    @property
    def speaking(self) -> bool:
        """Whether the server has begun a reply that it has not ended."""
        return self._reader.begun

    @property
    def unread(self) -> int:
        """Replies that came and were not asked for yet."""
        return len(self._heard)

    def send(self, data: bytes) -> None:
        """Send octets, encrypted where TLS has begun. A connection that is gone swallows them: ``reply`` tells."""
        if self._ended is not None:
            return
        if self.encryption is None:
            self._link.send(data)
            return
        try:
            self.encryption.encrypt(data)
        except ssl.SSLError as error:
            self._end(HungUp("reset", f"TLS broke: {reason(error)}"))

    async def replies(self, count: int, seconds: float) -> bool:
        """Wait for this many replies; whether they came in time. Raises ``HungUp`` if the server ended before."""
        if len(self._heard) >= count:
            return True
        if self._ended is None:
            self._wanted = count
            await self._wait(seconds)
        if len(self._heard) >= count:
            return True
        if self._ended is not None and not self._heard:
            raise self._ended
        return self._ended is not None

    async def reply(self, seconds: float) -> tuple[float, Heard]:
        """The next reply and when it came. Raises ``HungUp``: ``timeout`` where none comes in time."""
        if not self._heard and not await self.replies(1, seconds):
            raise HungUp("timeout", f"no reply in {seconds:.1f} seconds")
        return self._heard.popleft()

    def next(self) -> tuple[float, Heard] | None:
        """The next of the replies that came, and when it did; ``None`` while there is none."""
        return self._heard.popleft() if self._heard else None

    def unasked(self) -> list[tuple[float, Heard]]:
        """All replies that came and were not asked for."""
        heard, self._heard = list(self._heard), deque()
        return heard

    async def begin_tls(
        self,
        context: ssl.SSLContext,
        name: str | None,
        seconds: float,
        session: ssl.SSLSession | None = None,
        *,
        speaks: bool = False,
    ) -> None:
        """Shake hands, or resume a session of the same context. Then whoever calls ``speaks``, or hears the server.

        Raises ``ssl.SSLError`` where that fails and ``HungUp`` where the server leaves.
        """
        self._reader.forget()
        self._heard.clear()
        self.encryption = Encryption(context, name, self._link.send, session)
        self._shaking, self._speaks = True, speaks
        if not self.encryption.handshake():
            await self._wait(seconds)
        if self._shaking:
            raise self._ended or HungUp("timeout", f"no TLS handshake in {seconds:.1f} seconds")

    def close(self) -> None:
        """Hang up."""
        self._disarm()
        if self._ended is None:
            if self.encryption is not None and not self._shaking:
                self.encryption.close()
            self._link.close()

    def _receive(self, data: bytes) -> None:
        self._octets += len(data)
        if self._octets > MOST_OCTETS or len(self._heard) > MOST_UNREAD:
            self.endless = True
            self._end(HungUp("reset", "the server talked without end, and the client hung up"))
            return
        try:
            if self._shaking:
                data = self._shake(data)
            elif self.encryption is not None:
                data = self.encryption.decrypt(data)
                if not data:
                    # Behind tickets, Nagle's algorithm holds the next reply back for 40 ms.
                    self._link.acknowledge()
        except EOFError:
            self._end(HungUp("closed"))
            return
        except ssl.SSLError as error:
            if self._shaking and self._waiter is not None and not self._waiter.done():
                self._waiter.set_exception(error)
            self._end(HungUp("reset", f"TLS broke: {reason(error)}"))
            return
        if data:
            self._hear(data)

    def _shake(self, data: bytes) -> bytes:
        assert self.encryption is not None
        if not self.encryption.handshake(data, speaks=self._speaks):
            return b""
        self._shaking = False
        self._wake()
        return self.encryption.decrypt(b"")

    def _hear(self, data: bytes) -> None:
        now = self._clock()
        self._heard.extend([(now, heard) for heard in self._reader.feed(data)])
        if len(self._heard) >= self._wanted and not self._shaking:
            self._wake()

    def _break(self, error: OSError | None) -> None:
        self._end(HungUp("closed") if error is None else HungUp("reset", _in_words(error)))

    def _end(self, ended: HungUp) -> None:
        if self._ended is not None:
            return
        self._ended = ended
        if (rest := self._reader.remainder()) is not None:
            self._heard.append((self._clock(), rest))
        self._link.abort() if ended.end == "reset" else self._link.close()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self, seconds: float) -> None:
        """Wait until woken or the time is over.

        Most waits end in a moment. A timer is left for the next one, which finds out when it goes off whether that has
        to do with anybody: setting and taking back one for each wait would cost a twentieth of the world's time.
        """
        self._waiter = waiter = self._loop.create_future()
        now = self._loop.time()
        self._over = now + seconds
        self._due = now + min(PATIENCE_SECONDS, seconds)
        if self._timer is None or self._timer.when() > self._due:
            self._arm()
        try:
            await waiter
        finally:
            self._waiter = None

    def _arm(self) -> None:
        self._disarm()
        self._timer = self._loop.call_at(self._due, self._look_at_time)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_at_time(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        now = self._loop.time()
        if now >= self._over:
            self._wake()
            return
        if now >= self._due:
            self._on_delay()
            self._due = self._over
        self._arm()


async def connect(
    source: str, server: str, port: int, seconds: float, clock: Clock, on_delay: Callable[[], None]
) -> Wire:
    """Connect from one of the world's addresses. Raises ``HungUp`` where nobody answers."""
    loop = asyncio.get_running_loop()
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    connection = socket.socket(family, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        try:
            connection.bind((source, 0))
        except OSError as error:
            raise EngineError(f"the world cannot speak from {source}: {error.strerror}") from error
        try:
            if not connected(connection, (server, port)):
                async with asyncio.timeout(seconds):
                    await loop.sock_connect(connection, (server, port))
        except TimeoutError as error:
            raise HungUp("timeout", f"no connection in {seconds:.1f} seconds") from error
        except OSError as error:
            end = "reset" if error.errno == errno.ECONNRESET else "refused"
            raise HungUp(end, _in_words(error)) from error
    except BaseException:
        connection.close()
        raise
    return Wire(connection, clock, on_delay)


def _in_words(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)


def reason(error: ssl.SSLError) -> str:
    """What OpenSSL says, in words."""
    return str(getattr(error, "verify_message", "") or error.reason or error).lower().replace("_", " ")
