"""A class from its submissions to its gradebook, on a real engine."""

from __future__ import annotations

import csv
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grader import labs, outputs, pipeline
from grader.cli import main
from grader.course.rows import ClassRow
from grader.engines.base import Engine
from grader.model.deadline import Deadline
from grader.model.errors import EngineError
from tests import submissions
from tests.chaos.family import MARK, Family

pytestmark = pytest.mark.engines("local")
SMTPLAB = [sys.executable, "-c", "import sys; from grader.cli import main; sys.exit(main())"]


LAB = "tiny"
TRIES = 5
LOST = "tiny/stranger"
FAULT = "wrong/open-to-everybody"


@pytest.fixture(scope="module", autouse=True)
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A lab of few probes, such as an instructor begins with."""
    folder = tmp_path_factory.mktemp("labs")
    labs.new(LAB, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMTPLAB_LABS", str(folder))
        yield


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(kind: str, where: Path, *, student: str | None = None, key: str | None = None) -> Path:
    """One of the lab's own submissions as a student's folder."""
    return submissions.write(kind, where, student=student, key=key, lab=LAB)


def grade(engine: Engine, *arguments: str) -> int:
    return main(["grade", LAB, "--out", "out", "--engine", engine.name, "-j", "2", *arguments])


def gradebook(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "grades.csv").open(newline="", encoding="utf-8") as file:
        return {line["student"]: line for line in csv.DictReader(file)}


def result(folder: Path, student: str) -> Any:
    return json.loads((folder / student / "result.json").read_text())


def test_a_class_with_every_kind_of_submission(
    engine: Engine, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write("solution", here / "subs/zoe")
    write(FAULT, here / "subs/a\nb")
    write("starter", here / "subs/-rf")
    (here / "subs/empty").mkdir()
    (here / "subs/linked").mkdir()
    (here / "subs/linked/main.cf").symlink_to("/etc/passwd")
    with zipfile.ZipFile(here / "subs/müller.zip", "w") as archive:
        for path in (here / "subs/zoe").iterdir():
            archive.write(path, f"my work/{path.name}")
    (here / "subs/broken.tar.gz").write_bytes(b"\x1f\x8bnothing")
    names = sorted(path.name for path in Path("subs").iterdir())
    assert grade(engine, *(f"subs/{name}" for name in names)) == 1

    lines = gradebook(here / "out")
    students = ["-rf", "a%0Ab", "broken", "empty", "linked", "müller", "zoe"]
    assert [name.removeprefix("'") for name in lines] == students
    assert {name: lines[name]["score"] for name in ("broken", "empty", "linked", "müller", "zoe")} == {
        "broken": "", "empty": "", "linked": "", "müller": "100", "zoe": "100",
    }  # fmt: skip
    assert {name for name in students if lines[f"'{name}" if name[0] == "-" else name]["status"] == "refused"} == {
        "broken", "empty", "linked",
    }  # fmt: skip
    assert "holds no main.cf" in lines["empty"]["reason"]
    assert lines["a%0Ab"][LOST] == "0"
    folders = {path.name for path in (here / "out").iterdir() if path.is_dir()}
    assert folders == {"%2Drf", "a%0Ab", "broken", "empty", "linked", "müller", "zoe"}
    assert {path.name for path in (here / "out/zoe").iterdir()} == {
        *(kind.file for kind in outputs.FORMATS.values() if kind.one and kind.usual), "row.json",
    }  # fmt: skip
    empty = result(here / "out", "empty")
    assert (empty["status"], "holds no main.cf" in empty["error"]) == ("refused", True)
    assert (here / "out/junit.xml").read_text().count("<testsuite ") == len(names)
    out, err = capsys.readouterr()
    assert "7/7 " in err
    assert "zoe" in out

    before = {path: path.stat().st_mtime_ns for path in (here / "out").glob("*/result.json")}
    write(FAULT, here / "subs/zoe")
    assert grade(engine, "--resume", *(f"subs/{name}" for name in names)) == 1
    after = {path: path.stat().st_mtime_ns for path in (here / "out").glob("*/result.json")}
    again = {path.parent.name for path in after if after[path] != before[path]}
    # What could not be read was not graded: it is looked at each time.
    assert again == {"zoe", "broken", "empty", "linked"}
    assert gradebook(here / "out")["zoe"][LOST] == "0"


def test_every_student_has_a_variant_of_their_own(engine: Engine, here: Path) -> None:
    for student in ("alice", "bob"):
        write("solution", here / student, student=student, key="course")
    shutil.copytree(here / "alice", here / "copycat")
    assert grade(engine, "alice", "bob", "copycat", "--seed", "course") == 1
    lines = gradebook(here / "out")
    assert (lines["alice"]["score"], lines["bob"]["score"]) == ("100", "100")
    assert int(lines["copycat"]["score"]) < 60
    assert result(here / "out", "alice")["variant"] != result(here / "out", "bob")["variant"]
    assert "course" not in (here / "out/alice/evidence.json").read_text()


def test_the_same_class_gives_the_same_documents(engine: Engine, here: Path) -> None:
    for student in ("alice", "bob", "carol"):
        write("solution", here / student)
    books = []
    for jobs in ("1", "3"):
        assert grade(engine, "alice", "bob", "carol", "-j", jobs, "--format", "json,csv") == 0
        books.append((here / "out/grades.csv").read_bytes())
    assert books[0] == books[1]
    assert not (here / "out/alice/report.html").exists()


def test_an_interrupted_class_keeps_what_is_finished_and_is_resumed(engine: Engine, here: Path) -> None:
    students = [f"s{number}" for number in range(8)]
    for student in students:
        write("solution", here / student)
    arguments = ["grade", LAB, *students, "--out", "out", "--engine", engine.name, "-j", "2"]
    with subprocess.Popen(
        [*SMTPLAB, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("2/8 "):
                break
        os.killpg(process.pid, signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(60) == 130
    finished = {path.name for path in (here / "out").iterdir() if not path.name.startswith(".")}
    assert 2 <= len(finished) < 8
    assert f"{len(finished)} of 8 submissions are finished and kept in out" in said or "with --resume" in said
    assert not list((here / "out").glob(".partial-*"))
    times = {name: (here / "out" / name / "row.json").stat().st_mtime_ns for name in finished}
    assert main([*arguments, "--resume"]) == 0
    assert {name: (here / "out" / name / "row.json").stat().st_mtime_ns for name in finished} == times
    assert len(gradebook(here / "out")) == 8


def test_a_killed_class_is_resumed(engine: Engine, here: Path) -> None:
    students = [f"s{number}" for number in range(6)]
    for student in students:
        write("solution", here / student)
    arguments = ["grade", LAB, *students, "--out", "out", "--engine", engine.name, "-j", "2"]
    with subprocess.Popen(
        [*SMTPLAB, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = Deadline(60)
        while not list((here / "out").glob("s*")) and not deadline.over:
            time.sleep(0.02)
        process.kill()
    assert main([*arguments, "--resume"]) == 0
    assert {line["score"] for line in gradebook(here / "out").values()} == {"100"}
    assert not list((here / "out").glob(".partial-*"))


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("times", [1, 2])
def test_a_host_that_somebody_killed_is_tried_once_more(engine: Engine, here: Path, times: int) -> None:
    write("solution", here / "alice")
    # Whoever looks for the moment to kill it may get no processor while it is there.
    outs = (f"out-{number}" for number in range(TRIES))
    out = next(out for out in outs if _killed(here / out, engine, times) == times)
    # What had passed when the second one was killed keeps its points.
    assert (gradebook(here / out)["alice"]["score"] == "100") == (times == 1)
    assert ("ended early" in str(result(here / out, "alice")["notes"])) == (times == 2)


def _killed(out: Path, engine: Engine, times: int) -> int:
    """How often the host was killed while a hand-in was graded; at most so many times."""
    arguments = ["grade", LAB, "alice", "--out", str(out), "--engine", engine.name]
    with subprocess.Popen(
        [*SMTPLAB, *arguments],
        env={**os.environ, MARK: "host"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        family, killed = Family(process.pid, "host"), set[int]()
        while process.poll() is None:
            there = family.members()
            # Not before somebody has connected to it: a run whose machines never stood is no host's end.
            at_work = any(_command(process.pid).startswith(b"smtpd") for process in there["host process"])
            for agent in there["agent"] if at_work and len(killed) < times else []:
                if agent.pid not in killed and agent.send(signal.SIGKILL):
                    killed.add(agent.pid)
            time.sleep(0.005)
        family.close()
    return len(killed)


def test_a_failing_engine_is_an_error_of_the_grader_and_no_grade(
    engine: Engine, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("alice", "bob"):
        write("solution", here / student)
    tries = here / "tries"
    real = pipeline.grade

    def failing_for_bob(*positional: Any, **named: Any) -> pipeline.Graded:
        if named["student"] == "bob":
            with tries.open("a") as file:
                file.write("x")
            raise EngineError("the disk of the engine is full")
        return real(*positional, **named)

    monkeypatch.setattr(pipeline, "grade", failing_for_bob)
    assert grade(engine, "alice", "bob", "--exit-zero") == 3
    assert tries.read_text() == "xx"
    lines = gradebook(here / "out")
    assert (lines["alice"]["score"], lines["bob"]["score"]) == ("100", "")
    assert result(here / "out", "bob")["error"] == "the disk of the engine is full"
    monkeypatch.setattr(pipeline, "grade", real)
    assert grade(engine, "alice", "bob", "--resume") == 0
    assert gradebook(here / "out")["bob"]["score"] == "100"


def test_what_the_grader_threw_away_disturbs_no_run(engine: Engine, here: Path) -> None:
    class Knot:
        def __init__(self) -> None:
            self.itself = self
            # Never closed on purpose: it is the collector that finds it, and its number may be another's by then.
            self.file = (here / "file").open("w")

    submission = write("solution", here / "alice")
    for _ in range(3):
        with warnings.catch_warnings(action="ignore"):
            knots = [Knot() for _ in range(12)]
            knots.clear()
            lab = labs.load(LAB)
            run = pipeline.grade(lab, labs.read_submission(lab, submission), engine=engine)
            assert run.result.error is None
            gc.collect()


def test_a_row_is_small() -> None:
    assert len(msgspec.json.encode(ClassRow(student="x" * 100, folder="x" * 100, ending="graded"))) < 1000
