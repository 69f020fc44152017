"""The command line: parse, call, exit code."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn

from grader.cli.exitcodes import INTERRUPTED

__all__ = ["main", "run"]


def run() -> NoReturn:
    """The program ``smtplab``: runs the command line of this process, and ends it with the exit code."""
    code = main()
    if threading.active_count() == 1 and _nothing_left():
        # Python would first take apart all that was imported, for a twentieth of a check, in vain.
        os._exit(code)
    sys.exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """As ``grader.cli.app.main``, whose import takes a tenth of a second: Ctrl-C may come as soon as that."""
    # A command makes many objects and few cycles, while it is imported above all: looking for those as often as usual
    # costs a tenth of a check.
    gc.set_threshold(100_000, 50, 50)
    try:
        from grader.cli.app import main as run_command
    except KeyboardInterrupt:
        print("smtplab: interrupted", file=sys.stderr)
        return INTERRUPTED
    code = run_command(argv)
    _let_go_of_errors()
    return code


def _let_go_of_errors() -> None:
    """Lose what standard error does not take: Python would try again at its end, and change the exit code to 120."""
    try:
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC), 2)


def _nothing_left() -> bool:
    """Do what is left to be done when Python ends; ``False`` where it has to tell of a stream that takes nothing."""
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    except (OSError, ValueError, AttributeError):
        return False
    return True
