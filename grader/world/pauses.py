"""How long a server lets its client wait for replies, and whether it does so on purpose."""

from __future__ import annotations

REGULAR_SECONDS = 0.1
"""Penalties differ by no more than this."""
NEVER = (-1.0, -1.0)
"""The waits before the first, which none is like."""


class Pauses:
    """The waits of one session. ``penalty`` is how long one must be, in seconds, to be one that is meant."""

    def __init__(self, penalty: float) -> None:
        self.regular = False
        """Whether the server was found to let this client wait on purpose."""
        self._penalty = penalty
        self._before = -1.0
        self._of_verb: dict[str, tuple[float, float]] = {}

    def note(self, seconds: float, command: str) -> None:
        """Note a wait for the reply to a command. Two in a row of one length are a penalty, or three for one verb.

        A machine with too much to do lets its clients wait too, but not by the clock.
        """
        verb = command[:4].upper()
        first, second = self._of_verb.get(verb, NEVER)
        if seconds > self._penalty:
            alike = abs(seconds - self._before) < REGULAR_SECONDS
            thrice = max(abs(seconds - first), abs(seconds - second)) < REGULAR_SECONDS
            self.regular = self.regular or alike or thrice
        self._before = seconds
        self._of_verb[verb] = (second, seconds)
