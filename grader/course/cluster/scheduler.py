"""Hands jobs to the workers of a Dask scheduler, one at a time to each, and notices what becomes of them.

Dask itself would give a job whose worker died to another, and a worker more jobs than one. Neither is wanted: what is
tried again, and how often, is the class's affair. So each job is tied to one worker, in one life of it.
"""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from grader.course.cluster import worker
from grader.course.cluster.addresses import encrypted, refuse_unprotected
from grader.course.cluster.worker import About, Life, Lost, Parcel
from grader.display.sentences import listed
from grader.model.deadline import Deadline
from grader.model.errors import EngineError, UsageError
from grader.schedule import TIMEOUT, WorkerDied

if TYPE_CHECKING:
    from distributed import Client, Future, Security

Job = TypeVar("Job")
Answer = TypeVar("Answer")

CONNECT_SECONDS = 10.0
LOOK_SECONDS = 1.0
"""Between two looks at who is there, while nobody answers."""
IMAGE_SECONDS = 1800.0
"""In which a worker that has no image yet builds it."""
NOBODY_SECONDS = 60.0
"""For which a class waits for a worker when there is none: one that was killed may be started again."""

REPLACED = WorkerDied("its worker was lost")
"""Another has taken its place."""

Tell = Callable[[str], object]


@dataclass
class _Worker:
    """A worker that grades as this machine would, and the ticket of what it is doing."""

    life: Life
    ticket: str | None = None


@dataclass
class _Doing:
    """A job on its way: with whom, and what will hold its answer."""

    address: str
    future: Future
    job: Any
    examined: bool = False


@dataclass
class ClusterScheduler:
    """The workers of a Dask scheduler; see ``connected``."""

    client: Client
    address: str
    mine: About
    engine: str | None
    tell: Tell
    timeout: float = TIMEOUT
    shares_files: bool = False
    _fit: dict[str, _Worker] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)
    _doing: dict[str, _Doing] = field(default_factory=dict)
    _ready: SimpleQueue[str] = field(default_factory=SimpleQueue)

    def run(
        self, jobs: Iterable[Job], work: Callable[[Job], Answer]
    ) -> Generator[tuple[Job, Answer | WorkerDied], None, None]:
        """See ``Scheduler.run``. Raises ``EngineError`` where the scheduler is lost, or all of its workers."""
        waiting = iter(jobs)
        patience = Deadline(NOBODY_SECONDS)
        try:
            more = True
            while True:
                for lost in self._look():
                    yield lost.job, REPLACED
                for address in [one for one, idle in self._fit.items() if idle.ticket is None and more]:
                    try:
                        job = next(waiting)
                    except StopIteration:
                        more = False
                        break
                    self._give(address, worker.packed(work, job), job, self.timeout)
                if not more and not any(not doing.examined for doing in self._doing.values()):
                    return
                if self._doing:
                    patience = Deadline(NOBODY_SECONDS)
                elif patience.over or (self._known and not self._fit):
                    raise EngineError(self._nobody())
                done = self._take()
                if done is not None:
                    yield done
        finally:
            self._stop()

    def _nobody(self) -> str:
        if not self._known:
            return (
                f"the scheduler at {self.address} has had no worker for {NOBODY_SECONDS:.0f} seconds: start "
                "some, and give the same command again, with --resume"
            )
        return (
            f"no worker of {self.address} grades as this machine does: start some, and give the same command again, "
            "with --resume"
        )

    def _look(self) -> Iterator[_Doing]:
        """Learn who has come, and give each what it is about; yield what those did who have gone."""
        there = self._asked(self.client.nthreads)
        for address in [one for one in self._known if one not in there]:
            self._forget(address)
            for ticket in [name for name, doing in self._doing.items() if doing.address == address]:
                doing = self._doing.pop(ticket)
                doing.future.cancel()
                if not doing.examined:
                    yield doing
        for address in there:
            if address not in self._known:
                self._known.add(address)
                self._examine(address)

    def _examine(self, address: str) -> None:
        """Ask a new worker what it is, without waiting for it."""
        if not encrypted(address):
            self.tell(
                f"the worker {address} is not used, for what goes to it is not encrypted: start it with TLS"
            )
            return
        found = self._asked(partial(self.client.run, worker.life, workers=[address], on_error="return")).get(
            address
        )
        if found is None or isinstance(found, OSError):
            self._known.discard(address)  # It is gone already.
        elif not isinstance(found, Life):
            self.tell(
                f"the worker {address} is not used, for it has not this version of smtplab: install it there"
            )
        elif found.threads != 1:
            self.tell(
                f"the worker {address} is not used, for it has {found.threads} threads: start it with --nthreads 1, "
                "and more of them with --nworkers"
            )
        else:
            self._fit[address] = _Worker(found)
            parcel = worker.packed(worker.about, self.engine)
            self._give(address, parcel, None, IMAGE_SECONDS, examined=True)

    def _give(
        self, address: str, parcel: Parcel, job: object, timeout: float, *, examined: bool = False
    ) -> None:
        ticket = f"smtplab-{uuid4().hex}"
        one = self._fit[address]
        one.ticket = ticket
        future = self.client.submit(
            worker.do, parcel, one.life.id, ticket, timeout,
            key=ticket, workers=[address], allow_other_workers=False, pure=False, retries=0,
        )  # fmt: skip
        self._doing[ticket] = _Doing(address, future, job, examined)
        future.add_done_callback(lambda _: self._ready.put(ticket))

    def _take(self) -> tuple[Any, Any] | None:
        """The next job that is done, with its answer; ``None`` where none is within a while."""
        try:
            ticket = self._ready.get(timeout=LOOK_SECONDS)
        except Empty:
            return None
        if (doing := self._doing.pop(ticket, None)) is None:
            return None  # Its worker was lost before.
        if doing.future.status == "cancelled":
            raise EngineError(self._gone())
        answer = _opened(self._asked(partial(doing.future.result, timeout=CONNECT_SECONDS)))
        if (one := self._fit.get(doing.address)) is not None:
            one.ticket = None
        if answer is REPLACED:
            self._forget(doing.address)
        if doing.examined:
            self._judge(doing.address, answer)
            return None
        return doing.job, answer

    def _forget(self, address: str) -> None:
        """Whoever is found at this address next is asked again what it is."""
        self._known.discard(address)
        self._fit.pop(address, None)

    def _judge(self, address: str, theirs: object) -> None:
        """Use a worker no further that would not grade as this machine does."""
        mine = self.mine
        if theirs is REPLACED:
            return
        if not isinstance(theirs, About):
            why = f"it does not say what it grades with ({theirs.reason if isinstance(theirs, WorkerDied) else ''})"
        elif theirs.version == mine.version and theirs.program != mine.program:
            why = (
                f"its smtplab says version {theirs.version}, too, but is another program than this machine's: install "
                "the same there"
            )
        elif theirs.version != mine.version:
            why = (
                f"it has another smtplab (version {theirs.version}) than this machine (version {mine.version}): "
                "install the same there"
            )
        elif theirs.problem:
            why = f"the engine {self.engine!r} cannot run there: {theirs.problem}"
        elif theirs.image != mine.image:
            why = (
                f"it has another image ({theirs.image[:19]}) than this machine ({mine.image[:19]}): take the image "
                "of this machine there"
            )
        else:
            return
        self._fit.pop(address, None)
        self.tell(f"the worker {address} is not used, for {why}")

    def _asked(self, question: Callable[[], Any]) -> Any:
        """What the scheduler says. Raises ``EngineError`` where it is lost."""
        from distributed.client import FutureCancelledError

        if self.client.status != "running":
            raise EngineError(self._gone())
        try:
            return question()
        except (OSError, TimeoutError, FutureCancelledError) as error:
            raise EngineError(self._gone()) from error

    def _gone(self) -> str:
        return (
            f"the scheduler at {self.address} is lost; what is graded stays: start it, and give the same command "
            "again, with --resume"
        )

    def _stop(self) -> None:
        """Have all that is under way taken down."""
        by_worker: dict[str, list[str]] = {}
        for ticket, doing in self._doing.items():
            by_worker.setdefault(doing.address, []).append(ticket)
        doings, self._doing = list(self._doing.values()), {}
        for doing in doings:
            self._forget(doing.address)
        if self.client.status != "running":
            return
        with suppress(Exception):  # Whoever is lost has nothing under way.
            for address, tickets in by_worker.items():
                self.client.run(worker.stop, tickets, workers=[address], on_error="ignore")
            for doing in doings:
                doing.future.cancel()


