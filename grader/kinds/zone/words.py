"""The words of a lab of the kind ``zone``, with what they mean."""

from __future__ import annotations

from grader.kinds.base import Words
from grader.kinds.zone.declare import JUDGES, ZoneExpect, ZoneTry
from grader.labs.vocabulary import keys_of

SPF = {
    "none": "there is no SPF record, or no domain to ask about",
    "neutral": "the record says nothing of the client (?)",
    "pass": "the client may send for the domain (+)",
    "fail": "the client may not send for the domain (-)",
    "softfail": "the client probably may not send for the domain (~)",
    "temperror": "DNS did not answer",
    "permerror": "the record cannot be read or asks DNS too much",
}
"""RFC 7208 section 2.6."""
DMARC = {
    "none": "the author's domain has no policy",
    "pass": "SPF or DKIM passes for a domain that is aligned with From",
    "fail": "neither does",
}
DISPOSITION = {
    "none": "nothing is asked of the receiver",
    "quarantine": "the receiver may treat the message as suspicious",
    "reject": "the receiver may refuse the message",
}
"""RFC 9989 section 4.7."""
MECHANISMS = {
    "spf": "SPF passes, for a domain that is aligned with From",
    "dkim": "a signature verifies, of a domain that is aligned with From",
}
TYPES = {
    "A": "an IPv4 address",
    "AAAA": "an IPv6 address",
    "CNAME": "the name that this one is an alias of",
    "MX": "a server that takes mail, with its preference",
    "NS": "a nameserver of the zone",
    "PTR": "the name of an address",
    "SOA": "the zone's own record",
    "SRV": "a host and port of a service",
    "TXT": "a text: SPF, DKIM and DMARC are such",
}


def made() -> tuple[Words, ...]:
    """See ``grader.kinds.base.Author.vocabulary``."""
    tried = {key: f"{about} Judged by {', '.join(JUDGES[key])}." for key, about in keys_of(ZoneTry).items()}
    return (
        Words("Keys of try", "in each entry of `try`: what receivers do", tried),
        Words("Expectations", "in `expect`; all that are given must hold", keys_of(ZoneExpect)),
        Words(
            "Results of SPF",
            "in `spf` and `everybody-else`",
            SPF,
            (("ZoneExpect", "spf"), ("ZoneExpect", "everybody-else")),
        ),
        Words("Results of DMARC", "in `dmarc`", DMARC, (("ZoneExpect", "dmarc"),)),
        Words("What DMARC asks for", "in `disposition`", DISPOSITION, (("ZoneExpect", "disposition"),)),
        Words("What authenticates", "in `aligned`", MECHANISMS, (("ZoneExpect", "aligned"),)),
        Words("Types of record", "in `type` of a question", TYPES, (("Question", "type"),)),
    )
