"""Canvas: one flat archive, ``NAME[_LATE]_USER_ATTACHMENT_FILE``, several files a student.

What Canvas's ``lib/content_zipper.rb`` writes. NAME is the sortable name in lower case, without what is neither
letter, digit nor underscore; students may choose it, and FILE. Anonymous assignments have
``anon_ID_ATTACHMENT_FILE``. What was typed into Canvas's own editor lies beside them as
``NAME[_LATE]_USER_text.html`` or ``_link.html``.

So a name may hold two pairs of numbers, and one of them somebody else's. The numbers of a download's attachments are
about as long as each other: where that does not tell which pair is Canvas's, the file is nobody's.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import count
from pathlib import PurePosixPath

from grader.course.intake.handin import Found
from grader.course.intake.listing import Asked, Listing, Reading
from grader.labs.limits import shown

_PAIR = re.compile(r"_(?P<late>LATE_)?(?P<user>\d{1,18})_(?=(?P<attachment>\d{1,18})_(?=.))", re.DOTALL)
_ANONYMOUS = re.compile(
    r"anon_(?P<late>LATE_)?(?P<user>[A-Za-z0-9]+)_(?P<attachment>\d{1,18})_(?=.)", re.DOTALL
)
_TYPED = re.compile(
    r"(?:[^/]*_)?(?P<late>LATE_)?(?P<user>\d{1,18}|(?<=anon_)[A-Za-z0-9]+)_(?:text|link)\.html"
)
_AGAIN = re.compile(r"-\d+(?=\.[^.]+$|$)")
"""Canvas makes ``main-1.cf`` of the second ``main.cf`` that a student uploads."""


def knows(name: str, asked: Asked) -> bool:
    """Whether a name is one of Canvas's."""
    return bool(_readings(name) or _TYPED.fullmatch(name))


def read(listing: Listing, asked: Asked) -> Reading:
    """The hand-ins, grouped by Canvas's number of the student."""
    readings = {name: _readings(name) for name in listing.names}
    sure = {len(found[0]["attachment"]) for found in readings.values() if len(found) == 1}
    files: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    late: set[str] = set()
    strays = []
    for name, found in readings.items():
        fitting = [match for match in found if len(found) == 1 or _about(len(match["attachment"]), sure)]
        if len(fitting) == 1:
            [match] = fitting
            file = name[match.end("attachment") + 1 :]
            files[match["user"]].append((int(match["attachment"]), file, name))
        else:
            strays.append(name)
            typed = None if found else _TYPED.fullmatch(name)
            if typed is None:
                continue
            match = typed
            files.setdefault(match["user"], [])
        if match["late"]:
            late.add(match["user"])
    wanted = [PurePosixPath(name).name for name in asked.required]
    made = [
        Found(
            members=({"canvas": user},),
            files=tuple(_named_as_uploaded(sorted(parts), wanted)),
            notes=tuple(_uploaded_again(sorted(parts), wanted)),
            label=f"{listing.path.name} (Canvas's student {user})",
            late=user in late,
            order=(max((number for number, _, _ in parts), default=0),),
        )
        for user, parts in sorted(files.items())
    ]
    return Reading(made, strays)


def _readings(name: str) -> list[re.Match[str]]:
    """Each way in which a name may be read: with one pair of numbers as Canvas's, or with another."""
    if "/" in name:
        return []
    anonymous = _ANONYMOUS.match(name)
    return [*([anonymous] if anonymous else []), *(match for match in _PAIR.finditer(name) if not anonymous)]


def _about(length: int, sure: set[int]) -> bool:
    return bool(sure) and min(sure) <= length <= max(sure)


def _named_as_uploaded(parts: Sequence[tuple[int, str, str]], wanted: Sequence[str]) -> list[tuple[str, str]]:
    """Each file's name in the hand-in with that in the download: of what was uploaded again, the last."""
    named: dict[str, str] = {}
    for _, file, name in parts:
        asked_for = _asked_for(file, wanted)
        short = asked_for or file
        if short in named and not asked_for:
            short = next(other for number in count(2) if (other := f"{file} ({number})") not in named)
        named[short] = name
    return list(named.items())


def _uploaded_again(parts: Sequence[tuple[int, str, str]], wanted: Sequence[str]) -> Iterator[str]:
    """What is to be said of files that a student handed in more than once."""
    uploads: dict[str, list[str]] = defaultdict(list)
    for _, file, _ in parts:
        if plain := _asked_for(file, wanted):
            uploads[plain].append(file)
    for plain, files in uploads.items():
        if len(files) > 1:
            told = ", ".join(map(shown, files))
            yield f"{shown(plain)} was uploaded {len(files)} times ({told}): the last is graded."


def _asked_for(file: str, wanted: Sequence[str]) -> str:
    """The name of the file that the lab asks for and this one was uploaded as; empty where it is another."""
    plain = _AGAIN.sub("", file)
    return plain if any(fnmatchcase(plain, pattern) for pattern in wanted) else ""
