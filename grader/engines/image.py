"""The image of the student's host: a Debian tar made by mmdebstrap, once per recipe, kept in the user's cache folder.

``<cache>/images/<digest>/root.tar`` is the image, ``packages.tsv`` beside it the versions it was made of. The digest is
that of the recipe (``fixtures/image`` and the lab's certificate), so a changed recipe is another image. A folder
appears complete or not at all, and processes that need the same image wait for the first to build it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from grader import disk, resources
from grader.engines.base import Problem, Progress
from grader.model.deadline import Deadline
from grader.model.errors import EngineError

SUITE = "trixie"
ARCHIVE = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
VERSIONS = "./usr/share/smtplab/packages.tsv"
ROOM = 700_000_000
"""Bytes that an image takes while it is built and unpacked, and some to spare."""
PLACES = (Path("/var/tmp/smtplab"), Path("/srv/smtplab"))  # noqa: S108 - said to people
"""Where else images can be kept, for lack of room."""


def recipe() -> Path:
    """The folder of the recipe."""
    return resources.folder("fixtures") / "image"


def certificate() -> Path:
    """The certificate of the lab's own authority, which the image trusts."""
    return resources.folder("fixtures") / "certificates" / "ca.crt"


@cache
def digest() -> str:
    """The recipe's digest, ``sha256:`` and 64 hexadecimal digits."""
    import hashlib

    total = hashlib.sha256()
    for path in [certificate(), *sorted(path for path in recipe().rglob("*") if path.is_file())]:
        data = path.read_bytes()
        total.update(f"{path.relative_to(recipe().parent)} {len(data)}\n".encode() + data)
    return "sha256:" + total.hexdigest()


def parent() -> Path:
    """Where images lie. Raises ``EngineError`` where this user has no place for them."""
    return resources.cache_folder() / "images"


def folder() -> Path:
    """Where this image lies, or will. Raises ``EngineError`` as ``parent``."""
    return parent() / digest().removeprefix("sha256:")[:16]


def packages() -> list[str]:
    """Names of the Debian packages the host is made of."""
    lines = (recipe() / "packages.txt").read_text(encoding="utf-8").splitlines()
    return [name for line in lines if (name := line.partition("#")[0].strip())]


@contextmanager
def lock(name: str, progress: Progress, *, deadline: Deadline | None = None) -> Iterator[None]:
    """Hold the lock of that name in the cache folder.

    Raises ``TimeoutError`` where another process holds it until the ``deadline``, ``EngineError`` where there can be
    none.
    """
    path = parent()
    with ExitStack() as held:
        try:
            path.mkdir(parents=True, exist_ok=True)
            held.enter_context(
                disk.locked(
                    path / f".{name}.lock",
                    deadline=deadline,
                    waiting=lambda: progress("waiting for another smtplab that is building the image"),
                )
            )
        except TimeoutError:
            raise
        except OSError as error:
            raise EngineError(
                f"cannot write to the cache folder {path}: {error.strerror}; set SMTPLAB_CACHE"
            ) from error
        yield


def kept() -> list[Path]:
    """The folders of all images in the cache, of older recipes too."""
    return sorted(path for path in parent().glob("[!.]*") if path.is_dir())


def leftovers() -> list[Path]:
    """Half-built images that a killed build left behind, of smtplab 0.1 too."""
    return [*disk.leftovers(parent()), *sorted(parent().glob(".building-*"))]


def problem() -> Problem | None:
    """What keeps an image from being kept in the cache folder; ``None`` where nothing does. Changes nothing."""
    try:
        place = parent()
    except EngineError as error:
        return Problem(str(error), _elsewhere())
    there = next(path for path in (place, *place.absolute().parents) if path.exists())
    elsewhere = _elsewhere()
    if not there.is_dir():
        return Problem(f"the cache folder {place} cannot be made: {there} is no folder", elsewhere)
    if not os.access(there, os.W_OK | os.X_OK):
        return Problem(f"the cache folder {place} cannot be written to", elsewhere)
    free = shutil.disk_usage(there).free
    if free < ROOM and not leftovers():  # They make room: whoever builds removes them first.
        what = f"the image of the student's host takes {ROOM // 1_000_000} MB, and {there} has {free // 1_000_000} free"
        return Problem(what, elsewhere)
    return None


def _elsewhere() -> str:
    """The command that keeps images in another folder, one with room for them where there is any."""
    for place in PLACES:
        there = next(path for path in (place, *place.parents) if path.exists())
        usable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
        if usable and shutil.disk_usage(there).free >= ROOM:
            return f"export SMTPLAB_CACHE={place}"
    return f"export SMTPLAB_CACHE=FOLDER, with a folder on a disk with {ROOM // 1_000_000} MB free"


def sources() -> list[str]:
    """Lines of sources.list: ``SMTPLAB_MIRROR`` ("URI [SECURITY-URI]"), else this machine's own mirrors of Debian."""
    if given := os.environ.get("SMTPLAB_MIRROR", "").split():
        main, security = given[0], given[1] if len(given) > 1 else None
    else:
        main, security = _host_mirrors()
    signed = f"[signed-by={KEYRING}] " if Path(KEYRING).exists() else ""
    lines = [f"deb {signed}{main} {suite} main" for suite in (SUITE, f"{SUITE}-updates")]
    return [*lines, f"deb {signed}{security} {SUITE}-security main"] if security else lines


def _host_mirrors() -> tuple[str, str]:
    """The mirrors of Debian and of its security archive that this machine's own apt uses."""
    main, security = ARCHIVE, SECURITY
    for path in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for uri in re.findall(r"^(?:deb\s+(?:\[[^]]*\]\s+)?|URIs:\s*)(https?://\S+)", text, re.M):
            if re.search(r"/debian-security/?$", uri):
                security = uri
            elif re.search(r"/debian/?$", uri):
                main = uri
    return main, security
