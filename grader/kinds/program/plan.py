"""Every run of a program that a lab takes, and the submission servers that it meets."""

from __future__ import annotations

import ipaddress
from typing import Any

from msgspec.structs import replace

from grader.formats import disguise
from grader.kinds.program.author import PEOPLE, choices, pairs
from grader.kinds.program.declare import Program, ProgramLab, RunMessage
from grader.kinds.program.facts import ProgramPlan, ProgramRun, Wanted
from grader.labs.certificates import KeyPair, authority, fresh, untrustworthy
from grader.labs.messages import draw_token
from grader.labs.selection import planned, selected
from grader.labs.variant import KeyedRandom, keyed
from grader.labs.world import LabWorld, read_world
from grader.labs.world_dns import ZoneBook
from grader.model.plan import HostSpec, Limits, WorldSpec
from grader.model.submission import Submission
from grader.model.submission_server import ServerBehaviour, SubmissionServerSpec
from grader.model.templates import fill
from grader.model.variant import Variant

LIMITS = Limits(processes=500)


def make(
    lab: ProgramLab, submission: Submission, variant: Variant, *, student: str | None, only: set[str] | None
) -> ProgramPlan:
    """Every run that these checks take: one for each pair of server and message, whichever checks look at it.

    Names, addresses, people and passwords are drawn from what the submission is: it cannot know them, nor which server
    it meets. Raises ``LabError`` where a text uses a name that there is not.
    """
    program, world, checks = lab.program, read_world(), selected(lab, only)
    drawn = _Drawn(lab, program, variant, world, submission)
    attempts: dict[str, str] = {}
    for check in lab.checks:
        if check.code in checks:
            for number, pair in enumerate(pairs(lab, check), 1):
                attempts[f"{check.code}/{number}"] = drawn.run(*pair)
    names, ca = variant.names, authority()
    addresses = [names["nameserver"], *(server.address for server in drawn.servers)]
    office = f"{names['office']}/{ipaddress.ip_network(names['lan']).prefixlen}"
    return ProgramPlan(
        lab=lab.id,
        lab_version=lab.version,
        student=student,
        variant=variant.id,
        checks=planned(lab, only),
        host=HostSpec(
            name=names["office_host"],
            addresses=[office],
            routes=["203.0.113.0/24"],
            nameserver=names["nameserver"],
            files=[],
            services=[],
        ),
        world=WorldSpec(
            addresses=[f"{address}/32" for address in addresses],
            routes=[f"{names['office']}/32"],
            nameserver=names["nameserver"],
            zones=drawn.zones().zones(),
            peers=[],
            ca=ca.certificate,
            submission=drawn.servers,
        ),
        limits=LIMITS,
        secrets=[form for run in drawn.runs for form in disguise.spellings(run.user, run.password)],
        program=program.run,
        files=submission.files,
        executable=sorted(submission.executable),
        # Those that will wait for nothing begin first, so that the others need not wait for them.
        runs=sorted(drawn.runs, key=lambda run: _moment(program.servers[run.server])),
        attempts=attempts,
        seconds=program.seconds + program.grace,
    )


def _moment(server: ServerBehaviour) -> int:
    """Which runs begin first: those beside the others, then where a client may wait for a greeting that never comes."""
    return 0 if beside_the_others(server) else 1 if server.tls == "implicit" else 2


def beside_the_others(server: ServerBehaviour) -> bool:
    """Whether a run is made beside those that take turns, and may be late without any haste for them.

    That is one at a silent server, one at a server that pauses within its replies, and one at a server that is not the
    right one and expects TLS at once. Who waits there for a greeting does so at the right server too: one such run in
    the others' way is enough.
    """
    return server.silent is not None or server.pieces or (server.tls == "implicit" and not server.honest)


