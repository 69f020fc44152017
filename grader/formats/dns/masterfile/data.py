"""The data of records: read token by token where a fault is likely, by dnspython where it is not."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from dns.rdtypes.svcbbase import GenericParam, ParamKey
from msgspec import Struct

from grader.formats.base64text import octets_of
from grader.formats.dns.tokens import ZoneToken, displayed
from grader.model.diagnostic import Span
from grader.model.dns import TxtString

LONGEST_STRING = 255
"""Octets of one character-string (RFC 1035 section 3.3)."""

LONGEST_DATA = 4_096
"""Octets of a record's data: beyond these no receiver of mail would go on reading (RFC 7208 section 3.4)."""

MOST_DIGITS = 100
"""Of a number, zeros before it included: Python refuses to read some thousand."""

_START = (
    "the first nameserver",
    "the mailbox of whoever is in charge (with a dot for its @)",
    "a serial number",
    "refresh",
    "retry",
    "expire",
    "minimum",
)
_NUMBER = re.compile(r"[0-9]+(?:[wdhms][0-9]+)*[wdhms]?", re.IGNORECASE)
_ESCAPE = re.compile(r"\\(?:([0-9]{1,3})|[^0-9])?")
_HELLO = re.compile(r'(?<=\s)ech="?([A-Za-z0-9+/=]+)"?(?!\S)')
WITH_PARAMETERS = (dns.rdatatype.SVCB, dns.rdatatype.HTTPS)
_NAMES = {"CNAME": 0, "DNAME": 0, "NS": 0, "PTR": 0, "MX": 1, "SRV": 3}
"""Types whose data ends in a name, and how many numbers stand before it."""


