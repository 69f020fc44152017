"""Finished autograders: a folder or an archive that a course platform takes as it is.

Each platform is a folder of data in ``fixtures/bundles`` and a row here. What the platform's container cannot run is
refused with the reason: most start neither namespaces nor Docker, so a lab that needs a server is graded elsewhere.
"""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import MappingProxyType

import msgspec

from grader import disk, labs, resources
from grader.bundles import offline, tasks, wheels
from grader.bundles.tasks import files_asked_for
from grader.model.course import CourseLab
from grader.model.errors import OutputError, UsageError
from grader.model.lab import Lab
from grader.model.result import Visibility
from grader.model.templates import fill_file
from grader.model.variant import Variant
from grader.outputs.editions import stand_ins

KEPT_HOME = (*wheels.SUBMISSIONS, "handout.md")
"""Of a lab's folder, what grading does not need and no student may find."""
EXECUTABLE = 0o755
OF_COURSE = "of-course.json"
"""In an exported lab, what its course says of it that grading needs; 'smtplab check' reads it."""
WHEEL = re.compile(r"[\w.+-]+\.whl", re.ASCII)
ADDRESS = re.compile(r"(git\+)?(https|ssh|file)://[\w.~/@:+%#=&-]+", re.ASCII)
"""What pip fetches, in characters that mean nothing to a shell, to YAML or to Groovy within quotation marks."""


@dataclass(frozen=True)
class Platform:
    """A platform by the name that ``smtplab export`` takes. ``labs`` is where the lab's folder lies in its bundle.

    ``servers``: labs that need a server run there. ``archive``, a zip or tar if the platform takes one, holds
    everything but what lies ``beside`` it, which are patterns of names. ``install`` is where its installation finds a
    wheel, empty where it finds none in a bundle. ``collects``: there is a bundle that only collects what is graded
    elsewhere. ``hides``: not everything there is said to students. ``named``: whoever sets it up
    gives it the checks' names, so they must stay the same. ``more`` makes files that are no templates, by their
    paths in the bundle; it raises ``UsageError`` where the platform cannot take what the lab asks for.
    """

    name: str
    title: str
    labs: str
    servers: bool = False
    archive: str = ""
    beside: tuple[str, ...] = ("README.md",)
    install: str = "./"
    collects: bool = False
    hides: bool = True
    named: bool = False
    more: Callable[[Lab, Path, Variant], dict[str, bytes]] = lambda lab, folder, variant: {}


PLATFORMS = MappingProxyType(
    {
        row.name: row
        for row in (
            Platform(
                "gradescope",
                "Gradescope",
                "labs",
                archive="autograder.zip",
                install="/autograder/source/",
                collects=True,
            ),
            Platform(
                "prairielearn",
                "PrairieLearn",
                "serverFilesCourse/smtplab/labs",
                install="./",
                more=tasks.prairielearn,
            ),
            Platform(
                "autolab",
                "Autolab",
                "labs",
                archive="autograde.tar",
                beside=("README.md", "autograde-Makefile", "*.whl"),
                named=True,
            ),
            Platform("inginious", "INGInious", "task/labs", more=tasks.inginious),
            Platform("vpl", "Moodle VPL", "jail/labs", servers=True),
            Platform("classroom50", "Classroom 50", "labs", servers=True, install="./"),
            Platform(
                "github",
                "GitHub Actions",
                "labs",
                servers=True,
                install="$GITHUB_ACTION_PATH/",
            ),
            Platform(
                "gitlab",
                "GitLab CI",
                "labs",
                servers=True,
                install="$CI_PROJECT_DIR.tmp/grader/",
            ),
            Platform("jenkins", "Jenkins", "labs", servers=True, install="$WORKSPACE_TMP/grader/"),
            Platform("check50", "check50", "labs", servers=True, install="", hides=False, more=tasks.check50),
            Platform("xqueue", "Open edX", "labs", servers=True, more=tasks.xqueue),
            Platform("exercism", "Exercism", "labs"),
            Platform("artemis", "Artemis", "labs", named=True),
            Platform("codegrade", "CodeGrade", "labs", archive="fixtures.zip"),
        )
    }
)
"""Every platform that there is a bundle for."""

