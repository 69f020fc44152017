"""Makes the image of the student's host with mmdebstrap: once a recipe, minutes long, and with progress to show."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from grader import disk
from grader.engines import image
from grader.engines.base import Progress
from grader.engines.local import leftovers, network, removal
from grader.engines.local.enclosure import Command, Enclosure
from grader.model.errors import EngineError

SCRATCH = "tmp"
RECIPE = "recipe"


def root_tar(progress: Progress) -> Path:
    """The image's tar, built unless it is there.

    Raises ``EngineError`` in one sentence where mmdebstrap is missing or fails, or the disk is full.
    """
    tar = image.folder() / "root.tar"
    if tar.exists():
        return tar
    with image.lock("build", progress):
        if not tar.exists():
            _build(tar, progress)
    return tar


def _build(tar: Path, progress: Progress) -> None:
    if not shutil.which("mmdebstrap"):
        raise EngineError("mmdebstrap is missing: sudo apt-get install -y mmdebstrap debian-archive-keyring")
    leftovers.removed(leftovers.of_builds())
    parent = tar.parent.parent
    if problem := image.problem():
        raise EngineError(f"{problem.what}: {problem.fix}")
    try:
        with disk.new_folder(tar.parent, removal.remove) as beside:
            beside.mkdir()
            _bootstrap(beside, progress)
            with tarfile.open(beside / "root.tar") as archive:
                versions = archive.extractfile(image.VERSIONS)
                assert versions is not None
                (beside / "packages.tsv").write_bytes(versions.read())
    except OSError as error:
        raise EngineError(
            f"cannot write the image to {parent}: {error.strerror}; set SMTPLAB_CACHE"
        ) from error
    except (tarfile.TarError, KeyError) as error:
        raise EngineError(f"the image that mmdebstrap made is damaged ({error}): try again") from error


def _bootstrap(folder: Path, progress: Progress) -> None:
    """Make ``root.tar`` in ``folder``, where everything lies that is made on the way."""
    scratch, recipe = folder / SCRATCH, folder / RECIPE
    scratch.mkdir()
    # A copy, since root of a user namespace may not read everything that this user may.
    shutil.copytree(image.recipe(), recipe)
    shutil.copy(image.certificate(), recipe)
    progress("building the image of the student's host, once: downloading the lists of packages")
    read, write = os.pipe()
    with os.fdopen(read, errors="replace") as said, (folder / "root.tar").open("wb") as tar:
        try:
            enclosure = Enclosure(Command(folder, _argv, _environment, out=tar.fileno(), err=write))
        finally:
            os.close(write)
        try:
            complaint = _follow(said, progress)
        except BaseException:
            enclosure.end()
            raise
        if enclosure.wait():
            raise EngineError(f"mmdebstrap could not build the image: {complaint}")
    for done in (scratch, recipe):
        removal.remove(done)


def _argv(place: str) -> list[str]:
    """The command line of mmdebstrap, which finds ``folder`` at ``place`` and writes the tar to standard output."""
    here = Path(place, RECIPE)
    chroot = 'chroot "$1"'
    return [
        "mmdebstrap",
        "--verbose",
        "--mode=root",
        "--variant=minbase",
        "--format=tar",
        f"--include={','.join(['debconf', *image.packages()])}",
        f"--dpkgopt={here / 'dpkg.cfg'}",
        '--aptopt=Acquire::Languages "none"',
        '--aptopt=Acquire::Retries "3"',
        '--essential-hook=mkdir -p "$1/tmp/recipe"',
        f"--essential-hook=copy-in {shlex.quote(str(here / 'debconf.txt'))} /tmp/recipe",
        f"--essential-hook={chroot} debconf-set-selections /tmp/recipe/debconf.txt",
        "--customize-hook=copy-in "
        f"{shlex.join(str(here / name) for name in ('customize.sh', 'root', image.certificate().name))} /tmp/recipe",
        f"--customize-hook={chroot} sh /tmp/recipe/customize.sh /tmp/recipe",
        '--customize-hook=rm -rf "$1/tmp/recipe"',
        image.SUITE,
        "-",
        *image.sources(),
    ]


def _environment(place: str) -> dict[str, str]:
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), network.PATH])
    return {
        **os.environ,
        "PATH": path,
        "TMPDIR": str(Path(place, SCRATCH)),
        "LC_ALL": "C",
        "DEBIAN_FRONTEND": "noninteractive",
        "SOURCE_DATE_EPOCH": "1577836800",
    }


KNOWN = (
    (
        r"No space left",
        "the disk is full; make room, or set SMTPLAB_CACHE to a folder with 700 MB free",
    ),
    (
        r"Temporary failure|Could not (connect|resolve)|Failed to fetch|Unable to connect|Connection timed out",
        "Debian's archive cannot be reached; go online, or set SMTPLAB_MIRROR to a mirror of it that can be",
    ),
    (r"NO_PUBKEY|not signed", "Debian's keys are missing: sudo apt-get install -y debian-archive-keyring"),
    (r"newuidmap|newgidmap|unshare.*not permitted", "no user namespaces for you here: see 'smtplab doctor'"),
)
"""What mmdebstrap complains of and what fixes it."""


def _follow(output: Iterator[str], progress: Progress) -> str:
    """Turn mmdebstrap's output into steps; what went wrong and what fixes it, should something have."""
    known, complaint, last, total, done = "", "", "it said nothing", 0, 0
    for line in output:
        last = line.strip() or last
        known = known or next((fix for pattern, fix in KNOWN if re.search(pattern, line)), "")
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
