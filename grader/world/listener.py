"""What a world learns of the listeners that it speaks to, from one session to the next."""

from __future__ import annotations

import ssl

from msgspec import Struct

NEVER_ANSWERED, LEFT_UNANSWERED = 3, 4
"""So many waits in a row for the answer to a command, which was never answered here, or was before."""


class Listener(Struct):
    """What is known of a listener: its name in DNS, whom to trust there, how patient to be."""

    server: str
    port: int
    name: str | None = None
    problem: str | None = None
    session: ssl.SSLSession | None = None
    """In TLS, with a server that is trusted, by a client without a certificate: what others may resume."""
    names: list[str] | None = None
    """In the certificate with which that session began."""
    resumes: bool = True
    """Whether nobody has tried in vain to resume it."""
    silent: int = 0
    """Greetings waited for in vain since the last one heard."""
    alive: bool = False
    """It has begun to greet somebody, if only to let them wait for the rest."""
    laborious: bool = False
    """It takes long to answer; several clients side by side lose less time."""
    endless: int = 0
    """Sessions in which it talked without end."""
    impatient: bool = False
    """It delays or throws out clients that ask for much in one session."""
    doomed: bool = False
    """It is known why answers do not come: one that was waited for in vain is enough."""
    answered: set[str] = set()
    """The commands that it has ever answered."""
    unanswered: dict[str, int] = {}
    """How often in a row it has let a command wait for its answer in vain."""

    def hopeless(self, command: str) -> bool:
        """Whether an answer to a command is hardly to be expected any more; one answer, and it is again."""
        most = LEFT_UNANSWERED if command in self.answered else NEVER_ANSWERED
        return self.unanswered.get(command, 0) >= (1 if self.doomed else most)

    def begin_afresh(self) -> None:
        """What it left unanswered does not count any more, and whatever is tried is tried by itself."""
        self.silent = self.endless = 0
        self.unanswered.clear()
        self.impatient = True

    def note_answer(self, command: str) -> None:
        """It has answered a command."""
        self.answered.add(command)
        if self.unanswered:
            self.unanswered.pop(command, None)

    def note_silence(self, command: str) -> None:
        """It has let a command wait for its answer in vain."""
        self.unanswered[command] = self.unanswered.get(command, 0) + 1
