"""DKIM (RFC 6376): what a key record in DNS says and whether it will do, and the tags of signatures."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from dkim.crypto import UnparsableKeyError, parse_public_key
from msgspec import Struct
from msgspec.structs import replace

from grader.formats.address import domain_of
from grader.formats.base64text import octets_of, padded_too_far
from grader.formats.taglist import Tag, TagList, read_tags

MOST_BITS = 8192
"""Larger keys take time to use and no receiver need to (RFC 8301 section 3.2 asks for up to 4096)."""
LARGEST_EXPONENT = 2**33
ED25519_OCTETS = 32

REQUIRED = ("v", "a", "b", "bh", "d", "h", "s")
"""Tags that every signature has (RFC 6376 section 3.5)."""
ALGORITHMS = {"rsa-sha256": "rsa", "rsa-sha1": "rsa", "ed25519-sha256": "ed25519"}
"""Signing algorithms (RFC 6376 section 3.3, RFC 8463), each with the kind of key that it needs."""

_PRIVATE = re.compile(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..)\x02\x01\x00", re.DOTALL)
"""How a private key begins, in either form of its own (RFC 5208 section 5, RFC 8017 appendix A.1.2): with version 0."""
_BARE = re.compile(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..)\x02", re.DOTALL)
"""How an RSAPublicKey begins that is not wrapped as SubjectPublicKeyInfo (RFC 8017 appendix A.1.1)."""
_UNWRAPPED = (
    "p= holds a bare RSAPublicKey (PKCS #1), which begins with MIIBCg for 2048 bits; OpenDKIM, Mail::DKIM and others "
    "read only what RFC 6376 shows in appendix C (erratum 3017), openssl's BEGIN PUBLIC KEY, which begins with MIIBIjAN"
)
_SPACE = re.compile(r"\s+")
_MARK = re.compile(r"[\\\"'`]|[\x80-\xff]+")
"""What word processors and web pages leave in a key, read as latin-1."""
_MARKS = {"\\": "backslash", '"': "quotation mark"}

KeyFault = Literal[
    "duplicate", "no-tag", "version", "no-key", "kind", "hash", "service", "testing", "base64", "length",
    "not-rsa", "too-large", "not-wrapped",
]  # fmt: skip
"""What keeps receivers from using a key: each of them, or too many, for a key that is not wrapped."""

SignatureFault = Literal[
    "no-tags",
    "missing",
    "version",
    "algorithm",
    "from",
    "identity",
    "query",
    "length",
    "future",
    "expired",
    "base64",
]
"""What makes a signature void whatever key DNS has for it (RFC 6376 section 6.1.1)."""
MOST_SHOWN = 40
"""Characters of a value that a sentence shows."""
_GLUED = re.compile(r"\bp\s*=\s*[A-Za-z0-9+/]{20}")
QUERY = "dns/txt"
"""The way to a key that there is (section 3.5); those that a receiver does not know are passed over."""
DRIFT = 36_000
"""Seconds by which a signer's clock may be ahead: as many as dkimpy puts up with, and more than OpenDKIM does."""
_LENGTH = re.compile("[0-9]{1,76}")


class Key(Struct, frozen=True):
    """A key record. ``problem`` says why no receiver can use it, empty where one can; ``remarks`` what is odd in it.

    ``fault`` is the problem's kind and ``span`` where in the text the tag stands that makes it, both ``None`` where
    there is none. ``bits`` are those of an RSA modulus, 256 for Ed25519, 0 where there is no key.
    """

    kind: str = "rsa"
    bits: int = 0
    problem: str = ""
    fault: KeyFault | None = None
    span: tuple[int, int] | None = None
    remarks: list[str] = []
    revoked: bool = False
    tags: dict[str, str] = {}
    modulus: int = 0
    exponent: int = 0

    @property
    def name(self) -> str:
        """Kind and size in words: ``RSA with 2048 bits``."""
        return f"RSA with {self.bits} bits" if self.kind == "rsa" else "Ed25519"

    @property
    def record(self) -> bytes:
        """A record with this key and nothing else, for a library that need not judge the rest of it again."""
        return f"v=DKIM1; k={self.kind}; p={_SPACE.sub('', self.tags['p'])}".encode("ascii", "replace")

    @property
    def strict(self) -> bool:
        """Whether ``t=s`` stands in it: ``i=`` must then have the domain of ``d=`` itself (section 3.6.1)."""
        return "s" in listed(self.tags.get("t", ""))


class _Unusable(Exception):
    """A key that no receiver can use."""

    def __init__(self, fault: KeyFault, problem: str, tag: Tag | None = None) -> None:
        super().__init__(problem)
        self.fault = fault
        self.problem = problem
        self.span = (tag.start, tag.end) if tag else None
        if tag and (mark := _mark(tag)):
            sign, self.span = mark[0], mark[1:]
            self.problem = f"{problem}; {sign} was copied into it, which is no part of a key"


