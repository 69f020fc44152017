"""A student's day: start, check, fix, check again; on every engine that runs here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grader.cli import main
from grader.engines.base import Engine
from tests import submissions
from tests.conftest import PATIENCE

SMTPLAB = [sys.executable, "-c", "import sys; from grader.cli import main; sys.exit(main())"]
FAULT = "wrong/trusts-everybody"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def document(text: str) -> Any:
    return json.loads(text)


def test_a_lab_is_started_and_checked_by_its_name_alone(
    engine: Engine, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["start", "open-relay"]) == 0
    assert "grade it with:\n  smtplab check open-relay\n" in capsys.readouterr().out
    assert {"main.cf", "master.cf", "handout.md"} <= {
        path.name for path in (here / "work/open-relay").iterdir()
    }
    assert main(["check", "--engine", engine.name]) == 1
    submissions.write("solution", here / "work/open-relay")
    assert main(["check", "open-relay", "--engine", engine.name, "--json", "-"]) == 0
    out, _ = capsys.readouterr()
    assert document(out[out.index("{") :])["score"] == 100


@pytest.mark.engines("local")
def test_a_students_own_variant_is_remembered(
    engine: Engine, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["start", "open-relay", "mine", "--student", "alice", "--seed", "course"]) == 0
    submissions.write("solution", here / "mine", student="alice", key="course")
    capsys.readouterr()
    assert main(["check", "mine", "--engine", engine.name, "--json", "-"]) == 0
    result = document(capsys.readouterr().out)
    assert result["student"] == "alice"
    assert result["variant"] != "canonical"
    assert main(["check", "open-relay", "mine", "--engine", engine.name, "--student", "bob"]) == 1


def test_the_document_is_alone_on_standard_output(
    engine: Engine, here: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    submissions.write(FAULT, here / "mine")
    assert main(["check", "open-relay", "mine", "--engine", engine.name, "--json", "-", "-v"]) == 1
    out, err = capfdbinary.readouterr()
    result = document(out.decode())
    assert result["schema"] == "smtplab/result/1"
    assert result["engine"]["name"] == engine.name
    assert [check["code"] for check in result["checks"] if check["status"] == "fail"] == [
        "open-relay/stranger"
    ]
    assert b"Strangers cannot send mail" in err


@pytest.mark.engines("local")
def test_every_document_is_written_and_the_evidence_gives_the_same_result(
    engine: Engine, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submissions.write(FAULT, here / "mine")
    files = ["--json", "r.json", "--html", "r.html", "--junit", "r.xml", "--evidence", "e.json"]
    assert main(["check", "open-relay", "mine", "--engine", engine.name, "--exit-zero", *files]) == 0
    assert "Report     r.html" in capsys.readouterr().out
    assert {path.name for path in here.iterdir()} == {"mine", "r.json", "r.html", "r.xml", "e.json"}
    assert main(["regrade", "e.json", "--out", "-"]) == 1
    assert capsys.readouterr().out == (here / "r.json").read_text()
    assert main(["regrade", "e.json", "--out", "again", "--exit-zero"]) == 0
    assert (here / "again/e/result.json").read_bytes() == (here / "r.json").read_bytes()
    assert (here / "again/grades.csv").read_text().count("\n") == 2


@pytest.mark.engines("local")
def test_only_the_checks_asked_for_are_reported(
    engine: Engine, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submissions.write("solution", here / "mine")
    only = ["--only", "stranger", "--only", "open-relay/office"]
    assert main(["check", "open-relay", "mine", "--engine", engine.name, "--json", "-", *only]) == 0
    result = document(capsys.readouterr().out)
    assert [check["code"] for check in result["checks"]] == ["open-relay/office", "open-relay/stranger"]


def test_before_any_work_the_example_is_shown(
    engine: Engine, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--engine", engine.name]) == 0
    out, err = capsys.readouterr()
    assert "100 of 100 points" in out
    assert "failed    open-relay/stranger" in out
    assert out.endswith("Begin with:  smtplab start open-relay\n")
    assert err == ""
    assert list(here.iterdir()) == []


def test_an_engine_that_cannot_run_costs_no_points(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{here}/nobody.sock")
    submissions.write("solution", here / "mine")
    arguments = ["check", "open-relay", "mine", "--engine", "docker", "--json", "r.json", "--exit-zero"]
    assert main(arguments) == 3
    assert capsys.readouterr().err.startswith("smtplab: the engine 'docker' cannot run here: ")
    result = document((here / "r.json").read_text())
    assert result["status"] == "error"
    assert {check["status"] for check in result["checks"]} == {"error"}


@pytest.fixture
def watched(engine: Engine, here: Path) -> Iterator[subprocess.Popen[str]]:
    """``smtplab check --watch`` on a submission, in a process group of its own as a shell would give it."""
    submissions.write(FAULT, here / "mine")
    arguments = ["check", "open-relay", "mine", "--watch", "--engine", engine.name, "--only", "stranger"]
    with subprocess.Popen(
        [*SMTPLAB, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        # Its group, for it may be in the middle of a run; and in any case, for a line that never comes is waited for.
        last_resort = threading.Timer(120, os.killpg, (process.pid, signal.SIGKILL))
        last_resort.start()
        yield process
        last_resort.cancel()
        process.kill()


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if text in line:
            return seen
    raise AssertionError(f"{text!r} never came: {seen}")


@pytest.mark.engines("local")
def test_watching_grades_again_on_every_save_until_interrupted(
    watched: subprocess.Popen[str], here: Path
) -> None:
    assert "1 failed" in read_until(watched, "watching mine")
    (here / "mine/main.cf").unlink()
    assert "holds no main.cf" in read_until(watched, "watching mine")
    submissions.write("solution", here / "mine")
    read_until(watched, "1 passed")  # of several files, the first may be seen before the last is written
    os.killpg(watched.pid, signal.SIGINT)
    assert watched.wait(PATIENCE) == 130
