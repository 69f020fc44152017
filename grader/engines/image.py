"""The image of the student's host: a Debian tar made by mmdebstrap, once per recipe, kept in the user's cache folder.

``<cache>/images/<digest>/root.tar`` is the image, ``packages.tsv`` beside it the versions it was made of. The digest is
that of the recipe (``fixtures/image`` and the lab's certificate), so a changed recipe is another image. A folder
appears complete or not at all, and processes that need the same image wait for the first to build it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

from grader import disk, resources
from grader.engines.base import Progress
from grader.model.errors import EngineError

SUITE = "trixie"
ARCHIVE = "http://deb.debian.org/debian"
SECURITY = "http://deb.debian.org/debian-security"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
VERSIONS = "./usr/share/smtplab/packages.tsv"


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


def folder() -> Path:
    """Where this image lies, or will."""
    return resources.cache_folder() / "images" / digest().removeprefix("sha256:")[:16]


def packages() -> list[str]:
    """Names of the Debian packages the host is made of."""
    lines = (recipe() / "packages.txt").read_text(encoding="utf-8").splitlines()
    return [name for line in lines if (name := line.partition("#")[0].strip())]


@contextmanager
def lock(name: str, progress: Progress) -> Iterator[None]:
    """Hold the lock of that name in the cache folder. Raises ``EngineError`` where there can be none."""
    path = resources.cache_folder() / "images"
    with ExitStack() as held:
        try:
            path.mkdir(parents=True, exist_ok=True)
            held.enter_context(
                disk.locked(
                    path / f".{name}.lock",
                    waiting=lambda: progress("waiting for another smtplab that is building the image"),
                )
            )
        except OSError as error:
            raise EngineError(
                f"cannot write to the cache folder {path}: {error.strerror}; set SMTPLAB_CACHE"
            ) from error
        yield


def kept() -> list[Path]:
    """The folders of all images in the cache, of older recipes too."""
    parent = resources.cache_folder() / "images"
    return sorted(path for path in parent.glob("[!.]*") if path.is_dir()) if parent.is_dir() else []


def leftovers() -> list[Path]:
    """Half-built images that a killed build left behind."""
    return disk.leftovers(resources.cache_folder() / "images")


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
