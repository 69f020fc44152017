"""The same server as a real Postfix in the lab's network, for ``smtplab simulate --real`` and for the comparison."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count

from grader import resources
from grader.engines.base import Channel, Engine, Machines, Progress
from grader.labs.certificates import authority, certificate
from grader.labs.world_dns import ZoneBook
from grader.lesson.simulator.server import Settings, SimulatedClient, SimulatedListener, SimulatedServer
from grader.model.attempt import Tls
from grader.model.errors import EngineError
from grader.model.plan import File, HostSpec, Limits, MachinePlan, WorldSpec
from grader.model.protocol.host import Install, ReadLog, StartServices
from grader.model.protocol.world import Answer, AwaitPorts, Dial, Encrypt, HangUp, Say, StartWorld
from grader.model.templates import fill_file

SECONDS = 20.0
"""For the machines to come up, and for the server to answer."""

NAMESERVER = "203.0.113.53"
PUBLIC = ("203.0.113.10", "2001:db8:113::10")
OFFICE = "10.20.30.10"
FIRST_SPARE_PORT = 10_000

Switches = frozenset[str]


class Ports:
    """Which port has which listener with which switches: the first set of switches has the well-known ports."""

    def __init__(self, server: SimulatedServer, sets: Sequence[Switches]) -> None:
        spare = count(FIRST_SPARE_PORT)
        self._ports = {
            (on, listener.id): next(spare) if place else listener.port
            for place, on in enumerate(dict.fromkeys(sets))
            for listener in server.listeners
        }
        self._server = server

    def __getitem__(self, key: tuple[Switches, str]) -> int:
        return self._ports[key]

    def master_lines(self) -> str:
        """The listeners as lines of master.cf(5)."""
        listeners = {listener.id: listener for listener in self._server.listeners}
        return "".join(
            f"{port} inet n - y - - smtpd\n" + _overrides(self._server, listeners[id_], on)
            for (on, id_), port in self._ports.items()
        )


def _overrides(server: SimulatedServer, listener: SimulatedListener, on: Switches) -> str:
    settings: Settings = dict(listener.postfix)
    for switch in server.switches:
        if switch.id in on:
            settings |= switch.postfix
    return "".join(f"  -o {{ {name} = {value} }}\n" for name, value in settings.items())


def make_plan(server: SimulatedServer, ports: Ports, *, wall: float) -> MachinePlan:
    """The machines for this server. ``wall`` is how long they may run, in seconds."""
    ca = authority()
    host = certificate(ca, [server.host, server.domain])
    known = " ".join(f"{name}=alice," for name in [*server.users, *server.aliases]).rstrip(",")
    names = {
        "host": server.host,
        "domain": server.domain,
        "domains": ", ".join(server.domains),
        "known": known,
        "owners": ", ".join(f"{user}@{server.domain}={user}" for user in server.users),
        "listeners": ports.master_lines(),
    }
    folder = resources.folder("fixtures") / "simulator"
    users = "".join(
        f"{user}:{{PLAIN}}{password}:{uid}:{uid}::/home/{user}::\n"
        for uid, (user, password) in enumerate(server.users.items(), 1001)
    )
    files = [
        File(f"/etc/postfix/{path.name}", fill_file(path.read_bytes(), names)) for path in folder.iterdir()
    ]
    files += [
        File("/etc/ssl/lab/host.crt", host.certificate + ca.certificate),
        File("/etc/ssl/lab/host.key", host.key, 0o640),
        File("/etc/dovecot/users", users.encode(), 0o640, "root:dovecot"),
    ]
    book = ZoneBook(NAMESERVER)
    book.add(server.domain, "MX", f"10 {server.host}.")
    book.address(server.host, PUBLIC[0])
    for client in server.clients:
        book.pointer(client.address, client.name)
        book.address(client.name, client.address)
    addresses = [NAMESERVER, *(client.address for client in server.clients)]
    return MachinePlan(
        lab="simulator",
        lab_version="1",
        student=None,
        variant="canonical",
        host=HostSpec(
            name=server.host,
            addresses=[f"{PUBLIC[0]}/24", f"{PUBLIC[1]}/64", f"{OFFICE}/24"],
            routes=[
                str(ipaddress.ip_network(f"{client.address}/24", strict=False))
                for client in server.clients
                if not client.trusted
            ],
            nameserver=NAMESERVER,
            files=files,
            services=["postfix", "dovecot"],
        ),
        world=WorldSpec(
            addresses=[f"{address}/32" for address in addresses],
            routes=[f"{address}/32" for address in (PUBLIC[0], OFFICE)],
            nameserver=NAMESERVER,
            zones=book.zones(),
            peers=[],
            ca=ca.certificate,
        ),
        limits=Limits(wall=wall),
    )


class RealConversation:
    """One connection to the real server. Replies are lists of lines; ``ended`` says why it is over, empty before."""

    def __init__(self, world: Channel, id_: str, host: str) -> None:
        self._world, self._id, self._host = world, id_, host
        self.ended = ""
        self.remark = ""

    def dial(self, client: SimulatedClient, port: int, tls: Tls) -> Answer:
        """Connect, and hear the greeting."""
        wanted = Dial(self._id, client.address, client.server, port, tls, self._host, SECONDS)
        return self._keep(self._world.call(wanted, timeout=3 * SECONDS))

    def say(self, data: bytes, replies: int, *, closes: bool = False) -> Answer:
        """Send octets; see ``grader.world.conversation.Conversations.say``."""
        wanted = Say(self._id, data, replies, SECONDS, closes)
        return self._keep(self._world.call(wanted, timeout=3 * SECONDS))

    def encrypt(self) -> Answer:
        """Shake hands after STARTTLS."""
        return self._keep(self._world.call(Encrypt(self._id, self._host, SECONDS), timeout=2 * SECONDS))

    def hang_up(self) -> None:
        """End it."""
        self._world.call(HangUp(self._id), timeout=SECONDS)

    def _keep(self, answer: Answer) -> Answer:
        self.ended, self.remark = answer.end or self.ended, answer.remark or self.remark
        return answer


class RealServer:
    """The server while it runs."""

    def __init__(self, server: SimulatedServer, machines: Machines, ports: Ports) -> None:
        self.machines = machines
        self._server, self._ports = server, ports
        self._numbers = count()

    def connect(
        self, client: SimulatedClient, listener: SimulatedListener, on: Switches
    ) -> tuple[RealConversation, Answer]:
        """Open a conversation, and its greeting."""
        conversation = RealConversation(self.machines.world, str(next(self._numbers)), self._server.host)
        tls: Tls = "implicit" if listener.tls == "implicit" else "none"
        return conversation, conversation.dial(client, self._ports[on, listener.id], tls)


@contextmanager
def real_server(
    server: SimulatedServer,
    engine: Engine,
    sets: Sequence[Switches],
    *,
    progress: Progress,
    wall: float = 3600.0,
) -> Iterator[RealServer]:
    """A real Postfix with these sets of switches; gone afterwards, whatever happens.

    Raises ``EngineError`` where it does not come up.
    """
    ports = Ports(server, sets)
    plan = make_plan(server, ports, wall=wall)
    engine.image(progress)
    progress("starting the server and the network around it")
    with engine.machines(plan) as machines:
        world = machines.world.ask(StartWorld(plan.world))
        machines.host.call(Install(plan.host.files), timeout=SECONDS)
        world.answer(timeout=SECONDS)
        services = StartServices(plan.host.services, plan.host.config_dir, SECONDS)
        machines.host.call(services, timeout=SECONDS + 1)
        first = ports[sets[0], server.listeners[0].id]
        wanted = AwaitPorts(server.clients[0].server, [first], SECONDS, wait_for=[first])
        if machines.world.call(wanted, timeout=SECONDS + 5) != [first]:
            log = "; ".join(machines.host.call(ReadLog(), timeout=5)[-3:])
            raise EngineError(f"the real server does not listen on port {first}: {log}")
        yield RealServer(server, machines, ports)


class SwitchedServer:
    """The real server, started anew whenever other switches are wanted; a context manager that leaves nothing."""

    def __init__(self, server: SimulatedServer, engine: Engine, progress: Progress) -> None:
        self._server, self._engine, self._progress = server, engine, progress
        self._stack = ExitStack()
        self._running: tuple[Switches, RealServer] | None = None

    def __enter__(self) -> SwitchedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def with_switches(self, on: Switches) -> RealServer:
        """The server with these switches on. Raises ``EngineError`` where it does not come up."""
        if self._running is None or self._running[0] != on:
            self._stop()
            running = real_server(self._server, self._engine, [on], progress=self._progress)
            self._running = (on, self._stack.enter_context(running))
        return self._running[1]

    def _stop(self) -> None:
        self._running = None
        self._stack.close()
