"""Who does many jobs at a time: here, worker processes of this machine, each of which may die and cost one job."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Generic, Protocol, TypeVar

from grader import interruption
from grader.model.deadline import Deadline

Job = TypeVar("Job")
Answer = TypeVar("Answer")

if sys.platform == "darwin":  # Its libraries do not survive a fork.
    CONTEXT = multiprocessing.get_context("spawn")
else:  # A forked worker begins with every module imported.
    CONTEXT = multiprocessing.get_context("fork")

TIMEOUT = 300.0
"""Seconds after which a worker is taken for hung; every run has limits of its own far below."""
SHUTDOWN_SECONDS = 30.0
"""Seconds that a worker has to take its machines down when the class is interrupted."""


@dataclass(frozen=True)
class WorkerDied:
    """A job whose worker died or hung, and how."""

    reason: str


class Scheduler(Protocol):
    """Does many jobs, several at a time."""

    @property
    def shares_files(self) -> bool:
        """Whether ``work`` may read and write files of this machine."""

    def run(
        self, jobs: Iterable[Job], work: Callable[[Job], Answer]
    ) -> Generator[tuple[Job, Answer | WorkerDied], None, None]:
        """Each job with its answer as it ends, in no order; ``work`` answers every failure that it knows of.

        Closing the generator ends what is under way and takes it down.
        """


def processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Worker(Generic[Job, Answer]):
    """A process that works on one job at a time."""

    def __init__(self, work: Callable[[Job], Answer], others: Iterable[Connection], timeout: float) -> None:
        self._patience = timeout
        self.connection, theirs = multiprocessing.Pipe()
        inherited = [*others, self.connection] if CONTEXT.get_start_method() == "fork" else []
        self.process: BaseProcess = CONTEXT.Process(
            target=_serve, args=(theirs, inherited, work, os.getpid())
        )
        self.process.start()
        theirs.close()
        self.job: Job | None = None
        self.deadline = Deadline(timeout)

    def give(self, job: Job) -> None:
        """Hand over a job."""
        self.job, self.deadline = job, Deadline(self._patience)
        # A worker that died idle is found out when its answer is waited for.
        with contextlib.suppress(OSError):
            self.connection.send(job)

    def take(self) -> Answer | WorkerDied:
        """The answer, or what became of the worker."""
        try:
            answer: Answer = self.connection.recv()
        except (EOFError, OSError):
            self.process.join(SHUTDOWN_SECONDS)
            code = self.process.exitcode
            return WorkerDied(
                f"a worker process ended with {code}" if code is not None else "a worker process hung"
            )
        self.job = None
        return answer

    def end(self, deadline: Deadline) -> None:
        """Let the process take its machines down and end; by force when the deadline is over."""
        self.connection.close()
        self.process.join(deadline.left)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class LocalScheduler:
    """Worker processes of this machine, ``workers`` at a time; one without an answer for ``timeout`` seconds hangs."""

    shares_files = True

    def __init__(self, workers: int, timeout: float = TIMEOUT) -> None:
        self._count = workers
        self._patience = timeout

    def run(
        self, jobs: Iterable[Job], work: Callable[[Job], Answer]
    ) -> Generator[tuple[Job, Answer | WorkerDied], None, None]:
        """See ``Scheduler.run``."""
        waiting = iter(jobs)
        workers: list[_Worker[Job, Answer]] = []
        try:
            while True:
                idle = [worker for worker in workers if worker.job is None]
                for job in _up_to(waiting, self._count - len(workers) + len(idle)):
                    worker = idle.pop() if idle else self._start(workers, work)
                    worker.give(job)
                busy = [worker for worker in workers if worker.job is not None]
                if not busy:
                    return
                for worker in _ready(busy):
                    job_done = worker.job
                    assert job_done is not None
                    answer = worker.take() if worker.connection.poll() else _hung(worker)
                    if isinstance(answer, WorkerDied):
                        workers.remove(worker)
                        worker.end(Deadline(1))
                    yield job_done, answer
        finally:
            _stop(workers)

    def _start(
        self, workers: list[_Worker[Job, Answer]], work: Callable[[Job], Answer]
    ) -> _Worker[Job, Answer]:
        worker = _Worker(work, [other.connection for other in workers], self._patience)
        workers.append(worker)
        return worker


def _up_to(jobs: Iterator[Job], count: int) -> Iterator[Job]:
    for _ in range(count):
        try:
            yield next(jobs)
        except StopIteration:
            return


def _ready(busy: list[_Worker[Job, Answer]]) -> list[_Worker[Job, Answer]]:
    ends = {worker.connection: worker for worker in busy}
    ready = wait(list(ends), timeout=min(worker.deadline.left for worker in busy))
    answered = [ends[connection] for connection in ready if isinstance(connection, Connection)]
    return answered or [worker for worker in busy if worker.deadline.over]


def _hung(worker: _Worker[Job, Answer]) -> WorkerDied:
    worker.process.terminate()
    worker.process.join(SHUTDOWN_SECONDS)
    return WorkerDied("a worker process gave no answer in time")


def _stop(workers: list[_Worker[Job, Answer]]) -> None:
    for worker in workers:
        if worker.job is not None:
            worker.process.terminate()
    deadline = Deadline(SHUTDOWN_SECONDS)
    for worker in workers:
        worker.end(deadline)


def _serve(
    connection: Connection, inherited: list[Connection], work: Callable[[Job], Answer], scheduler: int
) -> None:
    """A worker's whole life: jobs in, answers out, until the other end of the connection is gone."""
    # Ctrl-C reaches every process of the terminal; it is the scheduler that decides, and it sends SIGTERM.
    # A handler is dropped by exec, where SIG_IGN would be handed on to every program started below.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    signal.signal(signal.SIGTERM, interrupted)
    if sys.platform == "linux":
        end_with(scheduler)
    # What it was born with lives as long as it does: not to be searched for garbage, nor copied for having been.
    gc.freeze()
    # An end kept open here would hide from another worker that the scheduler is gone.
    for other in inherited:
        other.close()
    try:
        while True:
            connection.send(answer_of(work, connection.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass
    except KeyboardInterrupt:
        os._exit(128 + signal.SIGTERM)


def end_with(scheduler: int) -> None:
    """Have the kernel send SIGTERM when the parent, ``scheduler``, dies: in the middle of a job nobody would notice."""
    from grader.engines.local import syscalls

    syscalls.die_with_parent(signal.SIGTERM)
    if os.getppid() != scheduler:
        os._exit(1)


def answer_of(work: Callable[[Job], Answer], job: Job) -> Answer | WorkerDied:
    """What came of a job; a ``WorkerDied`` where the work raised an error that it does not know of."""
    try:
        return work(job)
    except Exception as error:
        return WorkerDied(f"{type(error).__name__}: {error}")


def interrupted(number: int, frame: object) -> None:
    """The handler of SIGTERM in a worker: what is under way is taken down, and a second signal changes nothing."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    interruption.interrupt()
