"""Each bundle's own line that installs smtplab, run as it stands where its platform would, with a wheel in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from grader.bundles import PLATFORMS
from grader.cli import main
from tests.bundles.conftest import VENV, Run
from tests.bundles.unpacking import unpack

NAME = "smtplab-9.9-py3-none-any.whl"
HOMES = {
    "github": "$GITHUB_ACTION_PATH",
    "gitlab": "$CI_PROJECT_DIR.tmp/grader",
    "jenkins": "$WORKSPACE_TMP/grader",
}
"""Where a runner has the repository that the bundle is, by the variable that its line takes."""
CONTAINED = {
    "gradescope": "/autograder/source",
    "prairielearn": "/tmp/install",
    "inginious": "/tmp/install",
    "artemis": "/tmp/install",
    "exercism": "/opt/test-runner",
}
"""Where an image is built with the bundle in it."""
BY_PROGRAM, BY_HAND = {"classroom50", "check50", "codegrade"}, {"autolab", "vpl", "xqueue"}
"""What installs in a program of its own, or as its README says."""


@pytest.fixture
def wheel(here: Path) -> Path:
    """A wheel that pip takes, with nothing in it but its name."""
    with zipfile.ZipFile(here / NAME, "w") as archive:
        home = "smtplab-9.9.dist-info"
        archive.writestr(f"{home}/METADATA", "Metadata-Version: 2.1\nName: smtplab\nVersion: 9.9\n")
        archive.writestr(f"{home}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{home}/RECORD", "")
    return here / NAME


def line(folder: Path) -> str:
    """The line of a bundle that runs pip, without what its file's format has around it."""
    texts = (
        path.read_text() for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".whl"
    )
    [found] = {one.strip() for text in texts for one in text.splitlines() if "pip" in one and NAME in one}
    return re.sub(r"^(- |run: |RUN )+", "", found).replace("python3.12 -m venv /opt/smtplab && ", "")


def test_every_bundle_is_tried() -> None:
    assert {*HOMES, *CONTAINED, *BY_PROGRAM, *BY_HAND} == set(PLATFORMS)


@pytest.mark.slow
@pytest.mark.parametrize("platform", HOMES)
def test_a_runner_installs_the_wheel_of_the_repository(platform: str, wheel: Path, here: Path) -> None:
    assert main(["export", platform, "spf-dmarc", "--out", "bundle", "--wheel", str(wheel)]) == 0
    variable, _, below = HOMES[platform][1:].partition("/")
    variable, ending = (variable.removesuffix(".tmp"), ".tmp") if ".tmp" in variable else (variable, "")
    place = here / "a place"
    shutil.copytree(here / "bundle", Path(f"{place}{ending}") / below)
    if platform == "jenkins":
        (place / "smtplab").symlink_to(VENV)
    told = {variable: str(place), "PIP_NO_DEPS": "1", "PIP_TARGET": str(here / "installed")}
    environment = {**os.environ, **told, "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}"}
    (here / "elsewhere").mkdir()
    subprocess.run(
        ["bash", "-euc", line(here / "bundle")], cwd=here / "elsewhere", env=environment, check=True
    )
    assert (here / "installed/smtplab-9.9.dist-info").is_dir()


@pytest.mark.slow
def test_classroom_50_s_program_installs_the_wheel_beside_it(wheel: Path, here: Path) -> None:
    assert main(["export", "classroom50", "knowledge-check", "--out", "bundle", "--wheel", str(wheel)]) == 0
    (here / "work").mkdir()
    names = ["CLASSROOM", "ASSIGNMENT", "ASSIGNMENT_TYPE", "OWNER", "SUBMISSION_TAG"]
    names += ["COMMIT_URL", "RELEASE_URL", "REVIEW_URL"]
    told = {**dict.fromkeys(names, "x"), "PIP_NO_DEPS": "1", "PIP_TARGET": str(here / "installed")}
    environment = {**os.environ, **told, "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}"}
    program = [sys.executable, str(here / "bundle/autograder.py")]
    subprocess.run(program, cwd=here / "work", env=environment, check=True)
    assert (here / "installed/smtplab-9.9.dist-info").is_dir()
    assert (here / "work/result.json").is_file()


@pytest.mark.slow
@pytest.mark.engines("docker")
@pytest.mark.parametrize("platform", CONTAINED)
def test_an_image_installs_the_wheel_of_the_bundle(
    platform: str, wheel: Path, here: Path, contained: Run
) -> None:
    assert main(["export", platform, "spf-dmarc", "--out", "bundle", "--wheel", str(wheel)]) == 0
    home = here / "bundle"
    if archive := PLATFORMS[platform].archive:
        home = unpack(home / archive, here / "unpacked")
    (here / "installed").mkdir()
    run = line(home).replace(" && rm -rf /tmp/install", "")
    code = contained(
        f"export PIP_NO_DEPS=1 PIP_TARGET=/installed; {run}",
        {home: CONTAINED[platform], here / "installed": "/installed"},
    )
    assert code == 0
    assert (here / "installed/smtplab-9.9.dist-info").is_dir()
