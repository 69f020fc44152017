"""Grades again whenever a file is saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain, repeat
from pathlib import Path

import click
import watchfiles

from grader.display.text import printed, printed_line
from grader.labs.limits import JUNK
from grader.model.errors import LabError, SubmissionError

QUIET_MILLISECONDS = 100
"""Editors write a file in several steps; grading begins when they are through."""
ARMED_MILLISECONDS = 200
"""How often the watcher says that nothing happened."""


class Saved(watchfiles.DefaultFilter):
    """Changes that matter: not those of editors' own files, nor of the documents that grading itself writes."""

    def __init__(self, written: Iterable[str]) -> None:
        super().__init__()
        self._written = {str(Path(path).resolve()) for path in written}

    def __call__(self, change: watchfiles.Change, path: str) -> bool:
        """Whether to grade again for this change."""
        name = Path(path).name
        beside = any(name.startswith(f".{Path(written).name}.") for written in self._written)
        own = path in self._written or beside or JUNK.fullmatch(name) is not None
        return super().__call__(change, path) and not own


def watching(folder: Path, written: Iterable[str], grade: Callable[[], int]) -> int:
    """Grade now and after every change in ``folder``. Ends by ``KeyboardInterrupt`` alone.

    A submission or a lab that cannot be read is said and waited for: it may be half saved.
    """
    changes = watchfiles.watch(
        folder.resolve(),
        watch_filter=Saved(written),
        step=QUIET_MILLISECONDS,
        rust_timeout=ARMED_MILLISECONDS,
        yield_on_timeout=True,
    )
    # The first turn comes without a change once the watcher is at work: what is saved during the first grade counts.
    for first, saved in zip(chain([True], repeat(False)), changes, strict=False):
        if first or saved:
            if saved:
                # On a terminal alone: what is piped stays whole.
                click.clear()
                _say(f"saved at {datetime.now():%H:%M:%S}")
            _once(grade)
            _say(f"watching {folder}; Ctrl-C ends it")
    return 0


def _once(grade: Callable[[], int]) -> None:
    try:
        grade()
    except (LabError, SubmissionError) as error:
        click.echo(f"smtplab: {printed(str(error))}", err=True)


def _say(text: str) -> None:
    click.secho(printed_line(text), dim=True, err=True)
