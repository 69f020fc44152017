"""A few rounds of chaos; and that what it looks for is seen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grader import labs
from grader.engines.base import Engine
from tests.chaos import large
from tests.chaos.classes import half_written
from tests.chaos.family import MARK, Family

ROOT = Path(__file__).parents[2]
ROUNDS = {"local": 2, "docker": 1}


@pytest.mark.slow
def test_a_few_rounds(engine: Engine) -> None:
    rounds = ["--n", str(ROUNDS[engine.name]), "--engine", engine.name, "--labs", "few-probes"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", *rounds], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 of them with something wrong" in done.stdout


def test_a_process_that_got_away_is_seen() -> None:
    script = "import os, signal; os.fork() or (os.setsid(), print(os.getpid(), flush=True), signal.pause())"
    with subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, MARK: "away"}, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        family = Family(process.pid, "away")
        away = int(process.stdout.readline())
        process.wait()
        assert [line.split()[1] for line in family.left()] == [f"{away}:"]
        os.kill(away, signal.SIGKILL)


def test_half_a_document_is_seen(tmp_path: Path) -> None:
    student = tmp_path / "student"
    student.mkdir()
    (tmp_path / ".student.01234567.new").mkdir()
    for name, data in (
        ("result.json", "{}"),
        ("row.json", '{"a'),
        ("report.html", "<p>"),
        ("junit.xml", "<a>"),
    ):
        (student / name).write_text(data)
    found = half_written(tmp_path)
    assert [line.split(" is not whole")[0] for line in sorted(found)] == [
        "student/junit.xml", "student/report.html", "student/row.json",
    ]  # fmt: skip
    (student / "row.json").unlink()
    assert "student lacks row.json" in half_written(tmp_path)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> large.LargeClass:
    """A class of one student in each layout, of a lab that takes no machine."""
    labs.new("ours", tmp_path / "labs", "zone")
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    monkeypatch.setattr(large, "SHARDS", 2)
    return large.of_students("ours", 5, tmp_path / "class", "local")


@pytest.mark.slow
def test_a_class_is_graded_alike_in_all_ways(small: large.LargeClass) -> None:
    assert small.run() == []


def test_what_a_way_of_grading_does_to_a_class_is_seen(small: large.LargeClass, tmp_path: Path) -> None:
    one, *others = small.given.handed_in
    rows = [f"{student},100,100,graded" for student in others]
    rows += [f"{others[0]},100,100,graded", "stranger,0,100,graded"]
    (tmp_path / "grades.csv").write_text("\n".join(["student,score,max_score,status", *rows, ""]))
    small.look("peace", tmp_path)
    assert f"peace: no row of {one}" in small.wrong
    assert f"peace: 2 rows of {others[0]}" in small.wrong
    assert "peace: 1 rows of stranger" in small.wrong
    starter = next(student for student in others if small.given.handed_in[student] != "solution")
    assert f"peace: {starter} has 100 (graded)" in small.wrong
