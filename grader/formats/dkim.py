"""Key records (RFC 6376 section 3.6.1): what a TXT at ``SELECTOR._domainkey.DOMAIN`` says, and whether it will do."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from functools import lru_cache

from dkim.crypto import UnparsableKeyError, parse_public_key
from dkim.util import DuplicateTag, InvalidTagValueList, parse_tag_value

MOST_BITS = 8192
"""Larger keys take time to use and no receiver need to (RFC 8301 section 3.2 asks for up to 4096)."""
LARGEST_EXPONENT = 2**33
ED25519_OCTETS = 32

_TAG_NAME = re.compile(rb"[A-Za-z]\w*")


@dataclass(frozen=True)
class Key:
    """A key record. ``problem`` says why no receiver can use it, empty where one can; ``remarks`` what is odd in it.

    ``bits`` are those of an RSA modulus, 256 for Ed25519, 0 where there is no key.
    """

    kind: str = "rsa"
    bits: int = 0
    problem: str = ""
    remarks: list[str] = field(default_factory=list)
    revoked: bool = False
    tags: dict[str, str] = field(default_factory=dict)
    modulus: int = 0
    exponent: int = 0

    @property
    def name(self) -> str:
        """Kind and size in words: ``RSA with 2048 bits``."""
        return f"RSA with {self.bits} bits" if self.kind == "rsa" else "Ed25519"


@lru_cache(maxsize=200)
def read_key(text: bytes) -> Key:
    """What the text of a record, its strings joined, says."""
    try:
        tags = parse_tag_value(text)
    except DuplicateTag as error:
        return Key(problem=f"the tag {_shown(error.args[0])}= stands in it twice")
    except InvalidTagValueList as error:
        return Key(problem=f"{_shown(error.args[0]).strip()!r} is no tag=value, of which a record is a list")
    shown = {_shown(name): _shown(value) for name, value in tags.items()}
    if odd := next((name for name in tags if not _TAG_NAME.fullmatch(name)), None):
        return Key(problem=f"{_shown(odd)!r} is no name of a tag", tags=shown)
    if problem := _declared_wrong(text, shown):
        return Key(kind=shown.get("k", "rsa"), problem=problem, tags=shown)
    return _with_key(tags[b"p"], shown)


def _declared_wrong(text: bytes, tags: dict[str, str]) -> str:
    """What forbids every receiver to use the key, whatever key it is."""
    if "v" in tags and (tags["v"] != "DKIM1" or not text.lstrip().startswith(b"v")):
        return f"v= must stand first and be DKIM1, and it is {tags['v']!r}" + (
            "" if tags["v"] != "DKIM1" else " further on"
        )
    if "p" not in tags:
        hint = " (outside quotation marks a semicolon begins a comment)" if b";" not in text else ""
        return f"there is no p= in it, which is the key{hint}"
    if tags.get("k", "rsa") not in ("rsa", "ed25519"):
        return f"the kind of key k={tags['k']} is none that receivers know: rsa or ed25519"
    if "h" in tags and "sha256" not in _listed(tags["h"]):
        return f"h={tags['h']} forbids SHA-256, with which mail is signed (RFC 8301 section 3.1)"
    if "s" in tags and not {"*", "email"} & set(_listed(tags["s"])):
        return f"s={tags['s']} says that the key is not for mail"
    if "y" in _listed(tags.get("t", "")):
        return (
            "t=y says that the key is only being tested, and then a signed message must be treated like an unsigned "
            "one (RFC 6376 section 3.6.1)"
        )
    return ""


def _with_key(data: bytes, tags: dict[str, str]) -> Key:
    kind = tags.get("k", "rsa")
    remarks = _remarks(tags)
    packed = re.sub(rb"\s+", b"", data)
    if not packed:
        return Key(kind=kind, revoked=True, tags=tags, remarks=remarks)
    try:
        octets = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        return Key(kind=kind, problem=f"p= is not base64 ({str(error).lower()})", tags=tags)
    if kind == "ed25519":
        if len(octets) != ED25519_OCTETS:
            problem = f"p= holds {len(octets)} octets, and a key for Ed25519 has {ED25519_OCTETS} (RFC 8463)"
            return Key(kind=kind, problem=problem, tags=tags)
        return Key(kind=kind, bits=256, tags=tags, remarks=remarks)
    try:
        numbers = parse_public_key(octets)
        modulus, exponent = int(numbers["modulus"]), int(numbers["publicExponent"])
    except (UnparsableKeyError, TypeError, ValueError, IndexError, KeyError):
        return Key(problem="p= holds no RSA public key: is a part of it missing?", tags=tags)
    bits = modulus.bit_length()
    if bits > MOST_BITS or not 1 < exponent < LARGEST_EXPONENT:
        problem = (
            f"an RSA key of {bits} bits with so large an exponent is none that receivers can be asked to use"
        )
        return Key(bits=bits, problem=problem, tags=tags)
    return Key(bits=bits, tags=tags, remarks=remarks, modulus=modulus, exponent=exponent)


def _remarks(tags: dict[str, str]) -> list[str]:
    remarks = []
    if "v" not in tags:
        remarks.append("it does not begin with v=DKIM1, which is recommended (RFC 6376 section 3.6.1)")
    if "g" in tags:
        remarks.append("g= is of an older standard and means nothing any more (RFC 6376 section C.2)")
    return remarks


def _listed(value: str) -> list[str]:
    return [word.strip() for word in value.split(":")]


def _shown(text: bytes) -> str:
    return text.decode("ascii", "backslashreplace")
