"""An interrupt reaches its end, even where a library took its exception for an error of its own.

A handler of a signal raises ``KeyboardInterrupt`` wherever the program happens to be. A library that turns every
exception into one of its own there (dnspython's readers do) would have a right zone refused: whoever is about to tell
what came of a run asks first whether it was interrupted.
"""

from __future__ import annotations

from typing import NoReturn

_came: list[bool] = []
"""Whether an interrupt came that nobody has seen through yet."""


def interrupt() -> NoReturn:
    """For handlers of signals: raise ``KeyboardInterrupt``, and remember that it was raised."""
    _came.append(True)
    raise KeyboardInterrupt


def end_if_interrupted() -> None:
    """Raise ``KeyboardInterrupt`` again where one was raised and is lost."""
    if _came:
        raise KeyboardInterrupt


def begin() -> None:
    """Whatever came before is over: for a command that begins."""
    _came.clear()
