"""Reads the signatures that messages bear and verifies them with the keys on record."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parseaddr
from functools import cached_property

import dkim
from dkim.canonicalization import CanonicalizationPolicy
from msgspec import Struct

from grader.formats.address import domain_of
from grader.formats.dkim import (
    ALGORITHMS,
    Key,
    SignatureFault,
    SignatureTags,
    covered,
    listed,
    read_key,
    read_signature,
    within,
)
from grader.formats.message.parse import Field, header_fields, line_of
from grader.kinds.server.facts import ServerFacts
from grader.model.dns import KeyAnswer
from grader.model.evidence import AnyEvidence
from grader.model.pointer import Pointer
from grader.model.traffic import Arrival

MOST_SIGNATURES = 8
"""Signatures of one message that are looked at (RFC 6376 section 6.1 lets receivers limit them)."""
LASTING = 86_400
"""Seconds for which a signature must hold at least, once its message has arrived."""
ON_THE_WAY = 600
"""Seconds between signing and arrival that are not held against a signature: a day is what was asked for."""
MOST_HEADER = 64_000
"""Octets of a header in which signatures are verified."""
MOST_BLANKS = 500
"""Blanks in a row that are put up with. Nobody writes so many, and dkimpy's time grows with their number squared."""
NOT_THE_SIGNED = "the header fields that it covers are not the ones that were signed"
OTHER_TEXT = "the body hash differs (bh=): the text is not the one that was signed"
KEY_OR_FIELDS = (
    "it was made with another private key than the one whose public half DNS has, or "
    f"{NOT_THE_SIGNED} (Ed25519 does not show which)"
)
"""No hash comes out of an Ed25519 signature, so that nobody can tell the two apart (RFC 8032 section 5.1.7)."""
WHITE = re.compile(r"\s+")
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_FOLDS, _BLANKS = re.compile(rb"\s+"), re.compile(rb"[ \t]+")


class Signature(Struct, frozen=True):
    """One DKIM-Signature field of a message that arrived.

    ``number`` counts them from the top, ``line`` is the field's line in the message. ``own`` says that it is the
    student's domain that signs, or one in it; ``aligned`` that it is the author's. ``problem`` is why it does not
    verify, empty where it does.
    """

    arrival: Arrival
    number: int
    line: int
    tags: Mapping[str, str]
    own: bool
    aligned: bool
    problem: str
    key: Key | None

    @property
    def domain(self) -> str:
        """``d=`` in lower case."""
        return self.tags.get("d", "").lower()

    @property
    def key_name(self) -> str:
        """Where DNS has its key (RFC 6376 section 3.6.2.1)."""
        return f"{self.tags.get('s', '').lower()}._domainkey.{self.domain}"

    @property
    def fields(self) -> list[str]:
        """The header fields that it covers, one more than there are where none may be added."""
        return covered(self.tags.get("h", ""))

    @property
    def pointer(self) -> Pointer:
        """Its place in the evidence."""
        return Pointer("message", self.arrival.id, self.line)

    @property
    def name(self) -> str:
        """In words: ``the signature d=example.com s=mail2026``."""
        return f"the signature d={self.tags.get('d', '')} s={self.tags.get('s', '')}"


