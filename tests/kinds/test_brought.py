"""A kind of lab that another package brings: installed, and then used like smtplab's own, from first step to last."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.together("kind")]

Command = Callable[..., str]
"""Runs smtplab with arguments; what it printed. ``code`` is the exit code that it must have."""

PACKAGE = Path(__file__).parent / "brought"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package is installed: its wheel, built and unpacked, as pip would."""
    source = tmp_path_factory.mktemp("source") / "text"
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns("__pycache__"))
    target = tmp_path_factory.mktemp("site")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)],
        cwd=source, check=True, capture_output=True,
    )  # fmt: skip
    [wheel] = target.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


@pytest.fixture
def smtplab(installed: Path, tmp_path: Path) -> Command:
    """Runs the command in an empty folder, with the package on the path."""
    environment = {
        **os.environ,
        "PYTHONPATH": f"{installed}{os.pathsep}{ROOT}",
        "SMTPLAB_LABS": str(tmp_path / "labs"),
    }
    (tmp_path / "labs").mkdir()

    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-c", "import sys; from grader.cli import main; sys.exit(main())", *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_it_is_one_of_the_kinds(smtplab: Command) -> None:
    assert "text" in smtplab("lab", "new", "--help")
    schema = json.loads(smtplab("lab", "schema"))
    assert "TextLab" in schema["$defs"]
    evidence = json.loads(smtplab("lab", "schema", "evidence"))
    assert "TextFacts" in evidence["$defs"]


def test_made_verified_checked_shown_and_judged_again(smtplab: Command, tmp_path: Path) -> None:
    smtplab("lab", "new", "letter", "labs", "--kind", "text")
    assert "0 not as declared" in smtplab("lab", "verify", "letter")
    assert "A letter to the postmaster" in smtplab("labs")
    assert "Your letter names the server" in smtplab("explain", "letter/names")
    smtplab("start", "letter")
    assert "letter.txt does not say 'mail.example.com'." in smtplab("check", "letter", code=1)
    (tmp_path / "work/letter/letter.txt").write_text("mail.example.com\nis <b>URGENT</b>ly needed\n")
    shown = smtplab(
        "check", "letter", "-v", "--html", "r.html", "--json", "r.json", "--evidence", "e.json", code=1
    )
    assert "letter.txt says 'URGENT'." in shown
    assert "letter.txt has 2 lines." in shown
    assert "is <b>URGENT</b>ly needed" in shown
    page = (tmp_path / "r.html").read_text()
    assert '<pre class="whole-text">' in page
    assert ".whole-text { border-left" in page
    assert "&lt;b&gt;URGENT&lt;/b&gt;" in page
    assert "<b>URGENT</b>" not in page
    smtplab("regrade", "e.json", "--out", "again", code=1)
    [again] = (tmp_path / "again").rglob("result.json")
    assert json.loads(again.read_text()) == json.loads((tmp_path / "r.json").read_text())


def test_a_class_of_it_is_graded(smtplab: Command, tmp_path: Path) -> None:
    smtplab("lab", "new", "letter", "labs", "--kind", "text")
    for name in ("ann", "ben"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "letter.txt").write_text("mail.example.com\n" if name == "ann" else "nothing\n")
    smtplab("grade", "letter", "ann", "ben", "--out", "grades", code=1)
    assert (tmp_path / "grades/grades.csv").read_text().splitlines()[1].startswith("ann,100,100")


def test_what_is_wrong_with_a_lab_of_it_is_said_like_elsewhere(smtplab: Command, tmp_path: Path) -> None:
    smtplab("lab", "new", "letter", "labs", "--kind", "text")
    path = tmp_path / "labs/letter/lab.yaml"
    text = path.read_text()
    path.write_text(text.replace("holds:", "hold:"))
    assert "there is no key 'hold' here; did you mean 'holds'?" in smtplab("lab", "verify", "letter", code=2)
    path.write_text(text.replace("{lacks: [URGENT]}", "{arrives: mailbox}"))
    said = smtplab("lab", "verify", "letter", code=2)
    assert "'arrives' here: it is one of labs of kind 'server', and this one is 'text'" in said
    path.write_text(text.replace("kind: text", "kind: txet"))
    assert "there is no kind of lab 'txet'; did you mean 'text'?" in smtplab(
        "lab", "verify", "letter", code=2
    )


def test_without_the_package_its_kind_is_unknown(smtplab: Command, tmp_path: Path) -> None:
    smtplab("lab", "new", "letter", "labs", "--kind", "text")
    environment = {**os.environ, "SMTPLAB_LABS": str(tmp_path / "labs"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; from grader.cli import main; sys.exit(main())", "lab", "verify", "letter"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "there is no kind of lab 'text'" in done.stderr
