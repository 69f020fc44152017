"""Receivers written in Perl, each kept running in a process of its own: a JSON object a line in, one a line out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from grader.model.errors import UsageError


@cache
def lacking(*modules: str) -> bool:
    """Whether Perl, or one of its modules, is not here."""
    wanted = [f"-M{module}" for module in modules]
    try:
        done = subprocess.run(["perl", *wanted, "-e", "1"], capture_output=True, check=False)
    except FileNotFoundError:
        return True
    return done.returncode != 0


class PerlProcess:
    """A script that answers line by line. ``problem`` is why it cannot run; then ``UsageError`` is raised with it."""

    def __init__(self, script: Path, problem: str) -> None:
        if problem:
            raise UsageError(problem)
        # It ends by itself once its standard input does.
        self._process = subprocess.Popen(
            ["perl", str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def close(self) -> None:
        """End it."""
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()

    def answers(self, questions: Sequence[Mapping[str, object]]) -> Iterator[dict[str, Any]]:
        """The answer to each, all of which are on their way together: what is said of them has to fit a pipe."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for question in questions:
            self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        for _ in questions:
            yield json.loads(self._process.stdout.readline())
