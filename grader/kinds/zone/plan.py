"""What receivers will try on a zone: a lab's declarations with the variant's names filled in."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from grader import resources
from grader.kinds.zone.declare import (
    AuthorRequest,
    DeliveryRequest,
    PermitRequest,
    Question,
    ReportRequest,
    SenderRequest,
    ServerRequest,
    ZoneCheck,
    ZoneLab,
    ZoneMessage,
    ZoneTry,
)
from grader.labs.selection import planned, selected
from grader.model.errors import LabError
from grader.model.evidence import Tried
from grader.model.plan import Plan
from grader.model.submission import Submission
from grader.model.templates import fill
from grader.model.variant import Variant

T = TypeVar(
    "T",
    ZoneMessage,
    Question,
    ReportRequest,
    SenderRequest,
    ServerRequest,
    AuthorRequest,
    DeliveryRequest,
    PermitRequest,
)


class ZonePlan(Plan, frozen=True, kw_only=True):
    """Everything to try on the zone that was handed in, ``content``, which is for ``origin``.

    The lists hold the attempt's id with what it is about; ``attempts`` tell them to the judge.
    """

    origin: str
    file: str
    content: bytes
    handed_in: list[str]
    others: dict[str, str]
    keys: dict[str, bytes] = {}
    attempts: list[Tried] = []
    messages: list[tuple[str, ZoneMessage]] = []
    questions: list[tuple[str, Question]] = []
    reports: list[tuple[str, ReportRequest]] = []
    records: list[tuple[str, str]] = []
    policies: list[tuple[str, str]] = []
    senders: list[tuple[str, SenderRequest]] = []
    authors: list[tuple[str, AuthorRequest]] = []
    deliveries: list[tuple[str, DeliveryRequest]] = []
    permits: list[tuple[str, PermitRequest]] = []
    servers: list[tuple[str, ServerRequest]] = []


def make(
    lab: ZoneLab, submission: Submission, variant: Variant, *, student: str | None, only: set[str] | None
) -> ZonePlan:
    """What grading a zone takes. Raises ``UsageError`` for an unknown check, ``LabError`` where a key is missing."""
    names = variant.names
    file = fill(lab.submission.required[0], names)
    chosen = selected(lab, only)
    plan = ZonePlan(
        lab=lab.id,
        lab_version=lab.version,
        student=student,
        variant=variant.id,
        checks=planned(lab, only),
        origin=fill(lab.zone.origin, names),
        file=file,
        content=submission.files.get(file, b""),
        handed_in=sorted(submission.files),
        others={fill(origin, names): fill(text, names, origin) for origin, text in lab.zone.others.items()},
    )
    for check in lab.checks:
        if check.code in chosen:
            _Planner(plan, check, names).plan()
    return replace(plan, keys={key: _private_key(key) for key in sorted(_keys(plan))})


class _Planner:
    """Plans one check."""

    def __init__(self, plan: ZonePlan, check: ZoneCheck, names: dict[str, str]) -> None:
        self._plan = plan
        self._check = check
        self._names = names
        self._number = 0

    def plan(self) -> None:
        """Plan all that the check tries; the file as a whole where it tries nothing."""
        plan = self._plan
        for entry in self._check.attempts:
            self._entry(entry)
        if not self._check.attempts:
            self._attempt(f"the zone file {plan.file}")

    def _entry(self, entry: ZoneTry) -> None:
        plan = self._plan
        for message in entry.messages:
            filled = self._filled(message)
            self._check_networks([filled.client])
            title = filled.title or f"mail from {filled.author}"
            plan.messages.append((self._attempt(title), filled))
        for question in entry.questions:
            asked = self._filled(question)
            plan.questions.append((self._attempt(asked.title or f"{asked.name} {asked.type}"), asked))
        for report in entry.reports:
            about = self._filled(report)
            title = about.title or f"reports about {about.domain} to {about.to}"
            plan.reports.append((self._attempt(title), about))
        for text in entry.records:
            domain = fill(text, self._names)
            plan.records.append((self._attempt(f"the SPF record of {domain}"), domain))
        for text in entry.policies:
            domain = fill(text, self._names)
            plan.policies.append((self._attempt(f"the DMARC record of {domain}"), domain))
        for senders in entry.senders:
            whose = self._filled(senders)
            self._check_networks(whose.allowed)
            title = whose.title or f"all who pass SPF for {whose.domain}"
            plan.senders.append((self._attempt(title), whose))
        self._of_every_name(entry)

    def _of_every_name(self, entry: ZoneTry) -> None:
        """What is tried with names that the zone itself holds, and where its names lead."""
        plan = self._plan
        for authors in entry.authors:
            forged = self._filled(authors)
            self._check_networks(forged.allowed)
            title = forged.title or f"forged mail from every name below {forged.domain}"
            plan.authors.append((self._attempt(title), forged))
        for delivery in entry.deliveries:
            mail = self._filled(delivery)
            self._check_networks(mail.addresses)
            plan.deliveries.append((self._attempt(mail.title or f"mail for {mail.domain}"), mail))
        for permit in entry.permits:
            whom = self._filled(permit)
            title = whom.title or f"all whose reports may come to {whom.domain}"
            plan.permits.append((self._attempt(title), whom))
        for server in entry.servers:
            named = self._filled(server)
            title = named.title or f"the nameservers of {named.domain}"
            plan.servers.append((self._attempt(title), named))

    def _attempt(self, title: str) -> str:
        self._number += 1
        identity = f"{self._check.code}:{self._number}"
        self._plan.attempts.append(
            Tried(id=identity, check=self._check.code, title=title, source="a receiver")
        )
        return identity

    def _check_networks(self, allowed: list[str]) -> None:
        """Raises ``LabError`` for what is neither an address nor a network."""
        for text in allowed:
            try:
                ipaddress.ip_network(text, strict=False)
            except ValueError:
                raise LabError(f"{self._check.code}: {text!r} is no address and no network") from None

    def _filled(self, value: T) -> T:
        """The value with the names in all its texts filled in."""

        def texts(part: object) -> object:
            if isinstance(part, str):
                return fill(part, self._names, self._check.code)
            if isinstance(part, list):
                return [texts(inner) for inner in part]
            if isinstance(part, dict):
                return {key: texts(inner) for key, inner in part.items()}
            return part

        return msgspec.convert(texts(msgspec.to_builtins(value)), type(value))


def _keys(plan: ZonePlan) -> Iterator[str]:
    yield from (message.signed.key for _, message in plan.messages if message.signed)


def _private_key(name: str) -> bytes:
    """The PEM of a signer, from an instructor's own folder of labs or from fixtures/keys. Raises ``LabError``."""
    # What lies where a command happens to run takes the place of no key that is known.
    known = [parent for parent in resources.lab_folders() if parent != resources.HERE]
    for folder in (*known, resources.folder("fixtures"), resources.HERE):
        path = folder / "keys" / f"{name}.pem"
        if path.is_file():
            return path.read_bytes()
    raise LabError(f"no key signs as {name!r}: put {name}.pem into the folder 'keys' beside the labs")
