"""``DockerEngine``: the engine of grader.engines.base over Docker's API."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from threading import Semaphore
from typing import TYPE_CHECKING, Any

from grader.engines import image as recipe
from grader.engines.base import Early, Machines, Problem, Progress
from grader.engines.docker import containers, images, labels
from grader.engines.docker.channel import AttachChannel, transport
from grader.engines.docker.daemon import (
    PATIENT,
    QUICK,
    DockerService,
    Unreachable,
    as_engine_error,
    connect,
    limits_problem,
)
from grader.engines.docker.images import HostImage
from grader.engines.machine import alike
from grader.model.deadline import Deadline
from grader.model.errors import EngineError
from grader.model.plan import MachinePlan

if TYPE_CHECKING:
    from docker import APIClient

START_SECONDS = 30.0
REMOVE_SECONDS = 30.0

ROLES = ("host", "world")
"""The containers of a run."""


class DockerEngine:
    """Runs submissions in containers of any service that speaks Docker's API."""

    name = "docker"

    def __init__(self) -> None:
        self._connected: tuple[int, DockerService] | None = None
        self._cleared_up = False
        self._waiting: _Run | None = None
        self._ending: list[_Run] | None = None
        """Runs whose end is awaited later; ``None`` where each awaits its own."""

    def __reduce__(self) -> tuple[type[DockerEngine], tuple[()]]:
        # A connection does not travel to a worker: it makes its own.
        return DockerEngine, ()

    def _service(self, patience: int = PATIENT) -> DockerService:
        """This process's way to Docker, which a forked child must not share. Raises ``Unreachable``."""
        if self._connected is None or self._connected[0] != os.getpid():
            self._connected = os.getpid(), connect(patience)
        return self._connected[1]

    def problems(self, *, thorough: bool = False) -> list[Problem]:
        """See ``Engine.problems``."""
        try:
            problem = limits_problem(self._service(QUICK))
        except Unreachable as error:
            return [error.problem]
        return [problem] if problem else []

    def image(self, progress: Progress) -> str:
        """See ``Engine.image``: the recipe's digest, which is the local engine's too."""
        self._clear_up()
        images.ensure(self._service(), progress)
        return recipe.digest()

    @contextmanager
    def prepared(self, like: MachinePlan | None = None, *, soon: bool = False) -> Iterator[None]:
        """See ``Engine.prepared``: without a plan nothing is, since containers are made as they will be."""
        if self._waiting is not None:
            yield
            return
        if self._ending is None:
            self._ending = []
        try:
            if like is not None:
                self._prepare(like, soon=soon)
            yield
        finally:
            left, self._waiting, self._ending = [*(self._ending or ()), self._waiting], None, None
            for run in filter(None, left):
                # What cannot be removed now, another run's clean-up will find.
                with suppress(EngineError):
                    run.remove()

    def _prepare(self, like: MachinePlan, *, soon: bool) -> None:
        with suppress(EngineError):
            service = self._service()
            if (image := images.find(service)) is not None:
                self._waiting = _Run(service, image, like, waits=True, soon=soon)
                self._waiting.prepare()

    def make_ready(self) -> None:
        """See ``Engine.make_ready``: the world's programs run in containers."""

    @contextmanager
    def machines(self, plan: MachinePlan) -> Iterator[Machines]:
        """See ``Engine.machines``. Raises ``EngineError``."""
        service = self._service()
        self._clear_up()
        run = self._prepared_for(plan)
        if run is None:
            # Nothing is copied ahead for each submission anew, where it could not be once.
            image = images.find(service) or images.ensure(service, lambda step: None)
            run = _Run(service, image, plan)
        try:
            yield run.begin(plan)
        except BaseException:
            # What went wrong first is what the user is told.
            with suppress(EngineError):
                run.remove()
            raise
        if self._ending is None:
            run.remove()
        else:
            run.let_go()
            self._ending.append(run)

    def _prepared_for(self, plan: MachinePlan) -> _Run | None:
        """What was prepared and can serve this plan; nothing else of it is left."""
        run = self._waiting
        # Whoever is interrupted here has it taken down by ``prepared``, which must still know of it.
        serves = run is None or run.serves(plan)
        self._waiting = None
        if run is None or serves:
            return run
        with suppress(EngineError):
            run.remove()
        return None

    def clean(self) -> list[str]:
        """See ``Engine.clean``: containers whose grader is gone, or whose time is long over; outdated images."""
        return self._remove_leftovers() + images.remove_outdated(self._service().client)

    def _clear_up(self) -> None:
        """Once a process: remove what Docker keeps of graders that are dead."""
        if not self._cleared_up:
            self._cleared_up = True
            # What cannot be removed now is no reason to run nothing.
            with suppress(EngineError):
                self._remove_leftovers()

    def _remove_leftovers(self) -> list[str]:
        """Remove containers whose grader is gone, or whose time is long over; their names."""
        client = self._service().client
        with as_engine_error("list containers"):
            found: list[dict[str, Any]] = client.containers(all=True, filters={"label": labels.RUN})
        removed = []
        for entry in found:
            if labels.abandoned(entry["Labels"]):
                _remove(client, entry["Id"])
                removed.append(
                    f"container {entry['Names'][0].lstrip('/') if entry['Names'] else entry['Id'][:12]}"
                )
        return removed


