"""The wheel, installed into an empty environment far from the checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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


@pytest.mark.slow
def test_it_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv/bin/python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock")], check=True)
    subprocess.run([*pip, str(wheel)], check=True)
    subprocess.run([str(python), "-m", "pip", "check"], check=True)

    def smtplab(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(tmp_path / "venv/bin/smtplab"), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

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