def _mark(tag: Tag) -> tuple[str, int, int] | None:
    """The first quotation mark, backslash or typographic sign in a tag, in words, and where it stands."""
    for text, start in ((tag.name, tag.start), (tag.value, tag.value_start)):
        if found := _MARK.search(text):
            octets = found[0].encode("latin-1", "replace")
            sign = octets.decode("utf-8", "replace")[0]
            at = start + found.start()
            if sign == "\ufffd":
                return f"the octet {octets[0]:#04x}", at, at + 1
            name = _MARKS.get(sign) or unicodedata.name(sign, "a sign without a name").lower()
            return f"“{sign}” ({name})", at, at + len(sign.encode())
    return None


@lru_cache(maxsize=200)
def read_key(text: bytes) -> Key:
    """What the text of a record, its strings joined, says."""
    record = read_tags(text.decode("latin-1"))
    shown = {_shown(name): _shown(value) for name, value in record.values.items()}
    kind = shown.get("k", "rsa")
    try:
        _check_list(record)
        _check_tags(record)
        key = _with_key(record.tags["p"], kind)
    except _Unusable as error:
        return Key(kind=kind, problem=error.problem, fault=error.fault, span=error.span, tags=shown)
    return replace(key, tags=shown, remarks=[*key.remarks, *_remarks(record)])


def _check_list(record: TagList) -> None:
    """Whether the record is a list of tags at all. Raises ``_Unusable``."""
    for part in record.parts:
        if part.fault == "bad-name":
            raise _Unusable("no-tag", f"{_shown(part.name)!r} is no name of a tag", part)
        if part.fault:
            problem = f"{_shown(part.value)!r} is no tag=value, of which a record is a list"
            raise _Unusable("no-tag", problem, part)
    if twice := record.duplicate:
        raise _Unusable("duplicate", f"the tag {twice.name}= stands in it twice", twice)


def _check_tags(record: TagList) -> None:
    """What forbids every receiver to use the key, whatever key it is. Raises ``_Unusable``."""
    tags = record.tags
    if "v" in tags and (tags["v"].value != "DKIM1" or record.parts[0].name != "v"):
        value = tags["v"].value
        problem = f"v= must stand first and be DKIM1, and it is {_begun(value)}"
        if value == "DKIM1":
            problem = f"v= must stand first, and {_shown(record.parts[0].name)}= stands before it"
        elif value.startswith("DKIM1"):
            problem += ": behind DKIM1 a semicolon is missing"
        raise _Unusable("version", problem + " (RFC 6376 section 3.6.1)", tags["v"])
    if "p" not in tags:
        raise _Unusable("no-key", f"there is no p= in it, which is the key{_instead_of_key(record)}")
    if "k" in tags and tags["k"].value not in ("rsa", "ed25519"):
        problem = f"the kind of key k={_shown(tags['k'].value)} is none that receivers know: rsa or ed25519"
        raise _Unusable("kind", problem, tags["k"])
    if "h" in tags and "sha256" not in listed(tags["h"].value):
        problem = (
            f"h={_shown(tags['h'].value)} forbids SHA-256, with which mail is signed (RFC 8301 section 3.1)"
        )
        raise _Unusable("hash", problem, tags["h"])
    if "s" in tags and not {"*", "email"} & set(listed(tags["s"].value)):
        raise _Unusable(
            "service", f"s={_shown(tags['s'].value)} says that the key is not for mail", tags["s"]
        )
    if "t" in tags and "y" in listed(tags["t"].value):
        problem = (
            "t=y says that the key is only being tested, and then a signed message must be treated like an unsigned "
            "one (RFC 6376 section 3.6.1)"
        )
        raise _Unusable("testing", problem, tags["t"])


def _instead_of_key(record: TagList) -> str:
    """What was perhaps meant for ``p=``, in words; empty where nothing looks so."""
    if "P" in record.tags:
        return ": P= is another tag, as names of tags are told apart by small and capital letters"
    if glued := next((part for part in record.parts if _GLUED.search(part.value)), None):
        return f": a semicolon is missing before it, and it belongs to {_shown(glued.name)}="
    return " (outside quotation marks a semicolon begins a comment)" if len(record.parts) == 1 else ""


def _begun(value: str) -> str:
    """A value in quotation marks, of a long one the beginning."""
    return repr(_shown(value if len(value) <= MOST_SHOWN else f"{value[:MOST_SHOWN]}..."))


