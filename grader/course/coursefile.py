"""Reads ``course.yaml``, refuses what is wrong in it with its line, and makes a new one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from grader import disk, labs, outputs
from grader.course.intake.layouts import LAYOUTS, NAMED
from grader.labs.complaints import refusal
from grader.labs.schema import rendered
from grader.model.course import Course, CourseLab
from grader.model.diagnostic import Diagnostic, fault_at
from grader.model.errors import LabError, UsageError
from grader.model.lab import Check
from grader.model.result import CheckResult, Visibility
from grader.model.templates import nearest

FILE = "course.yaml"
KEY_FILE = "course.key"
SCHEMA_FILE = "course.schema.json"
LARGEST_KEY = 10_000
PLATFORMS = ("canvas", "moodle", "brightspace", "lti")
"""Platforms whose name for an assignment a course can say."""

TEMPLATE = f"""\
# yaml-language-server: $schema={SCHEMA_FILE}
# Read by 'smtplab grade' and 'smtplab start' in this folder; what they are told on the command line counts more.
title: A course on mail servers

# Every student's variant is drawn from this key: it stays with you, and stays the same once the course has begun.
key-file: {KEY_FILE}

# The class: columns by their titles, such as id, email, login, canvas, moodle, name, group, section.
# roster: class.csv

labs:
  open-relay:
    # due: 2026-12-01T23:59+01:00
    hints: example
    # formats: [json, html, csv]
    # layout: canvas
    # visibility: {{"#relay": after-due, quiet: never}}
    # assignment: {{canvas: "123", moodle: open-relay}}
