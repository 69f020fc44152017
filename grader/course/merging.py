"""Puts the shards of a class together: the folder of grades that one machine would have written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from msgspec.structs import replace

from grader import disk, outputs
from grader.course.class_documents import write_documents
from grader.course.classpages import REPORT
from grader.course.conduct import locked
from grader.course.intake.names import INDEX, MISSING, OVERRIDES
from grader.course.results_folder import kept, refuse_other_lab, result_lines
from grader.course.shards import ShardFile, read_shard, refuse_other_share
from grader.display.sentences import count, listed, some
from grader.model.errors import OutputError, UsageError


@dataclass(frozen=True)
class _Part:
    """A shard, where it lies, and the names of the folders of results in it."""

    path: Path
    about: ShardFile
    folders: list[str]

    def __str__(self) -> str:
        return repr(str(self.path))


def merge_into(out: Path, given: Sequence[Path]) -> int:
    """Write the whole class to ``out`` from the folders of all its shards, and tell how many results it has.

    Results are copied as they are, and the documents about all are made of them, as at the end of ``grade_class``.
    Raises ``UsageError`` where the shards are not those of one class, or where students are missing or there twice;
    ``OutputError`` where something cannot be read or written. Interrupted, it can be run again.
    """
    parts = _parts(given)
    if any(part.path.resolve() == out.resolve() for part in parts):
        raise UsageError(f"{str(out)!r} is one of the shards: name another folder with --out")
    _refuse_other_class(parts)
    _refuse_other_shards(parts)
    _refuse_missing(parts)
    _refuse_twice(parts)
    with locked(out):
        refuse_other_share(out, None)
        for result in islice(result_lines(part.path / name for part in parts for name in part.folders), 1):
            refuse_other_lab(out, result.lab)
        decisions = _decisions(out, parts)
        for part in parts:
            for name in part.folders:
                _copy(part.path / name, out / name)
        if decisions is not None:
            outputs.write(out / OVERRIDES, decisions)
        if (missing := parts[0].path / MISSING).is_file():
            # Every machine knew the whole roster: they all miss the same students.
            outputs.write(out / MISSING, _read(missing))
        write_documents(out, _formats(parts))
    return sum(len(part.folders) for part in parts)


def _parts(given: Sequence[Path]) -> list[_Part]:
    """The shards. Each names the whole class: where they agree on it, it is held once."""
    parts: list[_Part] = []
    for path in given:
        about = read_shard(path)
        if parts and about.members == parts[0].about.members:
            about = replace(about, members=parts[0].about.members)
        parts.append(_Part(path, about, [folder.name for folder in kept(path)]))
    return parts


def _refuse_other_class(parts: Sequence[_Part]) -> None:
    first = parts[0]
    for part in parts[1:]:
        mine, other = first.about.graded_with, part.about.graded_with
        if what := [name for name in {**mine, **other} if mine.get(name) != other.get(name)]:
            raise UsageError(
                f"{first} and {part} are not of one class, for they were graded with different things: "
                f"{listed(what)}; grade one of them again"
            )
        if first.about.shard.total != part.about.shard.total:
            raise UsageError(
                f"{first} is {first.about.shard}, and {part} is {part.about.shard}: a class is cut into the same "
                "number for all"
            )
        if first.about.members != part.about.members:
            mine_, others = ({member.student for member in one.about.members} for one in (first, part))
            said = [
                f"{some(sorted(known), 8)} only to {where}"
                for known, where in ((mine_ - others, first), (others - mine_, part))
                if known
            ]
            raise UsageError(
                f"not every machine was given the same hand-ins: {'; '.join(said) or 'other groups'}. Give all of "
                "them the whole class, with --resume; where somebody has withdrawn, into new folders"
            )


def _refuse_other_shards(parts: Sequence[_Part]) -> None:
    by_number: dict[int, _Part] = {}
    for part in parts:
        if (other := by_number.setdefault(part.about.shard.number, part)) is not part:
            raise UsageError(f"{other} and {part} are both {part.about.shard}: name one of them")
    about = parts[0].about
    absent = [number for number in range(1, about.shard.total + 1) if number not in by_number]
    if absent:
        students = [member.student for member in about.members if member.shard in absent]
        noun, verb = ("shard", "is") if len(absent) == 1 else ("shards", "are")
        raise UsageError(
            f"{noun} {some(absent, 8)} of {about.shard.total} {verb} missing, with {count(len(students), 'student')}"
            f"{_named(students)}: name all shards"
        )


def _refuse_missing(parts: Sequence[_Part]) -> None:
    for part in parts:
        number = part.about.shard.number
        there = set(part.folders)
        mine = [member for member in part.about.members if member.shard == number]
        missing = [member.student for member in mine if member.folder not in there]
        if not part.about.finished:
            raise UsageError(
                f"{part} ({part.about.shard}) was not graded to its end; {count(len(missing), 'student')} of its "
                f"{len(mine):,} are missing{_named(missing)}: give its command again, with --resume"
            )
        if missing:
            raise UsageError(
                f"{part} ({part.about.shard}) has lost the results of {some(missing, 8)}: give its command again, "
                "with --resume; where somebody has withdrawn, grade the class into new folders"
            )


def _refuse_twice(parts: Sequence[_Part]) -> None:
    seen = Counter(name for part in parts for name in part.folders)
    if not (twice := [name for name, times in seen.items() if times > 1]):
        return
    owner = {member.folder: member.shard for member in parts[0].about.members}
    older = [
        str(part.path / name)
        for part in parts
        for name in part.folders
        if name in twice and owner.get(name) != part.about.shard.number
    ]
    raise UsageError(
        f"there twice: {some(twice, 8)}. Remove what is of an earlier run, which is {some(older, 8)}"
    )


def _named(students: Sequence[str]) -> str:
    return f" ({some(students, 8)})" if students else ""


def _decisions(out: Path, parts: Iterable[_Part]) -> bytes | None:
    """The decisions, which must be the same everywhere: results were made with them."""
    homes = [part.path for part in parts]
    if (out / OVERRIDES).is_file():
        homes.append(out)
    found = [_read(home / OVERRIDES) if (home / OVERRIDES).is_file() else None for home in homes]
    for home, data in zip(homes, found, strict=True):
        if data != found[0]:
            raise UsageError(
                f"{str(homes[0])!r} and {str(home)!r} do not hold the same {OVERRIDES}: give all shards one with "
                "--overrides, or decide when they are merged"
            )
    return found[0]


def _formats(parts: Iterable[_Part]) -> set[str]:
    """The formats in which the shards have documents about their share."""
    homes = [part.path for part in parts]
    found = {
        kind.name
        for kind in outputs.FORMATS.values()
        if kind.many and any((home / kind.file).is_file() for home in homes)
    }
    return found | ({REPORT.name} if any((home / INDEX).is_file() for home in homes) else set())


def _copy(folder: Path, target: Path) -> None:
    """Copy the results of one student, whole or not at all."""
    try:
        with disk.replaced_folder(target) as beside:
            beside.mkdir()
            for path in sorted(folder.iterdir()):
                outputs.write(beside / path.name, _read(path))
    except OSError as error:
        raise OutputError(f"cannot copy {str(folder)!r} to {str(target)!r}: {error.strerror}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise OutputError(f"cannot read {str(path)!r}: {error.strerror}") from error