class Signatures:
    """The signatures in one evidence document, each read and verified once."""

    def __init__(self, evidence: AnyEvidence, facts: ServerFacts) -> None:
        self._domain = evidence.names.get("domain", "").lower()
        self._answers = {answer.name: answer for answer in facts.keys}
        self._positions = {answer.name: number for number, answer in enumerate(facts.keys)}
        self._started = evidence.started
        self._known: dict[int, list[Signature]] = {}

    def of(self, arrival: Arrival) -> list[Signature]:
        """The signatures of a message, from the top."""
        if arrival.id not in self._known:
            self._known[arrival.id] = list(self._read(arrival))
        return self._known[arrival.id]

    def key_pointer(self, signature: Signature) -> list[Pointer]:
        """Where the evidence holds DNS's answer about a signature's key."""
        position = self._positions.get(signature.key_name)
        return [] if position is None else [Pointer("key", position)]

    def answer(self, name: str) -> KeyAnswer | None:
        """What DNS said of a name."""
        return self._answers.get(name)

    def verifies(self, signature: Signature, message: bytes) -> bool:
        """Whether a signature would verify if it stood in this other message, at the same place among them."""
        return not self._verified(message, signature.number)[0]

    @cached_property
    def _began(self) -> float:
        try:
            return datetime.fromisoformat(self._started).timestamp()
        except ValueError:
            return 0.0

    def _read(self, arrival: Arrival) -> Iterator[Signature]:
        fields = header_fields(arrival.raw)
        author = author_domain(fields)
        number = -1
        for field in fields:
            if field.key != "dkim-signature":
                continue
            number += 1
            if number >= MOST_SIGNATURES:
                return
            signature = read_signature(field.text)
            tags = signature.values if signature.well_formed else {}
            domain = tags.get("d", "").lower()
            aligned = bool(author) and self._aligned(domain, author)
            problem, key = "", None
            if arrival.place == "outside":
                problem, key = self._verified(arrival.raw, number)
                problem = problem or self._too_short(tags, arrival)
            own = within(domain, self._domain)
            line = line_of(arrival.raw, field.offset)
            yield Signature(arrival, number, line, tags, own, aligned, problem, key)

    def _too_short(self, tags: Mapping[str, str], arrival: Arrival) -> str:
        """Whether a signature that verifies now will not when the message is read, after a relay's retries."""
        if "x" not in tags:
            return ""
        left = int(tags["x"][:20]) - self._began - arrival.at / 1000
        if left >= LASTING - ON_THE_WAY:
            return ""
        return (
            f"it expires {_span(max(0, round(left)))} after the message arrived (its tag x), and mail may be days "
            "on its way (RFC 5321 section 4.5.4.1)"
        )

    def _aligned(self, domain: str, author: str) -> bool:
        """Relaxed alignment: both in one organizational domain, which is the student's where they lie in it."""
        if within(domain, self._domain) and within(author, self._domain):
            return True
        return "." in domain and (within(domain, author) or within(author, domain))

    def _verified(self, message: bytes, number: int) -> tuple[str, Key | None]:
        """Why a signature does not verify (RFC 6376 section 6.1), empty where it does; and its key."""
        if odd := _too_odd(message):
            return odd, None
        try:
            signer = dkim.DKIM(message, minkey=0)
        except (dkim.DKIMException, IndexError):
            return "the message cannot be parsed: a line of its header is no header field", None
        fields = [(name, value) for name, value in signer.headers if name.lower() == b"dkim-signature"]
        if number >= len(fields):
            return "the message has no such signature", None
        signature = read_signature(fields[number][1].decode("latin-1"))
        shown = signature.values
        if fault := signature.fault(self._began):
            return _void(*fault, signature), None
        problem, key = self._key(signature.key_name, shown)
        if problem or key is None:
            return problem, key
        return _checked(signer, signature, fields[number], key), key

    def _key(self, name: str, tags: Mapping[str, str]) -> tuple[str, Key | None]:
        """Why the key cannot be used, empty where it can, and the key."""
        answer = self._answers.get(name)
        if answer is None or not answer.texts:
            return f"DNS has no key at {name}{self._elsewhere(name)}", None
        if len(answer.texts) > 1:
            return (
                f"DNS has {len(answer.texts)} records at {name}, and which of them counts is undefined",
                None,
            )
        key = read_key(b"".join(answer.texts[0]))
        if key.problem:
            return f"the key at {name} cannot be used: {key.problem}", key
        if key.revoked:
            return f"the key at {name} is revoked: its p= is empty", key
        if key.kind != ALGORITHMS[tags["a"]]:
            return f"a={tags['a']} asks for another kind of key than DNS has at {name} (k={key.kind})", key
        hashed = tags["a"].rpartition("-")[2]
        if "h" in key.tags and hashed not in listed(key.tags["h"]):
            return (
                f"the key at {name} is for {key.tags['h']} alone (h=), and the signature was made with a={tags['a']} "
                "(RFC 6376 section 6.1.2)"
            ), key
        if key.strict and "i" in tags and domain_of(tags["i"]) != tags["d"].lower():
            return f"t=s at {name} forbids i={tags['i']} beside d={tags['d']}", key
        return "", key

    def _elsewhere(self, name: str) -> str:
        """Where the student's zone has a key instead, with the same selector if there is one; others' are no help."""
        zone = f"._domainkey.{self._domain}"
        found = [
            a.name for a in self._answers.values() if a.texts and a.name != name and a.name.endswith(zone)
        ]
        found.sort(key=lambda other: other.partition(".")[0] != name.partition(".")[0])
        return f"; there is one at {found[0]}" if found else ""


