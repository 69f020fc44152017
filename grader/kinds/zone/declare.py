"""What a lab of the kind ``zone`` declares: the zones around the student's, what is tried, what must come of it."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from grader.model import lab

SpfResult = Literal["none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"]
"""RFC 7208 section 2.6."""


Disposition = Literal["none", "quarantine", "reject"]
"""What DMARC asks a receiver to do with a message (RFC 9989 section 4.7)."""


Mechanism = Literal["spf", "dkim"]


class Signer(Struct, frozen=True, forbid_unknown_fields=True):
    """A DKIM signature that a message bears (RFC 6376)."""

    domain: Annotated[str, Meta(description="The signing domain, d=.")]
    selector: Annotated[str, Meta(description="The selector, s=.")]
    key: Annotated[
        str, Meta(description="Whose private key signs: a file KEY.pem in fixtures/keys or LABS/keys.")
    ]


class ZoneMessage(Struct, frozen=True, forbid_unknown_fields=True):
    """A message as a receiver meets it. Every text may use the variant's names in braces."""

    client: Annotated[
        str, Meta(description="The address that connects; or a network, each of whose addresses may.")
    ]
    sender: Annotated[
        str, Meta(description="The reverse path, without the brackets; empty is the null sender.")
    ] = field(name="mail-from")
    author: Annotated[str, Meta(description="The address in the From header field.")] = field(name="from")
    helo: Annotated[str, Meta(description="Name given in EHLO.")] = "client.invalid"
    title: Annotated[str, Meta(description="Who sends it, in a few words, for the report.")] = ""
    signed: Annotated[Signer | None, Meta(description="The DKIM signature that it bears.")] = None


class Question(Struct, frozen=True, forbid_unknown_fields=True):
    """A question to DNS."""

    name: Annotated[str, Meta(description="The name that is asked about.")]
    type: Annotated[
        Literal["A", "AAAA", "CNAME", "MX", "NS", "PTR", "SOA", "SRV", "TXT"],
        Meta(description="The type of record that is asked for."),
    ]
    title: Annotated[str, Meta(description="The question in a few words, for the report.")] = ""


class ReportRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Aggregate reports about a domain, to an address (RFC 9990)."""

    domain: Annotated[str, Meta(description="The domain that the reports are about.")]
    to: Annotated[str, Meta(description="The address that is to get them.")]
    title: Annotated[str, Meta(description="The reports in a few words, for the report.")] = ""


class SenderRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """All who can send as a domain: computed from its SPF record, not tried by samples."""

    domain: Annotated[str, Meta(description="The domain in MAIL FROM or HELO.")]
    allowed: Annotated[list[str], Meta(description="The addresses and networks that may pass SPF for it.")]
    below: Annotated[
        bool,
        Meta(
            description="Whether the names below it count as well, as far as a pass for them is aligned with it "
            "(RFC 9989 section 4.4)."
        ),
    ] = True
    title: Annotated[str, Meta(description="Who is meant, in a few words, for the report.")] = ""


class AuthorRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Mail that nothing authenticates, with each name below a domain in From: the names come from the zone itself."""

    domain: Annotated[str, Meta(description="The domain whose names below are tried as the author's domain.")]
    allowed: Annotated[
        list[str], Meta(description="The addresses and networks that may pass SPF for such a name.")
    ] = []
    title: Annotated[str, Meta(description="What is tried, in a few words, for the report.")] = ""


class DeliveryRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Mail for a domain, which senders bring where its MX records lead (RFC 5321 section 5.1)."""

    domain: Annotated[str, Meta(description="The domain in RCPT TO.")]
    addresses: Annotated[
        list[str],
        Meta(
            description="The addresses of its mail server: senders reach those of IPv4, and none but these."
        ),
    ]
    title: Annotated[str, Meta(description="The mail in a few words, for the report.")] = ""


class ServerRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The servers that a zone names for itself and for names below it (RFC 1034 section 4.2)."""

    domain: Annotated[
        str, Meta(description="The domain whose NS records, and those below it, are looked at.")
    ]
    allowed: Annotated[
        list[str],
        Meta(
            description="The servers that may answer: names, and addresses. A name below the domain may be left to a "
            "server by its address where the server's own name lies in the domain."
        ),
    ]
    title: Annotated[str, Meta(description="What is tried, in a few words, for the report.")] = ""


class PermitRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The domains whose reports the zone lets come to addresses at a domain and below it (RFC 9990 section 4)."""

    domain: Annotated[str, Meta(description="The domain of the addresses that get reports.")]
    allowed: Annotated[
        list[str], Meta(description="The domains whose reports may come; names below them may as well.")
    ]
    title: Annotated[str, Meta(description="What is tried, in a few words, for the report.")] = ""


class ZoneTry(Struct, frozen=True, forbid_unknown_fields=True):
    """What receivers try on the student's zone."""

    messages: Annotated[list[ZoneMessage], Meta(description="Messages that receivers evaluate.")] = []
    questions: Annotated[list[Question], Meta(description="Questions that DNS answers.")] = []
    reports: Annotated[list[ReportRequest], Meta(description="Reports that receivers would send.")] = []
    records: Annotated[list[str], Meta(description="Domains whose SPF record is measured.")] = []
    policies: Annotated[list[str], Meta(description="Domains whose DMARC record is looked up.")] = []
    senders: Annotated[
        list[SenderRequest], Meta(description="Domains for which all who pass SPF are computed.")
    ] = []
    authors: Annotated[
        list[AuthorRequest],
        Meta(description="Domains below which every name of the zone is tried in From of forged mail."),
    ] = []
    deliveries: Annotated[
        list[DeliveryRequest], Meta(description="Domains whose mail is followed to an address.")
    ] = []
    permits: Annotated[
        list[PermitRequest], Meta(description="Domains for which all who may have reports sent are listed.")
    ] = []
    servers: Annotated[
        list[ServerRequest], Meta(description="Domains whose nameservers are followed to their addresses.")
    ] = []


class ZoneExpect(Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold for each of them. All given expectations must hold."""

    loads: Annotated[bool, Meta(description="The file can be read as a zone and served.")] = False
    spf: Annotated[list[SpfResult], Meta(description="The SPF results allowed for each message.")] = []
    dkim: Annotated[bool, Meta(description="The signature of each message verifies.")] = False
    aligned: Annotated[
        list[Mechanism], Meta(description="What must authenticate each message in alignment with From.")
    ] = []
    dmarc: Annotated[
        list[Literal["none", "pass", "fail"]], Meta(description="The DMARC results allowed for each message.")
    ] = []
    disposition: Annotated[
        list[Disposition], Meta(description="What a receiver may be asked to do with each message.")
    ] = []
    answers: Annotated[
        list[str] | None,
        Meta(
            description="Exactly the answers to each question, in any order, as a master file has them, a TXT as "
            "readers get it, its strings joined; * stands for anything."
        ),
    ] = None
    reported: Annotated[
        bool | None, Meta(description="Whether a receiver would send each of the reports.")
    ] = None
    published: Annotated[
        bool, Meta(description="Each domain has exactly one record of the kind, which can be understood.")
    ] = False
    lookups: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="How many DNS look-ups each SPF record may take (RFC 7208 section 4.6.4)."),
    ] = None
    voids: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="How many of them may find nothing (RFC 7208 section 4.6.4)."),
    ] = None
    nobody_else: Annotated[
        bool,
        Meta(
            description="Of all addresses there are, those that are allowed pass SPF, and no other; of all domains, "
            "those that are allowed may have their reports sent; of all servers, those that are allowed answer."
        ),
    ] = field(name="nobody-else", default=False)
    everybody_else: Annotated[
        list[SpfResult],
        Meta(
            description="The SPF results allowed for all addresses there are that may not pass for the domain itself."
        ),
    ] = field(name="everybody-else", default_factory=list)
    delivered: Annotated[
        bool, Meta(description="Senders bring the mail to the addresses that are given, and to no other.")
    ] = False
    served: Annotated[
        bool,
        Meta(
            description="The NS records of each domain name a server that is allowed, and it has an address."
        ),
    ] = False


JUDGES: dict[str, tuple[str, ...]] = {
    "messages": ("spf", "dkim", "aligned", "dmarc", "disposition"),
    "questions": ("answers",),
    "reports": ("reported",),
    "records": ("published", "lookups", "voids"),
    "policies": ("published",),
    "senders": ("nobody-else", "everybody-else"),
    "authors": ("spf", "dmarc", "disposition"),
    "deliveries": ("delivered",),
    "permits": ("nobody-else",),
    "servers": ("served", "nobody-else"),
}
"""What each thing that is tried can be judged by."""


class ZoneWorld(Struct, frozen=True, forbid_unknown_fields=True):
    """The student's zone and those of others."""

    origin: Annotated[str, Meta(description="The domain that the student's zone is for.")] = "{domain}"
    others: Annotated[
        dict[str, str], Meta(description="Other people's zones: origin to master file (RFC 1035 section 5).")
    ] = {}


class ZoneCheck(lab.Check, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A check of a zone: what receivers try on it, and what must come of it. Without ``try`` it is about the file."""

    attempts: list[ZoneTry] = field(name="try", default_factory=list)
    expect: ZoneExpect


class ZoneLab(lab.Lab, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="zone"):
    """A lab whose students hand in a DNS zone."""

    checks: Annotated[list[ZoneCheck], Meta(min_length=1, description="What is judged.")]
    zone: Annotated[ZoneWorld, Meta(description="The student's zone and those around it.")] = ZoneWorld()


LAB = ZoneLab
"""See ``grader.kinds.base.Declare``."""
