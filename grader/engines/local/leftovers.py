"""What killed builds of the image left: found, and removed where no build is under way."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from grader import disk
from grader.engines import image
from grader.engines.local import removal
from grader.model.deadline import Deadline

BUILDER = b"mmdebstrap"


def remove_all() -> list[str]:
    """Remove what killed builds left, unless one is under way; the folders removed."""
    if not image.parent().is_dir():
        return []
    return [*_unless_held("build", of_builds), *_unless_held("unpack", of_unpacking)]


def _unless_held(lock: str, found: Callable[[], list[Path]]) -> list[str]:
    with suppress(TimeoutError), image.lock(lock, lambda step: None, deadline=Deadline(0)):
        return removed(found())
    return []


def removed(folders: list[Path]) -> list[str]:
    """Remove folders; those that are gone."""
    return [str(folder) for folder in folders if removal.remove(folder)]


def of_builds() -> list[Path]:
    """Half-built images; with the lock ``build`` held they are nobody's."""
    return [*image.leftovers(), *_strays()]


def of_unpacking() -> list[Path]:
    """Half-unpacked file systems, of smtplab 0.1 too; with the lock ``unpack`` held they are nobody's."""
    return [
        left
        for folder in image.kept()
        for left in (*disk.leftovers(folder), *sorted(folder.glob(".unpacking-*")))
    ]


def _strays() -> list[Path]:
    """What builds of smtplab 0.1 left in the folder for temporary files, which was also where they mounted /proc.

    None of it while any mmdebstrap runs on this machine: it could be that one's.
    """
    # Each run imports this module, and hardly any has something to remove.
    import tempfile

    folder = Path(tempfile.gettempdir())
    found = [path for path in folder.glob("mmdebstrap.*") if _is_ours(path)]
    if not found or _builder_runs():
        return []
    keys = [path for path in folder.glob("mmdebstrap.gpghome.*") if path.owner() == found[0].owner()]
    return [*found, *keys]


def _is_ours(root: Path) -> bool:
    """Whether this is a root file system by smtplab's recipe: mmdebstrap writes the options of dpkg into it at once."""
    try:
        options = (root / "etc/dpkg/dpkg.cfg.d/99mmdebstrap").read_text(encoding="utf-8")
        wanted = (image.recipe() / "dpkg.cfg").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return wanted.strip() in options


def _builder_runs() -> bool:
    for process in filter(str.isdigit, os.listdir("/proc")):
        with suppress(OSError):
            if BUILDER in Path(f"/proc/{process}/cmdline").read_bytes():
                return True
    return False
