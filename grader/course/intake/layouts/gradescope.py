"""Gradescope: ``submission_metadata.yml`` beside one folder ``submission_NUMBER`` each, in a folder of the export's.

The keys of the YAML are Ruby's symbols (``:submitters``, ``:sid``, ``:email``, ``:created_at``). A submission of a
group has several submitters. It is read with a safe loader, which makes no objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from grader.course.intake.handin import Found
from grader.course.intake.listing import Asked, Listing, Reading
from grader.model.errors import UsageError

METADATA = "submission_metadata.yml"
_FOLDER = re.compile(r"(?P<submission>submission_\d+)/(?P<file>.+)")


def knows(name: str, asked: Asked) -> bool:
    """Whether a name is one of Gradescope's."""
    return any(_FOLDER.fullmatch(part) or part == METADATA for part in (name, name.partition("/")[2]))


def read(listing: Listing, asked: Asked) -> Reading:
    """The submissions that the metadata name. Raises ``UsageError`` where those are missing or damaged."""
    # Whatever students handed in lies deeper.
    described = [name for name in listing.names if name.partition("/")[2] == METADATA or name == METADATA]
    described = [METADATA] if METADATA in described else described
    if len(described) != 1:
        raise UsageError(
            f"{str(listing.path)!r} holds {len(described) or 'no'} {METADATA}: give Gradescope's export as it "
            "was downloaded"
        )
    around = described[0].removesuffix(METADATA)
    files: dict[str, list[tuple[str, str]]] = {}
    strays = []
    for name in listing.names:
        match = _FOLDER.fullmatch(name[len(around) :]) if name.startswith(around) else None
        if match:
            files.setdefault(match["submission"], []).append((match["file"], name))
        elif name != described[0]:
            strays.append(name)
    found = []
    for submission, about in _metadata(listing, described[0]).items():
        members = tuple(_members(about))
        if not members:
            strays += [name for _, name in files.get(submission, [])]
            continue
        found.append(
            Found(
                members=members,
                files=tuple(files.get(submission, ())),
                label=f"{listing.path.name}/{submission}",
                time=_time(about.get(":created_at")),
                order=(_time(about.get(":created_at")), submission.rpartition("_")[2].rjust(20, "0")),
            )
        )
    known = {item.label.rpartition("/")[2] for item in found}
    strays += [name for submission, parts in files.items() if submission not in known for _, name in parts]
    return Reading(found, list(dict.fromkeys(strays)))


def _metadata(listing: Listing, name: str) -> dict[str, Mapping[str, Any]]:
    # Other layouts need no YAML, and loading it takes as long as grading a zone.
    from grader.course.intake.layouts import rubyyaml

    where = f"{name!r} in {str(listing.path)!r}"
    try:
        value = rubyyaml.load(listing.read(name))
    except ValueError as error:
        said = " ".join(str(error).split())[:200]
        raise UsageError(f"{where} cannot be read ({said}): export the submissions again") from error
    if not isinstance(value, dict) or not all(isinstance(about, dict) for about in value.values()):
        raise UsageError(f"{where} does not list submissions: export them again")
    return {str(key): about for key, about in value.items()}


def _members(about: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """How Gradescope knows each submitter: by the school's number, then by address."""
    submitters = about.get(":submitters")
    for person in submitters if isinstance(submitters, list) else ():
        if isinstance(person, dict):
            ids = {"id": _text(person.get(":sid")), "email": _text(person.get(":email"))}
            if ids := {kind: value for kind, value in ids.items() if value}:
                yield ids


def _text(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int) else ""


def _time(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value[:40] if isinstance(value, str) else ""
