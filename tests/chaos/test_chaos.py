"""A few rounds of chaos; and that what it looks for is seen."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grader.engines.base import Engine
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
