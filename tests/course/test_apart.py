"""Workers that have nothing of this machine are told what they need, and not more."""

from __future__ import annotations

import os
import pickle
import signal
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Any

import pytest

from grader import labs
from grader.course import ClassSettings, grade_class
from grader.course.apart import Job
from grader.course.cluster import worker
from grader.course.cluster.addresses import encrypted, refuse_unprotected
from grader.course.cluster.worker import Lost, Parcel
from grader.course.grading import Documents
from grader.model.errors import UsageError
from grader.schedule import WorkerDied
from tests import submissions

LAB = "zone-apart"
KEY = "autumn-of-secrets"
STUDENTS = ("alice", "bob", "carol")
ROSTER = "id,email\nalice,alice@school.example\nbob,bob@school.example\ncarol,carol@school.example\n"


class Elsewhere:
    """A scheduler whose jobs and answers travel, and come back in another order."""

    shares_files = False

    def __init__(self, lost: str = "") -> None:
        self.told: list[bytes] = []
        self.lost = lost

    def run(self, jobs: Iterable[Any], work: Callable[[Any], Any]) -> Generator[tuple[Any, Any], None, None]:
        for job in reversed(list(jobs)):
            self.told.append(pickle.dumps((work, job)))
            theirs_work, theirs = pickle.loads(self.told[-1])
            if job.read.entry.hand_in.student == self.lost:
                yield job, WorkerDied("its worker was lost")
            else:
                yield job, pickle.loads(pickle.dumps(theirs_work(theirs)))


@pytest.fixture
def handed_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    labs.new(LAB, tmp_path / "labs", "zone")
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    for student in STUDENTS:
        submissions.write("solution", tmp_path / "subs" / student, student=student, key=KEY, lab=LAB)
    return sorted((tmp_path / "subs").iterdir())


def settings(out: Path, **more: Any) -> ClassSettings:
    return ClassSettings(lab=labs.find(LAB), out=out, engine=None, key=KEY, draw=True, workers=1, **more)


def grade(
    out: Path, handed_in: list[Path], scheduler: Elsewhere | None = None, **more: Any
) -> dict[str, tuple[str, int]]:
    summary = grade_class(settings(out, **more), handed_in, report=lambda *_: None, scheduler=scheduler)
    return {row.student: (row.ending, row.score) for row in summary.rows}


def test_a_worker_is_told_of_its_hand_in_alone_and_never_the_key(
    handed_in: list[Path], tmp_path: Path
) -> None:
    from grader.course.intake import Choices
    from grader.course.intake.roster import read_roster

    (tmp_path / "class.csv").write_text(ROSTER)
    there = Elsewhere()
    choices = Choices(roster=read_roster(tmp_path / "class.csv"))
    assert set(grade(tmp_path / "out", handed_in, there, choices=choices).values()) == {("graded", 100)}
    assert len(there.told) == len(STUDENTS)
    for told in there.told:
        assert KEY.encode() not in told
        assert sum(student.encode() + b"@school.example" in told for student in STUDENTS) == 1


def test_what_is_done_is_not_sent_and_what_is_lost_is_tried_once_more(
    handed_in: list[Path], tmp_path: Path
) -> None:
    first = Elsewhere(lost="bob")
    assert grade(tmp_path / "out", handed_in, first)["bob"] == ("error", 0)
    assert len(first.told) == len(STUDENTS) + 1
    second = Elsewhere()
    assert grade(tmp_path / "out", handed_in, second, resume=True)["bob"] == ("graded", 100)
    assert len(second.told) == 1


def test_a_worker_writes_nothing(handed_in: list[Path], tmp_path: Path) -> None:
    there = Elsewhere()
    grade(tmp_path / "out", handed_in, there)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    work, job = pickle.loads(there.told[0])
    assert isinstance(job, Job)
    (done,) = work(job)
    assert isinstance(done, Documents)
    assert {"result.json", "evidence.json", "row.json"} <= set(done.files)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def hang(_: object) -> None:
    time.sleep(600)


def who(_: object) -> int:
    print("what a job prints is no answer")
    return os.getpid()


def die(_: object) -> None:
    os._exit(7)


def answer(work: Callable[[Any], Any], ticket: str = "t", seconds: float = 60) -> Any:
    found = worker.do(worker.packed(work, None), worker.LIFE, ticket, seconds)
    return pickle.loads(found.data) if isinstance(found, Parcel) else found


def test_a_worker_outlives_its_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    monkeypatch.setattr(worker, "_child", None)
    first = answer(who)
    assert isinstance(first, int)
    assert first != os.getpid()
    assert answer(who) == first
    assert answer(die) == Lost("a worker process ended with 7")
    assert answer(hang, seconds=0.2) == Lost("a worker process gave no answer in time")
    worker.stop(["later"])
    assert answer(who, "later") == Lost("it was stopped")
    second = answer(who)
    assert second not in (first, os.getpid())
    assert worker._child is not None
    assert worker._child.end() == 128 + signal.SIGTERM
    assert worker.do(worker.packed(who, None), "another life", "t", 60) == worker.REPLACED


def test_nothing_that_travels_is_printed() -> None:
    parcel = worker.packed(who, "what was handed in")
    assert "handed" not in f"{parcel!r} {parcel}"
    assert pickle.loads(parcel.data)[1] == "what was handed in"


@pytest.mark.parametrize(
    "address",
    ["tls://grader.example.edu:8786", "tcp://127.0.0.1:8786", "tcp://[::1]:8786", "tcp://localhost:1"],
)
def test_an_address_that_nobody_can_listen_to_is_taken(address: str) -> None:
    refuse_unprotected(address)
    assert encrypted(address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://10.0.0.5:8786", "in the clear"),
        ("tcp://127.0.0.1.example.edu:8786", "in the clear"),
        ("10.0.0.5:8786", "no address of a scheduler"),
        ("tcp://127.0.0.1", "no address of a scheduler"),
        ("tcp://127.0.0.1:port", "no address of a scheduler"),
        ("inproc://127.0.0.1:1", "no address of a scheduler"),
        ("tcp://[::1:1", "no address of a scheduler"),
    ],
)
def test_any_other_address_is_refused(address: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        refuse_unprotected(address)
