"""What a world learns of the listeners that it speaks to, from one session to the next."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Listener:
    """What is known of a listener: its name in DNS, whom to trust there, how patient to be."""

    server: str
    port: int
    name: str | None = None
    problem: str | None = None
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
