"""Records and names in DNS: master files, messages on the wire, SPF, DKIM and DMARC records."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import dns.message
import dns.rdatatype
import dns.rrset

from grader.formats.address import domain_of, split_address
from grader.formats.dkim import listed, read_key, read_signature
from grader.formats.dmarc import read_record as read_dmarc
from grader.formats.dns import messages, names
from grader.formats.dns.entries import owners
from grader.formats.dns.masterfile import read_records, read_zone
from grader.formats.dns.ordinary import read_ordinary
from grader.formats.spf import domain_words
from grader.formats.spf import read_record as read_spf
from grader.formats.spfmacros import expand, macro_fault, pieces, shortened
from grader.formats.taglist import read_tags
from grader.kinds.server.plan.records import read_key_records
from grader.kinds.zone.facts import ZoneFacts
from grader.kinds.zone.judge.lint import lint
from grader.model.plan import Zone
from grader.world.dns.answers import Answers
from grader.world.dns.zones import Zones
from tests.fuzz.target import Target

ROOT = Path(__file__).parents[3]
KEY = b"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC7"
LETTERS = dict.fromkeys("slodipvhcrt", "a.b-c.example")
ZONE_WORDS = (
    b"(", b")", b'"', b";", b"\\", b"\\", b"\n", b" ", b"\t", b"@", b"*", b".", b"$TTL 1h\n",
    b"$ORIGIN a.\n", b"@ SOA ns h 1 4h 1h 2w 5m\n", b"@ NS ns\n", b"ns A 192.0.2.1\n",
    b"a TXT \"v=spf1 -all\" ; c\n", b" CNAME b\n", b"_dmarc TXT ( \"v=DMARC1;\" \"p=none\" )\n",
    b"a MX 10 b\n", b"9w", b"IN ", b"CH ", b"$INCLUDE /etc/passwd\n", b"AAAA ::\n", b"SRV 0 0 0 a\n",
    b"TYPE65280 \\# 2 ffff\n", b"a.b.c ", b"\\256", b"\\000", b"LOC 0 N 0 E 0m\n",
    b"x NAPTR 1 1 \"u\" \"E2U+sip\" \"!^.*$!sip:a@b!\" .\n", b"x CAA 0 issue \"ca\"\n",
    b"x SVCB 1 . alpn=h2\n",
)  # fmt: skip
TAGS = (
    b"v=DKIM1;", b"v=DMARC1;", b"p=", b"p=none;", KEY, b"k=rsa;", b"k=ed25519;", b"h=sha256;", b"t=y;",
    b"s=email;", b"=", b";", b" ", b"\r\n ", b"a=rsa-sha256;", b"b=", b"bh=", b"d=example.com;", b"s=mail;",
    b"h=from:to;", b"i=@a;", b"x=1;", b"c=relaxed/relaxed;", b"l=1;", b"rua=mailto:a@b!10m,", b"sp=",
    b"pct=1;", b"fo=1:d;", b"AAAA", b"\xe2\x80\x9c", b"MAA=", b"MAYCAQACAQM=",
)  # fmt: skip
SPF = (
    b"v=spf1 ", b"ip4:192.0.2.0/24 ", b"ip6:2001:db8::/32 ", b"a ", b"mx/24//64 ", b"include:%{d} ",
    b"exists:%{ir}.%{l1r-}.x ", b"redirect=a.example ", b"exp=b.c ", b"-all ", b"+", b"?", b"~", b"%", b"%{",
    b"}", b"%%", b"%_", b"%{s999999999r.-+,/_=}", b":", b"/", b"//", b"=", b".", b" ", b"ptr ",
    b"unknown=x ", b"/129", b"%{p}", b"%{H0}",
)  # fmt: skip


def _text(data: bytes) -> str:
    return data.decode("latin-1")


def _spf(data: bytes) -> None:
    text = _text(data)
    if record := read_spf(text):
        _ = record.faults, record.directives, record.modifier("redirect"), record.all_at
        for term in record.terms:
            _ = term.network, term.covered, list(domain_words(term.domain)), term.asks
    _ = list(pieces(text)), macro_fault(text), macro_fault(text, explaining=True)
    shortened(expand(text, LETTERS))


def _dmarc(data: bytes) -> None:
    if record := read_dmarc(_text(data)):
        _ = record.values, record.addresses, record.wrong_tag, record.fault, record.valid, record.applies
        _ = list(record.uris("ruf")), record.option("psd", "u")


def _tags(data: bytes) -> None:
    for any_case in (False, True):
        found = read_tags(_text(data), any_case=any_case)
        _ = found.tags, found.values, found.malformed, found.duplicate


def _key(data: bytes) -> None:
    found = read_key(data)
    _ = found.name, found.strict, listed(found.tags.get("h", ""))


def _signature(data: bytes) -> None:
    found = read_signature(data.decode("ascii", "surrogateescape"))
    _ = found.values, found.well_formed, found.key_name, found.fault(1e9)


def _address(data: bytes) -> None:
    found = split_address(_text(data))
    _ = found.same, domain_of(_text(data)), names.key(_text(data))


def _zone(data: bytes) -> None:
    file = read_zone(data, "example.com")
    owners(data, "example.com")
    read_ordinary(data, (b"example", b"com"))
    lint(ZoneFacts(file="f", origin="example.com", lines=file.lines, records=file.records))


def _records(data: bytes) -> None:
    read_records(data, "example.com", inside=False)


def _published(data: bytes) -> None:
    read_key_records({"mail._domainkey.txt": data, "other.txt": data[::-1]}, "example.com")


def _response(data: bytes) -> None:
    found = messages.response(data)
    for type_ in ("TXT", "MX", "A", "PTR"):
        _ = [rdata.to_text() for rdata in found.of(type_)]


@cache
def _nameserver() -> Answers:
    zone = '@ SOA ns h 1 1 1 1 1\n@ NS ns\n* TXT "x"\na CNAME b\nb CNAME a\nc DNAME d.e.\n'
    return Answers(Zones([Zone("example.com", "$TTL 1h\n" + zone)]), lambda: 0.0)


def _question(data: bytes) -> None:
    answers = _nameserver()
    for udp in (True, False):
        answers.answer(data, "203.0.113.10", udp=udp)
        answers.answer(b"\0\1\1\0" + data, "203.0.113.10", udp=udp)


def _zones() -> list[bytes]:
    found = [path.read_bytes() for path in sorted(ROOT.glob("labs/spf-dmarc/**/*.zone"))[:6]]
    head = b"$TTL 1h\n@ SOA ns hostmaster 1 4h 1h 2w 5m\n@ NS ns\nns A 203.0.113.53\n"
    return [
        *(data.replace(b"@domain@", b"example.com") for data in found),
        head + b'@ TXT ( "v=spf1" " mx -all" )\n',
    ]


def _wire() -> list[bytes]:
    query = dns.message.make_query("a.example.com.", "TXT", use_edns=True)
    reply = dns.message.make_response(query)
    reply.answer.append(dns.rrset.from_text("a.example.com.", 60, "IN", "TXT", '"v=spf1 -all" "x"'))
    reply.answer.append(dns.rrset.from_text("a.example.com.", 60, "IN", "MX", "10 mail.example.com."))
    return [reply.to_wire(), query.to_wire()]


WIRE = (
    b"\xc0\x0c", b"\x3f" + b"a" * 63, b"\x00", b"\x00\x10\x00\x01", b"\x00\x29", b"\xff\xff",
    b"\x01a\x07example\x03com\x00", b"\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x0c", b"\x00\x01",
    b"\x80\x00",
)  # fmt: skip

TARGETS = (
    Target(
        "address",
        _address,
        lambda: [b"alice@example.com", b'@a,@b:"x@y"@c', b"postmaster"],
        (b"@", b'"', b"\\", b",", b":", b"a", b".", b"@a,", b'\\"', b"<", b">"),
    ),
    Target("tag list", _tags, lambda: [b"v=DKIM1; k=rsa; p=" + KEY, b"a=b;c = d ;"], TAGS),
    Target(
        "DKIM key",
        _key,
        lambda: [b"v=DKIM1; k=rsa; p=" + KEY, b"v=DKIM1; k=ed25519; p=" + b"A" * 43 + b"="],
        TAGS,
        largest=4_096,
    ),
    Target(
        "DKIM signature",
        _signature,
        lambda: [
            b"v=1; a=rsa-sha256; d=example.com; s=mail; h=from:to; bh=AAAA; b=AAAA; i=@example.com; x=9999999999"
        ],
        TAGS,
    ),
    Target(
        "SPF record",
        _spf,
        lambda: [b"v=spf1 ip4:192.0.2.0/24 a:%{d} -all", b"v=spf1 include:a.example redirect=b.example"],
        SPF,
    ),
    Target(
        "DMARC record",
        _dmarc,
        lambda: [b"v=DMARC1; p=reject; rua=mailto:a@example.com!10m, mailto:b@c.example"],
        TAGS,
    ),
    Target(
        "zone",
        _zone,
        _zones,
        ZONE_WORDS,
        shapes=((_zones()[-1], b"a TXT b\n", b""), (b"$TTL 1h\n", b"a NS a\n", b"")),
        largest=16_384,
    ),
    Target("master file", _records, _zones, ZONE_WORDS, largest=16_384),
    Target(
        "key records",
        _published,
        lambda: [
            b'mail._domainkey IN TXT ( "v=DKIM1; k=rsa; p=" "' + KEY + b'" ) ; x\n',
            b"v=DKIM1; p=" + KEY,
        ],
        (*ZONE_WORDS, b"-----BEGIN RSA PRIVATE KEY-----", b"a._domainkey ", *TAGS[:10]),
        largest=20_000,
    ),
    Target(
        "DNS answer",
        _response,
        _wire,
        WIRE,
        refuses=(messages.BadMessage,),
        largest=4_096,
        frame=(b"\0\0\x80\0\0\1\0\1\0\0\0\0", b""),
    ),
    Target("DNS question", _question, _wire, WIRE, largest=4_096, frame=(b"\0\0\1\0\0\1\0\0\0\0\0\0", b"")),
)
