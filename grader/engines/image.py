"""The image of the student's host: a Debian tar made by mmdebstrap, once per recipe, kept in the user's cache folder.

``<cache>/images/<digest>/root.tar`` is the image, ``packages.tsv`` beside it the versions it was made of. The digest is
that of the recipe (``fixtures/image`` and the lab's certificate), so a changed recipe is another image. A folder
appears complete or not at all, and processes that need the same image wait for the first to build it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from grader import resources
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
    """Hold the lock of that name in the cache folder; released by the kernel if the process dies."""
    path = resources.cache_folder() / "images"
    try:
        path.mkdir(parents=True, exist_ok=True)
        file = (path / f".{name}.lock").open("w")
    except OSError as error:
        raise EngineError(
            f"cannot write to the cache folder {path}: {error.strerror}; set SMTPLAB_CACHE"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("waiting for another smtplab that is building the image")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def root_tar(progress: Progress) -> Path:
    """The image's tar, built unless it is there.

    Raises ``EngineError`` in one sentence where mmdebstrap is missing or fails, or the disk is full.
    """
    tar = folder() / "root.tar"
    if tar.exists():
        return tar
    with lock("build", progress):
        if not tar.exists():
            _build(tar, progress)
    return tar


def leftovers() -> list[Path]:
    """Half-built images that a killed build left behind."""
    parent = resources.cache_folder() / "images"
    return sorted(parent.glob(".building-*")) if parent.is_dir() else []


def _build(tar: Path, progress: Progress) -> None:
    if not shutil.which("mmdebstrap"):
        raise EngineError("mmdebstrap is missing: sudo apt-get install -y mmdebstrap debian-archive-keyring")
    for old in leftovers():
        shutil.rmtree(old, ignore_errors=True)
    parent = tar.parent.parent
    try:
        with tempfile.TemporaryDirectory(prefix=".building-", dir=parent, ignore_cleanup_errors=True) as name:
            beside = Path(name) / "image"
            beside.mkdir()
            _bootstrap(beside / "root.tar", progress)
            with tarfile.open(beside / "root.tar") as archive:
                versions = archive.extractfile(VERSIONS)
                assert versions is not None
                (beside / "packages.tsv").write_bytes(versions.read())
            beside.rename(tar.parent)
    except OSError as error:
        raise EngineError(
            f"cannot write the image to {parent}: {error.strerror}; set SMTPLAB_CACHE"
        ) from error
    except (tarfile.TarError, KeyError) as error:
        raise EngineError(f"the image that mmdebstrap made is damaged ({error}): try again") from error


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


def _bootstrap(tar: Path, progress: Progress) -> None:
    here = recipe()
    chroot = 'chroot "$1"'
    argv = [
        "mmdebstrap",
        "--verbose",
        f"--mode={'root' if os.geteuid() == 0 else 'unshare'}",
        "--variant=minbase",
        "--format=tar",
        f"--include={','.join(['debconf', *packages()])}",
        f"--dpkgopt={here / 'dpkg.cfg'}",
        '--aptopt=Acquire::Languages "none"',
        '--aptopt=Acquire::Retries "3"',
        '--essential-hook=mkdir -p "$1/tmp/recipe"',
        f"--essential-hook=copy-in {shlex.quote(str(here / 'debconf.txt'))} /tmp/recipe",
        f"--essential-hook={chroot} debconf-set-selections /tmp/recipe/debconf.txt",
        "--customize-hook=copy-in "
        f"{shlex.join(str(path) for path in (here / 'customize.sh', here / 'root', certificate()))} /tmp/recipe",
        f"--customize-hook={chroot} sh /tmp/recipe/customize.sh /tmp/recipe",
        '--customize-hook=rm -rf "$1/tmp/recipe"',
        SUITE,
        str(tar),
        *sources(),
    ]
    progress("building the image of the student's host, once: downloading the lists of packages")
    environment = {
        **os.environ,
        "LC_ALL": "C",
        "DEBIAN_FRONTEND": "noninteractive",
        "SOURCE_DATE_EPOCH": "1577836800",
    }
    with subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd="/",
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        try:
            complaint = _follow(process.stdout, progress)
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        raise EngineError(f"mmdebstrap could not build the image: {complaint}")


KNOWN = (
    (
        r"No space left",
        "the disk is full; make room, or set SMTPLAB_CACHE and TMPDIR to folders with 1 GB free",
    ),
    (
        r"Temporary failure|Could not (connect|resolve)|Failed to fetch|Unable to connect|Connection timed out",
        "Debian's archive cannot be reached; go online, or set SMTPLAB_MIRROR to a mirror of it that can be",
    ),
    (r"NO_PUBKEY|not signed", "Debian's keys are missing: sudo apt-get install -y debian-archive-keyring"),
    (r"newuidmap|newgidmap|unshare.*not permitted", "no user namespaces for you here: see 'smtplab doctor'"),
)
"""What mmdebstrap complains of and what mends it."""


def _follow(output: Iterator[str], progress: Progress) -> str:
    """Turn mmdebstrap's output into steps; what went wrong and what mends it, should something have."""
    known, complaint, last, total, done = "", "", "it said nothing", 0, 0
    for line in output:
        last = line.strip() or last
        known = known or next((mend for pattern, mend in KNOWN if re.search(pattern, line)), "")
        if found := re.match(r"\d+ upgraded, (\d+) newly installed", line):
            total, done = int(found[1]), 0
        elif found := re.match(r"Need to get ([\d.,]+ \w+)", line):
            progress(f"downloading {found[1]} of packages")
        elif found := re.match(r"Setting up (\S+)", line):
            done += 1
            progress(f"setting up {found[1].partition(':')[0]} ({min(done, total)} of {total})")
        elif "running --customize-hook in shell: sh -c 'chroot" in line:
            progress("making it the student's host")
        elif line.startswith("I: creating tarball"):
            progress("packing the image")
        elif re.match(r"(E|Err|dpkg: error|W: Failed)\b", line) and "subprocess" not in line:
            complaint = complaint or last
    return known or complaint or last