WITHOUT = MappingProxyType(
    {
        "submitty": (
            "Submitty runs those commands alone that its site allows, behind a filter of system calls, so install "
            "smtplab on its machine, and let a custom validator run 'smtplab check LAB DIR --submitty "
            "validation_results.json --exit-zero'"
        ),
        **{
            name: (
                f"{title} has no autograder: grade what it lets you download ('smtplab grade LAB DOWNLOAD'), and give "
                f"the grades back with {how}"
            )
            for name, title, how in (
                ("canvas", "Canvas", "'--format canvas' or 'smtplab publish canvas'"),
                ("moodle", "Moodle without VPL", "'--format moodle' or 'smtplab publish moodle'"),
                ("brightspace", "Brightspace", "'--format brightspace' or 'smtplab publish lti'"),
            )
        },
    }
)
"""Platforms that take no bundle, and what to do instead."""


def export(
    platform: Platform,
    folder: Path,
    lab: Lab,
    out: Path,
    wheel: Path | None = None,
    address: str | None = None,
    course: CourseLab | None = None,
    seen_when: Mapping[str, Visibility] = MappingProxyType({}),
) -> list[str]:
    """Write the bundle of a lab, which lies in ``folder``, to the new folder ``out``; the names of its files.

    ``wheel`` is an smtplab to install from a file that goes, without solutions, into the bundle, ``address`` one that
    pip fetches; one of them it takes, for no package index has smtplab. ``course`` is what its course says of it,
    ``seen_when`` when students see checks, by their codes, as far as that is not always. Raises ``UsageError`` where
    the platform cannot run the lab, nothing says where smtplab is, or ``out`` is there.
    """
    if lab.needs_engine and not platform.servers:
        raise UsageError(
            f"{platform.title} grades in a container without namespaces and without Docker, and the lab {lab.id} needs "
            f"a server: grade it elsewhere, 'smtplab grade {lab.id} DOWNLOAD --out grades', and give the grades back "
            "by the course's gradebook ('--format canvas', 'moodle' or 'brightspace')"
            + ("; --offline makes a bundle that collects the work for that" if platform.collects else "")
        )
    _refuse_there(out)
    if wheel is not None and not wheel.is_file():
        raise UsageError(f"there is no wheel {str(wheel)!r}: make one with 'make wheel'")
    if wheel is not None and not WHEEL.fullmatch(wheel.name):
        raise UsageError(f"{wheel.name!r} is no name of a wheel: leave it as it was made")
    if address is not None and not ADDRESS.fullmatch(address):
        raise UsageError(
            f"{address[:80]!r} is no address to install from: write git+https://HOST/PATH@VERSION, or a wheel's https://"
        )
    if wheel is not None and not platform.install:
        raise UsageError(
            f"{platform.title} installs nothing from a bundle: leave --wheel out, and give --from git+https://HOST/PATH@VERSION"
        )
    if course is not None and course.visibility and not platform.hides:
        raise UsageError(
            f"{platform.title} grades where students can read all of the lab, so nothing can be hidden from them: take "
            f"'visibility' out of course.yaml for {lab.id}, or export it to another platform"
        )
    if platform.named and "after-due" in seen_when.values():
        raise UsageError(
            f"{platform.title} is told the names of checks once, and those of checks that students see after the due "
            f"date change on that day: write 'never' for 'after-due' in course.yaml for {lab.id}, or export it to "
            "another platform"
        )
    if wheel is None and address is None:
        raise UsageError(
            f"{platform.title} must be told where smtplab comes from, which no package index has: give --wheel FILE "
            "('make wheel' makes one), or --from git+https://HOST/PATH@VERSION"
        )
    variant = labs.draw_variant(lab)
    words = {
        "lab": lab.id,
        "title": lab.title,
        "points": str(lab.max_score),
        "files": ", ".join(files_asked_for(lab, variant)),
        "problems": _problems(lab, seen_when),
        "install": f"{platform.install}{wheel.name}" if wheel else address or "",
    }
    files = {
        **_templates(platform.name, words),
        **platform.more(lab, folder, variant),
        **_of_lab(platform, folder),
    }
    if course is not None and (course.visibility or course.hints):
        # No more than grading needs: where a course's files lie is nobody's affair who reads a bundle.
        said = CourseLab(
            due=course.due, hints=course.hints, visibility=course.visibility, assignment=course.assignment
        )
        files[str(PurePosixPath(platform.labs, folder.name, OF_COURSE))] = msgspec.json.encode(said)
    if wheel is not None:
        files[wheel.name] = wheels.without_solutions(wheel)
    return _written(out, files, platform)


