"""Strangers and a domain of theirs, in which there is whatever name a record may ask for.

Anybody can have a domain, and in it what they like. A term whose name ends in what the client says, such as
``exists:_ok.%{h}``, or in the name that the client's address leads to, asks a domain of the client's own choice.
"""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from grader.formats.dns.masterfile import ZoneFile, read_zone

ADDRESSES = (ipaddress.ip_address("198.51.100.66"), ipaddress.ip_address("2001:db8:bad::66"))
"""Addresses that are nobody's in particular (RFC 5737, RFC 3849), shown where they are among many others."""
NOBODY = "client.invalid"
"""A name that does not exist."""
DOMAIN = "stranger.invalid"
"""A name that a stranger owns, with all that lies below it."""

RECORDS = "".join(
    f'{owner} A {ADDRESSES[0]}\n{owner} AAAA {ADDRESSES[1]}\n{owner} MX 0 {DOMAIN}.\n{owner} TXT "v=spf1 +all"\n'
    for owner in ("@", "*")
)
"""What there is of every name in the domain: whatever lets its owner pass."""


@lru_cache(maxsize=1)
def zone() -> ZoneFile:
    """The zone of the strangers' domain."""
    return read_zone(f"$TTL 300\n@ SOA @ @ 1 3600 600 86400 300\n@ NS @\n{RECORDS}".encode(), DOMAIN)
