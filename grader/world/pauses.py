"""How long a server lets its client wait for replies, and whether it does so on purpose."""

from __future__ import annotations

REGULAR_SECONDS = 0.1
"""Penalties differ by no more than this."""


class Pauses:
    """The waits of one session. ``penalty`` is how long one must be, in seconds, to be one that is meant."""

    def __init__(self, penalty: float) -> None:
        self.regular = False
        """Whether the server was found to let this client wait on purpose."""
        self._penalty = penalty
        self._last: dict[str, list[float]] = {}

    def note(self, seconds: float, command: str) -> None:
        """Note a wait for the reply to a command. Two in a row of one length are a penalty, or three for one verb.

        A machine with too much to do lets its clients wait too, but not by the clock.
        """
        for key, enough in (("", 2), (command[:4].upper(), 3)):
            waits = [*self._last.get(key, [])[1 - enough :], seconds]
            alike = len(waits) == enough and all(abs(seconds - wait) < REGULAR_SECONDS for wait in waits)
            self.regular = self.regular or (alike and seconds > self._penalty)
            self._last[key] = waits
