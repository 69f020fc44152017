"""The local engine: see ``sandbox`` for how a run is built."""

from __future__ import annotations

import os
import select
import signal
import socket
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from grader import interruption
from grader.engines import image
from grader.engines.base import Early, Machines, Problem, Progress, StreamChannel
from grader.engines.local import cgroups, checks, rootfs, sandbox, userns
from grader.engines.local.orders import Ends, written, written_for_run
from grader.engines.machine import alike
from grader.model.errors import EngineError
from grader.model.plan import MachinePlan

END_SECONDS = 10.0
"""How long processes may take to die before they are left to the kernel, which was told to end them."""


class LocalEngine:
    """Runs submissions in namespaces of this Linux. ``machines`` may be used by several processes at once.

    It forks: call it from the process's main thread, which must live as long as the run, and not while other threads
    hold locks that a child would need.
    """

    name = "local"

    def __init__(self) -> None:
        self._used = False
        self._cleared_up = False
        self._waiting: _Run | None = None
        self._ending: list[_Run] | None = None
        """Runs whose end is awaited later; ``None`` where each awaits its own."""

    def problems(self, *, thorough: bool = False) -> list[Problem]:
        """See ``Engine.problems``."""
        return checks.problems(thorough=thorough)

    def image(self, progress: Progress) -> str:
        """See ``Engine.image``."""
        self._clear_up()
        rootfs.unpacked(progress)
        return image.digest()

    @contextmanager
    def prepared(self, like: MachinePlan | None = None, *, soon: bool = False) -> Iterator[None]:
        """See ``Engine.prepared``: makes the namespaces, and the world's program is read while the plan is made."""
        if self._waiting is not None or not rootfs.ready():
            yield
            return
        if self._ending is None:
            self._ending = []
        if like is not None and not soon:
            sandbox.load_all_programs()
        try:
            with suppress(EngineError, OSError):
                self._waiting = _Run()
                if like is not None:
                    self._waiting.prepare(like, soon=soon)
            yield
        finally:
            left, self._waiting, self._ending = [*(self._ending or ()), self._waiting], None, None
            with ExitStack() as ends:
                for run in filter(None, left):
                    ends.callback(run.end)

    def make_ready(self) -> None:
        """See ``Engine.make_ready``."""
        sandbox.load_programs()

    @contextmanager
    def machines(self, plan: MachinePlan) -> Iterator[Machines]:
        """See ``Engine.machines``. Raises ``EngineError`` where the machines cannot be built."""
        self._clear_up()
        rootfs.unpacked(lambda step: None)
        if self._used:
            # Whoever grades a second submission will grade many: their runs are forks that find their programs loaded.
            sandbox.load_programs()
        self._used = True
        run = self._prepared_for(plan) or _Run()
        try:
            run.begin(plan)
            yield run.machines
        finally:
            run.let_go()
            if self._ending is None:
                run.end()
            else:
                self._ending.append(run)

    def _prepared_for(self, plan: MachinePlan) -> _Run | None:
        """What was prepared and can serve this plan; nothing else of it is left."""
        run = self._waiting
        # Whoever is interrupted here has it taken down by ``prepared``, which must still know of it.
        serves = run is None or run.serves(plan)
        self._waiting = None
        if run is None or serves:
            return run
        run.end()
        return None

    def _clear_up(self) -> None:
        """Once a process: remove what the kernel left of graders that are dead. It takes less than a millisecond."""
        if not self._cleared_up:
            self._cleared_up = True
            cgroups.remove_leftovers()

    def clean(self) -> list[str]:
        """See ``Engine.clean``."""
        from grader.engines.local import leftovers

        return [*cgroups.remove_leftovers(), *leftovers.remove_all()]


