"""Labs that run a program: what is wrong with their declarations, and the plan of their runs."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any

from grader.kinds.program.declare import Program, RunMessage
from grader.kinds.program.facts import ProgramPlan, ProgramRun, Wanted
from grader.kinds.server.declare import Try
from grader.labs.certificates import Pair, authority, fresh, untrustworthy
from grader.labs.complaints import Complaint
from grader.labs.messages import draw_token
from grader.labs.variant import KeyedRandom, keyed
from grader.labs.world import World, read_world
from grader.labs.world_dns import ZoneBook
from grader.model.lab import Check, Lab
from grader.model.plan import HostSpec, Limits, Plan, WorldSpec
from grader.model.submission import Submission
from grader.model.submission_server import ServerBehaviour, SubmissionServerSpec
from grader.model.templates import fill, names_in, nearest, unknown_name
from grader.model.variant import Variant

PEOPLE = tuple(f"person{number}" for number in range(1, 10))
MOST_RUNS = 40
"""Each has an account of its own on the workstation, which the image makes."""
FOR_ENVIRONMENT = frozenset(
    {"server", "port", "user", "password", "from", "from_name", "to", "cc", "bcc", "subject", "body_file"}
)
LIMITS = Limits(processes=500, wall=120.0)


def complaints(lab: Lab) -> Iterator[Complaint]:
    """What the schema cannot say of a lab of this kind: names that nothing bears, and keys of other kinds."""
    program = lab.program
    if lab.kind != "program":
        yield Complaint(("program",), f"a lab of kind {lab.kind!r} runs no program: write 'kind: program'")
        return
    if program is None:
        yield Complaint((), "a lab of kind 'program' says with the key 'program' whom it meets; add it")
        return
    if program.run not in lab.submission.required:
        yield Complaint(("program", "run"), f"{program.run!r} is not among the files required: add it there")
    names = read_world().names
    for key, text in program.environment.items():
        known = names.keys() | FOR_ENVIRONMENT
        for name in sorted(names_in(text) - known):
            yield Complaint(("program", "environment", key), unknown_name(name, known))
    for key, message in program.messages.items():
        yield from _message_complaints(
            message, names.keys() | {*PEOPLE, "secret"}, ("program", "messages", key)
        )
    for place, check in enumerate(lab.checks):
        for number, attempt in enumerate(check.attempts):
            yield from _try_complaints(program, attempt, ("checks", place, "try", number))
        if check.attempts and not check.expect.program:
            yield Complaint(
                ("checks", place, "expect"), "say what must hold: 'expect: {program: [delivers]}'"
            )
    if len(runs := {pair for check in lab.checks for pair in _pairs(check)}) > MOST_RUNS:
        yield Complaint(
            ("checks",), f"there are {len(runs)} pairs of server and message, and {MOST_RUNS} at most"
        )


def _message_complaints(
    message: RunMessage, known: Iterable[str], here: tuple[str | int, ...]
) -> Iterator[Complaint]:
    texts = {"subject": message.subject, "from-name": message.from_name, "password": message.password}
    for key, text in texts.items():
        if "\n" in text or "\0" in text:
            yield Complaint(
                (*here, key), "it holds a line feed or a NUL, which a header or a password has not"
            )
    texts |= {"body": message.body}
    for key, addresses in (("to", message.to), ("cc", message.cc), ("bcc", message.bcc)):
        texts |= {key: " ".join(addresses)}
        for number, address in enumerate(addresses):
            if "," in address or "@" not in address:
                yield Complaint((*here, key, number), f"{address!r} is not one plain address")
    for key, text in texts.items():
        for name in sorted(names_in(text) - {*known}):
            yield Complaint((*here, key), unknown_name(name, known))


def _try_complaints(program: Program, attempt: Try, here: tuple[str | int, ...]) -> Iterator[Complaint]:
    for key, named, known in (
        ("meets", attempt.meets, program.servers),
        ("sends", attempt.sends, program.messages),
    ):
        if not named:
            yield Complaint(here, f"a program is tried with 'meets' and 'sends': add {key!r}")
        for number, name in enumerate(named):
            if name not in known:
                hint = nearest("%r", name, known) or f" (there are {', '.join(known)})"
                yield Complaint(
                    (*here, key, number), f"{key!r} names {name!r}, which 'program' has not{hint}"
                )


def _pairs(check: Check) -> list[tuple[str, str]]:
    """The servers that the program meets for a check, each with the message that it is to send there."""
    return [
        (server, message) for entry in check.attempts for server in entry.meets for message in entry.sends
    ]


def plan_program(
    lab: Lab,
    program: Program,
    submission: Submission,
    variant: Variant,
    student: str | None,
    checks: set[str],
) -> Plan:
    """Every run that these checks take: one for each pair of server and message, whichever checks look at it.

    Names, addresses, people and passwords are drawn from what the submission is: it cannot know them, nor which server
    it meets. Raises ``LabError`` where a text uses a name that there is not.
    """
    world = read_world()
    drawn = _Drawn(lab, program, variant, world, submission)
    attempts: dict[str, str] = {}
    for check in lab.checks:
        if check.code in checks:
            for number, pair in enumerate(_pairs(check), 1):
                attempts[f"{check.code}/{number}"] = drawn.run(*pair)
    names, ca = variant.names, authority()
    addresses = [names["nameserver"], *(server.address for server in drawn.servers)]
    office = f"{names['office']}/{ipaddress.ip_network(names['lan']).prefixlen}"
    return Plan(
        lab=lab.id,
        lab_version=lab.version,
        student=student,
        variant=variant.id,
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
        attempts=[],
        limits=LIMITS,
        secrets=[*variant.secrets.values(), *(run.password for run in drawn.runs)],
        program=ProgramPlan(
            program=program.run,
            files=submission.files,
            executable=sorted(submission.executable),
            # Those that will wait for nothing begin first, so that the others need not wait for them.
            runs=sorted(drawn.runs, key=lambda run: program.servers[run.server].silent is None),
            attempts=attempts,
            seconds=program.seconds,
        ),
    )


class _Drawn:
    """The runs and their servers, drawn one after another."""

    def __init__(
        self, lab: Lab, program: Program, variant: Variant, world: World, submission: Submission
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
        people = {name: draw_token(self._random.draw(run_id, name), words) for name in PEOPLE}
        secret = (
            f"{self._random.word(words.passwords, run_id, 'first')}"
            f"-{self._random.word(words.passwords, run_id, 'second')}"
            f"-{self._random.number(90_000, run_id, 'digits') + 10_000}"
        )
        told = {**names, **people}
        password = fill(message.password, {**names, "secret": secret})
        user = draw_token(self._random.draw(run_id, "user"), words)
        wanted = _wanted(message, told, f"{user}@{names['domain']}")
        server = self._server(run_id, behaviour, user, password)
        account = f"runner{len(self.runs) + 1:02d}"
        body_file = f"/home/{account}/{message.file}"
        given: dict[str, Any] = {
            "server": server.name, "port": behaviour.port, "user": user, "password": password,
            "from": wanted.sender, "from_name": wanted.from_name, "to": ",".join(wanted.to),
            "cc": ",".join(wanted.cc), "bcc": ",".join(wanted.bcc), "subject": wanted.subject,
            "body_file": body_file,
        }  # fmt: skip
        values = {**names, **{name: str(value) for name, value in given.items()}}
        environment = {key: fill(text, values) for key, text in self._program.environment.items()}
        self.servers.append(server)
        self.runs.append(
            ProgramRun(
                run_id, server_name, message_name, wanted, account, environment, message.file, user, password
            )
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

    def _certificate(self, behaviour: ServerBehaviour, name: str) -> Pair:
        """The server's certificate with its chain."""
        if behaviour.tls == "stripped":
            return Pair(b"", b"")
        if behaviour.certificate in ("self-signed", "expired"):
            pair = untrustworthy(self._ca, [name], behaviour.certificate)
        else:
            other = f"mail.{self._variant.names['third']}"
            pair = fresh(self._ca, [other if behaviour.certificate == "other-name" else name])
        chain = b"" if behaviour.certificate == "self-signed" else self._ca.certificate
        return Pair(pair.certificate + chain, pair.key)


def _wanted(message: RunMessage, names: dict[str, str], sender: str) -> Wanted:
    to, cc, bcc = (
        [fill(address, names) for address in addresses] for addresses in (message.to, message.cc, message.bcc)
    )
    return Wanted(
        sender=sender,
        from_name=fill(message.from_name, names),
        to=to,
        cc=cc,
        bcc=bcc,
        subject=fill(message.subject, names),
        body=fill(message.body, names).encode(),
    )
