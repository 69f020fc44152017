"""Moodle: ``FULL NAME_PARTICIPANT_assignsubmission_PLUGIN_``, a folder or the beginning of a name.

The number is the participant's of this assignment (``Participant 123`` in the grading worksheet), and not the user's.
What was typed into Moodle's own editor lies beside it, of the plugin ``onlinetext``.
"""

from __future__ import annotations

import re
from collections import defaultdict

from grader.course.intake.handin import Found
from grader.course.intake.listing import Asked, Listing, Reading

_MARK = re.compile(r"_(?P<participant>\d{1,18})_assignsubmission_(?P<plugin>[a-z]+)(?=_|\Z)")
FILES = "file"


def knows(name: str, asked: Asked) -> bool:
    """Whether a name is one of Moodle's."""
    return _parts(name) is not None


def _parts(name: str) -> tuple[str, str, str] | None:
    """Participant, plugin and the file's own name; ``None`` for a name that is not Moodle's.

    Students choose their files' names, and perhaps their own: a part of a path in which two participants stand is
    nobody's, and what is below the first that names one is that one's.
    """
    pieces = name.split("/")
    for place, piece in enumerate(pieces[:2]):
        marks = list(_MARK.finditer(piece))
        if not marks:
            continue
        rest = piece[marks[0].end() :].removeprefix("_")
        own = "/".join([*([rest] if rest else []), *pieces[place + 1 :]])
        return (marks[0]["participant"], marks[0]["plugin"], own) if len(marks) == 1 and own else None
    return None


def read(listing: Listing, asked: Asked) -> Reading:
    """The hand-ins by participant."""
    files: dict[str, list[tuple[str, str]]] = defaultdict(list)
    strays = []
    for name in listing.names:
        parts = _parts(name)
        if parts is None:
            strays.append(name)
            continue
        participant, plugin, own = parts
        of_participant = files[participant]
        if plugin == FILES:
            of_participant.append((own, name))
        else:
            strays.append(name)
    found = [
        Found(
            members=({"moodle": participant},),
            files=tuple(theirs),
            label=f"{listing.path.name} (Moodle's participant {participant})",
        )
        for participant, theirs in sorted(files.items())
    ]
    return Reading(found, strays)
