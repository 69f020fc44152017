"""Removes trees, however deep and however their folders are locked, with a handful of descriptors."""

from __future__ import annotations

import os

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove(path: str) -> None:
    """Remove a file, a link or a folder with all that is in it, as far as that is possible. Raises nothing."""
    try:
        parent = os.open(os.path.dirname(path), FOLDER)
    except OSError:
        return
    try:
        _remove(parent, os.path.basename(path))
    finally:
        os.close(parent)


def remove_owned(path: str, uid: int) -> None:
    """Remove what a user owns of the things in a folder. Raises nothing."""
    try:
        folder = os.open(path, FOLDER)
    except OSError:
        return
    try:
        for name in _names(folder):
            if _owner(folder, name) == uid:
                _remove(folder, name)
    finally:
        os.close(folder)


def _remove(parent: int, name: str) -> None:
    """Remove a thing in a folder: what is nested is moved up beside it first, so that depth costs nothing."""
    left = [name]
    while left:
        place = left.pop()
        if _unlinked(parent, place):
            continue
        try:
            folder = os.open(place, FOLDER, dir_fd=parent)
        except OSError:
            continue
        try:
            for inner in _names(folder):
                if _unlinked(folder, inner):
                    continue
                beside = f".removing-{os.urandom(8).hex()}"
                try:
                    os.rename(inner, beside, src_dir_fd=folder, dst_dir_fd=parent)
                except OSError:
                    continue
                left.append(beside)
        finally:
            os.close(folder)
        _unlinked(parent, place)


def _unlinked(parent: int, name: str) -> bool:
    """Remove a thing that is no folder, or an empty one; whether it is gone."""
    for remove_it in (os.unlink, os.rmdir):
        try:
            remove_it(name, dir_fd=parent)
        except FileNotFoundError:
            return True
        except OSError:
            continue
        return True
    return False


def _names(folder: int) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def _owner(folder: int, name: str) -> int:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_uid
    except OSError:
        return -1
