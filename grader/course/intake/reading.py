"""Reads sources by the layout that they have: one for all of them, given or recognised."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

from grader.course.intake.handin import Found
from grader.course.intake.layouts import CLASSROOM, LAYOUTS, NAMED, Layout
from grader.course.intake.layouts.gradescope import METADATA
from grader.course.intake.listing import Asked, Listing, listing
from grader.course.intake.names import LOCK_NAME, without_ending
from grader.display.sentences import some
from grader.labs import Part
from grader.labs.limits import ARCHIVES
from grader.model.errors import UsageError

Placed = tuple[Found, Path | tuple[Part, ...]]
"""What was found, and where its files are."""


@dataclass
class SourcesRead:
    """Hand-ins in the order in which they were given or, where the platform tells that, handed in."""

    layout: str
    found: list[Placed] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)


def read_sources(sources: Sequence[Path], out: Path, name: str | None, asked: Asked) -> SourcesRead:
    """The hand-ins of all sources by the layout of this name; by the one that all of them show where it is ``None``.

    Raises ``UsageError`` where a source is missing, or is a download whose layout is not understood.
    """
    usable, strays = _sorted_out(sources, out)
    if name == NAMED:
        return _named(usable, strays)
    chosen = LAYOUTS[name] if name else None

    @cache
    def listed(source: Path) -> Listing | None:
        # Each when it is asked for: one hand-in without a platform's names tells that a class has none.
        try:
            return _listed(source, chosen, asked)
        except UsageError:
            if chosen is not None or len(usable) == 1:
                raise
            return None  # One hand-in that is endless, or that nobody may read, stops no class.

    if chosen is not None:
        return _laid_out(chosen, ((source, listed(source)) for source in usable), strays, asked)
    for layout in LAYOUTS.values():
        # A student may give a hand-in names that look like a platform's: it is one where nobody's looks otherwise.
        if usable and all(
            (found := listed(one)) is not None and _shows(found, layout, asked) for one in usable
        ):
            return _laid_out(layout, ((source, listed(source)) for source in usable), strays, asked)
    if len(usable) == 1 and (only := listed(usable[0])) is not None:
        _refuse_unknown(only, asked)
    return _named(usable, strays)


def refuse_missing(sources: Sequence[Path]) -> None:
    """Raises ``UsageError`` for the first source that is not there."""
    for source in sources:
        if _about(source) is None:
            raise _missing(source)


def _missing(source: Path) -> UsageError:
    return UsageError(f"there is no submission {str(source)!r}: check the path")


def _sorted_out(sources: Sequence[Path], out: Path) -> tuple[list[Path], list[str]]:
    """Sources that may hold hand-ins, and those that cannot. Raises ``UsageError`` where one is missing."""
    usable: list[Path] = []
    strays: list[str] = []
    exports = {source.resolve().parent for source in sources if source.name == METADATA}
    grades = _about(out)
    for source in sources:
        about = _about(source)
        if about is None:
            raise _missing(source)
        if exports and (parent := source.resolve().parent) in exports:
            # Of an export that the shell took apart, the whole is read.
            if parent not in usable:
                usable.append(parent)
        elif stat.S_ISDIR(about.st_mode):
            if _same(about, grades) or os.path.exists(f"{source}/{LOCK_NAME}"):  # noqa: PTH110 - a Path each takes longer
                strays.append(f"{source} (it holds grades)")
            else:
                usable.append(source)
        elif stat.S_ISREG(about.st_mode) and source.name.lower().endswith(ARCHIVES):
            usable.append(source)
        else:
            strays.append(str(source))
    return usable, strays


def _about(path: Path) -> os.stat_result | None:
    """What the file system says of a path; ``None`` where nothing is there, or nobody may know."""
    try:
        return path.stat()
    except (OSError, ValueError):
        return None


def _same(one: os.stat_result, other: os.stat_result | None) -> bool:
    return other is not None and os.path.samestat(one, other)


def _named(usable: Sequence[Path], strays: list[str]) -> SourcesRead:
    read = SourcesRead(NAMED, strays=strays)
    for source in usable:
        # '.' and 'a/..' have a name only once they are resolved; a link is named as it was given.
        path = source if source.name not in ("", "..") else source.resolve()
        name = path.name if path.is_dir() else without_ending(path.name)
        read.found.append((Found(members=({"id": name},), label=str(source)), source))
    return read


def _listed(source: Path, layout: Layout | None, asked: Asked) -> Listing | None:
    found = listing(source)
    if found is not None and source.is_dir() and (layout is None or layout.argument):
        # Each repository may have been given by itself.
        own = found.with_own_name()
        by_name = layout or LAYOUTS[CLASSROOM]
        if by_name.recognises(own, asked) if layout else _shows(own, by_name, asked):
            return own
    return found


def _shows(found: Listing, layout: Layout, asked: Asked) -> bool:
    return layout.recognises(found, asked) and (layout.name != CLASSROOM or _cloned(found))


def _cloned(found: Listing) -> bool:
    return all((found.path / head / ".git").exists() for head in found.top if head.endswith("/"))


def _laid_out(
    layout: Layout, listings: Iterable[tuple[Path, Listing | None]], strays: list[str], asked: Asked
) -> SourcesRead:
    read = SourcesRead(layout.name, strays=strays)
    for source, found in listings:
        if found is None:
            read.strays.append(str(source))
            continue
        reading = layout.read(found, asked)
        if not reading.found:
            raise UsageError(
                f"{str(source)!r} is not {layout.about}; not understood: {some(reading.strays or found.names, 8)}"
            )
        read.strays += [f"{source}/{name}" for name in reading.strays]
        for one in reading.found:
            read.found.append((one, tuple(found.part(name, short) for short, name in one.files)))
    read.found.sort(key=lambda placed: placed[0].order)
    return read


def _refuse_unknown(found: Listing, asked: Asked) -> None:
    """Raises ``UsageError`` for what holds several hand-ins and shows no layout that is known."""
    pattern = asked.required[0]
    folders = {
        name[: -len(pattern)] if "*" not in pattern else name.rpartition("/")[0] + "/"
        for name in found.names
        if fnmatchcase(name, f"*/{pattern}")
    }
    at_top = any(fnmatchcase(name, pattern) and name.count("/") == pattern.count("/") for name in found.names)
    apart = [one for one in folders if not any(one != other and one.startswith(other) for other in folders)]
    packed = [name for name in found.names if name.lower().endswith(ARCHIVES)]
    if not at_top and (len(apart) > 1 or (not apart and len(packed) > 1)):
        raise UsageError(
            f"{str(found.path)!r} holds several hand-ins, and its layout is not known; not understood: "
            f"{some(found.top, 8)}: give each hand-in by itself, named by the student's id, or say which of "
            f"{', '.join(LAYOUTS)} it is with --layout"
        )