def _opened(answer: object) -> Any:
    if answer == worker.REPLACED:
        return REPLACED
    if isinstance(answer, Parcel):
        return pickle.loads(answer.data)  # noqa: S301 -- from a worker, which is trusted with grades
    return WorkerDied(answer.reason if isinstance(answer, Lost) else "its worker gave no sense")


@contextmanager
def connected(address: str, engine: str | None, tell: Tell) -> Iterator[ClusterScheduler]:
    """The workers of the scheduler at this address, for labs that take this engine, by its name.

    ``tell`` is given a sentence for each worker that is not used. Raises ``UsageError`` where the address cannot be
    used or the library is missing, ``EngineError`` where no scheduler answers.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise UsageError(
            "--scheduler takes a library that is not installed: install smtplab with its extra 'cluster'"
        ) from error
    refuse_unprotected(address)
    # What it says of lost connections is said here in sentences.
    logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)
    security = _security(address)
    mine = worker.about(engine)
    try:
        client = Client(address, timeout=CONNECT_SECONDS, security=security, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        if address.startswith("tls:"):
            raise EngineError(
                f"no scheduler that takes this certificate answers at {address}: start one there with 'dask "
                "scheduler', or correct the address or the certificate, which must be of the scheduler's own authority"
            ) from error
        raise EngineError(
            f"no scheduler answers at {address}: start one there with 'dask scheduler', or correct the address"
        ) from error
    try:
        yield ClusterScheduler(client, address, mine, engine, tell)
    finally:
        client.close(timeout=CONNECT_SECONDS)


def _security(address: str) -> Security:
    """Dask's own settings for a client. Raises ``UsageError`` where certificates are missing or cannot be read."""
    from distributed import Security

    security = Security()
    if not address.startswith("tls:"):
        if security.require_encryption:
            raise UsageError(f"Dask's own settings demand encryption: write tls:// for {address}")
        return security
    files = {
        "CA_FILE": security.tls_ca_file,
        "CLIENT__CERT": security.tls_client_cert,
        "CLIENT__KEY": security.tls_client_key,
    }
    if missing := [f"DASK_DISTRIBUTED__COMM__TLS__{name}" for name, file in files.items() if not file]:
        raise UsageError(f"{address} takes certificates: set {listed(missing)} to their files")
    try:
        security.get_connection_args("client")
    except OSError as error:
        raise UsageError(
            f"the certificates for {address} cannot be used ({error.strerror or error}): check what is in "
            f"{listed([repr(file) for file in files.values()])}"
        ) from error
    return security