class BadData(Exception):
    """Data that its type does not allow: the place and the sentence."""

    def __init__(self, place: Span, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place


class Data(Struct, frozen=True):
    """The data of a record, and where they stand. ``relative`` are names in them without a dot at their end.

    ``texts`` are the strings of a TXT record that is written as strings.
    """

    rdata: Any
    place: Span
    texts: list[TxtString] = []
    relative: list[Span] = []


def data_of(
    rdtype: dns.rdatatype.RdataType, tokens: list[ZoneToken], type_: ZoneToken, origin: dns.name.Name
) -> Data:
    """The data that the tokens after a type write. Raises ``BadData``."""
    kind = dns.rdatatype.to_text(rdtype)
    if not tokens:
        raise BadData(type_.whole, f"the {kind} record has no data")
    for token in tokens:
        _escapes(token)
    texts: list[TxtString] = []
    relative: list[Span] = []
    values: list[Any] = []
    if _is_generic(tokens):
        pass  # octets written as such say by themselves how many they are
    elif kind in ("TXT", "SPF"):
        texts = [_text(token) for token in tokens]
    elif kind in ("A", "AAAA"):
        values = [_address(kind, tokens)]
    elif kind in _NAMES:
        values, relative = _named(kind, tokens, origin)
    elif kind == "SOA":
        _start(tokens, origin)
    try:
        rdata = _made(rdtype, values) if values else _read(rdtype, tokens, origin)
    except (dns.exception.DNSException, ValueError, UnicodeError, OverflowError) as error:
        sentence = f"this is no data for a record of type {kind}"
        raise BadData(_span(tokens), sentence) from error
    if len(rdata.to_wire() or b"") > LONGEST_DATA:
        sentence = (
            f"the data of this record are longer than {LONGEST_DATA} octets, which no receiver would read"
        )
        raise BadData(_span(tokens), sentence)
    return Data(rdata, _span(tokens), texts, relative)


def _made(rdtype: dns.rdatatype.RdataType, values: list[Any]) -> dns.rdata.Rdata:
    """Data of values that have been read: what dnspython makes of their text as well, after reading it once more."""
    class_ = dns.rdata.get_rdata_class(dns.rdataclass.IN, rdtype)  # type: ignore[no-untyped-call]
    made: dns.rdata.Rdata = class_(dns.rdataclass.IN, rdtype, *values)
    return made


def _read(rdtype: dns.rdatatype.RdataType, tokens: list[ZoneToken], origin: dns.name.Name) -> dns.rdata.Rdata:
    text = "".join(_parted(rdtype, tokens))
    hello = _HELLO.search(text) if rdtype in WITH_PARAMETERS else None
    try:
        return dns.rdata.from_text(dns.rdataclass.IN, rdtype, text, origin, relativize=False)
    except dns.exception.DNSException:
        if hello is None:
            raise
        rest: Any = dns.rdata.from_text(
            dns.rdataclass.IN, rdtype, text[: hello.start()] + text[hello.end() :], origin, relativize=False
        )
        return _made(rdtype, [rest.priority, rest.target, {**rest.params, ParamKey.ECH: _octets(hello[1])}])


def _octets(base64_text: str) -> Any:
    """The parameter ``ech`` whatever its octets say, which is no matter of a nameserver's (RFC 9460)."""
    return GenericParam(octets_of(base64_text))  # type: ignore[no-untyped-call]


def _parted(rdtype: dns.rdatatype.RdataType, tokens: list[ZoneToken]) -> Iterator[str]:
    """The tokens as dnspython is to read them, a blank between two of them.

    A value in quotation marks right behind its key, ``alpn="h2,h3"``, is one word with it (RFC 9460 section 2.1).
    """
    end: tuple[int, int] | None = None
    for token in tokens:
        whole = token.whole
        if end is not None and not (rdtype in WITH_PARAMETERS and end == (whole.line, whole.column)):
            yield " "
        yield _written(token)
        end = whole.line, whole.column + whole.length


def _is_generic(tokens: list[ZoneToken]) -> bool:
    """Whether the data are written as octets, which any type may be (RFC 3597 section 5)."""
    return tokens[0].source == "\\#" and not tokens[0].quoted


def name_of(token: ZoneToken, origin: dns.name.Name) -> dns.name.Name:
    """A domain name, completed with the origin where it has no dot at its end. Raises ``BadData``."""
    if token.quoted:
        raise BadData(token.whole, "a name stands without quotation marks")
    if token.source == "@":
        return origin
    _escapes(token)
    odd = next((offset for offset, sign in enumerate(token.source) if not sign.isascii()), None)
    if odd is not None:
        place = Span(token.place.line, token.place.column + odd)
        raise BadData(place, "a name is written in ASCII; an international one begins with xn-- (RFC 5890)")
    try:
        return dns.name.from_text(token.source, origin)
    except dns.name.LabelTooLong as error:
        raise BadData(token.whole, "a label of this name is longer than 63 octets") from error
    except dns.name.EmptyLabel as error:
        raise BadData(token.whole, "this name has two dots in a row, or begins with one") from error
    except dns.name.NameTooLong as error:
        raise BadData(token.whole, "this name is longer than 255 octets (RFC 1035 section 2.3.4)") from error
    except (dns.exception.DNSException, ValueError) as error:
        raise BadData(token.whole, "this is no domain name") from error


def _escapes(token: ZoneToken) -> None:
    """Check what follows each backslash: three digits that name an octet, or any other sign (RFC 1035 section 5.1)."""
    for found in _ESCAPE.finditer(token.source):
        if (found[1] and (len(found[1]) < 3 or int(found[1]) > 255)) or found.end() == found.start() + 1:
            raise BadData(
                Span(token.place.line, token.place.column + found.start(), len(found[0])),
                "a backslash stands before a sign that it saves from its meaning, or before three digits from 000 to "
                "255: write \\\\ for a backslash itself",
            )


def _start(tokens: list[ZoneToken], origin: dns.name.Name) -> None:
    """Check the data of a SOA record (RFC 1035 section 3.3.13)."""
    for token in tokens[:2]:
        name_of(token, origin)
    numbers = [token for token in tokens[2:] if not token.quoted and _NUMBER.fullmatch(token.source)]
    if len(tokens) != len(_START) or len(numbers) != len(_START) - 2:
        right = {*map(id, tokens[:2]), *map(id, numbers)}
        wrong = next((token.whole for token in tokens if id(token) not in right), _span(tokens))
        sentence = f"SOA takes {', '.join(_START[:-1])} and {_START[-1]}: two names and five numbers"
        raise BadData(wrong, sentence)


def _text(token: ZoneToken) -> TxtString:
    text = TxtString(token.place, token.source, token.quoted)
    octets = text.octets()
    if len(octets) > LONGEST_STRING:
        begins = token.place.column + octets[LONGEST_STRING][1]
        place = Span(token.place.line, begins, token.place.column + token.place.length - begins)
        raise BadData(
            place,
            f"the string that ends here is {len(octets)} octets long, and one can hold 255: divide it into several, "
            'each in quotation marks ("…" "…"); readers join them without a blank (RFC 7208 section 3.3)',
        )
    return TxtString(token.place, displayed(token.source), token.quoted)


def _address(kind: str, tokens: list[ZoneToken]) -> str:
    """The address, as it is written."""
    token = tokens[0]
    _no_more(kind, tokens, 1)
    try:
        if not token.quoted:
            (ipaddress.IPv4Address if kind == "A" else ipaddress.IPv6Address)(token.source)
            return token.source
    except ValueError:
        pass
    version = "IPv4" if kind == "A" else "IPv6"
    raise BadData(token.whole, f"“{token.source[:60]}” is no {version} address")


def _named(kind: str, tokens: list[ZoneToken], origin: dns.name.Name) -> tuple[list[Any], list[Span]]:
    """The numbers and the name, and the name's place where it has no dot at its end."""
    numbers = _NAMES[kind]
    for token in tokens[:numbers]:
        if (
            token.quoted
            or not token.source.isdigit()
            or not token.source.isascii()
            or len(token.source) > MOST_DIGITS
            or int(token.source) > 65_535
        ):
            before = "the name of the mail server, its preference" if kind == "MX" else "the name"
            raise BadData(token.whole, f"{kind} takes {_counted(numbers)} from 0 to 65535 before {before}")
    if len(tokens) <= numbers:
        raise BadData(tokens[-1].whole, f"{kind} takes a name at its end")
    _no_more(kind, tokens, numbers + 1)
    values = [*(int(token.source) for token in tokens[:numbers]), name_of(tokens[numbers], origin)]
    relative = tokens[numbers].source != "@" and not tokens[numbers].source.endswith(".")
    return values, [tokens[numbers].place] if relative else []


def _no_more(kind: str, tokens: list[ZoneToken], number: int) -> None:
    if len(tokens) > number:
        raise BadData(tokens[number].whole, f"the data of the {kind} record is complete before this")


def _counted(number: int) -> str:
    return "a number" if number == 1 else f"{number} numbers"


def _written(token: ZoneToken) -> str:
    """The token for dnspython, which takes characters beyond ASCII for UTF-8: each as the octets that it stands for."""
    source = token.source
    if not source.isascii():
        source = "".join(
            sign
            if sign.isascii()
            else "".join(f"\\{octet:03d}" for octet in sign.encode("utf-8", "surrogateescape"))
            for sign in source
        )
    return f'"{source}"' if token.quoted else source


def _span(tokens: list[ZoneToken]) -> Span:
    first = tokens[0].whole
    last = [token.whole for token in tokens if token.place.line == first.line][-1]
    return Span(first.line, first.column, last.column + last.length - first.column)
