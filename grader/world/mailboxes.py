"""Messages to one mailbox go one after another, so that no two of them are delivered at once.

Deliveries to the same mbox meet at its lock, and whoever finds it locked sleeps: Postfix's local(8) for a second, half
of one more or less (postconf(5), ``deliver_lock_delay``). Whether that happens was luck, in one check of fifteen.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grader.model.attempt import Attempt

PATIENCE = 0.25
"""Seconds that a message waits for another: a server that takes longer is one whose messages do not wait."""


class Mailboxes:
    """The mailboxes of a world's servers, as far as several attempts send mail there. Made in a running loop."""

    def __init__(self) -> None:
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._slow = False

    @asynccontextmanager
    async def turn(self, attempt: Attempt) -> AsyncIterator[None]:
        """Keep others from the mailboxes of an attempt for as long as it lasts, and wait until they are free."""
        held: list[asyncio.Lock] = []
        try:
            # In one order, so that no two wait for each other.
            for mailbox in sorted({recipient.casefold() for recipient in attempt.recipients}):
                # An address with the attempt's token is nobody else's.
                if attempt.token not in mailbox and await self._free(self._locks[mailbox]):
                    held.append(self._locks[mailbox])
            yield
        finally:
            for lock in held:
                lock.release()

    async def _free(self, lock: asyncio.Lock) -> bool:
        """Take a lock as soon as it is free; whether it was in time."""
        if lock.locked():
            if self._slow:
                return False
            try:
                await asyncio.wait_for(lock.acquire(), PATIENCE)
            except TimeoutError:
                self._slow = True
                return False
            return True
        return await lock.acquire()
