"""What the host can be asked: a function for each operation of ``grader.model.protocol.host``, with its fields."""

from __future__ import annotations

import binascii
import os

from .files import WRITABLE, Broken, RequestRefused, read_listening, text, writable, write
from .log import Log
from .loop import Loop
from .mail import Mailboxes
from .postfix import Postfix
from .processes import Processes, crowd
from .services import Services
from .signals import SIGKILL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .shapes import (
        Command,
        DeliveredMail,
        File,
        MasterState,
        ProgramEnd,
        ProgramFile,
        ProgramSpec,
        QueueCounts,
        Queued,
        ServicesStarted,
    )

STOP_SECONDS = 5.0


class Host:
    """All that the operations are about."""

    def __init__(self) -> None:
        self.loop = Loop()
        self.log = Log(self.loop)
        self.processes = Processes(self.loop, self.log)
        self.mailboxes = Mailboxes()
        self.postfix = Postfix(self.processes, self.log, self.mailboxes)
        self.services = Services(self.loop, self.processes, self.log, self.postfix)


def install(host: Host, files: list[File]) -> None:
    """Write files below the trees of ``WRITABLE``."""
    for file in files:
        path = file["path"]
        if not writable(path) or not writable(os.path.realpath(os.path.dirname(path))):
            raise Broken(f"no file may be installed at {path}: choose a folder below {', '.join(WRITABLE)}")
        try:
            data = binascii.a2b_base64(file["data"])
            host.services.expect(path, data, file["mode"], file["owner"])
            write(path, data, file["mode"], file["owner"])
        except OSError as error:
            raise RequestRefused(f"cannot install {path}: {error.strerror}") from error
        except KeyError as error:
            raise Broken(f"cannot install {path}: no such owner {file['owner']}") from error


def start(host: Host, services: list[str], config_dir: str, timeout: float) -> ServicesStarted:
    """Start services."""
    return host.services.start(services, config_dir, timeout)


def begin(host: Host) -> None:
    """The run begins."""
    host.log.begin()


def halt(host: Host, service: str) -> None:
    """Kill a service."""
    host.services.halt(service)


def run(host: Host, argv: list[str], limit: float, input: str | None = None) -> Command:
    """Run a command."""
    if not input:
        return host.processes.wait(host.processes.spawn(argv), limit)
    source = os.memfd_create("input")
    try:
        os.write(source, input.encode())
        os.lseek(source, 0, os.SEEK_SET)
        return host.processes.wait(host.processes.spawn(argv, source), limit)
    finally:
        os.close(source)


def alive(host: Host) -> MasterState:
    """Whether Postfix's master runs."""
    host.loop.turn(0)
    return host.postfix.alive()


def queue(host: Host) -> QueueCounts:
    """How many messages each of Postfix's queues holds."""
    return host.postfix.counts()


def queued(host: Host) -> list[Queued]:
    """What is queued, and why."""
    return host.postfix.queued()


def mail(host: Host, tokens: list[str], whole: bool = True) -> list[DeliveredMail]:
    """Delivered messages that contain a token."""
    return host.mailboxes.find(tokens, whole)


def sockets(host: Host) -> str:
    """The host's TCP sockets that listen, and perhaps some others."""
    return "".join(text(read_listening(f"/proc/self/net/{table}")) for table in ("tcp", "tcp6"))


def log(host: Host) -> list[str]:
    """The host's log."""
    if line := crowd():
        host.log.add(line)
    return host.log.whole()


def programs(
    host: Host, files: list[ProgramFile], runs: list[ProgramSpec], together: int, seconds: float
) -> list[ProgramEnd]:
    """Make runs of a program."""
    from .programs import run_programs  # what few labs need is not read at every start

    return run_programs(host.loop, host.log, files, runs, together, seconds)


def stop(host: Host) -> None:
    """End every process but this one."""
    try:
        os.kill(-1, SIGKILL)
    except ProcessLookupError:
        return
    host.loop.until(lambda: not _others(), STOP_SECONDS, naps=0.002)


def _others() -> bool:
    return any(name.isdigit() and name != "1" for name in os.listdir("/proc"))


OPERATIONS: dict[str, Callable[..., object]] = {
    "install": install,
    "start": start,
    "begin": begin,
    "halt": halt,
    "run": run,
    "alive": alive,
    "queue": queue,
    "queued": queued,
    "mail": mail,
    "sockets": sockets,
    "log": log,
    "programs": programs,
    "stop": stop,
}
