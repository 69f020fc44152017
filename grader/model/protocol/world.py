"""What can be asked of the world. The other end of each is in ``grader.world.service``."""

from msgspec import Struct

from grader.model.attempt import Attempt, Tls
from grader.model.dns import KeyAnswer
from grader.model.plan import WorldSpec
from grader.model.protocol import Operation
from grader.model.submission_server import Conversation
from grader.model.traffic import Arrival, Certificate, Outcome, OutsideMail, Query, Session


class StartWorld(Operation[None], frozen=True, tag="start"):
    """Bring up DNS, the peers and the submission servers."""

    world: WorldSpec


class AwaitPorts(Operation[list[int]], frozen=True, tag="listening"):
    """The ports that take a connection, asked until those of ``wait_for`` do or the time is over."""

    server: str
    ports: list[int]
    seconds: float
    wait_for: list[int] = []


class Probed(Struct, frozen=True):
    """What became of attempts."""

    sessions: list[Session]
    outcomes: list[Outcome]


class Probe(Operation[Probed], frozen=True, tag="probe"):
    """Make attempts, for at most ``seconds``; ``greeting`` is how long the server may take to greet.

    ``afresh`` forgets what was learnt of the listeners' silence, and gives them longer for each answer. ``besides`` are
    made where a session of the attempts has room for them, and have no outcome where there was none. With ``doomed``
    it is known why answers do not come: a listener that has left a command without one is not waited for as long again.
    """

    attempts: list[Attempt]
    seconds: float
    greeting: float | None = None
    afresh: bool = False
    besides: list[Attempt] = []
    doomed: bool = False


class ListArrivals(Operation[list[str]], frozen=True, tag="arrivals"):
    """The tokens of attempts whose message has arrived so far."""


class ResolveKeys(Operation[list[KeyAnswer]], frozen=True, tag="resolve"):
    """What DNS answers to a TXT question for each name, asked over the wire."""

    names: list[str]


class Submitted(Struct, frozen=True):
    """A session of a program with its submission server, and what was done in it."""

    session: Session
    conversation: Conversation


class WorldRecord(Struct, frozen=True):
    """Everything that the world has seen. ``notes`` are remarks on limits reached.

    ``arrivals`` are what was kept of the mail ``outside``. ``submissions`` are the sessions of each run of a program
    with its submission server, in their order, and ``submitted`` the messages taken in them.
    """

    arrivals: list[Arrival]
    queries: list[Query]
    notes: list[str]
    submissions: dict[str, list[Submitted]]
    submitted: list[Arrival] = []
    outside: OutsideMail | None = None


class Finish(Operation[WorldRecord], frozen=True, tag="finish"):
    """Ask for everything that was recorded."""


class Answer(Struct, frozen=True):
    """What was heard: ``replies`` is a list of lines for each. ``end`` is a ``Session.end``, empty while it goes on."""

    replies: list[list[str]]
    end: str = ""
    remark: str = ""
    certificate: Certificate | None = None


class Dial(Operation[Answer], frozen=True, tag="dial"):
    """Open a conversation."""

    conversation: str
    source: str
    server: str
    port: int
    tls: Tls
    name: str
    seconds: float


class Say(Operation[Answer], frozen=True, tag="say"):
    """Send octets in a conversation and hear so many replies, with ``closes`` also the end."""

    conversation: str
    data: bytes
    replies: int
    seconds: float
    closes: bool = False


class Encrypt(Operation[Answer], frozen=True, tag="encrypt"):
    """Begin TLS in a conversation."""

    conversation: str
    name: str
    seconds: float


class HangUp(Operation[None], frozen=True, tag="hang_up"):
    """End a conversation."""

    conversation: str


WorldOperation = (
    StartWorld | AwaitPorts | Probe | ListArrivals | ResolveKeys | Finish | Dial | Say | Encrypt | HangUp
)