def _with_key(tag: Tag, kind: str) -> Key:
    """The key itself. Raises ``_Unusable``."""
    packed = _SPACE.sub("", tag.value)
    if not packed:
        return Key(kind=kind, revoked=True)
    try:
        octets = octets_of(packed)
    except ValueError as error:
        raise _Unusable("base64", _not_base64(packed), tag) from error
    if kind == "ed25519":
        if len(octets) != ED25519_OCTETS:
            problem = f"p= holds {len(octets)} octets, and a key for Ed25519 has {ED25519_OCTETS} (RFC 8463)"
            raise _Unusable("length", problem, tag)
        return Key(kind=kind, bits=256)
    if _PRIVATE.match(octets):
        problem = "p= holds the private key, with which whoever reads it can sign: publish the public half of a new one"
        raise _Unusable("not-rsa", problem, tag)
    try:
        numbers = parse_public_key(octets)
        modulus, exponent = int(numbers["modulus"]), int(numbers["publicExponent"])
    except (UnparsableKeyError, TypeError, ValueError, IndexError, KeyError, AssertionError) as error:
        raise _Unusable("not-rsa", "p= holds no RSA public key: a part of it may be missing", tag) from error
    bits = modulus.bit_length()
    if bits > MOST_BITS or not 1 < exponent < LARGEST_EXPONENT:
        problem = (
            f"an RSA key of {bits} bits with so large an exponent is none that receivers can be asked to use"
        )
        raise _Unusable("too-large", problem, tag)
    if _BARE.match(octets):
        raise _Unusable("not-wrapped", _UNWRAPPED, tag)
    return Key(bits=bits, modulus=modulus, exponent=exponent)


def _not_base64(packed: str) -> str:
    odd = re.search(r"[^A-Za-z0-9+/=]", packed)
    if odd and _MARK.match(odd[0]):
        return "p= is not base64"
    if odd:
        return f"p= is not base64: it holds {_shown(odd[0])!r}"
    if padded_too_far(packed):
        # Some read past them. OpenSSL does not, nor does SpamAssassin, which uses it.
        return "p= is not base64: there are more '=' at its end than it needs (RFC 4648 section 3.2)"
    return "p= is not base64: characters are missing, or stand behind its end"


def _remarks(record: TagList) -> list[str]:
    remarks = []
    if "v" not in record.tags:
        remarks.append("it does not begin with v=DKIM1, which is recommended (RFC 6376 section 3.6.1)")
    if "g" in record.tags:
        remarks.append("g= is of an older standard and means nothing any more (RFC 6376 section C.2)")
    return remarks


class SignatureTags(Struct, frozen=True):
    """The tags of a DKIM-Signature field (RFC 6376 section 3.5)."""

    record: TagList

    @property
    def values(self) -> dict[str, str]:
        """Name to value, as far as it is a list of tags; beyond ASCII, octets are written ``\\xNN``."""
        return {_shown(name): _shown(value) for name, value in self.record.values.items()}

    @property
    def well_formed(self) -> bool:
        """Whether it is a list of tags, each once."""
        return self.record.malformed is None and self.record.duplicate is None

    @property
    def key_name(self) -> str:
        """Where DNS has its key (section 3.6.2.1), in lower case; empty where a tag for it is missing."""
        values = self.values
        if not values.get("s") or not values.get("d"):
            return ""
        return f"{values['s']}._domainkey.{values['d']}".lower()

    def fault(self, moment: float) -> tuple[SignatureFault, str] | None:
        """What makes it void at a moment, in seconds since 1970: the kind and the tag (section 6.1.1)."""
        tags = self.values
        if not self.well_formed:
            part = self.record.malformed or self.record.duplicate
            return "no-tags", _shown(part.name or part.value) if part else ""
        if missing := next((name for name in REQUIRED if name not in tags), None):
            return "missing", missing
        if tags["v"] != "1":
            return "version", "v"
        if tags["a"] not in ALGORITHMS:
            return "algorithm", "a"
        if "from" not in covered(tags["h"]):
            return "from", "h"
        if "i" in tags and not within(domain_of(tags["i"]), tags["d"].lower()):
            return "identity", "i"
        if "q" in tags and QUERY not in (method.lower() for method in listed(tags["q"])):
            return "query", "q"
        if "l" in tags and not _LENGTH.fullmatch(tags["l"]):
            return "length", "l"
        if "t" in tags and (not tags["t"].isdecimal() or int(tags["t"][:20]) > moment + DRIFT):
            return "future", "t"
        if "x" in tags and (not tags["x"].isdecimal() or int(tags["x"][:20]) < moment):
            return "expired", "x"
        for name in ("b", "bh"):
            try:
                octets_of(_SPACE.sub("", tags[name]))
            except ValueError:
                return "base64", name
        return None


def read_signature(text: str) -> SignatureTags:
    """The body of a DKIM-Signature field; of an ARC field as well, whose tags are written alike (RFC 8617)."""
    return SignatureTags(read_tags(text))


def covered(value: str) -> list[str]:
    """The header fields in the value of ``h=``, in lower case."""
    return [_SPACE.sub("", name).lower() for name in value.split(":")]


def within(name: str, domain: str) -> bool:
    """Whether a name is a domain or lies in it."""
    return bool(domain) and (name == domain or name.endswith(f".{domain}"))


def listed(value: str) -> list[str]:
    """The words of a value that is a list with colons, as those of ``h=``, ``s=`` and ``t=`` in a key are."""
    return [word.strip() for word in value.split(":")]


def _shown(text: str) -> str:
    return text.encode("latin-1", "surrogateescape").decode("ascii", "backslashreplace")
