"""The list of a class: a CSV file whose columns are told by their titles, in any order.

Titles are compared without regard to capitals, blanks and hyphens, and are those that platforms write themselves.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from grader.course.intake.names import student_id
from grader.formats.handed import without_mark
from grader.model.errors import UsageError
from grader.model.result import Person
from grader.model.variant import composed

LARGEST = 20_000_000

TITLES: Mapping[str, tuple[str, ...]] = {
    "id": (
        "student", "studentid", "id", "idnumber", "sid", "sisuserid", "orgdefinedid", "matriculation",
        "matriculationnumber", "number",
    ),
    "name": ("name", "fullname", "studentname", "displayname"),
    "first": ("firstname", "givenname", "first"),
    "last": ("lastname", "surname", "familyname", "last"),
    "email": ("email", "emailaddress", "mail", "address", "eaddress"),
    "login": ("login", "loginid", "sisloginid", "username", "user", "github", "githubusername", "githublogin"),
    "canvas": ("canvas", "canvasid", "canvasuserid"),
    "moodle": ("moodle", "identifier", "participant", "participantid", "moodleparticipant"),
    "group": ("group", "groups", "team", "groupname"),
    "section": ("section", "sections", "class", "course", "tutorial"),
}  # fmt: skip
"""Titles of a column, squeezed, by what stands in it."""
IDS = ("id", "email", "login", "canvas", "moodle")
"""What a student may be known by, each on its own."""
_SQUEEZED = re.compile(r"[\W_]+")
_PARTICIPANT = re.compile(r"participant\s*(\d+)", re.IGNORECASE)
_OF_CANVAS = {"name": "student", "canvas": "id", "id": "sisuserid", "login": "sisloginid"}


class Student(Struct, frozen=True, kw_only=True):
    """A student of the class. ``id`` is the one that variants are drawn from and results are named by."""

    id: str
    person: Person

    def known_by(self, kind: str) -> str:
        """What this kind of id is of the student; empty where the roster has none."""
        return self.id if kind == "id" else str(getattr(self.person, kind))


class Roster:
    """The students of a class, found by whatever a platform knows them by."""

    def __init__(self, students: Iterable[Student], where: str) -> None:
        self.students = list(students)
        self.where = where
        self._by: dict[str, dict[str, list[Student]]] = {kind: {} for kind in IDS}
        for student in self.students:
            for kind in IDS:
                if value := student.known_by(kind):
                    self._by[kind].setdefault(_key(value), []).append(student)
        for found in self._by["id"].values():
            if len(found) > 1:
                raise UsageError(f"{where} lists the student {found[0].id!r} twice: remove one of the lines")

    def find(self, ids: Mapping[str, str]) -> Student | None:
        """The student whom these ids mean, the first that the roster knows. Raises ``UsageError`` for two students."""
        for kind, value in ids.items():
            kinds = (kind,) if kind in ("canvas", "moodle") else tuple(dict.fromkeys((kind, *IDS[:3])))
            for column in kinds:
                found = self._by.get(column, {}).get(_key(value), [])
                if len(found) > 1:
                    raise UsageError(
                        f"{self.where} has {value!r} for two students ({found[0].id!r} and {found[1].id!r}): correct it"
                    )
                if found:
                    return found[0]
        return None

    def group(self, name: str) -> list[Student]:
        """The members of a group, in the roster's order."""
        return [student for student in self.students if name and student.person.group == name]


def _key(value: str) -> str:
    """An id as it is compared: without regard to capitals, and to how a system spells an umlaut."""
    return composed(value).casefold()


def read_roster(path: Path) -> Roster:
    """A roster from its CSV file. Raises ``UsageError`` with the line and what is wrong there."""
    data = _bytes(path, "roster")
    return Roster(rows(data, str(path)), str(path))


