"""DMARC as RFC 9989 and RFC 9990 have it, keys as RFC 6376 does, mail routes as RFC 5321: stated once more, in short.

Mail::DMARC follows RFC 7489, which differs. This shares no code with the product but its nameserver.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.name
import dns.rcode
import dns.rdatatype
from dkim.crypto import parse_public_key

from grader.world.dns.zones import Zones
from tests.world.dns.library import asked

Tags = dict[str, str]
WALK = 8
TAGS = ("v", "p", "sp", "np", "psd", "t", "pct", "adkim", "aspf", "fo", "rf", "ri", "rua", "ruf")


class Trouble(Exception):
    """DNS does not tell."""


@dataclass(frozen=True)
class Dns:
    """Asks the zones, each question once."""

    zones: Zones
    _known: dict[tuple[str, str], tuple[bool, list[Any]] | None] = field(default_factory=dict)

    def ask(self, name: str, kind: str) -> tuple[bool, list[Any]]:
        """Whether a name exists, and its data of a type, aliases followed. Raises ``Trouble``."""
        key = name.lower().rstrip("."), kind
        if key not in self._known:
            try:
                self._known[key] = self._asked(name, kind)
            except Trouble:
                self._known[key] = None
        found = self._known[key]
        if found is None:
            raise Trouble(f"{name} {kind}")
        return found

    def _asked(self, name: str, kind: str) -> tuple[bool, list[Any]]:
        rdtype = dns.rdatatype.from_text(kind)
        try:
            found = asked(self.zones, name, kind)
        except dns.exception.DNSException:
            return False, []
        code = dns.rcode.to_text(found.rcode)
        if code not in ("NOERROR", "NXDOMAIN"):
            raise Trouble(f"{name} {kind}: {code}")
        return code == "NOERROR", [
            rdata for rrset in found.answer if rrset.rdtype == rdtype for rdata in rrset
        ]

    def texts(self, name: str) -> list[str]:
        """The TXT records of a name, the strings of each joined."""
        return [b"".join(rdata.strings).decode("latin-1") for rdata in self.ask(name, "TXT")[1]]

    def addresses(self, name: str) -> list[str]:
        """Its addresses of both families."""
        return [rdata.address for kind in ("A", "AAAA") for rdata in self.ask(name, kind)[1]]

    def policies(self, name: str) -> list[Tags]:
        """The policy records right at a name (RFC 9989 section 4.7): those that begin with the version."""
        return [tags for text in self.texts(f"_dmarc.{name}") if (tags := policy(text)) is not None]


def policy(text: str) -> Tags | None:
    """The tags of a policy record; ``None`` for what is none.

    A tag of DMARC's that stands twice makes the whole list invalid (RFC 6376 section 3.2): what is left says that the
    domain has DMARC, and asks for nothing.
    """
    if not re.match(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*(;|$)", text):
        return None
    found: Tags = {}
    for part in text.split(";"):
        if tag := re.fullmatch(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=\s*(.*?)\s*", part, re.DOTALL):
            if tag[1].lower() in found and tag[1].lower() in TAGS:
                return {"v": "DMARC1", "p": "none"}
            found.setdefault(tag[1].lower(), tag[2])
    return found


def walk(ask: Dns, start: str) -> list[tuple[str, Tags]]:
    """The DNS tree walk (RFC 9989 section 4.10)."""
    labels = start.rstrip(".").split(".")
    found = []
    asked = labels
    while asked:
        here = ask.policies(".".join(asked))
        if len(here) == 1:
            found.append((".".join(asked), here[0]))
            if here[0].get("psd", "").lower() in ("y", "n"):
                break
        asked = asked[-(WALK - 1) :] if len(asked) >= WALK else asked[1:]
    return found


def organization(ask: Dns, start: str) -> str:
    """The organizational domain (section 4.10.2)."""
    start = start.lower().rstrip(".")
    found = walk(ask, start)
    for domain, tags in found:
        if tags.get("psd", "").lower() == "n":
            return domain
        if tags.get("psd", "").lower() == "y" and domain != start:
            return ".".join(start.split(".")[-len(domain.split(".")) - 1 :])
    return min((domain for domain, _ in found), key=lambda domain: domain.count("."), default=start)


def applying(ask: Dns, author: str) -> tuple[str, Tags] | None:
    """The record that applies to an author's domain (section 4.10.1)."""
    if len(own := ask.policies(author)) == 1:
        return author, own[0]
    owner = organization(ask, author)
    return next(
        (one for one in walk(ask, author) if one[0] == owner or one[1].get("psd", "").lower() == "y"), None
    )


def aligned(ask: Dns, strict: bool, one: str, other: str) -> bool:
    """Whether an authenticated domain is aligned with the author's (section 4.4)."""
    one, other = one.lower().rstrip("."), other.lower().rstrip(".")
    return one == other or (not strict and organization(ask, one) == organization(ask, other))


