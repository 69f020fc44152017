"""What a worker of a cluster does: one job at a time, each in a child process."""

from __future__ import annotations

import logging
import os
import pickle
import select
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import uuid4

from grader import __version__, engines, resources
from grader.course.cluster import child
from grader.labs.cache import digest
from grader.labs.world import read_world
from grader.model.deadline import Deadline
from grader.model.errors import SmtplabError

if TYPE_CHECKING:
    from distributed import Worker

_log = logging.getLogger("distributed.smtplab")
"""Where Dask's own words about this worker go, too."""
LIFE = uuid4().hex
"""Of this process: what is handed to one worker is not done by another that has taken its place."""
SHUTDOWN_SECONDS = 30.0

_lock = threading.Lock()
_stopped: set[str] = set()
_child: _Child | None = None
_doing: str = ""
"""The ticket of the job that the child is doing."""


@dataclass(frozen=True)
class Parcel:
    """Work and a job on their way, or an answer; nothing that prints it tells what is in it."""

    data: bytes = field(repr=False)


@dataclass(frozen=True)
class Lost:
    """Why a job has no answer."""

    reason: str


REPLACED = Lost("its worker was lost")
"""The answer of one that has taken the place of the worker that was asked."""


@dataclass(frozen=True)
class About:
    """What a grade depends on that a worker has and is not told: the program and the world, and the image."""

    version: str
    program: str
    image: str
    problem: str = ""


@dataclass(frozen=True)
class Life:
    """A worker's process, and how many jobs it would do at a time."""

    id: str
    threads: int


async def life(dask_worker: Worker) -> Life:
    """Asked of a worker when it is found. From then on it takes its job down when it ends."""
    from grader.course.cluster.ending import Ending

    # Once: what takes the place of another has the other torn down, as if the worker ended.
    if Ending.name not in dask_worker.plugins:
        await dask_worker.plugin_add(Ending(leave), Ending.name)
    return Life(LIFE, int(dask_worker.state.nthreads))


def about(engine: str | None) -> About:
    """What this machine grades with, its image built where it was missing; ``engine`` by its name."""
    program = digest(
        part for name, path in resources.program_files() for part in (name.encode(), path.read_bytes())
    )
    image = problem = ""
    try:
        if engine is not None:
            chosen = engines.select(engine)
            if problems := chosen.problems():
                problem = f"{problems[0].what}; fix it with: {problems[0].fix}"
            else:
                image = chosen.image(lambda step: None)
    except SmtplabError as error:
        problem = str(error)
    return About(__version__, digest([program.encode(), read_world().digest.encode()]), image, problem)


def do(parcel: Parcel, life: str, ticket: str, timeout: float) -> Parcel | Lost:
    """Do a job in a child process that has ``timeout`` seconds; ``ticket`` is for ``stop``.

    It never raises: what Dask writes to its log of a task that failed has the task's arguments in it.
    """
    global _child, _doing
    if life != LIFE:
        return REPLACED
    try:
        with _lock:
            if ticket in _stopped:
                return Lost("it was stopped")
            if _child is None or _child.ended:
                _child = _Child()
            mine, _doing = _child, ticket
        return Parcel(mine.ask(parcel.data, Deadline(timeout)))
    except TimeoutError:
        mine.end()
        return Lost("a worker process gave no answer in time")
    except EOFError:
        return Lost(f"a worker process ended with {mine.end()}")
    except OSError as error:
        return Lost(f"a worker process could not be asked: {error.strerror}")
    finally:
        with _lock:
            _doing = ""
            _stopped.discard(ticket)


def stop(tickets: list[str]) -> None:
    """Have the jobs of these tickets taken down. Returns at once: it runs where the worker answers its scheduler."""
    with _lock:
        _stopped.update(tickets)
        if _doing in tickets and _child is not None:
            _child.process.terminate()


def leave(lost: bool) -> None:
    """Have the job under way taken down, since this worker ends; ``lost``: its scheduler is gone. Returns at once."""
    said = "the scheduler is lost, and this worker ends" if lost else "this worker ends"
    with _lock:
        if _doing and _child is not None:
            _child.process.terminate()
            said += "; what it was grading is graded by another worker, or with --resume"
    _log.warning(said)


def packed(work: object, job: object) -> Parcel:
    """Work and job as they travel."""
    return Parcel(pickle.dumps((work, job)))


class _Child:
    """The process that does the jobs, kept for the next one: it has read all of its program by then."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", child.__name__, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._requests, self._answers = self.process.stdin, self.process.stdout

    @property
    def ended(self) -> bool:
        """Whether it is no more."""
        return self.process.poll() is not None

    def ask(self, data: bytes, deadline: Deadline) -> bytes:
        """The answer to a job. Raises ``TimeoutError``, ``EOFError`` where the process is gone, ``OSError``."""
        try:
            self._requests.write(child.LENGTH.pack(len(data)) + data)
            self._requests.flush()
        except BrokenPipeError as error:
            raise EOFError from error
        (length,) = child.LENGTH.unpack(self._read(child.LENGTH.size, deadline))
        return self._read(length, deadline)

    def _read(self, length: int, deadline: Deadline) -> bytes:
        data = bytearray()
        while len(data) < length:
            if not select.select([self._answers], [], [], deadline.left)[0]:
                raise TimeoutError
            if not (more := os.read(self._answers.fileno(), min(length - len(data), 1 << 20))):
                raise EOFError
            data += more
        return bytes(data)

    def end(self) -> int:
        """Have it take its machines down and end, by force where it does not; with what it ended."""
        self.process.terminate()
        try:
            return self.process.wait(SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()
        finally:
            self._answers.close()
            with suppress(OSError):
                self._requests.close()
