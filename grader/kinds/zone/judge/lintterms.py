"""Remarks on SPF records (RFC 7208)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from grader.kinds.zone.judge.source import SPF, Remark, TxtRecord

LOOKS_SPF = re.compile(r"[^a-z0-9]*v?[\s=]*spf", re.IGNORECASE)
TERM = re.compile(
    r"[+?~-]?(?:all|a|mx|ptr|include|exists|ip4|ip6)(?:[:/\s]|$)|(?:redirect|exp)=", re.IGNORECASE
)
"""How a term begins that might have been meant to stand by itself."""

LOOKED_AT = 80
"""Characters in which a record shows what it was meant to be."""

GLUE = " \t+?~-:=/."
"""Characters behind which a string may end in the middle of a term, or after a blank."""

QUOTES = "\"'\u201c\u201d\u201e\u00ab\u00bb\u2018\u2019"
"""Plain and typographic quotation marks."""
WIDE = {4: 16, 6: 32}
"""Prefixes shorter than these hold more addresses than nearly anybody sends from."""


def remarks(txt_record: TxtRecord) -> Iterator[Remark]:
    """What is odd in a TXT record that is, or was meant to be, an SPF record."""
    text = txt_record.text
    if not LOOKS_SPF.match(text[:LOOKED_AT]):
        return
    if txt_record.record.type == "SPF":
        sentence = (
            "records of type SPF are obsolete, and nobody asks for them: publish it as TXT (RFC 7208 3.1)"
        )
        yield Remark("type-spf", "spf", txt_record.record.place, sentence)
    joints = list(_joints(txt_record))
    yield from joints
    if not SPF.match(text):
        if not joints:
            yield from _unrecognized(txt_record)
        return
    yield from _terms(txt_record)
    odd = next((place for place, sign in enumerate(text) if ord(sign) > 126 or ord(sign) < 32), None)
    if odd is not None:
        yield Remark(
            "not-ascii",
            "spf",
            txt_record.place(odd, odd + 1),
            "an SPF record is plain ASCII, and this is not",
        )


def begins_oddly(txt_record: TxtRecord, what: str) -> tuple[int, str] | None:
    """What stands before the version of a record, if anything does: how long it is, and a sentence."""
    text = txt_record.text
    blanks = len(text) - len(text.lstrip(" \t"))
    if blanks:
        return blanks, f"a blank stands before the version, so that this is no {what}"
    raw = txt_record.record.texts[0].source.lstrip("\\")[:1]
    if raw and raw in QUOTES:
        length = len(raw.encode())
        return length, f"a quotation mark belongs to the text here, so that this is no {what}"
    return None


def _unrecognized(txt_record: TxtRecord) -> Iterator[Remark]:
    if odd := begins_oddly(txt_record, "SPF record"):
        yield Remark("not-recognized", "spf", txt_record.place(0, odd[0]), odd[1])
        return
    if txt_record.text[:6].lower() == "v=spf1":
        place, sentence = (
            txt_record.place(6, 7),
            "behind v=spf1 a blank must follow: as it is, this is no SPF record",
        )
    else:
        end = len(txt_record.text.split(" ")[0])
        place, sentence = (
            txt_record.place(0, end),
            "an SPF record begins with v=spf1, exactly so: this is none",
        )
    yield Remark("not-recognized", "spf", place, sentence)


def _joints(txt_record: TxtRecord) -> Iterator[Remark]:
    """Strings that readers join without a blank, so that two terms become one (RFC 7208 section 3.3)."""
    at = 0
    texts = txt_record.record.texts
    for number, text in enumerate(texts[:-1]):
        at += len(text.octets())
        after = txt_record.text[at : at + len(texts[number + 1].octets())]
        if at and txt_record.text[at - 1] not in GLUE and TERM.match(after):
            word = f"{txt_record.text[:at].split(' ')[-1]}{txt_record.text[at:].split(' ')[0]}"
            sentence = f"strings are joined without a blank: this reads “{word[:60]}”"
            if not texts[number + 1].quoted:
                sentence += "; one pair of quotation marks around the whole text keeps its blanks"
            yield Remark("joined", "spf", txt_record.place(at, at + 1), sentence)
            return


def _terms(txt_record: TxtRecord) -> Iterator[Remark]:
    """Terms that do more, or less, than they seem to."""
    everybody = ""
    ends = False
    last = (0, 6)
    for term, start, end in txt_record.terms():
        place = txt_record.place(start, end)
        word = term.lower().lstrip("+?~-")
        modifier = re.match(r"[a-z][a-z0-9_.-]*=", term, re.IGNORECASE)
        if everybody and not modifier:
            yield Remark("after-all", "spf", place, f"nothing behind {everybody} is ever read")
            break
        if word == "all":
            everybody = term
            yield from _everybody(term, txt_record, start, end)
        elif word.startswith(("ip4:", "ip6:")):
            yield from _network(term, txt_record, start)
        elif word == "ptr" or word.startswith(("ptr:", "ptr/")):
            yield Remark(
                "ptr", "spf", place, "ptr is slow, unreliable and not to be used (RFC 7208 section 5.5)"
            )
        elif word.startswith("redirect="):
            ends = True
            if re.search(r"(?<!\S)[+?~-]?all(?!\S)", txt_record.text, re.IGNORECASE):
                yield Remark("idle-redirect", "spf", place, "redirect is never followed where all stands")
        last = (start, end)
    if not everybody and not ends:
        yield Remark(
            "no-all",
            "spf",
            txt_record.place(last[1] - 1, last[1]),
            "the record ends without all: everybody else is neutral",
        )


def _everybody(term: str, txt_record: TxtRecord, start: int, end: int) -> Iterator[Remark]:
    place = txt_record.place(start, end)
    if term[0] in "+aA":
        yield Remark("all-pass", "spf", place, f"{term} lets everybody in the world pass")
    elif term[0] == "?":
        yield Remark("all-neutral", "spf", place, f"{term} says nothing about everybody else")


def _network(term: str, txt_record: TxtRecord, start: int) -> Iterator[Remark]:
    written = term.partition(":")[2]
    try:
        network = ipaddress.ip_interface(written).network
        host = ipaddress.ip_interface(written).ip
    except ValueError:
        return
    slash = term.rfind("/")
    if slash < 0 or network.prefixlen == network.max_prefixlen:
        return
    place = txt_record.place(start + slash, start + len(term))
    if network.prefixlen < WIDE[network.version]:
        yield Remark("wide", "spf", place, f"{network} holds {network.num_addresses:,} addresses")
    elif host != network.network_address:
        yield Remark(
            "host-bits",
            "spf",
            place,
            f"this is not one address but {network.num_addresses:,} of them, {network}",
        )