class _Drawn:
    """The runs and their servers, drawn one after another."""

    def __init__(
        self, lab: ProgramLab, program: Program, variant: Variant, world: LabWorld, submission: Submission
    ) -> None:
        self.runs: list[ProgramRun] = []
        self.servers: list[SubmissionServerSpec] = []
        self._lab = lab
        self._program = program
        self._variant = variant
        self._world = world
        self._random = KeyedRandom(keyed(variant.probe_key, "program", submission.digest.hex()))
        self._known: dict[tuple[str, str], str] = {}
        self._ca = authority()
        octets = [int(variant.names[key].rpartition(".")[2]) for key in ("host_v4", "nameserver")]
        self._octets = octets
        self._numbers: list[int] = []

    def run(self, server: str, message: str) -> str:
        """The id of the run that meets this server with this message."""
        if (server, message) not in self._known:
            run_id = f"run-{len(self.runs) + 1}"
            self._known[server, message] = run_id
            self._make(run_id, server, message)
        return self._known[server, message]

    def zones(self) -> ZoneBook:
        """What DNS says: the variant's zones, and the submission servers."""
        names = self._variant.names
        book = ZoneBook(names["nameserver"])
        for origin, text in self._world.zones.items():
            book.declare(fill(origin, names), fill(text, names))
        for server in self.servers:
            book.address(server.name, server.address)
            book.pointer(server.address, server.name)
        book.pointer(names["office"], names["office_host"])
        return book

    def _make(self, run_id: str, server_name: str, message_name: str) -> None:
        behaviour, message = self._program.servers[server_name], self._program.messages[message_name]
        names, words = self._variant.names, self._world.words
        # The first two runs of a message send the very same one, as on two nights with nothing new to report.
        same = [run.id for run in self.runs if run.message == message_name]
        letter = same[0] if len(same) == 1 else run_id
        people = {name: draw_token(self._random.draw(letter, name), words) for name in PEOPLE}
        secret = (
            f"{self._random.word(words.passwords, run_id, 'first')}"
            f"-{self._random.word(words.passwords, run_id, 'second')}"
            f"-{self._random.number(90_000, run_id, 'digits') + 10_000}"
        )
        told = {**names, **people}
        password = fill(message.password, {**names, "secret": secret})
        user = draw_token(self._random.draw(run_id, "user"), words)
        # Who logs in need not be who sends: several reports may share a login.
        sender = f"{draw_token(self._random.draw(letter, 'sender'), words)}@{names['domain']}"
        wanted = _wanted(self._chosen(letter, message), told, sender)
        server = self._server(run_id, behaviour, user, password)
        if behaviour.recipient is not None:
            server = replace(server, refused=wanted.recipients[behaviour.recipient - 1])
        account = f"runner{len(self.runs) + 1:02d}"
        body_file = f"/home/{account}/{message.file}"
        # Nothing in the environment tells a good server from one with a wrong certificate. Silence is sat through.
        more = 0 if behaviour.silent else self._random.number(2, run_id, "patience")
        given: dict[str, Any] = {
            "server": server.name, "port": behaviour.port, "user": user, "password": password,
            "from": wanted.sender, "from_name": wanted.from_name, "to": ",".join(wanted.to),
            "cc": ",".join(wanted.cc), "bcc": ",".join(wanted.bcc), "subject": wanted.subject,
            "body_file": body_file, "patience": behaviour.patience + more,
        }  # fmt: skip
        values = {**names, **{name: str(value) for name, value in given.items()}}
        environment = {key: fill(text, values) for key, text in self._program.environment.items()}
        self.servers.append(server)
        self.runs.append(
            ProgramRun(
                run_id, server_name, message_name, wanted, account, environment, message.file, user, password
            )
        )

    def _chosen(self, run_id: str, message: RunMessage) -> RunMessage:
        """The message with one of each text's choices."""
        return replace(
            message,
            subject=self._random.word(choices(message.subject), run_id, "subject"),
            from_name=self._random.word(choices(message.from_name), run_id, "from-name"),
        )

    def _server(
        self, run_id: str, behaviour: ServerBehaviour, user: str, password: str
    ) -> SubmissionServerSpec:
        octet = self._random.octet(run_id, "address", but=self._octets)
        self._octets.append(octet)
        number = int(
            self._random.word(
                [str(n) for n in range(10, 100)], run_id, "name", but=[str(n) for n in self._numbers]
            )
        )
        self._numbers.append(number)
        domain = self._variant.names["domain"]
        name = f"{self._random.word(self._world.words.hosts, run_id, 'host')}{number}.{domain}"
        pair = self._certificate(behaviour, name)
        return SubmissionServerSpec(
            run=run_id, name=name, address=f"203.0.113.{octet}", behaviour=behaviour,
            certificate=pair.certificate, key=pair.key, user=user, password=password,
        )  # fmt: skip

    def _certificate(self, behaviour: ServerBehaviour, name: str) -> KeyPair:
        """The server's certificate with its chain."""
        if behaviour.tls == "stripped":
            return KeyPair(b"", b"")
        if behaviour.certificate in ("self-signed", "expired"):
            pair = untrustworthy(self._ca, [name], behaviour.certificate)
        else:
            names = [name] if behaviour.certificate == "trusted" else self._others(name)
            pair = fresh(self._ca, names)
        chain = b"" if behaviour.certificate == "self-signed" else self._ca.certificate
        return KeyPair(pair.certificate + chain, pair.key)

    def _others(self, name: str) -> list[str]:
        """Names that are not this server's, and look like it to whoever compares a part of a name alone.

        The domain itself is none: a client may accept that of its user's address (RFC 7817 section 3).
        """
        third = self._variant.names["third"]
        return [f"mail.{third}", f"{name.partition('.')[0]}.{third}", f"{name}.{third}", f"x{name}"]


def _wanted(message: RunMessage, names: dict[str, str], sender: str) -> Wanted:
    to, cc, bcc = (
        [fill(address, names) for address in addresses] for addresses in (message.to, message.cc, message.bcc)
    )
    return Wanted(
        sender=sender,
        from_name=fill(str(message.from_name), names),
        to=to,
        cc=cc,
        bcc=bcc,
        subject=fill(str(message.subject), names),
        body=fill(message.body, names).encode(),
    )
