"""The process in which a worker of a cluster does its jobs: it reads one, and writes the answer, until nobody asks.

It is a process of its own because jobs fork, handle signals and may be killed, none of which their worker survives.
"""

from __future__ import annotations

import os
import pickle
import signal
import struct
import sys
from typing import BinaryIO

from grader.schedule import WorkerDied, answer_of, end_with, interrupted

LENGTH = struct.Struct(">Q")
"""Before each message stands how long it is."""


def main() -> None:
    """Do the jobs on standard input, and write the answer of each, or a ``WorkerDied``, to standard output."""
    signal.signal(signal.SIGINT, lambda number, frame: None)
    signal.signal(signal.SIGTERM, interrupted)
    if sys.platform == "linux":
        end_with(int(sys.argv[1]))
    # What anything prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        while (data := _read(sys.stdin.buffer)) is not None:
            answer = pickle.dumps(_answer(data))
            answers.write(LENGTH.pack(len(answer)) + answer)
            answers.flush()
    except KeyboardInterrupt:
        os._exit(128 + signal.SIGTERM)


def _answer(data: bytes) -> object:
    try:
        work, job = pickle.loads(data)  # noqa: S301 -- from the machine that has the class
    except Exception as error:
        return WorkerDied(f"{type(error).__name__}: {error}")
    return answer_of(work, job)


def _read(source: BinaryIO) -> bytes | None:
    head = source.read(LENGTH.size)
    return source.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else None


if __name__ == "__main__":
    main()
