"""Evidence of a run on a zone: the file as it was read, and what receivers would conclude from it."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from grader.kinds.zone.declare import Disposition, SpfResult, ZoneLab
from grader.model.diagnostic import Diagnostic
from grader.model.dns import ZoneRecord
from grader.model.evidence import Evidence, Facts, Tried
from grader.model.traffic import Query


class Spf(Struct, frozen=True):
    """The SPF result of a message (RFC 7208). ``term`` is what decided: a mechanism, or what is wrong."""

    result: SpfResult
    domain: str
    explanation: str = ""
    term: str = ""
    holder: Annotated[str, Meta(description="The domain whose record holds the term.")] = ""


class Dkim(Struct, frozen=True):
    """Whether a message's signature verifies (RFC 6376 section 3.9)."""

    verified: bool
    domain: str
    selector: str
    explanation: str = ""


class Dmarc(Struct, frozen=True):
    """What DMARC makes of a message (RFC 9989).

    ``holder`` is the domain whose record applies, empty where there is none; ``tag`` the tag that gave the policy,
    ``policy`` the policy itself, ``disposition`` what is asked for this message.
    """

    result: Annotated[str, Meta(description="pass, fail, or none where DMARC does not apply.")]
    disposition: Disposition
    holder: str = ""
    record: str = ""
    policy: Disposition = "none"
    tag: str = ""
    testing: bool = False
    spf_aligned: bool = False
    dkim_aligned: bool = False
    organization: Annotated[str, Meta(description="The organizational domain of the author.")] = ""
    explanation: str = ""


class Reception(Struct, frozen=True):
    """A message as a receiver judged it."""

    attempt: str
    client: str
    helo: str
    sender: str
    author: str
    spf: Spf
    dmarc: Dmarc
    dkim: Dkim | None = None


class Answer(Struct, frozen=True):
    """What DNS answered to a question; ``rcode`` is ``NOERROR``, ``NXDOMAIN`` and so on."""

    attempt: str
    name: str
    type: str
    rcode: str
    values: list[str]


class Reporting(Struct, frozen=True):
    """Whether a receiver would send reports about a domain to an address (RFC 9990 section 4)."""

    attempt: str
    domain: str
    to: str
    requested: bool
    authorized: Annotated[bool | None, Meta(description="``null`` where no authorization is needed.")]
    asked: Annotated[str, Meta(description="The name whose TXT record authorizes.")] = ""
    others: Annotated[list[str], Meta(description="The addresses that are asked for.")] = []

    @property
    def sent(self) -> bool:
        """Whether the reports are sent."""
        return self.requested and self.authorized is not False


class Measured(Struct, frozen=True):
    """An SPF record measured for a client that nothing in it matches."""

    attempt: str
    domain: str
    records: list[str]
    lookups: int
    voids: int
    problem: str = ""
    term: str = ""
    holder: str = ""


class Policies(Struct, frozen=True):
    """The DMARC records at a domain itself, without a tree walk."""

    attempt: str
    domain: str
    records: list[str]
    problem: str = ""


class ZoneFacts(Facts, frozen=True, kw_only=True, tag="zone"):
    """All that is known about a zone handed in."""

    attempts: list[Tried] = []

    file: str
    origin: str
    lines: list[str]
    faults: list[Diagnostic] = []
    records: list[ZoneRecord] = []
    receptions: list[Reception] = []
    answers: list[Answer] = []
    reportings: list[Reporting] = []
    measured: list[Measured] = []
    published: list[Policies] = []
    queries: list[Query] = []


ZoneEvidence = Evidence[ZoneLab, ZoneFacts]