"""


class FoundCourse(Struct, frozen=True):
    """A course and the folder that its paths are relative to."""

    course: Course
    folder: Path

    @property
    def key(self) -> str | None:
        """The course's key; ``None`` where it has none. Raises ``UsageError`` where it is not where it should be."""
        course = self.course
        if course.key_variable is not None:
            if not (value := os.environ.get(course.key_variable)):
                raise UsageError(
                    f"the course's key should stand in the variable {course.key_variable}: set it"
                )
            return value
        if course.key_file is None:
            return course.key
        path = self.folder / course.key_file
        try:
            with path.open("rb") as file:
                lines = file.read(LARGEST_KEY).decode("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise UsageError(f"cannot read the course's key in {str(path)!r}: {reason}") from error
        if not lines or not lines[0].strip():
            raise UsageError(f"the course's key is missing: {str(path)!r} is empty")
        return lines[0].strip()

    def path(self, name: str | None) -> Path | None:
        """A file that the course names."""
        return None if name is None else self.folder / name

    def lab(self, lab_id: str) -> CourseLab:
        """How a lab is graded; as any other where the course says nothing of it."""
        return self.course.labs.get(lab_id, CourseLab())


def find_course(given: Path | None) -> FoundCourse | None:
    """The course of a file, by default of the one in the current folder; ``None`` where there is none.

    Raises ``UsageError`` where the file is missing, or with a line for each fault in it.
    """
    path = given or Path(FILE)
    if given is None and not path.is_file():
        return None
    if path.is_dir():
        path /= FILE
    # Most classes are graded without such a file.
    from grader.labs.yamlfile import parse, read_bytes

    data = read_bytes(path, "course")
    course = parse(data, path, Course)
    if complaints := list(_complaints(course, path.parent)):
        raise refusal(path, data, complaints)
    return FoundCourse(course, path.parent)


def due(lab: CourseLab) -> datetime | None:
    """When a lab is due; ``None`` where that is not said."""
    return datetime.fromisoformat(lab.due) if lab.due is not None else None


def _complaints(course: Course, folder: Path) -> Iterator[Diagnostic]:
    """What the schema cannot say."""
    keys = [name for name in ("key", "key-file", "key-variable") if getattr(course, name.replace("-", "_"))]
    if len(keys) > 1:
        yield fault_at((keys[1],), f"{keys[0]!r} and {keys[1]!r} both say where the key is: keep one")
    if course.roster is not None and not (folder / course.roster).is_file():
        yield fault_at(("roster",), f"there is no file {course.roster!r} beside this one")
    for lab_id, lab in course.labs.items():
        yield from _lab_complaints(lab_id, lab, folder)


def _lab_complaints(lab_id: str, lab: CourseLab, folder: Path) -> Iterator[Diagnostic]:
    here = ("labs", lab_id)
    try:
        labs.find(lab_id)
        if lab.visibility:
            yield from _unseen(here, lab, labs.load(labs.find(lab_id)).all_checks)
    except LabError as error:
        yield fault_at(here, str(error))
    if lab.due is not None and _moment(lab.due) is None:
        yield fault_at(
            (*here, "due"), f"{lab.due!r} is no time with an offset: write it as 2026-12-01T23:59+01:00"
        )
    for name in lab.assignment:
        if name not in PLATFORMS:
            yield fault_at(
                (*here, "assignment", name),
                f"there is no platform {name!r} here{nearest('%r', name, PLATFORMS)}; there are {', '.join(PLATFORMS)}",
            )
    for number, name in enumerate(lab.formats):
        if name not in outputs.FORMATS:
            yield fault_at(
                (*here, "formats", number),
                f"there is no format {name!r}{nearest('%r', name, outputs.FORMATS)}",
            )
    layout = (lab.layout or NAMED).partition(":")[0]
    if layout not in (NAMED, *LAYOUTS):
        yield fault_at(
            (*here, "layout"), f"there is no layout {layout!r}{nearest('%r', layout, [NAMED, *LAYOUTS])}"
        )
    if lab.overrides is not None and not (folder / lab.overrides).is_file():
        yield fault_at((*here, "overrides"), f"there is no file {lab.overrides!r} beside this one")


def visibility(
    lab: CourseLab, checks: Sequence[Check | CheckResult], *, now: datetime | None = None
) -> dict[str, Visibility]:
    """When students see the checks of a lab, by their codes, as far as that is not always.

    Once the lab is due, ``after-due`` is over.
    """
    end = due(lab)
    over = end is not None and (now or datetime.now(UTC)) >= end
    found: dict[str, Visibility] = {}
    for check in checks:
        code = check.code.rpartition("/")[2]
        said = [lab.visibility.get(code), *(lab.visibility.get(f"#{tag}") for tag in check.tags)]
        when: Visibility = next((one for one in said if one is not None), "always")
        if when != "always" and not (when == "after-due" and over):
            found[code] = when
    return found


def _unseen(here: tuple[str, ...], lab: CourseLab, checks: Sequence[Check]) -> Iterator[Diagnostic]:
    known = [check.code for check in checks]
    known += sorted({f"#{tag}" for check in checks for tag in check.tags})
    for name, when in lab.visibility.items():
        if name not in known:
            yield fault_at(
                (*here, "visibility", name),
                f"the lab has no check or tag {name!r}{nearest('%r', name, known)}",
            )
        elif when == "after-due" and lab.due is None:
            yield fault_at((*here, "visibility", name), "'after-due' takes a 'due' beside it")


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def new_course(where: Path) -> list[Path]:
    """Write a course to change: ``course.yaml``, its schema for editors, and a key that was drawn just now.

    Raises ``UsageError`` where one of them is there already, or cannot be written.
    """
    files = {
        FILE: (TEMPLATE.encode(), 0o666),
        SCHEMA_FILE: (rendered("course"), 0o666),
        KEY_FILE: (secrets.token_urlsafe(24).encode() + b"\n", 0o600),
    }
    if there := [name for name in (FILE, KEY_FILE) if os.path.lexists(where / name)]:
        raise UsageError(f"{where / there[0]} is there already: move it away, or name another folder")
    written = []
    try:
        where.mkdir(parents=True, exist_ok=True)
        for name, (data, mode) in files.items():
            disk.write_file(where / name, data, mode)
            written.append(where / name)
    except OSError as error:
        raise UsageError(f"cannot write {str(where)!r}: {error.strerror}: choose another folder") from error
    return written