def read_decisions(path: Path) -> dict[str, str]:
    """The student of each source that a CSV file with the columns ``source`` and ``student`` names.

    Raises ``UsageError`` with the line and what is wrong there.
    """
    where = str(path)
    (_, titles), *lines = _table(_bytes(path, "map"), where) or [(1, [])]
    squeezed = [_SQUEEZED.sub("", title).casefold() for title in titles]
    if not {"source", "student"} <= set(squeezed):
        raise UsageError(f"{where} needs the columns 'source' and 'student': title them so")
    source, student = squeezed.index("source"), squeezed.index("student")
    found: dict[str, str] = {}
    for number, cells in lines:
        if len(cells) <= max(source, student) or not cells[student].strip():
            continue
        name = composed(cells[source].strip().removeprefix("'"))
        if not name:
            continue
        if found.get(name, cells[student].strip()) != cells[student].strip():
            raise UsageError(f"{where}, line {number}: {name!r} is two students' here: remove one line")
        found[name] = student_id(cells[student].strip())
    return found


def rows(data: bytes, where: str) -> list[Student]:
    """The students in a CSV file of these ``data``. Raises ``UsageError``."""
    table = [line for line in _table(data, where) if any(cell.strip() for cell in line[1])]
    if not table:
        raise UsageError(f"the roster {where} is empty: it needs a line of titles and one for each student")
    (_, titles), *lines = table
    columns = _columns(titles, where)
    students = []
    for number, cells in lines:
        if "points possible" in cells[0].casefold() or cells[0].strip().casefold() == "student, test":
            continue  # Canvas's own lines in an exported gradebook.
        students.append(_student(cells, columns, f"{where}, line {number}"))
    return students


def _bytes(path: Path, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"cannot read the {what} {str(path)!r}: {error.strerror}") from error
    if len(data) > LARGEST:
        raise UsageError(f"the {what} {str(path)!r} is larger than {LARGEST} bytes: give a list of students")
    return data


def _student(cells: list[str], columns: Mapping[str, int], where: str) -> Student:
    value = {
        kind: composed(cells[place].strip().removeprefix("'")) if place < len(cells) else ""
        for kind, place in columns.items()
    }
    name = value.get("name") or " ".join(filter(None, (value.get("first"), value.get("last"))))
    if match := _PARTICIPANT.fullmatch(value.get("moodle", "")):
        value["moodle"] = match[1]
    own = next((value[kind] for kind in IDS if value.get(kind)), "")
    if not own:
        raise UsageError(f"{where} has neither an id nor an address nor a login: add one")
    known = {kind: value.get(kind, "") for kind in ("email", "login", "canvas", "moodle", "group", "section")}
    return Student(id=student_id(own), person=Person(name=name, **known))


def _columns(titles: list[str], where: str) -> dict[str, int]:
    """Where each kind of value stands. Of several columns that fit a kind it is the first that the kind names."""
    squeezed = [_SQUEEZED.sub("", title.lstrip("\ufeff")).casefold() for title in titles]
    places: dict[str, int] = {}
    for kind, names in TITLES.items():
        if (title := next((name for name in names if name in squeezed), None)) is not None:
            places[kind] = squeezed.index(title)
    if squeezed[:2] == ["student", "id"] or "sisloginid" in squeezed:
        # A gradebook of Canvas's: its column ID is Canvas's own number, and Student is the name.
        places.pop("id", None)
        places |= {kind: squeezed.index(title) for kind, title in _OF_CANVAS.items() if title in squeezed}
    if not any(kind in places for kind in IDS):
        shown = ", ".join(title.strip()[:30] for title in titles[:8])
        raise UsageError(
            f"the roster {where} has no column of ids ({shown}): title one of them 'id', 'email' or 'login'"
        )
    return places


def _table(data: bytes, where: str) -> list[tuple[int, list[str]]]:
    """The cells with their lines' numbers. The delimiter is the one that the line of titles has most of."""
    try:
        text = without_mark(data).decode()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"the roster {where} is not UTF-8 (byte {error.start}): save it as 'CSV UTF-8'"
        ) from error
    if "\0" in text:
        raise UsageError(f"the roster {where} holds a NUL, and is no CSV: save it as 'CSV UTF-8'")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    try:
        return [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise UsageError(f"the roster {where} is no CSV in line {reader.line_num}: {error}") from error
