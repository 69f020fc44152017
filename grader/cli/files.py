"""What can be known to be unwritable before an hour's work is done for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from grader import disk
from grader.model.errors import OutputError, UsageError
from grader.outputs.files import STANDARD_OUTPUT


def refuse_impossible(targets: Mapping[str, str | None]) -> None:
    """Find out before any work what cannot be written. ``targets`` maps options to files.

    Raises ``UsageError``, and ``OutputError`` where a disk is full.
    """
    given = {option: target for option, target in targets.items() if target is not None}
    if list(given.values()).count(STANDARD_OUTPUT) > 1:
        raise UsageError("only one document can go to standard output: give the others a file")
    for option, target in given.items():
        if target == STANDARD_OUTPUT:
            continue
        path = Path(target)
        if path.is_dir():
            raise UsageError(f"{option}: {target!r} is a folder: name a file in it")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"{option}: there is no folder {str(path.parent)!r}: make it first")
        if not os.access(path.absolute().parent, os.W_OK):
            raise UsageError(f"{option}: {str(path.parent)!r} may not be written to: name a file elsewhere")
        if (path.is_file() or not path.exists()) and disk.is_full(path.resolve().parent):
            raise OutputError(
                f"{option}: the disk of {target!r} is full: make room, or name a file elsewhere"
            )
