"""Workers do jobs, die, hang and are dismissed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from grader.model.deadline import Deadline
from grader.schedule import LocalScheduler, WorkerDied
from tests.conftest import PATIENCE


def double(number: int) -> int:
    return number * 2


def die_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def fail_at_three(number: int) -> int:
    if number == 3:
        raise ValueError("three")
    return number


def hang_at_three(number: int) -> int:
    if number == 3:
        time.sleep(600)
    return number


def who(_: int) -> int:
    time.sleep(0.02)
    return os.getpid()


def note_and_wait(folder: Path) -> str:
    try:
        (folder / f"begun-{os.getpid()}").touch()
        time.sleep(600)
    finally:
        (folder / f"ended-{os.getpid()}").touch()
    return ""


def test_every_job_is_answered_once() -> None:
    assert sorted(LocalScheduler(3).run(range(50), double)) == [(n, n * 2) for n in range(50)]


def test_nothing_to_do_starts_nobody() -> None:
    assert list(LocalScheduler(2).run([], double)) == []


def test_workers_are_kept_for_the_next_job() -> None:
    processes = {answer for _, answer in LocalScheduler(2).run(range(12), who)}
    assert len(processes) == 2
    assert os.getpid() not in processes


@pytest.mark.parametrize("work", [die_at_three, fail_at_three])
def test_a_lost_job_stops_no_other(work: object) -> None:
    assert callable(work)
    answers = dict(LocalScheduler(2).run(range(10), work))
    assert isinstance(answers.pop(3), WorkerDied)
    assert answers == {n: n for n in range(10) if n != 3}


def test_what_a_worker_died_of_is_told() -> None:
    answers = dict(LocalScheduler(1).run([3], fail_at_three))
    assert answers == {3: WorkerDied("ValueError: three")}


def test_a_hung_worker_is_given_up() -> None:
    answers = dict(LocalScheduler(2, timeout=3).run(range(6), hang_at_three))
    assert answers.pop(3) == WorkerDied("a worker process gave no answer in time")
    assert answers == {n: n for n in range(6) if n != 3}


def test_dismissed_workers_clean_up_and_end(tmp_path: Path) -> None:
    class Enough(Exception):
        pass

    def jobs() -> object:
        yield tmp_path
        yield tmp_path
        deadline = Deadline(PATIENCE)
        while len(list(tmp_path.glob("begun-*"))) < 2 and not deadline.over:
            time.sleep(0.01)
        raise Enough

    with pytest.raises(Enough):
        list(LocalScheduler(3).run(jobs(), note_and_wait))  # type: ignore[arg-type]
    begun = {path.name.removeprefix("begun-") for path in tmp_path.glob("begun-*")}
    ended = {path.name.removeprefix("ended-") for path in tmp_path.glob("ended-*")}
    assert len(begun) == 2
    assert ended == begun
    for process in begun:
        with pytest.raises(ProcessLookupError):
            os.kill(int(process), 0)


def test_workers_end_when_their_scheduler_is_killed() -> None:
    reader, writer = os.pipe()
    scheduler = os.fork()
    if scheduler == 0:
        for _, pid in LocalScheduler(2).run(range(1000), who):
            os.write(writer, f"{pid}\n".encode())
        os._exit(1)
    os.close(writer)
    with os.fdopen(reader) as lines:
        workers: set[int] = set()
        while len(workers) < 2:  # The first one may do much before the other has begun.
            workers.add(int(next(lines)))
        os.kill(scheduler, signal.SIGKILL)
        os.waitpid(scheduler, 0)
        # The pipe ends when the last process that holds it is gone.
        assert {int(line) for line in lines} <= workers
