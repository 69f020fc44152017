"""Draws a student's variant: names, networks and secrets that nobody else in the course has.

All is drawn from HMAC-SHA256(course key, lab and student). Each name is drawn from that seed by itself, so that a new
name in world.yaml leaves the others as they were: once a course has begun its variants must stay what they are.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from msgspec.structs import replace

from grader import kinds
from grader.labs.world import LabWorld, read_world
from grader.model.errors import UsageError
from grader.model.lab import Lab
from grader.model.variant import CANONICAL, Variant, composed

T = TypeVar("T")

DEFAULT_KEY = "smtplab: no course key was given"
"""Used where an instructor gives no course key. With it anybody can draw anybody's variant."""

LONGEST_STUDENT = 200


def keyed(key: bytes, *parts: str) -> bytes:
    """HMAC-SHA256 over the parts; no two lists of parts give the same input."""
    return hmac.digest(key, _framed(parts), "sha256")


def _framed(parts: Iterable[str]) -> bytes:
    encoded = [part.encode("utf-8", "surrogateescape") for part in parts]
    return b"".join([b"%d:%s" % (len(data), data) for data in encoded])


class RandomStream:
    """Numbers and words one after another from one HMAC: about 240 bits' worth before they show a bias."""

    def __init__(self, digest: bytes) -> None:
        self._left = int.from_bytes(digest)

    def number(self, below: int) -> int:
        """A number from 0 to ``below`` - 1."""
        self._left, number = divmod(self._left, below)
        return number

    def word(self, words: Sequence[T]) -> T:
        """One of the words."""
        self._left, number = divmod(self._left, len(words))
        return words[number]


class KeyedRandom:
    """Draws numbers and words from a key, each for a purpose of its own."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def draw(self, *purpose: str) -> RandomStream:
        """What a series of numbers and words for one purpose of a run is drawn from: no variant depends on it.

        By BLAKE2 with a key (RFC 7693 section 2.9), as secret as an HMAC and several times as quick: a run draws for
        hundreds of attempts.
        """
        return RandomStream(hashlib.blake2b(_framed(purpose), digest_size=32, key=self._key).digest())

    def number(self, below: int, *purpose: str) -> int:
        """A number from 0 to ``below`` - 1; the bias is below 2**-200 for all that is drawn here."""
        return int.from_bytes(keyed(self._key, *purpose)) % below

    def word(self, words: Sequence[str], *purpose: str, but: Collection[str] = ()) -> str:
        """One of the words that is none of ``but``, of which there must be fewer than words."""
        attempt = 0
        while (word := words[self.number(len(words), *purpose, str(attempt))]) in but:
            attempt += 1
        return word

    def octet(self, *purpose: str, but: Collection[int] = ()) -> int:
        """A number from 1 to 254 that is none of ``but``."""
        return int(self.word([str(n) for n in range(1, 255)], *purpose, but=[str(n) for n in but]))


def draw_variant(
    lab: Lab, student: str | None = None, key: str | None = None, *, seed: str | None = None
) -> Variant:
    """The variant of a lab for a student in the course with this key: the same ever after for the same three.

    Without a student it is the canonical one. ``seed`` is a variant's seed kept from earlier (see ``started``), which
    draws the same names without the course key; it is used when no key is given. Raises ``UsageError`` for a
    student id or a seed that cannot be one.
    """
    return with_texts(Variants(lab, key).of(student, seed=seed), lab)


class Variants:
    """The variants of one lab in one course. What is the same for a whole class is read once."""

    def __init__(self, lab: Lab, key: str | None) -> None:
        self._lab = lab
        self._key = key
        self._world = read_world()
        self._course = (key or DEFAULT_KEY).encode("utf-8", "surrogateescape")
        passwords = self._world.words.canonical_passwords
        self._canonical = Variant(
            id=CANONICAL,
            names={name: declared.canonical for name, declared in self._world.names.items()},
            secrets={f"{user}_password": word for user, word in passwords.items()},
            probe_key=keyed(self._course, "probes", lab.id),
        )

    def of(self, student: str | None, *, seed: str | None = None) -> Variant:
        """The variant as ``draw_variant`` has it, but without the texts of the lab's own files: see ``with_texts``."""
        if student is None:
            return self._canonical
        if not student or len(student) > LONGEST_STUDENT or not student.isprintable():
            raise UsageError(
                f"the student id {student[:40]!a} is empty, too long or not printable: give another one"
            )
        drawn, probe_key = self._keys(student, seed)
        random, world = KeyedRandom(drawn), self._world
        return Variant(
            id=keyed(drawn, "id").hex()[:12],
            names=_names(world, random),
            secrets={
                f"{user}_password": _password(world, random, user) for user in world.words.canonical_passwords
            },
            seed=drawn.hex(),
            probe_key=probe_key,
        )

    def _keys(self, student: str, seed: str | None) -> tuple[bytes, bytes]:
        """What a student's names, and what the probes' addresses are drawn from."""
        if seed is None or self._key is not None:
            about = (self._lab.id, composed(student))
            return keyed(self._course, "variant", *about), keyed(self._course, "probes", *about)
        if not re.fullmatch(r"[0-9a-f]{64}", seed):
            raise UsageError(
                f"the seed {seed[:70]!a} of the variant is damaged: start the lab in a new folder"
            )
        return bytes.fromhex(seed), keyed(bytes.fromhex(seed), "probes")


