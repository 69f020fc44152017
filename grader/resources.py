"""Where the data of smtplab lies: in a checkout beside the package, in a wheel inside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from grader.model.errors import EngineError, UsageError

Folder = Literal["labs", "fixtures", "reports"]

HERE = Path("labs")
"""Where ``smtplab lab new`` makes labs, unless told otherwise."""
LAB_FILE = "lab.yaml"

_further: list[Path] = []

_PACKAGE = Path(__file__).resolve().parent


def folder(name: Folder) -> Path:
    """The folder of that name: ``<checkout>/labs``, or ``grader/data/labs`` in an installed wheel.

    Raises ``UsageError`` where neither is there, which means a broken installation.
    """
    for parent in (_PACKAGE / "data", _PACKAGE.parent):
        if (parent / name).is_dir():
            return parent / name
    raise UsageError(f"smtplab's folder {name!r} is missing beside {_PACKAGE}: install smtplab again")


def program_files() -> Iterator[tuple[str, Path]]:
    """Every file of the program and of reports, by its name in its folder: what documents depend on beside the lab."""
    for home in (_PACKAGE, folder("reports")):
        for path in sorted(home.rglob("*")):
            if path.suffix != ".pyc" and path.is_file() and not path.is_relative_to(_PACKAGE / "data"):
                yield path.relative_to(home).as_posix(), path


def lab_folders() -> list[Path]:
    """Folders that hold labs, each once; of two labs with one id, the one in the earlier folder counts.

    Those of ``SMTPLAB_LABS`` (separated like ``PATH``) come first, then smtplab's own, then those that were added, then
    ``./labs`` where labs lie there. That is the last, because what lies where a command happens to run must not take
    the place of what is known.
    """
    own = [Path(entry) for entry in os.environ.get("SMTPLAB_LABS", "").split(os.pathsep) if entry]
    for entry in own:
        if not entry.is_dir():
            raise UsageError(f"SMTPLAB_LABS names {str(entry)!r}, which is no folder: correct or unset it")
    base = added_labs()
    added = sorted(path for path in base.glob("[!.]*") if path.is_dir()) if base is not None else []
    found = [*own, folder("labs"), *added, *_further, *([HERE] if any(HERE.glob(f"*/{LAB_FILE}")) else [])]
    once: dict[str, Path] = {}
    for entry in found:
        once.setdefault(os.path.realpath(entry), entry)
    return list(once.values())


@contextmanager
def with_labs(entry: Path) -> Iterator[None]:
    """Have the labs in a folder known meanwhile, behind those that are added."""
    _further.append(entry)
    try:
        yield
    finally:
        _further.remove(entry)


def added_labs() -> Path | None:
    """Where labs that were added are kept, in a folder each: in ``SMTPLAB_DATA``, or in the system's place for data.

    It may not exist yet; ``None`` for a user without a home.
    """
    if given := os.environ.get("SMTPLAB_DATA"):
        return Path(given) / "labs"
    try:
        if sys.platform == "darwin":
            return _home() / "Library" / "Application Support" / "smtplab" / "labs"
        base = Path(os.environ.get("XDG_DATA_HOME", ""))
        return (base if base.is_absolute() else _home() / ".local" / "share") / "smtplab" / "labs"
    except EngineError:
        return None


def cache_folder() -> Path:
    """The user's cache folder for smtplab, which may not exist yet: ``SMTPLAB_CACHE``, or the system's custom.

    Everything in it can be made again. Raises ``EngineError`` where it would lie in a home that is not there.
    """
    if given := os.environ.get("SMTPLAB_CACHE"):
        return Path(given)
    if sys.platform == "darwin":
        return _home() / "Library" / "Caches" / "smtplab"
    # XDG Base Directory Specification: a relative path is invalid and must be ignored.
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else _home() / ".cache") / "smtplab"


def _home() -> Path:
    try:
        home = Path.home()
    except RuntimeError as error:
        raise EngineError("you have no home folder to keep smtplab's cache in: set SMTPLAB_CACHE") from error
    if not home.is_dir():
        # Root could make one, and would leave its cache where nobody looks for it.
        raise EngineError(
            f"your home folder {str(home)!r} is not there, and smtplab's cache lies in it: set HOME"
        )
    return home
