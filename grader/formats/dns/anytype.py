"""Types and data that are seldom asked for, told in words by a library for DNS, which knows them all."""

from __future__ import annotations

import dns.rdata
import dns.rdataclass
import dns.rdatatype

import grader.formats.dns.library  # noqa: F401, before all that imports dnspython


def type_text(type_: int) -> str:
    """The name of any type of records."""
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(type_))


def data_text(type_: int, data: bytes) -> str:
    """Data of any type as a master file has them."""
    rdtype = dns.rdatatype.RdataType.make(type_)
    return dns.rdata.from_wire(dns.rdataclass.IN, rdtype, data, 0, len(data)).to_text()
