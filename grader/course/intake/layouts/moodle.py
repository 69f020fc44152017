"""Moodle: ``FULL NAME_PARTICIPANT_assignsubmission_PLUGIN_``, a folder or the beginning of a name.

The number is the participant's of this assignment (``Participant 123`` in the grading worksheet), and not the user's.
What was typed into Moodle's own editor lies beside it, of the plugin ``onlinetext``.
"""

from __future__ import annotations

import re
from collections import defaultdict

from grader.course.intake.handin import Found
from grader.course.intake.listing import Asked, Listing, Reading

_NAME = re.compile(
    r"(?P<around>(?:[^/]+/)?)(?P<name>[^/]+?)_(?P<participant>\d+)_assignsubmission_(?P<plugin>[a-z]+)(?:_/|/|_)(?P<file>.+)"
)
FILES = "file"


def knows(name: str, asked: Asked) -> bool:
    """Whether a name is one of Moodle's."""
    return bool(_NAME.fullmatch(name))


def read(listing: Listing, asked: Asked) -> Reading:
    """The hand-ins by participant."""
    files: dict[str, list[tuple[str, str]]] = defaultdict(list)
    strays = []
    for name in listing.names:
        match = _NAME.fullmatch(name)
        if match is None:
            strays.append(name)
            continue
        of_participant = files[match["participant"]]
        if match["plugin"] == FILES:
            of_participant.append((match["file"], name))
        else:
            strays.append(name)
    found = [
        Found(
            members=({"moodle": participant},),
            files=tuple(parts),
            label=f"{listing.path.name} (Moodle's participant {participant})",
        )
        for participant, parts in sorted(files.items())
    ]
    return Reading(found, strays)