def with_texts(variant: Variant, lab: Lab) -> Variant:
    """The variant with what its kind of lab has to say in the files to be handed out, such as questions."""
    texts = kinds.author(lab.kind).texts(lab, variant.id)
    return replace(variant, texts=texts) if texts else variant


def _password(world: LabWorld, random: KeyedRandom, user: str) -> str:
    words = world.words.passwords
    first = random.word(words, "password", user, "first")
    second = random.word(words, "password", user, "second", but=[first])
    return f"{first}-{second}-{random.number(900, 'password', user, 'digits') + 100}"


def _names(world: LabWorld, random: KeyedRandom) -> dict[str, str]:
    names = {name: declared.canonical for name, declared in world.names.items()}
    names |= _domains(world, random)
    names |= _addresses(random)
    names |= _providers(random)
    names["nosuch"] = random.word(world.words.nobodies, "nosuch")
    return names


def _domains(world: LabWorld, random: KeyedRandom) -> dict[str, str]:
    drawn: list[str] = []
    for purpose in ("domain", "outside", "partner", "third", "newsletter", "analyser"):
        drawn.append(random.word(world.words.domains, purpose, but=drawn))
    domain, outside, partner, third, newsletter, analyser = (f"{word}.example" for word in drawn)
    return {
        "domain": domain,
        "host": f"{random.word(world.words.hosts, 'host')}.{domain}",
        "office_host": f"{random.word(world.words.desks, 'office_host')}.{domain}",
        "postmaster": f"postmaster@{domain}",
        "outside": outside,
        "outside_host": f"mx.{outside}",
        "outside_backup": f"backup.{outside}",
        "partner": partner,
        "partner_host": f"mx.{partner}",
        "third": third,
        "newsletter": newsletter,
        "analyser": analyser,
    }


def _providers(random: KeyedRandom) -> dict[str, str]:
    """What other companies do for the domain, or did once, and from where (TEST-NET-1 and -2, RFC 5737)."""
    web = random.octet("web_v4", but=range(123, 255))
    return {
        "web_v4": f"192.0.2.{web}",
        "web_neighbour": f"192.0.2.{web + 1}",
        "newsletter_v4": f"192.0.2.{129 + random.number(62, 'newsletter_v4')}",
        "newsletter_v6": f"2001:db8:4e57::{random.octet('newsletter_v6'):x}",
        "former_v4": f"198.51.100.{100 + random.number(100, 'former_v4')}",
        "account": _account(random),
        "quiet": random.word(("status", "archive", "docs", "maps", "photos", "static", "wiki"), "quiet"),
    }


def _account(random: KeyedRandom) -> str:
    """Letters and digits by turns, as customers' numbers are."""
    return "".join(
        random.word("bcdfghjkmnpqrstvwxz" if place % 2 == 0 else "23456789", "account", str(place))
        for place in range(6)
    )


def _addresses(random: KeyedRandom) -> dict[str, str]:
    """Addresses in the ranges for documentation (RFC 5737, RFC 3849) and in 10.0.0.0/8 (RFC 1918)."""
    # 10.99 is the neighbours' network, 10.200 that of the source "private-10".
    second = random.octet("lan", "second", but=[99, 200])
    third = random.octet("lan", "third")
    lan_host = random.octet("host_lan")
    public = random.octet("host_v4", but=[53])
    network = 0x100 + random.number(0x9FF - 0x100, "host_v6")  # Below 0xbad, the strangers' network.
    office = random.octet("office", but=[lan_host])
    same_half = range(128) if office < 128 else range(128, 256)
    strangers = [25, 26, 67, 68, 69, 70, 71, 90]
    return {
        "host_v4": f"203.0.113.{public}",
        "host_v6": f"2001:db8:{network:x}::{random.octet('host_v6', 'host'):x}",
        "host_lan": f"10.{second}.{third}.{lan_host}",
        "lan": f"10.{second}.{third}.0/24",
        "office": f"10.{second}.{third}.{office}",
        "printer": f"10.{second}.{third}.{random.octet('printer', but=[lan_host, *same_half])}",
        "near_lan": f"10.{second}.{third ^ 1}.{random.octet('near_lan')}",
        "stranger": f"198.51.100.{random.octet('stranger', but=strangers)}",
        "stranger_v6": f"2001:db8:bad::{random.octet('stranger_v6'):x}",
        "neighbour": f"10.99.{random.octet('neighbour', 'third')}.{random.octet('neighbour')}",
        "neighbour_public": f"203.0.113.{random.octet('neighbour_public', but=[53, public])}",
        "neighbour_v6": f"2001:db8:{network:x}::1:{random.octet('neighbour_v6'):x}",
    }