class _Run:
    """The two containers of one run, from their start to their removal."""

    def __init__(
        self,
        service: DockerService,
        image: HostImage,
        plan: MachinePlan,
        *,
        waits: bool = False,
        soon: bool = False,
    ) -> None:
        self._client = service.client
        self._plan = plan
        self._waits = waits
        self._soon = soon
        self._specs = containers.Specs(service, image, uuid.uuid4().hex[:12], plan, waits=waits)
        # One thread more creates the world, for which both others wait.
        self._pool = ThreadPoolExecutor(len(ROLES) + 1)
        self._may_create = Semaphore(len(ROLES))
        self._channels: list[AttachChannel] = []
        self._starting: tuple[Future[AttachChannel], Future[AttachChannel]] | None = None
        self._machines: Machines | None = None
        self._early: Early | None = None
        self._removals: list[Future[None]] = []

    def prepare(self) -> None:
        """Start host and world meanwhile; they wait for the run."""
        begin = self._pool.submit
        created = begin(self._create, "world", self._specs.world())
        world = begin(self._start_world, created)
        self._starting = begin(self._start_host, created, world), world

    def serves(self, plan: MachinePlan) -> bool:
        """Whether this run can be of that plan. Then it begins, and it is seen that the host lives."""
        if not alike(self._plan, plan):
            return False
        try:
            self.begin(plan)
            if not self._soon:
                if self._early is None:
                    return False
                self._early.begin_run()
        except EngineError:
            return False
        return True

    def begin(self, plan: MachinePlan) -> Machines:
        """Start both, unless they are started already, and give the wire the plan's addresses. Raises ``EngineError``.

        The wire is laid while the host starts.
        """
        if self._machines is None:
            deadline = Deadline(START_SECONDS)
            if self._starting is None:
                self.prepare()
            assert self._starting is not None
            starting_host, starting_world = self._starting
            world = self._finish(starting_world, deadline)
            world.write(containers.begin(plan))
            # Before the host: Docker would say only that there is no network to join, where the world could make none.
            for _ in range(containers.ENDS):
                world.read_line(deadline)
            self._machines = Machines(self._finish(starting_host, deadline), world)
        return self._machines

    def _start_world(self, created: Future[None]) -> AttachChannel:
        created.result()
        world = self._start("world")
        world.write(self._specs.files())
        return world

    def _start_host(self, world_created: Future[None], world: Future[AttachChannel]) -> AttachChannel:
        # It names the world, whose network it joins.
        world_created.result()
        self._create("host", self._specs.host())
        world.result()
        host = self._start("host")
        if self._waits and not self._soon:
            self._early = Early(host, self._plan)
        return host

    def let_go(self) -> None:
        """Have whatever of the two is there removed."""
        self._pool.shutdown(cancel_futures=True)
        # A creation under way would come after its removal. The pool does not wait for a thread of its own whose
        # start was interrupted: what holds all of these knows that none is under way, and lets none begin.
        for _ in ROLES:
            self._may_create.acquire()
        pool = ThreadPoolExecutor(len(ROLES))
        self._removals = [pool.submit(_remove, self._client, self._specs.name(role)) for role in ROLES]
        pool.shutdown(wait=False)

    def remove(self) -> None:
        """Remove whatever of the two is there, and know that it is gone. Raises ``EngineError`` if one stays."""
        if not self._removals:
            self.let_go()
        wait(self._removals)
        for channel in self._channels:
            channel.close()
        for removal in self._removals:
            removal.result()

    def _finish(self, starting: Future[AttachChannel], deadline: Deadline) -> AttachChannel:
        if not wait([starting], timeout=deadline.left).done:
            raise EngineError(f"Docker did not start the containers within {START_SECONDS:.0f} seconds")
        return starting.result()

    def _create(self, role: str, spec: dict[str, Any]) -> None:
        if not self._may_create.acquire(blocking=False):
            raise EngineError(f"the {role} container was not created: the run has ended")
        try:
            with as_engine_error(f"create the {role} container"):
                self._client.create_container(**spec)
                if role == "host" and (files := self._specs.host_files()):
                    self._client.put_archive(self._specs.name(role), "/etc", files)
        finally:
            self._may_create.release()

    def _start(self, role: str) -> AttachChannel:
        name = self._specs.name(role)
        with as_engine_error(f"start the {role} container"):
            streams = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            channel = AttachChannel(role, transport(self._client.attach_socket(name, streams)))
            self._channels.append(channel)
            self._client.start(name)
        return channel


def _remove(client: APIClient, name: str) -> None:
    """Kill and remove a container; the return means that it is gone. Raises ``EngineError``."""
    from docker.errors import APIError, NotFound

    deadline = Deadline(REMOVE_SECONDS)
    while True:
        try:
            with as_engine_error(f"remove the container {name}"):
                client.remove_container(name, force=True, v=True)
                return
        except EngineError as error:
            cause = error.__cause__
            if isinstance(cause, NotFound):
                return
            # Docker refuses while it is removing the container already, because it ended, and where that took longer
            # to end than Docker waits; Podman while its state is "improper", and while others share its namespaces.
            if deadline.over or not isinstance(cause, APIError):
                raise
            time.sleep(0.01)
