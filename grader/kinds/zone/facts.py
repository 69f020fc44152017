"""Evidence of a run on a zone: the file as it was read, and what receivers would conclude from it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from grader.formats.spf import FaultKind
from grader.kinds.zone.declare import Disposition, SpfResult, ZoneLab
from grader.model.diagnostic import Diagnostic
from grader.model.dns import ZoneRecord
from grader.model.evidence import Evidence, Facts, Tried
from grader.model.traffic import Query


class SpfStep(Struct, frozen=True):
    """A term that an evaluation came to: whose record holds it, and from where to where in the record's text."""

    domain: str
    term: str
    start: int
    end: int


SpfLimit = Literal["lookups", "voids", "mx"]
"""A limit of RFC 7208 section 4.6.4: ten terms that ask DNS, two look-ups that find nothing, ten names of an MX."""

SpfTrouble = Literal["syntax", "several", "missing", "loop", "no-answer", "limit"]
"""Why a record cannot be used: a term that is none; several records at one name; an include or redirect of a name that
has none, or whose record is being read already; DNS does not answer; a limit is met."""


class Spf(Struct, frozen=True):
    """The SPF result of a message (RFC 7208). ``term`` is what decided: a mechanism, or what is wrong."""

    result: SpfResult
    domain: str
    explanation: Annotated[str, Meta(description="What the domain explains to those who fail (exp).")] = ""
    term: str = ""
    holder: Annotated[str, Meta(description="The domain whose record holds the term.")] = ""
    steps: Annotated[
        list[SpfStep], Meta(description="The terms that led there, through includes; the last is the term.")
    ] = []
    trouble: SpfTrouble | None = None
    limit: SpfLimit | None = None
    fault: Annotated[
        FaultKind | None, Meta(description="What breaks the term, where the trouble is syntax.")
    ] = None
    fault_at: Annotated[
        tuple[int, int] | None, Meta(description="The characters of the record's text that break it.")
    ] = None
    about: Annotated[
        str, Meta(description="The name at which there is no record, several, or no answer.")
    ] = ""


class SpfLookup(Struct, frozen=True):
    """A term that made a receiver ask DNS, and what it asked for in vain."""

    steps: list[SpfStep]
    voids: list[str] = []


DkimFault = Literal["no-answer", "no-key", "several", "key", "revoked", "signature"]
"""Why a signature does not verify: DNS does not answer; there is no key, or several; the key cannot be used, was
withdrawn, or is another one than the signature was made for."""


class Dkim(Struct, frozen=True):
    """Whether a message's signature verifies (RFC 6376 section 3.9)."""

    verified: bool
    domain: str
    selector: str
    explanation: str = ""
    fault: DkimFault | None = None
    fault_at: Annotated[
        tuple[int, int] | None, Meta(description="The characters of the key's record that are at fault.")
    ] = None


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
    title: Annotated[
        str, Meta(description="What it is, where the attempt stands for several; else empty.")
    ] = ""


class DnsAnswer(Struct, frozen=True):
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
    redirected: Annotated[
        list[str],
        Meta(description="Where the authorization sends the reports in place of what is asked for."),
    ] = []

    @property
    def sent(self) -> bool:
        """Whether the reports are sent."""
        return self.requested and self.authorized is not False and not self.redirected


class Measured(Struct, frozen=True):
    """An SPF record measured for a client that nothing in it matches, as far as it goes beyond all limits."""

    attempt: str
    domain: str
    records: list[str]
    lookups: int
    voids: int
    verdict: Annotated[Spf | None, Meta(description="What a receiver that keeps the limits concludes.")] = (
        None
    )
    counted: list[SpfLookup] = []


class Outsider(Struct, frozen=True):
    """Addresses that may not pass SPF for a name, and what they get by one term. ``witness`` is one of them."""

    domain: str
    networks: Annotated[
        list[str], Meta(description="The addresses as networks, the first few where they are many.")
    ]
    witness: str
    spf: Spf
    sender: Annotated[
        str, Meta(description="The sender that they must say, where the record asks for it.")
    ] = ""
    helo: Annotated[
        str, Meta(description="The HELO name that they must say, where the record asks for it.")
    ] = ""


