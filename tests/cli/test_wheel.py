"""The wheel, installed into an empty environment far from the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.together("wheel")]

ROOT = Path(__file__).parent.parent.parent
DATA = ("labs", "fixtures", "reports")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as ``make wheel`` builds it, from a copy that holds nothing but what Git has."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    out = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)], cwd=source, check=True
    )
    [built] = out.glob("*.whl")
    return built


def test_the_data_travels_inside_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    listed = subprocess.run(
        ["git", "ls-files", "-z", *DATA], cwd=ROOT, capture_output=True, check=True
    ).stdout
    wanted = {
        f"grader/data/{name}" for name in filter(None, listed.decode().split("\0")) if (ROOT / name).is_file()
    }
    assert wanted
    assert wanted <= names
    assert not {name for name in names if name.startswith("tests/")}


def test_programs_may_be_executed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        programs = [entry for entry in archive.infolist() if entry.filename.endswith("/send")]
    assert programs
    assert all(entry.external_attr >> 16 & 0o111 for entry in programs)


def environment(folder: Path) -> Path:
    """The Python of a new environment with what ``requirements.lock`` names and nothing else.

    Copied from the one that runs the tests, whose lock names the same: how a lock is installed, the test of the
    README's commands shows, and it takes ten times as long.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    place = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    for name in re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE):
        try:
            installed = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # It is for other systems or Pythons; else 'pip check' misses it.
        for file in installed.files or []:
            if ".." not in file.parts and (found := Path(str(file.locate()))).exists():
                (place / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(found, place / file)
        # Debian 12's pip installs what comes as source alone by setup.py, and that lists no metadata.
        for found in Path(str(installed.locate_file(""))).glob(f"{name.replace('-', '_')}-*.egg-info"):
            shutil.copytree(found, place / found.name, dirs_exist_ok=True)
    return folder / "bin/python"


def _installing() -> list[str]:
    """The commands by which the README has smtplab installed from a wheel."""
    told: str
    [told] = re.findall(r"^```bash\n(.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    return str(told).splitlines()


def test_it_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    python = environment(tmp_path / ".smtplab")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-compile", str(wheel)], check=True)
    subprocess.run([*pip, "check"], check=True)

    def smtplab(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(tmp_path / ".smtplab/bin/smtplab"), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    made, _, installed, last = _installing()
    assert made == "make wheel"
    assert fnmatch(f"dist/{wheel.name}", installed.rpartition(" ")[2])
    listed = subprocess.run(
        ["sh", "-c", last],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "open-relay" in listed.stdout
    assert smtplab("--version").stdout.startswith("smtplab ")
    assert "open-relay" in smtplab("labs").stdout
    started = smtplab("start", "open-relay")
    assert started.returncode == 0, started.stderr
    assert (tmp_path / "work/open-relay/main.cf").is_file()
    assert "Traceback" not in smtplab("doctor").stderr
    assert smtplab("explain", "open-relay/stranger").returncode == 0
    built = smtplab("lesson", "build")
    assert built.returncode == 0, built.stderr
    assert "RCPT TO" in (tmp_path / "lesson/commands.html").read_text()
    assert (tmp_path / "lesson/lab-open-relay.html").is_file()
