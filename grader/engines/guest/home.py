"""The home of a run: what it is given, what it leaves there and elsewhere, and that nothing of it stays."""

from __future__ import annotations

import binascii
import os
import stat
import time

from . import trees
from .files import read, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .shapes import ProgramFile

SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/dev/mqueue")
"""Folders that everybody can write to."""
OTHERS, ENTERED_BY_OTHERS = 0o077, 0o011
"""Permissions of a file for anybody but its owner, and of a folder to be entered by them."""
LARGEST_SEARCHED = 1_000_000
MOST_SEARCHED = 200
AT_REST = 50_000_000
"""Nanoseconds after a change of a folder, within which the clock of its file system may not tell another one apart."""
MOST_FOLDERS = 1000
"""That are looked into: thousands in each other take a second to walk through."""


class Home:
    """A folder that nobody but its owner can enter, and what else the owner has on this host."""

    def __init__(self, path: str, uid: int, gid: int) -> None:
        self.path = path
        self.work = f"{path}/work"
        self.uid, self.gid = uid, gid
        self._handed_in: set[str] = set()
        self._searched: dict[str, tuple[int, int, int]] = {}
        self._without: dict[str, int] = {}

    def furnish(self, files: list[ProgramFile], texts: dict[str, str]) -> None:
        """Make it: the files in its folder ``work``, the texts beside that, and nothing of an earlier run.

        Raises ``OSError`` where there is no room.
        """
        trees.remove(self.path)
        for folder in (self.path, self.work, f"{self.path}/tmp"):
            self._own(folder)
        for file in files:
            self._put(f"{self.work}/{file['path']}", file["data"], file["mode"])
        for name, text in texts.items():
            self._put(f"{self.path}/{name}", text, 0o600)

    def _own(self, folder: str) -> None:
        if not os.path.isdir(folder):
            self._own(os.path.dirname(folder))
            os.mkdir(folder, 0o700)
            os.chown(folder, self.uid, self.gid)

    def _put(self, path: str, data: str, mode: int) -> None:
        self._handed_in.add(path)
        self._own(os.path.dirname(path))
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:
            file.write(binascii.a2b_base64(data))
            os.fchown(fd, self.uid, self.gid)
            os.fchmod(fd, mode)

    def shown(self) -> Iterator[tuple[str, list[bytes]]]:
        """Names and lines of files that the owner made, and that others may read; of none twice, unless it changed."""
        for path in self._files():
            try:
                info = os.lstat(path)
                # What its owner alone may read is no more public than the program's environment.
                if path in self._handed_in or not info.st_mode & OTHERS or not stat.S_ISREG(info.st_mode):
                    continue
                state = (info.st_ino, info.st_size, info.st_mtime_ns)
                if self._searched.get(path) == state or self._closed(os.path.dirname(path)):
                    continue
                lines = read(path)[:LARGEST_SEARCHED].splitlines()
            except OSError:
                continue
            self._searched[path] = state
            yield shown(path.removeprefix(self.path + "/")), lines

    def _closed(self, folder: str) -> bool:
        """Whether a folder that the owner made, or one around it, keeps all others out. The ones given keep out nobody.

        On a system of the owner's own, these would be a home and a /tmp like everybody's.
        """
        while folder not in (self.path, self.work, f"{self.path}/tmp", *SHARED, "/"):
            if not os.lstat(folder).st_mode & ENTERED_BY_OTHERS:
                return True
            folder = os.path.dirname(folder)
        return False

    def _files(self) -> list[str]:
        """Files in the home, and what its owner made where everybody may; much in one place hides nothing elsewhere."""
        return [path for root in (self.path, *filter(self._has_own, SHARED)) for path in self._below(root)]

    def _has_own(self, folder: str) -> bool:
        """Whether the owner has anything in a folder, which is read again only when something was put into it."""
        try:
            changed = os.stat(folder).st_mtime_ns
            if self._without.get(folder) == changed:
                return False
            with os.scandir(folder) as entries:
                found = any(self._owns(entry.path) for entry in entries)
        except OSError:
            return False
        if not found and time.time_ns() - changed > AT_REST:
            self._without[folder] = changed
        return found

    def _below(self, root: str) -> list[str]:
        found: list[str] = []
        left = MOST_FOLDERS
        for folder, folders, names in os.walk(root):
            if root != self.path:
                folders[:] = [name for name in folders if self._owns(f"{folder}/{name}")]
                names = [name for name in names if self._owns(f"{folder}/{name}")]
            found += [f"{folder}/{name}" for name in names]
            left -= 1
            if len(found) > MOST_SEARCHED or not left:
                break
        return found[:MOST_SEARCHED]

    def _owns(self, path: str) -> bool:
        try:
            return os.lstat(path).st_uid == self.uid
        except OSError:
            return False

    def clear_away(self) -> None:
        """Remove it, and what its owner left elsewhere."""
        trees.remove(self.path)
        for root in SHARED:
            trees.remove_owned(root, self.uid)
