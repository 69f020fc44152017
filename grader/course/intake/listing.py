"""The names of all files of a download, whether it is unpacked or not. What layouts are recognised by."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader.course.intake.handin import Found
from grader.labs import Part
from grader.labs.limits import DEEPEST, JUNK, MARK
from grader.model.errors import UsageError

MOST_FILES = 200_000
LARGEST_METADATA = 64 * 1024 * 1024


class Listing:
    """Files of a download by their names relative to it, sorted; ``path`` is the folder or the zip archive itself."""

    def __init__(self, path: Path, members: Mapping[str, str | None]) -> None:
        self.path = path
        self.names = sorted(members)
        self._members = members

    @property
    def top(self) -> list[str]:
        """The names of what lies directly in it, folders with a ``/`` at their end."""
        return sorted({head + sep for head, sep, _ in (name.partition("/") for name in self.names)})

    def with_own_name(self) -> Listing:
        """The same files as part of the folder around: for layouts that read a name in what it is the folder's own."""
        path = self.path.resolve()
        return Listing(path.parent, {f"{path.name}/{name}": None for name in self.names})

    def part(self, name: str, as_name: str) -> Part:
        """A file of it as one of a submission, where it is called ``as_name``."""
        member = self._members[name]
        return Part(as_name, self.path if member is not None else self.path / name, member)

    def read(self, name: str) -> bytes:
        """The content of a file that the platform wrote. Raises ``UsageError``."""
        member = self._members[name]
        try:
            if member is None:
                with (self.path / name).open("rb") as file:
                    data = file.read(LARGEST_METADATA + 1)
            else:
                with zipfile.ZipFile(self.path) as archive, archive.open(member) as packed:
                    data = packed.read(LARGEST_METADATA + 1)
        except Exception as error:  # A damaged archive is met with a dozen kinds of errors.
            raise UsageError(
                f"cannot read {name!r} in {str(self.path)!r} ({error}): download it again"
            ) from error
        if len(data) > LARGEST_METADATA:
            raise UsageError(f"{name!r} in {str(self.path)!r} is larger than {LARGEST_METADATA} bytes")
        return data


@dataclass(frozen=True)
class Asked:
    """What a layout may want to know: the lab's id, patterns of the files that it asks for, and what the user said."""

    lab: str
    required: Sequence[str] = ()
    argument: str = ""


@dataclass(frozen=True)
class Reading:
    """What a layout made of a listing: hand-ins, and the names that are no part of any."""

    found: list[Found] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)


def listing(path: Path) -> Listing | None:
    """The names in a folder or a zip archive; ``None`` for anything else, and for an archive that is damaged.

    Links are not followed. Raises ``UsageError`` for a folder that cannot be read or that is endless.
    """
    if path.is_dir():
        found: dict[str, str | None] = {}
        _walk(path, "", 1, found)
        return Listing(path, found)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info for info in archive.infolist() if not info.is_dir()]
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError, UnicodeDecodeError):
        return None
    safe = {info.filename: info.filename for info in names if _fit(info)}
    return Listing(path, safe)


def _fit(info: zipfile.ZipInfo) -> bool:
    parts = info.filename.split("/")
    mode = info.external_attr >> 16
    return (
        not info.filename.startswith("/")
        and ".." not in parts
        and not _junk(parts)
        and (not stat.S_IFMT(mode) or stat.S_ISREG(mode))
    )


def _junk(parts: list[str]) -> bool:
    return any(JUNK.fullmatch(part) and part != MARK for part in parts)


def _walk(folder: Path, prefix: str, depth: int, found: dict[str, str | None]) -> None:
    try:
        with os.scandir(folder) as entries:
            listed = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    except OSError as error:
        raise UsageError(f"cannot read the folder {str(folder)!r}: {error.strerror}") from error
    for name, is_folder in listed:
        if _junk([name]):
            continue
        if not is_folder:
            found[prefix + name] = None
            if len(found) > MOST_FILES:
                raise UsageError(f"{str(folder)!r} holds more than {MOST_FILES} files: name its parts")
        elif depth < DEEPEST:
            _walk(folder / name, f"{prefix}{name}/", depth + 1, found)