class Senders(Struct, frozen=True):
    """What everybody gets by SPF for a domain and, where that is asked, who passes for names below that are aligned.

    ``outsiders`` pass and may not; ``others`` may not either, and do not pass for the domain itself.
    """

    attempt: str
    domain: str
    names: Annotated[list[str], Meta(description="The names with a record that count.")]
    passing: Annotated[
        list[str], Meta(description="All who pass for the domain itself, as networks, the first few of many.")
    ]
    outsiders: list[Outsider]
    others: Annotated[
        list[Outsider], Meta(description="One for each result and term, the weakest result first.")
    ] = []
    complete: Annotated[bool, Meta(description="Whether all could be computed before the time was over.")] = (
        True
    )


class Exchanger(Struct, frozen=True):
    """Where senders bring mail: the name in an MX record, and the addresses that it has."""

    name: str
    preference: int
    addresses: list[str]
    is_alias: Annotated[bool, Meta(description="It has a CNAME (RFC 2181 section 10.3).")] = False


class Delivery(Struct, frozen=True):
    """Where mail for a domain goes (RFC 5321 section 5.1), and ``wanted``, the addresses where it belongs.

    Without MX records it is the domain itself, ``implicit``.
    """

    attempt: str
    domain: str
    wanted: list[str]
    exchangers: Annotated[list[Exchanger], Meta(description="The best preference first.")]
    implicit: bool = False
    answered: Annotated[bool, Meta(description="Whether DNS answered.")] = True


class Permit(Struct, frozen=True):
    """A record that lets reports about a domain come to addresses at another (RFC 9990 section 4)."""

    owner: Annotated[str, Meta(description="The name where the zone holds it; that of a wildcard has a *.")]
    about: Annotated[str, Meta(description="The domain whose reports it lets come; * for any.")]
    to: Annotated[str, Meta(description="The domain of the addresses.")]


class Permits(Struct, frozen=True):
    """All who may have their reports sent to a domain or below it; ``outsiders`` are those who were not allowed."""

    attempt: str
    domain: str
    outsiders: list[Permit]
    complete: Annotated[bool, Meta(description="Whether DNS answered about all of them.")] = True


class NameServer(Struct, frozen=True):
    """A server that an NS record names, and the addresses at which it can be asked."""

    name: str
    addresses: list[str]
    allowed: Annotated[bool, Meta(description="It may answer for the domain.")]


class Delegation(Struct, frozen=True):
    """A name that NS records leave to servers (RFC 1034 section 4.2.1), or the domain with its own."""

    owner: str
    servers: list[NameServer]


class Delegations(Struct, frozen=True):
    """Who answers for a domain, and for names below it that are left to others than may answer, the first few."""

    attempt: str
    domain: str
    allowed: list[str]
    own: Delegation
    others: list[Delegation]


PoliciesFault = Literal["no-answer", "none", "several", "no-policy", "twice", "bad-policy"]
"""Why receivers find no policy at a domain: DNS fails, there is no record, there are several, or the one that there is
lacks ``p``, has a tag twice, or says a policy that is none."""


class Policies(Struct, frozen=True):
    """The DMARC records at a domain itself, without a tree walk. ``problem`` says ``fault`` in words."""

    attempt: str
    domain: str
    records: list[str]
    problem: str = ""
    fault: PoliciesFault | None = None
    tag: Annotated[str, Meta(description="The tag that is at fault, which may be one that is missing.")] = ""


class ZoneFacts(Facts, frozen=True, kw_only=True, tag="zone"):
    """All that is known about a zone handed in."""

    attempts: list[Tried] = []

    file: str
    origin: str
    lines: list[str]
    faults: list[Diagnostic] = []
    records: list[ZoneRecord] = []
    receptions: list[Reception] = []
    answers: list[DnsAnswer] = []
    reportings: list[Reporting] = []
    measured: list[Measured] = []
    published: list[Policies] = []
    senders: list[Senders] = []
    deliveries: list[Delivery] = []
    permits: list[Permits] = []
    delegations: list[Delegations] = []
    queries: list[Query] = []


ZoneEvidence = Evidence[ZoneLab, ZoneFacts]
