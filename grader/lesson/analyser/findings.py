"""What is found in a message, and how strange text and times are put into its sentences."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from grader.lesson.analyser.tables import Grave, wordings

LONGEST_QUOTE = 80
WHITE = " \t\r\n"
"""White space of header fields; other kinds, of other alphabets, part nothing there."""


class HeaderFinding(Struct, frozen=True):
    """Something that the reader should know.

    ``hop`` is the number of the hop it is about, or 0. ``offset`` is where the field begins that shows it, -1 for none,
    and ``line`` the line of the message there, or 0.
    """

    rule: str
    grave: Grave
    sentence: str
    reference: str
    see: list[str]
    hop: int = 0
    offset: int = -1
    line: int = 0


def finding(rule: str, /, hop: int = 0, offset: int = -1, **values: object) -> HeaderFinding:
    """A finding in the words of the table. Raises ``StopIteration`` for an unknown rule."""
    text = next(one for one in wordings().findings if one.id == rule)
    words = {name: brief(value) if isinstance(value, str) else value for name, value in values.items()}
    return HeaderFinding(
        rule, text.grave, text.sentence.format(hop=hop, **words), text.reference, text.see, hop, offset
    )


def brief(text: str) -> str:
    """Text for a sentence, cut to a length that a reader takes in."""
    return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"


def duration(seconds: int) -> str:
    """A span of time in the two largest units that say something: ``3 min 20 s``."""
    left = abs(seconds)
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
    return " ".join(parts[:2]) or "0 s"


def readable(text: str) -> str:
    """A field's text, whose bytes beyond ASCII stand as surrogates, as UTF-8; what is none stands as ``\\xNN``."""
    if text.isascii():
        return text
    data = text.encode("ascii", "surrogateescape")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte < 0x80 else f"\\x{byte:02x}" for byte in data)


def organisation(domain: str) -> str:
    """The domain that an organisation registered, as far as the name alone shows it.

    Two labels, or three where the last two are such under which countries register names. DMARC asks DNS instead
    (RFC 9989 section 4.10).
    """
    labels = [label for label in domain.lower().rstrip(".").split(".") if label]
    shared = (
        len(labels) > 2
        and len(labels[-1]) == 2
        and (labels[-2] in _SECOND_LEVEL or labels[-2] in _OF_COUNTRIES.get(labels[-1], "").split())
    )
    return ".".join(labels[-3 if shared else -2 :])


_SECOND_LEVEL = {"ac", "co", "com", "edu", "go", "gov", "ne", "net", "or", "org"}
_OF_COUNTRIES = {
    "ar": "gob",
    "au": "asn id",
    "br": "adv eng ind",
    "cl": "gob",
    "es": "gob nom",
    "id": "my sch web",
    "in": "firm gen ind nic res",
    "jp": "ad ed gr lg",
    "kr": "re",
    "mx": "gob",
    "nz": "govt school",
    "pe": "gob",
    "th": "in",
    "tr": "bel gen k12",
    "tw": "idv",
    "uk": "ltd me nhs plc police sch",
    "za": "law web",
}
"""Such labels of single countries, from the Public Suffix List."""


def related(one: str, other: str) -> bool:
    """Whether two host names belong to one organisation, as far as the names show it."""
    return bool(one) and bool(other) and organisation(one) == organisation(other)


_PROVIDERS = {
    "google.com": "gmail.com googlemail.com",
    "outlook.com": "exchangelabs.com hotmail.com live.com msn.com office365.com",
    "yahoo.com": "aol.com rocketmail.com yahoodns.net ymail.com",
    "icloud.com": "apple.com mac.com me.com",
    "protonmail.ch": "pm.me proton.me protonmail.com",
    "messagingengine.com": "fastmail.com fastmail.fm",
    "yandex.net": "ya.ru yandex.com yandex.ru",
    "zoho.com": "zoho.eu zohomail.com zohomail.eu",
    "gmx.net": "gmx.com gmx.de",
    "aliyun.com": "aliyun-inc.com",
}
"""Large providers whose servers and mailboxes have names of several domains."""
_PROVIDER_OF = {domain: name for name, domains in _PROVIDERS.items() for domain in domains.split()}


def provider(domain: str) -> str:
    """Who runs the mail servers of a domain, as far as its name shows it: its organisation, or a large provider.

    That is for hosts alone. Whoever has a mailbox of a provider's does not write as the provider, nor under its other
    domains.
    """
    name = organisation(domain)
    return _PROVIDER_OF.get(name, name)


def neighbours(one: str, other: str) -> bool:
    """Whether two hosts are of one organisation or provider, as far as their names show it."""
    return bool(one) and bool(other) and provider(one) == provider(other)


def owned(name: str, owners: Sequence[str]) -> bool:
    """Whether a host is of one of these providers."""
    return bool(name) and provider(name) in owners
