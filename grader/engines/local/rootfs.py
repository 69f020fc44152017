"""The image's root file system, unpacked so that the ids of the user namespace own it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from grader import disk
from grader.engines import image
from grader.engines.base import Progress
from grader.engines.local import leftovers, removal, userns
from grader.model.errors import EngineError


def path() -> Path:
    """Where the root file system lies, or will: it belongs to one range of ids."""
    ids = userns.ids()
    return image.folder() / f"rootfs-{ids.uid}-{ids.gid}"


def ready() -> bool:
    """Whether it is built and unpacked already."""
    try:
        return path().exists()
    except EngineError:
        return False


def unpacked(progress: Progress) -> Path:
    """The root file system, built and unpacked unless it is there. Raises ``EngineError``."""
    target = path()
    if target.exists():
        return target
    from grader.engines import bootstrap  # nothing that every run should wait for

    tar = bootstrap.root_tar(progress)
    with image.lock("unpack", progress):
        if not target.exists():
            leftovers.removed(leftovers.of_unpacking())
            progress("unpacking the image")
            with disk.new_folder(target, removal.remove) as beside:
                _unpack(tar, beside)
    return target


def _unpack(tar: Path, target: Path) -> None:
    def work() -> None:
        archive = os.open(tar, os.O_RDONLY)
        target.mkdir(mode=0o755)
        os.chdir(target)
        os.chown(".", 0, 0)
        os.dup2(archive, 0)
        userns.become_root()
        # Python's tarfile takes ten times as long.
        os.execvp(
            "tar", ["tar", "--extract", "--preserve-permissions", "--numeric-owner", "--exclude=./dev/*"]
        )

    if userns.run(work):
        free = shutil.disk_usage(image.folder().parent).free // 1_000_000
        raise EngineError(
            f"the image cannot be unpacked to {image.folder()} ({free} MB free): make room, or set SMTPLAB_CACHE"
        )