class _Run:
    """One run: the supervisor process, and the grader's ends of the pipes. It waits for its plan, or one like it."""

    def __init__(self) -> None:
        self._groups: cgroups.Groups | None = None
        self._complaints = os.memfd_create("complaints")
        self._orders, orders = socket.socketpair()
        world_in, host_in = os.pipe(), os.pipe()
        world_out, host_out, status = os.pipe(), os.pipe(), os.pipe()
        ends = Ends(
            world_requests=world_in[0],
            world_answers=world_out[1],
            host_requests=host_in[0],
            host_answers=host_out[1],
            complaints=self._complaints,
            status=status[1],
            orders=orders.detach(),
        )
        self._status = status[0]
        self._files = [
            os.fdopen(world_in[1], "wb", 0),
            os.fdopen(world_out[0], "rb", 0),
            os.fdopen(host_in[1], "wb", 0),
            os.fdopen(host_out[0], "rb", 0),
        ]
        # What libraries have called at a fork loses exceptions, and an interrupt with them.
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, sandbox.INTERRUPTS)
        try:
            with warnings.catch_warnings():
                # Python warns of threads: the child takes no lock that another thread could hold, and never returns.
                warnings.simplefilter("ignore", DeprecationWarning)
                self._supervisor = os.fork()
        except BaseException:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            self._hand_over(ends)
            self.let_go()
            self._tidy()
            raise
        if self._supervisor == 0:
            # It is interrupted as soon as that means its end, and nothing of the grader's any more.
            sandbox.supervise(rootfs.path(), ends)
        self._hand_over(ends)
        world_requests, world_answers, host_requests, host_answers = self._files
        self.machines = Machines(
            host=StreamChannel("student's host", host_requests, host_answers),
            world=StreamChannel("world", world_requests, world_answers),
        )
        self._said = b""
        self._like: MachinePlan | None = None
        self._soon = False
        self._early: Early | None = None
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
            # Another thread may have taken the signal.
            interruption.end_if_interrupted()
            self._give_ids()
        except BaseException:
            self.end()
            raise

    def _hand_over(self, ends: Ends) -> None:
        """Close the ends that the run's processes have."""
        for fd in ends.all:
            if fd != self._complaints:
                os.close(fd)

    def _give_ids(self) -> None:
        first = os.read(self._status, 1)
        if first == b"u":
            userns.write_maps(self._supervisor)
            self._tell(b"!")
        else:
            self._said = first

    def prepare(self, like: MachinePlan, *, soon: bool) -> None:
        """Have both machines built for a plan that will be like this one; they wait for it, as long as it may take."""
        self._order(like, waits=True)
        self._like, self._soon = like, soon
        if not soon:
            self._early = Early(self.machines.host, like)

    def serves(self, plan: MachinePlan) -> bool:
        """Whether this run can be of that plan. Machines that wait get its addresses, and it is seen that they live."""
        if self._like is None:
            return True
        if not (self._early or self._soon) or not alike(self._like, plan):
            return False
        self._tell(written_for_run(plan))
        try:
            self._await_machines()
            if self._early:
                self._early.begin_run()
        except EngineError:
            return False
        return True

    def begin(self, plan: MachinePlan) -> None:
        """Start both machines, unless they stand already. Raises ``EngineError`` where they cannot be built."""
        if self._like is None:
            self._order(plan, waits=False)
            self._await_machines()

    def _order(self, plan: MachinePlan, *, waits: bool) -> None:
        self._groups = cgroups.Groups(plan.limits)
        self._tell(written(plan, len(self._groups.doors), waits=waits), self._groups.doors)

    def _await_machines(self) -> None:
        said = self._said
        while not said.startswith(b"r"):
            data = os.read(self._status, 4096)
            if not data:
                raise EngineError(f"the local engine could not start: {self._why(said)}")
            said += data

    def _tell(self, order: bytes, descriptors: Sequence[int] = ()) -> None:
        # Why the supervisor is gone, if it is, stands in its complaints.
        with suppress(BrokenPipeError, ConnectionResetError):
            sent = socket.send_fds(self._orders, [order], descriptors) if descriptors else 0
            self._orders.sendall(order[sent:])

    def _why(self, said: bytes) -> str:
        complaints = os.pread(self._complaints, 100_000, 0).decode(errors="replace").split("\n")
        return " ".join([said[1:].decode(errors="replace"), *complaints]).strip() or "it was killed"

    def let_go(self) -> None:
        """Have everything killed."""
        self._orders.close()

    def end(self) -> None:
        """Have everything killed, and wait until it is gone, even where an interrupt comes meanwhile."""
        self.let_go()
        try:
            self._await_end()
        except KeyboardInterrupt:
            self._await_end()
            raise
        finally:
            self._tidy()

    def _tidy(self) -> None:
        for file in self._files:
            with suppress(OSError):
                file.close()
        os.close(self._status)
        os.close(self._complaints)
        if self._groups is not None:
            self._groups.remove()

    def _await_end(self) -> None:
        # Gone already, where an interrupt came as soon as it was.
        with suppress(ProcessLookupError, ChildProcessError):
            pidfd = os.pidfd_open(self._supervisor)
            try:
                if not select.select([pidfd], [], [], END_SECONDS)[0]:
                    os.kill(self._supervisor, signal.SIGKILL)
                os.waitpid(self._supervisor, 0)
            finally:
                os.close(pidfd)
