"""What can be asked of the student's host. The other end of each is in ``grader.engines.guest``."""

from msgspec import Struct

from grader.model.exposure import Exposure
from grader.model.plan import File
from grader.model.protocol import Operation
from grader.model.traffic import Command, Queued


class Install(Operation[None], frozen=True, tag="install"):
    """Write files; only below the host's writable trees, and with a modification time long past."""

    files: list[File]


class ServicesStarted(Struct, frozen=True):
    """What starting came to: the commands that were run for it, and which of the services run.

    ``mta`` is the mail server's name and version.
    """

    commands: list[Command]
    queue_directory: str
    mta: str
    running: list[str]


class StartServices(Operation[ServicesStarted], frozen=True, tag="start"):
    """Start services and wait, at most ``timeout`` seconds, until those beside Postfix can be asked.

    Dovecot may have been started before: it stays, unless a file that it may read has changed since.
    """

    services: list[str]
    config_dir: str
    timeout: float


class Begin(Operation[None], frozen=True, tag="begin"):
    """The run begins now, for which this host has waited: times in its log count from here."""


class HaltService(Operation[None], frozen=True, tag="halt"):
    """Kill all processes of a service that was started."""

    service: str


class RunCommand(Operation[Command], frozen=True, tag="run"):
    """Run a command as root; after ``limit`` seconds it is killed with its session, and its code is -256."""

    argv: list[str]
    limit: float
    input: str | None = None


class MasterState(Struct, frozen=True):
    """Whether Postfix's master runs, and what it ended with, -N for signal N."""

    master: bool
    exit: int | None


class IsAlive(Operation[MasterState], frozen=True, tag="alive"):
    """Ask for Postfix's master."""


class QueueCounts(Struct, frozen=True):
    """How many messages each of Postfix's queues holds (qmgr(8))."""

    maildrop: int
    hold: int
    incoming: int
    active: int
    deferred: int
    corrupt: int

    @property
    def in_motion(self) -> int:
        """Messages that something will be done with at once."""
        return self.maildrop + self.incoming + self.active

    @property
    def total(self) -> int:
        """All of them."""
        return self.in_motion + self.hold + self.deferred + self.corrupt


class CountQueue(Operation[QueueCounts], frozen=True, tag="queue"):
    """Count the messages in the queues."""


class ListQueue(Operation[list[Queued]], frozen=True, tag="queued"):
    """What is queued, one recipient an entry, and why. Costs a process."""


class DeliveredMail(Struct, frozen=True):
    """A message in a mailbox on the host, and which of the wanted tokens it contains.

    ``octets`` is its size where not all of it is told, otherwise 0.
    """

    path: str
    raw: bytes
    tokens: list[str]
    octets: int = 0


class FindMail(Operation[list[DeliveredMail]], frozen=True, tag="mail"):
    """Delivered messages that contain one of the tokens; of each token no more than a judge could want.

    Without ``whole`` nothing of their text is told: who only waits for them asks again and again.
    """

    tokens: list[str]
    whole: bool = True


class ReadSockets(Operation[str], frozen=True, tag="sockets"):
    """The host's listening TCP sockets, as its kernel writes them: proc_net(5), of IPv4 and IPv6. Costs no process.

    Some others may follow those of each family.
    """


class ReadLog(Operation[list[str]], frozen=True, tag="log"):
    """The host's log: ``MS program[pid]: text``, MS being milliseconds since the run began."""


class ProgramFile(Struct, frozen=True):
    """A file that was handed in, for the folder in which a program runs; ``path`` is relative to that."""

    path: str
    data: bytes
    mode: int


class ProgramSpec(Struct, frozen=True):
    """One run of a program, as the user ``account``. ``texts`` are files of its home, by name.

    ``limit`` is how many seconds it may take, while it is not waiting for a processor. ``waits`` says that it may only
    wait: it is made beside those that take turns, and if it is late that hurries none of them. ``secrets`` are what
    must not show.
    """

    id: str
    argv: list[str]
    account: str
    environment: dict[str, str]
    texts: dict[str, bytes]
    limit: float
    waits: bool
    secrets: list[bytes]


class ProgramEnd(Struct, frozen=True):
    """How a run ended: exit code, -N for signal N and ``None`` where it could not even be killed in time.

    ``late`` says that it was killed when its time was over, which was ``limit`` seconds: once some have been late, the
    others have to be quicker. ``left`` says that processes of its were still running when it ended by itself.
    ``held_up`` are seconds, at least, for which others kept it from a processor.
    """

    id: str
    code: int | None
    output: str
    seconds: float
    held_up: float
    late: bool
    limit: float
    left: bool
    exposed: list[Exposure]


class RunPrograms(Operation[list[ProgramEnd]], frozen=True, tag="programs"):
    """Make runs of a program, ``together`` at a time beside those that wait, for at most ``seconds``.

    A run that found no time has no entry in the answer.
    """

    files: list[ProgramFile]
    runs: list[ProgramSpec]
    together: int
    seconds: float


class StopAll(Operation[None], frozen=True, tag="stop"):
    """Kill every process on the host but the one that answers.

    Whatever they had taken of its processes, processors and memory is free then, however many they were.
    """


HostOperation = (
    Install
    | StartServices
    | Begin
    | HaltService
    | RunCommand
    | IsAlive
    | CountQueue
    | ListQueue
    | FindMail
    | ReadSockets
    | ReadLog
    | RunPrograms
    | StopAll
)