def conclude(ask: Dns, author: str, spf: str, dkim: str) -> tuple[str, str]:
    """Result and disposition for an author's domain; ``spf`` and ``dkim`` are domains that passed, or empty."""
    author = author.lower().rstrip(".")
    try:
        found = applying(ask, author)
        if found is None:
            return "none", "none"
        holder, tags = found
        said = {name: tags[name].lower() for name in ("p", "sp", "np") if name in tags}
        if "p" not in said or set(said.values()) - {"none", "quarantine", "reject"}:
            if not any(uri(part) for part in tags.get("rua", "").split(",")):
                return "none", "none"
            said = {"p": "none"}
        strict = {name: tags.get(name, "r").lower() == "s" for name in ("aspf", "adkim")}
        if (spf and aligned(ask, strict["aspf"], spf, author)) or (
            dkim and aligned(ask, strict["adkim"], dkim, author)
        ):
            return "pass", "none"
        wanted = said["p"]
        if holder != author:
            wanted = said.get("sp", wanted)
            if "np" in said and not ask.ask(author, "A")[0]:
                wanted = said["np"]
        if tags.get("t", "n").lower() == "y":
            wanted = {"reject": "quarantine"}.get(wanted, "none")
        return "fail", wanted
    except Trouble:
        return "none", "none"


def uri(text: str) -> str:
    """A URI of ``rua`` without what RFC 7489 allowed behind it; empty for what is none."""
    found = re.fullmatch(r"([A-Za-z][A-Za-z0-9+.-]*:[^\s,!]+)(![0-9]+[kmgtKMGT]?)?", text.strip(" \t"))
    return found[1] if found else ""


def reported(ask: Dns, about: str, to: str) -> bool:
    """Whether reports about a domain go to an address (RFC 9990 section 4)."""

    def mailbox(text: str) -> tuple[str, str]:
        local, _, host = text.rpartition("@")
        return local, host.lower()

    def addresses(tags: Tags) -> list[tuple[str, str]]:
        uris = (uri(part) for part in tags.get("rua", "").split(","))
        return [
            mailbox(one.partition(":")[2]) for one in uris if one.lower().startswith("mailto:") and "@" in one
        ]

    try:
        found = applying(ask, about)
        if found is None:
            return False
        holder, tags = found
        wanted = addresses(tags)
        host = mailbox(to)[1]
        if organization(ask, host) == organization(ask, holder):
            return mailbox(to) in wanted
        texts = (policy(text) for text in ask.texts(f"{holder}._report._dmarc.{host}"))
        permits = [permit for permit in texts if permit is not None]
        if not permits:
            return False
        elsewhere = [address for permit in permits for address in addresses(permit)]
        if elsewhere:
            return mailbox(to) in elsewhere and host in {theirs for _, theirs in wanted}
        return mailbox(to) in wanted
    except Trouble:
        return False


def permitted(ask: Dns, about: str, to: str) -> bool:
    """Whether a domain may have its reports sent to addresses at another."""
    try:
        return any(policy(text) is not None for text in ask.texts(f"{about}._report._dmarc.{to}"))
    except Trouble:
        return False


def key_works(ask: Dns, name: str, modulus: int) -> bool:
    """Whether a signature by rsa-sha256 with the key of that modulus verifies (RFC 6376 section 3.6, RFC 8301)."""
    try:
        texts = ask.texts(name)
    except Trouble:
        return False
    if len(texts) != 1:
        return False
    parts = texts[0].split(";")
    if not parts[-1].strip():
        parts.pop()
    tags: list[tuple[str, str]] = []
    for part in parts:
        tag = re.fullmatch(r"[ \t\r\n]*([A-Za-z][A-Za-z0-9_]*)[ \t\r\n]*=(.*)", part, re.DOTALL)
        if tag is None:
            return False
        tags.append((tag[1], tag[2].strip(" \t\r\n")))
    values = dict(tags)

    def listed(tag: str) -> list[str]:
        return [word.strip() for word in values[tag].split(":")]

    refused = (
        len(values) != len(tags)
        or ("v" in values and tags[0] != ("v", "DKIM1"))
        or values.get("k", "rsa") != "rsa"
        or ("h" in values and "sha256" not in listed("h"))
        or ("s" in values and not {"*", "email"} & set(listed("s")))
        or ("t" in values and "y" in listed("t"))
    )
    if refused:
        return False
    try:
        octets = base64.b64decode(re.sub(r"\s", "", values.get("p", "")), validate=True)
        return bool(parse_public_key(octets)["modulus"] == modulus)
    except Exception:
        return False


def routes(ask: Dns, domain: str) -> Iterator[tuple[str, list[str]]]:
    """The ways of mail for a domain: what is wrong with each, or nothing, and its addresses (RFC 5321 section 5.1)."""
    exchangers = [rdata.exchange.to_text(omit_final_dot=True) for rdata in ask.ask(domain, "MX")[1]]
    for name in exchangers or [domain]:
        if name in (".", ""):
            yield "null", []
        elif exchangers and ask.ask(name, "CNAME")[1]:
            yield "alias", []
        else:
            yield "", ask.addresses(name)
