"""Makes the image of the student's host with mmdebstrap: once a recipe, minutes long, and with progress to show."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

from grader import disk
from grader.engines import image
from grader.engines.base import Progress
from grader.model.errors import EngineError


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
    for old in image.leftovers():
        disk.remove_folder(old)
    parent = tar.parent.parent
    try:
        with disk.new_folder(tar.parent) as beside:
            beside.mkdir()
            _bootstrap(beside / "root.tar", progress)
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


def _bootstrap(tar: Path, progress: Progress) -> None:
    here = image.recipe()
    chroot = 'chroot "$1"'
    argv = [
        "mmdebstrap",
        "--verbose",
        f"--mode={'root' if os.geteuid() == 0 else 'unshare'}",
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
        f"{shlex.join(str(path) for path in (here / 'customize.sh', here / 'root', image.certificate()))} /tmp/recipe",
        f"--customize-hook={chroot} sh /tmp/recipe/customize.sh /tmp/recipe",
        '--customize-hook=rm -rf "$1/tmp/recipe"',
        image.SUITE,
        str(tar),
        *image.sources(),
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
