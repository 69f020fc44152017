"""``python3 -m grader.world``: the service on standard input and output."""

from __future__ import annotations

import os
import sys

from grader.world.service import serve


def main() -> None:
    """Serve until standard input ends. Whatever else is printed goes to standard error, never among the answers."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
