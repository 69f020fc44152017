"""The documents about a class: each written whole or not at all, of all results that lie in a folder of grades.

What they were made of is noted beside them, as digests of contents: a resumed class with nothing to do makes none of
them again. Times and sizes of files are asked for nothing, so that no clock and nobody who copies a folder can make a
document stay that tells of other results. Whoever can write to the folder can forge the note as well as the documents;
where results are signed against that, all are made again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property, lru_cache, partial
from hashlib import file_digest, sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from grader import __version__, disk, outputs, resources
from grader.course.classpages import REPORT, class_view, noted_missing
from grader.course.intake.names import ANONYMOUS, HAND_INS, INDEX, MADE_OF, MISSING
from grader.course.results_folder import ROW_NAME, folders_in, hand_ins, kept_with, results
from grader.display.csvtext import csv_rows
from grader.labs.cache import digest
from grader.model.errors import OutputError
from grader.model.ondemand import OnDemand
from grader.outputs import classpage
from grader.outputs.classview import ClassView

Pieces = Callable[[], Iterable[bytes]]


class _Made(Struct, frozen=True):
    """A document that was written: digests of what it was made of, and of its own bytes."""

    of: str
    content: str


def write_documents(out: Path, formats: Collection[str], *, afresh: bool = False) -> OnDemand[str, Path]:
    """Write the documents about the class whose results lie in ``out``.

    They are those of the chosen formats, and those that are there already: none may tell of another class than the
    next. One that is there and would become the same is left alone, but where all are to be made ``afresh``.
    ``out`` must be locked. Gives the folders of the results that lie there. Raises ``OutputError``.
    """
    class_ = _Class(out)
    known = {} if afresh else _noted(out)
    notes: dict[str, _Made] = {}
    for name, pieces in class_.documents(formats):
        path, note = out / name, known.get(name)
        if note is None or note.of != class_.digest or note.content != _content(path):
            note = _Made(class_.digest, _written(path, pieces))
        notes[name] = note
    if notes != known:
        # Without the note, all is made again the next time.
        with contextlib.suppress(OutputError):
            outputs.write(out / MADE_OF, msgspec.json.encode(notes) + b"\n")
    return class_.folders


class _Class:
    """What lies in a folder of grades, and the documents about it."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._found = kept_with(out, _digest)
        self.folders = folders_in(out, [one.folder for one in self._found])
        self._results = results(self.folders)

    def documents(self, formats: Collection[str]) -> Iterator[tuple[str, Pieces]]:
        """The documents by their files' names."""
        for kind in outputs.FORMATS.values():
            if kind.many and (kind.name in formats or (self._out / kind.file).is_file()):
                yield kind.file, partial(self._in_format, kind)
        if REPORT.name in formats or (self._out / INDEX).is_file():
            yield INDEX, self._page
            yield ANONYMOUS, self._anonymous_page
        yield HAND_INS, self._hand_ins

    @cached_property
    def digest(self) -> str:
        """Of everything that the documents depend on."""
        return digest([__version__.encode(), _program(), *self._contents()])

    def _contents(self) -> Iterator[bytes]:
        yield _read(self._out / MISSING)
        for one in self._found:
            folder = f"{self._out}/{one.folder}"
            yield one.student.encode("utf-8", "surrogateescape")
            yield os.fsencode(one.folder)
            yield b"report" if os.path.isfile(f"{folder}/{REPORT.file}") else b""  # noqa: PTH113 - a Path each takes longer
            yield one.made
            yield _digest(_read(f"{folder}/{ROW_NAME}"))

    def _in_format(self, kind: outputs.Format) -> Iterable[bytes]:
        here = {one.student for one in self._found}
        absent = [student for student in noted_missing(self._out) if student not in here]
        return kind.of_class(self._results, absent)

    def _page(self) -> Iterable[bytes]:
        return classpage.page(self._view)

    def _anonymous_page(self) -> Iterable[bytes]:
        shown = class_view(self._out, for_students=True) if self._view.hides else self._view
        return classpage.page(shown, anonymous=True)

    @cached_property
    def _view(self) -> ClassView:
        return class_view(self._out)

    def _hand_ins(self) -> Iterable[bytes]:
        return csv_rows(hand_ins(self.folders))


@lru_cache(maxsize=1)
def _program() -> bytes:
    """The digest of what turns results into documents: in a checkout it changes without the version."""
    package = Path(__file__).parent.parent
    sources = [
        path for room in ("model", "display", "outputs", "course") for path in (package / room).rglob("*.py")
    ]
    reports = resources.folder("reports")
    shown = [path for folder in ("class", "report") for path in (reports / folder).iterdir()]
    return digest(map(_read, sorted([*sources, *shown]))).encode()


def _written(path: Path, pieces: Pieces) -> str:
    """Write a document, and give the digest of its bytes."""
    total = sha256()

    def seen() -> Iterator[bytes]:
        for piece in pieces():
            total.update(piece)
            yield piece

    outputs.write(path, seen())
    return total.hexdigest()


def _content(path: Path) -> str:
    """The digest of what is in a document; empty where it is none that could be read again."""
    try:
        if path.is_file():
            with path.open("rb") as file:
                return file_digest(file, "sha256").hexdigest()
    except OSError:
        pass
    return ""


def _noted(out: Path) -> dict[str, _Made]:
    try:
        return msgspec.json.decode(_read(out / MADE_OF), type=dict[str, _Made])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def _digest(data: bytes) -> bytes:
    return sha256(data).digest()


def _read(path: str | Path) -> bytes:
    """What a file holds; nothing where it cannot be read."""
    try:
        return disk.contents(path)
    except OSError:
        return b""
