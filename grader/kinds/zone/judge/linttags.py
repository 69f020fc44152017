"""Remarks on records that are lists of tags: DMARC (RFC 9989) and DKIM keys (RFC 6376 section 3.6.1)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from grader.formats.dmarc import REMOVED, TAGS, VALUES, VERSION, read_record
from grader.formats.taglist import Tag
from grader.kinds.zone.judge.lintterms import LOOKED_AT, LOOKS_SPF, begins_oddly
from grader.kinds.zone.judge.source import About, Remark, TxtRecord
from grader.model.diagnostic import Span
from grader.model.templates import nearest

LOOKS_DMARC = re.compile(r"[^a-z0-9]*v?[\s=]*dmarc", re.IGNORECASE)
_IDLE_ESCAPE = re.compile(r"((?:[^\\]|\\[^a-zA-Z])*)(\\[a-zA-Z])")
"""A letter behind a backslash (RFC 1035 section 5.1), which programs elsewhere read as a line's end or a tab."""
SHORT_KEY = 300
"""Characters of base64 below which an RSA key has fewer than 2048 bits (RFC 8301 section 3.2)."""


def remarks(txt_record: TxtRecord, origin: str, aliased: frozenset[str]) -> Iterator[Remark]:
    """What is odd in a TXT record that is, or was meant to be, a list of tags. Others lead to the ``aliased`` names."""
    begins = txt_record.text[:LOOKED_AT]
    if LOOKS_DMARC.match(begins):
        yield from _general(txt_record, "dmarc")
        yield from _policy(txt_record, origin.lower(), aliased)
    elif "._domainkey." in f"{txt_record.record.owner}." and not LOOKS_SPF.match(begins):
        yield from _general(txt_record, "dkim")
        yield from _key(txt_record)


def _general(txt_record: TxtRecord, about: About) -> Iterator[Remark]:
    if txt_record.record.cut is not None:
        sentence = "a semicolon outside quotation marks begins a comment: the record ends before it"
        yield Remark("cut", about, txt_record.record.cut, sentence)
    if (at := txt_record.text.find("\\")) >= 0:
        yield Remark(
            "backslash",
            about,
            txt_record.place(at, at + 1),
            "this backslash belongs to the text that readers get",
        )
    for text in txt_record.record.texts:
        if found := _IDLE_ESCAPE.match(text.source):
            place = Span(text.place.line, text.place.column + len(found[1]), 2)
            sentence = (
                f"{found[2]} is the letter {found[2][1]}: a master file takes it as it is behind a backslash"
            )
            yield Remark("idle-escape", about, place, sentence)
            break
    odd = next((place for place, sign in enumerate(txt_record.text) if ord(sign) > 126), None)
    if odd is not None:
        yield Remark(
            "not-ascii", about, txt_record.place(odd, odd + 1), "the record is plain ASCII, and this is not"
        )


def _policy(txt_record: TxtRecord, origin: str, aliased: frozenset[str]) -> Iterator[Remark]:
    owner = txt_record.record.owner
    is_policy = owner.startswith("_dmarc.") and f"{origin}.{origin}" not in owner
    is_authorization = "._report._dmarc." in owner
    if not is_policy and not is_authorization and owner not in aliased:
        sentence = f"a DMARC record at {owner}: receivers ask for _dmarc.{origin} (RFC 9989 section 4.5)"
        yield Remark("wrong-name", "dmarc", txt_record.owner, sentence)
    if owner == f"{origin}._report._dmarc.{origin}":
        sentence = "reports about a domain to its own addresses need no authorization: whose are meant?"
        yield Remark("idle-authorization", "names", txt_record.owner, sentence)
    if not VERSION.match(txt_record.text):
        yield from _unrecognized(txt_record)
        return
    seen: list[str] = []
    for part in txt_record.tags.parts:
        if part.fault != "empty":
            yield from _tag(txt_record, part, seen)
            seen.append(part.name)
    if is_policy and "p" not in seen:
        yield Remark("no-policy", "dmarc", txt_record.place(0, 8), "the record says no policy: there is no p")


