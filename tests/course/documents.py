"""What two gradings of one class must have in common: all documents, without what differs between runs."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from grader.course.intake.names import LOCK_NAME, MADE_OF, SHARD

TIMES = re.compile(
    rb'"(?:started|at|duration|evidence)": ?(?:"[^"]*"|[0-9.e-]+)|\b[0-9]+\.[0-9]+ ?s\b|20\d\d-\d\d-\d\d[T ][0-9:.]+Z?'
    rb'|(?<=time=")[0-9.]+|,[0-9]+\.[0-9]+(?=,)'
)


def documents(folder: Path, without: Collection[str] = ()) -> dict[str, bytes]:
    """Every file of a folder of grades, by its path in it, without its times; ``without`` are names of some left out.

    What keeps two graders apart, what a share is of, and what documents were made of are none themselves.
    """
    return {
        str(path.relative_to(folder)): TIMES.sub(b"", path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file() and path.name not in (LOCK_NAME, MADE_OF, SHARD, *without)
    }
