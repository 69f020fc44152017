"""Canvas: one flat archive, ``NAME[_LATE]_USER_ATTACHMENT_FILE``, several files a student.

What Canvas's ``lib/content_zipper.rb`` writes. NAME is the sortable name in lower case without anything but letters; it
tells nobody apart. Anonymous assignments have ``anon_ID_ATTACHMENT_FILE``. What was typed into Canvas's own editor lies
beside them as ``NAME[_LATE]_USER_text.html`` or ``_link.html``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from fnmatch import fnmatchcase
from itertools import count
from pathlib import PurePosixPath

from grader.course.intake.handin import Found
from grader.course.intake.listing import Asked, Listing, Reading

_FILE = re.compile(
    r"(?P<name>[^_/]+)_(?P<late>LATE_)?(?P<user>\d+|(?<=anon_)[A-Za-z0-9]+)_(?P<attachment>\d+)_(?P<file>[^/]+)"
)
_TYPED = re.compile(r"(?P<name>[^_/]+)_(?P<late>LATE_)?(?P<user>\d+)_(?:text|link)\.html")
_AGAIN = re.compile(r"-\d+(?=\.[^.]+$|$)")
"""Canvas makes ``main-1.cf`` of the second ``main.cf`` that a student uploads."""


def knows(name: str, asked: Asked) -> bool:
    """Whether a name is one of Canvas's."""
    return bool(_FILE.fullmatch(name) or _TYPED.fullmatch(name))


def read(listing: Listing, asked: Asked) -> Reading:
    """The hand-ins, grouped by Canvas's number of the student."""
    files: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    late: set[str] = set()
    strays = []
    for name in listing.names:
        match = _FILE.fullmatch(name) or _TYPED.fullmatch(name)
        if match is None:
            strays.append(name)
            continue
        of_user = files[match["user"]]
        if match["late"]:
            late.add(match["user"])
        if "attachment" in match.groupdict():
            of_user.append((int(match["attachment"]), match["file"], name))
        else:
            strays.append(name)
    found = [
        Found(
            members=({"canvas": user},),
            files=tuple(_named_as_uploaded(sorted(parts), asked.required)),
            label=f"{listing.path.name} (Canvas's student {user})",
            late=user in late,
            order=(max((number for number, _, _ in parts), default=0),),
        )
        for user, parts in sorted(files.items())
    ]
    return Reading(found, strays)


def _named_as_uploaded(
    parts: Sequence[tuple[int, str, str]], required: Sequence[str]
) -> list[tuple[str, str]]:
    """Each file's name in the hand-in with that in the download: of what was uploaded again, the last."""
    wanted = [PurePosixPath(name).name for name in required]
    named: dict[str, str] = {}
    for _, file, name in parts:
        plain = _AGAIN.sub("", file)
        asked_for = any(fnmatchcase(plain, pattern) for pattern in wanted)
        short = plain if asked_for else file
        if short in named and not asked_for:
            short = next(other for number in count(2) if (other := f"{file} ({number})") not in named)
        named[short] = name
    return list(named.items())