def unrecognized(txt_records: Iterable[TxtRecord]) -> tuple[Span, str] | None:
    """Why the first of some records at a policy's name is none: the characters, and a sentence without a dot."""
    for txt_record in txt_records:
        if not VERSION.match(txt_record.text):
            return next(((remark.place, remark.sentence) for remark in _unrecognized(txt_record)), None)
    return None


def _unrecognized(txt_record: TxtRecord) -> Iterator[Remark]:
    if odd := begins_oddly(txt_record, "DMARC record"):
        yield Remark("not-recognized", "dmarc", txt_record.place(0, odd[0]), odd[1])
        return
    version = re.match(r"[vV][ \t]*=[ \t]*DMARC1", txt_record.text)
    if version:
        place = txt_record.place(version.end(), version.end() + 1)
        sentence = "behind v=DMARC1 a semicolon must follow: as it is, this is no DMARC record"
    else:
        place = txt_record.place(0, len(re.split(r"[; ]", txt_record.text)[0]) or 1)
        sentence = "a DMARC record begins with v=DMARC1, in just these letters: this is none"
    yield Remark("not-recognized", "dmarc", place, sentence)


def _tag(txt_record: TxtRecord, part: Tag, seen: list[str]) -> Iterator[Remark]:
    tag, value = part.name, part.value
    place = txt_record.place(part.start, part.end)
    if part.fault == "no-equals":
        yield Remark("no-tag", "dmarc", place, "a part without “=” is no tag, and is ignored")
    elif tag in seen:
        yield Remark(
            "twice",
            "dmarc",
            place,
            f"{tag} stands twice: receivers may discard the record (RFC 6376 section 3.2)",
        )
    elif tag in REMOVED:
        sentence = f"{tag} is no longer part of DMARC (RFC 9989): receivers of today ignore it"
        yield Remark("removed-tag", "dmarc", place, sentence)
    elif tag not in TAGS:
        yield Remark(
            "unknown-tag",
            "dmarc",
            place,
            f"DMARC has no tag {tag!r}{nearest('%s', tag, TAGS)}; it is ignored",
        )
    elif tag in VALUES and value.lower() not in VALUES[tag]:
        words = ", ".join(VALUES[tag])
        after = txt_record.place(part.value_start, part.end)
        yield Remark("bad-value", "dmarc", after, f"{tag} is one of {words}, and this is none of them")
    elif tag in ("rua", "ruf"):
        yield from _addresses(txt_record, tag)
    elif (tag, value.lower()) == ("t", "y"):
        yield Remark(
            "testing", "dmarc", place, "t=y: receivers apply the policy one level weaker than it says"
        )
    elif (tag, value.lower()) == ("psd", "y"):
        yield Remark(
            "public-suffix", "dmarc", place, "psd=y says that others register domains below this one"
        )
    if tag == "p" and seen != ["v"]:
        yield Remark(
            "late-p", "dmarc", place, "p may stand anywhere (RFC 9989), but older receivers want it second"
        )


def _addresses(txt_record: TxtRecord, tag: str) -> Iterator[Remark]:
    record = read_record(txt_record.text)
    for uri in record.uris(tag) if record else ():
        place = txt_record.place(uri.start, max(uri.end, uri.start + 1))
        if not re.match(r"[a-z][a-z0-9+.-]*:", uri.text, re.IGNORECASE):
            yield Remark("not-uri", "dmarc", place, f"{tag} takes URIs: an address begins with mailto:")
        elif " " in uri.text:
            yield Remark("not-uri", "dmarc", place, "addresses are separated by commas")
        elif "!" in uri.text:
            yield Remark(
                "size", "dmarc", place, "a size behind “!” is no longer part of DMARC, and is ignored"
            )


def _key(txt_record: TxtRecord) -> Iterator[Remark]:
    tags = txt_record.tags.tags
    if "p" not in tags:
        return
    place = txt_record.place(tags["p"].start, tags["p"].end)
    kind = txt_record.tags.values.get("k", "rsa").lower()
    if not tags["p"].value:
        yield Remark("revoked", "dkim", place, "an empty p says that the key was withdrawn")
    elif kind == "rsa" and len(re.sub(r"\s", "", tags["p"].value)) < SHORT_KEY:
        yield Remark("short-key", "dkim", place, "an RSA key of 2048 bits is longer than this")
