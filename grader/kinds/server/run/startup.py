"""Bringing up the world and the student's host side by side, until the server's first port listens."""

from __future__ import annotations

from collections.abc import Callable

from grader.engines.base import Channel, Pending
from grader.kinds.server.facts import ServerPlan
from grader.kinds.server.run.host import StudentHost
from grader.kinds.server.run.ports import Ports
from grader.model.protocol.host import Install, RunCommand, ServicesStarted, StartServices
from grader.model.protocol.world import StartWorld
from grader.model.traffic import Command

START_SECONDS = 20.0


class StartUp:
    """How a server starts: ``commands`` that were run, ``mta``, its program and version, and ``running`` services."""

    def __init__(self, plan: ServerPlan, host: StudentHost, world: Channel, ports: Ports) -> None:
        self.commands: list[Command] = []
        self.mta = ""
        self.running: list[str] = []
        self._plan = plan
        self._config_dir = plan.host.config_dir
        self._host = host
        self._world = world
        self._ports = ports
        self._starting: Pending[ServicesStarted] | None = None

    def go(self, overlap: Callable[[], object]) -> None:
        """Start everything; ``overlap`` is called while the machines are busy.

        Raises ``EngineError`` where the world fails.
        """
        world = self._world.ask(StartWorld(self._plan.world))
        self._host.attempt(lambda: self._install_and_start(overlap))
        world.answer(timeout=START_SECONDS)
        self._host.attempt(self._await_services)
        self._host.attempt(self._ports.wait)
        if not self._ports.listening:
            # It takes as long as a third of a run, and a server that listens shows more by what it does.
            self._host.attempt(lambda: self._run(["postfix", "-c", self._config_dir, "check"]))

    def read_overrides(self) -> None:
        """What master.cf sets for single services, which ``postconf -n`` leaves out; most were asked at the start.

        Raises ``HostFailed``.
        """
        if not any({"-P", "-Px"} & set(command.argv) for command in self.commands):
            self._run(["postconf", "-c", self._config_dir, "-P"])

    def _install_and_start(self, overlap: Callable[[], object]) -> None:
        spec = self._plan.host
        installed = self._host.channel.ask(Install(spec.files))
        start = StartServices(spec.services, self._config_dir, START_SECONDS)
        self._starting = self._host.channel.ask(start)
        overlap()
        installed.answer(timeout=START_SECONDS)

    def _await_services(self) -> None:
        assert self._starting is not None
        told = self._starting.answer(timeout=START_SECONDS + 1)
        self.commands, self.mta, self.running = told.commands, told.mta, told.running

    def _run(self, argv: list[str]) -> None:
        self.commands = [*self.commands, self._host.channel.call(RunCommand(argv, limit=5), timeout=6)]