def _problems(lab: Lab, seen_when: Mapping[str, Visibility]) -> str:
    """The checks' names, as documents for students have them, with their points."""
    hidden = stand_ins({f"{lab.id}/{check.code}": check.code in seen_when for check in lab.all_checks})
    names = (hidden.get(f"{lab.id}/{check.code}", check.code).rpartition("/")[2] for check in lab.all_checks)
    return ", ".join(f"{name} {check.points}" for name, check in zip(names, lab.all_checks, strict=True))


def export_collector(platform: Platform, lab: Lab, out: Path) -> list[str]:
    """Write the bundle that collects hand-ins of a lab, which is graded elsewhere, to the new folder ``out``.

    Raises ``UsageError`` where the platform could run the lab itself, where what it gives back cannot be read, or where
    ``out`` is there.
    """
    offline.refuse(platform.name, platform.title, lab, servers=platform.servers, collects=platform.collects)
    _refuse_there(out)
    asked_for = files_asked_for(lab, labs.draw_variant(lab))
    words = {"lab": lab.id, "title": lab.title, "files": ", ".join(asked_for)}
    files = {**_templates(f"{platform.name}-offline", words), **offline.documents(asked_for)}
    return _written(out, files, platform)


def _refuse_there(out: Path) -> None:
    if out.exists():
        raise UsageError(f"{str(out)!r} is there already: name another folder with --out")


def _written(out: Path, files: Mapping[str, bytes], platform: Platform) -> list[str]:
    """Write a bundle, whole or not at all; the names of its files."""
    try:
        with disk.new_folder(out) as made:
            _write(made, files, platform)
    except OSError as error:
        raise OutputError(
            f"the bundle cannot be written to {str(out)!r} ({error.strerror}): name another folder with --out"
        ) from error
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def _templates(name: str, words: Mapping[str, str]) -> dict[str, bytes]:
    root = resources.folder("fixtures") / "bundles" / name
    return {
        str(path.relative_to(root)): fill_file(path.read_bytes(), words)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def _of_lab(platform: Platform, folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    inside = ((path.relative_to(folder), path) for path in found)
    return {
        str(PurePosixPath(platform.labs, folder.name, name)): path.read_bytes()
        for name, path in inside
        if name.parts[0] not in KEPT_HOME
    }


def _write(folder: Path, files: Mapping[str, bytes], platform: Platform) -> None:
    """Scripts are those that begin with ``#!``. An archive has no folder of its own around its files."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        if data.startswith(b"#!"):
            path.chmod(EXECUTABLE)
    if not platform.archive:
        return
    packed = [name for name in files if not any(map(PurePosixPath(name).match, platform.beside))]
    if platform.archive.endswith(".tar"):
        with tarfile.open(folder / platform.archive, "w") as tar:
            for name in packed:
                tar.add(folder / name, name)
    else:
        with zipfile.ZipFile(folder / platform.archive, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in packed:
                archive.write(folder / name, name)
    for name in {PurePosixPath(name).parts[0] for name in packed}:
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
