"""ILIAS: a folder ``LASTNAME_FIRSTNAME_LOGIN_USER`` for each student, in folders of the exercise and of a team.

What ``ilExSubmission::getDirectoryNameFromUserData`` writes, in ASCII. Names and logins may hold underscores: where
there are more than four parts, nobody knows which is the login, and the folder's whole name stands for the student,
whom ``--map`` names. A file that was late has ILIAS's word for it in front, in the language of whoever downloads:
``Late Submission - main.cf``.

Many folders are named alike that ILIAS has not made, so this layout is none that is recognised.
"""

from __future__ import annotations

import re
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from grader.course.intake.handin import Found
from grader.course.intake.listing import Asked, Listing, Reading
from grader.labs.limits import ARCHIVES

_FOLDER = re.compile(r"[^_].*_[^_]+_(?P<user>[0-9]{1,18})")
_PARTS = 4
_DEEPEST = 4
"""Folders in which a student's lies at most: the exercise, the word for submissions, a team."""


def knows(name: str, asked: Asked) -> bool:
    """No name tells that it is one of ILIAS's."""
    return False


def read(listing: Listing, asked: Asked) -> Reading:
    """A hand-in for each student's folder."""
    files: dict[str, list[tuple[str, str]]] = {}
    late: set[str] = set()
    strays = []
    wanted = [PurePosixPath(pattern).name for pattern in asked.required]
    place = _depth(listing)
    for name in listing.names:
        *folders, file = name.split("/")
        if len(folders) <= place or not _FOLDER.fullmatch(folders[place]):
            strays.append(name)
            continue
        plain = _without_late(file, wanted)
        if plain != file:
            late.add(folders[place])
        files.setdefault(folders[place], []).append(("/".join([*folders[place + 1 :], plain]), name))
    found = [
        Found(
            members=(_ids(folder),),
            files=tuple(parts),
            label=f"{listing.path.name}/{folder}",
            late=folder in late,
        )
        for folder, parts in sorted(files.items())
    ]
    return Reading(found, strays)


def _depth(listing: Listing) -> int:
    """How deep the students' folders lie: where most are that look so. An exercise's title may look like one, too."""
    found = {
        (at, folder)
        for name in listing.names
        for at, folder in enumerate(name.split("/")[:-1][:_DEEPEST])
        if _FOLDER.fullmatch(folder)
    }
    many = Counter(at for at, _ in found)
    return max(many, key=lambda at: (many[at], at), default=0)


def _ids(folder: str) -> dict[str, str]:
    parts = folder.split("_")
    return {"login": parts[2]} if len(parts) == _PARTS else {"id": folder}


def _without_late(file: str, wanted: list[str]) -> str:
    """The name of a file that the lab asks for, or of an archive, without the word for a late one."""
    _, dash, plain = file.partition(" - ")
    meant = any(fnmatchcase(plain, pattern) for pattern in wanted) or plain.lower().endswith(ARCHIVES)
    return plain if dash and meant else file
