"""The command line: parse, call, exit code."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence

from grader.cli.exitcodes import INTERRUPTED

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """As ``grader.cli.app.main``, whose import takes a tenth of a second: Ctrl-C may come as soon as that."""
    # A command makes many objects and few cycles, while it is imported above all: looking for those as often as usual
    # costs a tenth of a check.
    gc.set_threshold(100_000, 50, 50)
    try:
        from grader.cli.app import main as run
    except KeyboardInterrupt:
        print("smtplab: interrupted", file=sys.stderr)
        return INTERRUPTED
    return run(argv)
