"""A plan: a lab, a submission and a variant turned into everything that will be done, before anything is done."""

from msgspec import Struct

from grader.model.dns import KeyRecord
from grader.model.submission_server import SubmissionServerSpec


class File(Struct, frozen=True):
    """A file on the student's host. ``owner`` is ``user:group``; ``mode`` the permission bits."""

    path: str
    data: bytes
    mode: int = 0o644
    owner: str = "root:root"


class HostSpec(Struct, frozen=True):
    """The student's host.

    ``addresses`` and ``routes`` are in CIDR form (``203.0.113.10/24``); the routes are on-link, towards the world.
    ``handed_in`` are the names of the last of ``files``. ``early`` are those of ``services`` that may be started before
    anything handed in is there.
    """

    name: str
    addresses: list[str]
    routes: list[str]
    nameserver: str
    files: list[File]
    services: list[str]
    config_dir: str = "/etc/postfix"
    handed_in: list[str] = []
    early: list[str] = []

    @property
    def provided(self) -> list[File]:
        """The files that are there whatever is handed in."""
        return self.files[: len(self.files) - len(self.handed_in)]


class Peer(Struct, frozen=True):
    """A mail server of other people: takes every message and keeps it.

    It offers ``smtputf8`` (RFC 6531) or, as many do, not.
    """

    name: str
    addresses: list[str]
    port: int = 25
    smtputf8: bool = True


class Zone(Struct, frozen=True):
    """A DNS zone that the world answers for, in master-file format (RFC 1035 section 5), and further records in it."""

    origin: str
    text: str
    records: list[KeyRecord] = []


class WorldSpec(Struct, frozen=True):
    """Everything around the student's host. ``addresses`` are all that the world's one interface carries.

    ``roots`` are addresses of root servers (RFC 8109), at which the nameserver answers too.
    """

    addresses: list[str]
    routes: list[str]
    nameserver: str
    zones: list[Zone]
    peers: list[Peer]
    ca: bytes
    client_certificate: bytes = b""
    client_key: bytes = b""
    submission: list[SubmissionServerSpec] = []
    roots: list[str] = []


class Limits(Struct, frozen=True):
    """What a submission may use: bytes, counts, processors, seconds."""

    memory: int = 512 * 1024 * 1024
    processes: int = 200
    cpus: float = 2.0
    # Postfix wants one and a half times `message_size_limit` free, and many set 50, 128 or 200 MB.
    disk: int = 352 * 1024 * 1024
    acting: float = 56.0
    """For starting the submission and acting on it, all waiting included. The slowest right ones that are known, which
    make their clients wait on purpose, take 20 on an idle machine and 35 on one with ten times too much to do."""
    wall: float = 100.0
    """After which the engine ends both machines: beyond ``acting``, and all that is asked at the end."""


class Plan(Struct, frozen=True, kw_only=True):
    """What all plans hold, whatever will be done. ``secrets`` are taken out of evidence before it is stored.

    ``checks`` are the codes of those that are to be tried, ``None`` for all.
    """

    lab: str
    lab_version: str
    student: str | None
    variant: str
    secrets: list[str] = []
    checks: list[str] | None = None


class MachinePlan(Plan, frozen=True, kw_only=True):
    """A plan that needs machines: what the engine must know of them."""

    host: HostSpec
    world: WorldSpec
    limits: Limits = Limits()