def _too_odd(message: bytes) -> str:
    """Why a message's signatures are not looked at, empty where they are: it would take too long, and mean nothing."""
    ends = _END_OF_HEADER.search(message)
    header = message[: ends.start()] if ends else message
    if len(header) > MOST_HEADER:
        return f"the message's header has {len(header)} octets, and no mail program writes more than {MOST_HEADER}"
    runs = [*_FOLDS.finditer(header), *_BLANKS.finditer(message, len(header))]
    if any(len(run[0]) > MOST_BLANKS for run in runs):
        return f"the message holds more than {MOST_BLANKS} blanks in a row, which no mail program writes"
    return ""


def _void(kind: SignatureFault, tag: str, signature: SignatureTags) -> str:
    """What is wrong with a signature's tags, in words."""
    value = signature.values.get(tag, "")
    match kind:
        case "no-tags":
            return f"it is no list of tags: {tag!r} is no tag, or stands in it twice"
        case "missing":
            return f"it has no {tag}="
        case "version":
            return f"its version is v={value}, not 1"
        case "algorithm":
            return f"its algorithm a={value} is none that receivers know"
        case "from":
            return f"it does not cover From, which every signature must: h={WHITE.sub('', value)}"
        case "identity":
            return f"i={value} does not lie in d={signature.values['d']}"
        case "query":
            return f"it names no way to its key that receivers know: q={value}, and not dns/txt"
        case "length":
            return f"l={value} is no number of octets"
        case "future":
            return f"it says that it was made later than the message arrived (t={value})"
        case "expired":
            return f"it had expired when the message arrived (x={value})"
        case "base64":
            return f"{tag}= is not base64"


def _checked(
    signer: dkim.DKIM,
    signature: SignatureTags,
    field: tuple[bytes, bytes],
    key: Key,
) -> str:
    """Why the hashes or the signature proper do not fit (RFC 6376 section 6.1.3), empty where they do.

    What the record says beside the key was judged before, and dkimpy is not asked again: for it, ``s=`` is no list.
    """
    raw = {name.encode("latin-1"): value.encode("latin-1") for name, value in signature.record.values.items()}
    names = [part.strip().lower() for part in raw[b"h"].split(b":")]
    if b"c" in raw:
        raw[b"c"] = raw[b"c"].lower()
    try:
        if signer.verify_sig(raw, names, field, lambda *_, **__: key.record):
            return _overlong(raw, signer)
    except dkim.ValidationError as error:
        if str(error).startswith("body hash"):
            return OTHER_TEXT
        return "a tag of it breaks the rules of RFC 6376 section 3.5"
    except (dkim.DKIMException, ValueError, TypeError, KeyError, IndexError, AssertionError):
        return "a tag of it cannot be read"
    if key.kind == "rsa" and not _made_with(key, raw[b"b"]):
        return "it was made with another private key than the one whose public half DNS has"
    return NOT_THE_SIGNED if key.kind == "rsa" else KEY_OR_FIELDS


def _overlong(tags: Mapping[bytes, bytes], signer: dkim.DKIM) -> str:
    """Whether more of the text is said to be signed than there is, which receivers refuse (section 3.5)."""
    if b"l" not in tags:
        return ""
    form = CanonicalizationPolicy.from_c_value(tags.get(b"c"))
    octets = len(form.canonicalize_body(signer.body))
    if int(tags[b"l"]) <= octets:
        return ""
    return (
        f"its l= counts {tags[b'l'].decode()} octets of text, and there are {octets}: receivers refuse that"
    )


def _made_with(key: Key, signature: bytes) -> bool:
    """Whether a signature opens with a public key at all (RFC 8017 section 9.2: the padding comes out)."""
    number = int.from_bytes(base64.b64decode(re.sub(rb"\s+", b"", signature)), "big")
    opened = pow(number, key.exponent, key.modulus).to_bytes((key.bits + 7) // 8, "big")
    return opened.startswith(b"\x00\x01\xff\xff")


def author_domain(fields: list[Field]) -> str:
    """The domain of the address in From (RFC 9989: the author domain), empty where there is none."""
    text = next((field.text for field in fields if field.key == "from"), "")
    try:
        return domain_of(parseaddr(WHITE.sub(" ", _words(text)))[1])
    except RecursionError:
        return ""  # of comments in comments, a thousand deep


def _words(text: str) -> str:
    return text.encode("ascii", "surrogateescape").decode("utf-8", "replace")


def _span(seconds: int) -> str:
    """A time in the largest unit that it has: ``3 hours``, and that for 2 hours 59 minutes 59 seconds too.

    A signature's whole seconds and the clock of its arrival differ by one or two, which no sentence should show.
    """
    for size, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
        count = (seconds + size // 100) // size
        if count or size == 1:
            return f"{count} {unit}{'' if count == 1 else 's'}"
    raise AssertionError(seconds)
