"""What stands before and behind a name, an address or a mail address, for patterns that are written without ends.

``/example\\.com/`` matches ``example.com.stranger.example`` too, ``/10\\.20\\.30\\./`` matches 110.20.30.7, and a table
of owners with ``/alice@example\\.com/`` takes malice@example.com for Alice's. Everything here is only tried; what it
comes to, the mail shows.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping

from grader.kinds.server.plan.patterns import HOLE, PatternText
from grader.model.latepattern import late_pattern

MOST_NAMES = 20
MOST_ADDRESSES = 10
MOST_DOMAINS = 8
MOST_RECIPIENTS = 24
MOST_SENDERS = 12
MOST_FIELDS = 12
TOKEN = "{token}"  # noqa: S105 (a placeholder)
"""Stands in a recipient for the attempt's token, which is filled in later."""

STRANGERS = "stranger.example"
_PATH = late_pattern(r"[\x21-\x7e]+")
_UNSAFE = late_pattern(r"[<>]")
_NAME = late_pattern(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24}")
_DIGITS = late_pattern(r"[0-9.\0]*[0-9][0-9.\0]*")
_NO_END = late_pattern(r"(?:.*[A-Za-z0-9])?")
_FIELD = late_pattern(r"[!-9;-~]+: ?[!-~][ -~]*")
_FIELD_NAME = late_pattern(r"[!-9;-~]+:")
_LINE = late_pattern(r"[!-~](?:[ -~]*[!-~])?")
_OTHER = "x1"


def around_names(names: Iterable[str], samples: Iterable[PatternText]) -> list[str]:
    """Names that anybody can own and that hold one of these, or are what an end, or a dot, of a pattern leaves open."""
    found: dict[str, None] = {}
    for name in names:
        found |= dict.fromkeys((f"{name}.{STRANGERS}", f"not{name}"))
        if name.count(".") > 1:
            found[name.replace(".", "x", 1)] = None
    for sample in samples:
        text = sample.text.replace(HOLE, "client7").lower()
        if sample.loose and not sample.ends and "." not in text:
            # An address as providers write it into a host's name, which its owner chooses.
            found[f"{text.rstrip('-')}-7.{STRANGERS}"] = None
        if "@" in text or "." not in text or _DIGITS.fullmatch(sample.text):
            continue
        whole = f"client7{text}" if text.startswith((".", "-")) else text
        whole = f"{whole}example" if whole.endswith(".") else whole
        found |= dict.fromkeys(_open_ends(whole, sample))
    own = set(names)
    return [name for name in found if _NAME.fullmatch(name) and name not in own][:MOST_NAMES]


def _open_ends(text: str, sample: PatternText) -> Iterator[str]:
    yield text
    if not sample.begins:
        yield f"not{text}"
    if not sample.ends:
        yield f"{text}.{STRANGERS}"


def domains(own: str, samples: Iterable[PatternText]) -> list[str]:
    """Domains of other people whose mail a pattern matches by its recipient: ``mail.edu`` for ``/\\.edu$/``."""
    found: dict[str, None] = {}
    for sample in samples:
        if sample.loose or _DIGITS.fullmatch(sample.text):
            continue
        text = sample.text.rpartition("@")[2].lower()
        # What stands for a top-level domain may have to be as short as a country's.
        ends = [f"{text[:-1]}{end}" for end in ("de", "org")] if text.endswith(f".{HOLE}") else [text]
        for end in ends:
            whole = f"mail{end}" if end.startswith((".", "-")) else end
            whole = whole.replace(HOLE, "mail")
            found |= dict.fromkeys([whole] if sample.ends else [whole, f"{whole.rstrip('.')}.{STRANGERS}"])
    # What holds the own domain is a name that looks like it: see ``recipients``.
    return [name for name in found if own not in name and _NAME.fullmatch(name)][:MOST_DOMAINS]


def around_addresses(lan: str, samples: Iterable[PatternText]) -> list[str]:
    """IPv4 addresses that a pattern matches, and those in which the LAN's beginning stands elsewhere."""
    network = ipaddress.ip_network(lan)
    octets = str(network.network_address).split(".")
    texts = [".".join([f"{digit}{octets[0]}", *octets[1:3], "7"]) for digit in "12"]
    texts += [".".join(["7", *octets[:3]])]
    for sample in samples:
        if _DIGITS.fullmatch(sample.text):
            texts += _completed(sample)
    found: dict[str, None] = {}
    for text in texts:
        try:
            found[str(ipaddress.IPv4Address(text))] = None
        except ValueError:
            continue
    return list(found)[:MOST_ADDRESSES]


def _completed(sample: PatternText) -> Iterator[str]:
    """The addresses that begin as a sample does, where its beginning is open those that go on so, and end so."""
    text = sample.text.replace(HOLE, "7").replace("..", ".")
    text = f"10{text}" if text.startswith(".") else text
    missing = 4 - len([octet for octet in text.split(".") if octet])
    whole = text.rstrip(".") + ".7" * missing
    yield whole
    if sample.ends and not sample.begins and missing:
        yield "7." * missing + text.rstrip(".")
    if not sample.ends and not text.endswith(".") and missing:
        for digit in "14":
            yield f"{text}{digit}" + ".7" * missing
    if not sample.begins:
        yield f"1{whole}"
        yield f"2{whole}"


def recipients(names: Mapping[str, str], samples: Iterable[PatternText]) -> list[str]:
    """Local recipients, as patterns make them, behind which somebody outside may stand; each holds ``TOKEN``.

    A pattern's variable parts are filled with a local part and a domain outside, in each order.
    """
    domain, outside = names["domain"], names["outside"]
    found: dict[str, None] = {}
    for sample in samples:
        for text in _filled(sample.text, outside):
            whole = text if "@" in text else f"{text}@"
            whole = f"{TOKEN}{whole}" if whole.startswith("@") else whole
            whole = f"{whole}{domain}" if whole.endswith("@") else whole
            found[whole] = None
            if text.endswith("@") and not sample.ends:
                found[f"{text}{outside}"] = None
            if not sample.ends:
                found[f"{whole}.{outside}"] = None
    for name in (domain, names["host"]):
        found |= dict.fromkeys((f"{TOKEN}@{name}.{outside}", f"{TOKEN}@not{name}"))
    return [text for text in found if TOKEN in text and is_path(text)][:MOST_RECIPIENTS]


def nobodies(names: Mapping[str, str], samples: Iterable[PatternText]) -> list[str]:
    """Those of the recipients whom a pattern may take for somebody here, and who are nobody.

    What stands behind a name and a delimiter may be an extension of somebody's address: that is left out.
    """
    texts = (text.partition(TOKEN) for text in recipients(names, samples))
    here = f"@{names['domain']}"
    return [
        f"{before}{TOKEN}{behind}"
        for before, _, behind in texts
        if behind.endswith(here)
        and "@" not in before + behind.removesuffix(here)
        and _NO_END.fullmatch(before)
    ]


def _filled(text: str, outside: str) -> Iterator[str]:
    """The variable parts filled: two neighbours with a local part and a domain, a single one with both."""
    parts = text.split(HOLE)
    holes = len(parts) - 1
    if holes == 0:
        yield text
    elif holes == 1:
        for filling in (
            TOKEN,
            f"{TOKEN}={outside}",
            f"{TOKEN}%{outside}",
            f"{TOKEN}@{outside}",
            f"{outside}!{TOKEN}",
        ):
            yield filling.join(parts)
    for place in range(holes - 1):
        for pair in ((TOKEN, outside), (outside, TOKEN)):
            fillings = _in_two(holes, place, *pair)
            yield parts[0] + "".join(
                filling + part for filling, part in zip(fillings, parts[1:], strict=True)
            )


def senders(
    user: str, names: Mapping[str, str], samples: Iterable[PatternText], *, by_parts: bool = False
) -> list[str]:
    """Sender addresses that are not the user's and hold the user's own, or that a pattern matches.

    ``by_parts`` says that a program may look at the beginning and the end of an address alone.
    """
    domain = names["domain"]
    own = f"{user}@{domain}"
    found = dict.fromkeys((f"m{own}", f"{own}.{names['third']}", f"{user}@not{domain}"))
    if by_parts:
        found[f"{user}s@{domain}"] = None
    for sample in samples:
        if "@" in sample.text:
            text = sample.text.replace(HOLE, "boss")
            text = f"boss{text}" if text.startswith("@") else text
            found[f"{text}{domain}" if text.endswith("@") else text] = None
    theirs = [text for text in found if is_path(text) and not _belongs_to(text, user, domain)]
    # What a loose dot makes of a domain's last one is a domain that nobody can have, and so nobody's address.
    return [text for text in theirs if "." in text.rpartition("@")[2]][:MOST_SENDERS]


def fields(names: Mapping[str, str], texts: Iterable[PatternText]) -> list[str]:
    """Fields of a header that patterns match, in one variable part of each somebody outside or a mail server there.

    Whoever is outside is ``TOKEN`` at a domain.
    """
    found = [text if _FIELD.fullmatch(text) else f"Comments: {text}" for text in _leading(names, texts)]
    return [text for text in dict.fromkeys(found) if _FIELD.fullmatch(text)][:MOST_FIELDS]


def text_lines(names: Mapping[str, str], texts: Iterable[PatternText]) -> list[str]:
    """The same as lines of a letter's text (body_checks in header_checks(5))."""
    return [text for text in dict.fromkeys(_leading(names, texts)) if _LINE.fullmatch(text)][:MOST_FIELDS]


def rerouting_senders(names: Mapping[str, str], texts: Iterable[PatternText]) -> list[str]:
    """Senders that patterns match which send a letter elsewhere, somebody outside in two variable parts of each;
    each holds ``TOKEN``.
    """
    found: dict[str, None] = {}
    for text in _naming(names["outside"], texts):
        local, _, host = text.rpartition("@")
        found[f"{local or host}@{host if local and '.' in host else names['third']}"] = None
    return [text for text in found if is_path(text)][:MOST_FIELDS]


def rerouting_names(names: Mapping[str, str], texts: Iterable[PatternText]) -> list[str]:
    """The same as names of hosts, which EHLO may say."""
    found = dict.fromkeys(_naming(names["outside"], texts))
    return [text for text in found if is_name(text.replace(TOKEN, "x1"))][:MOST_FIELDS]


def _naming(outside: str, texts: Iterable[PatternText]) -> Iterator[str]:
    for sample in texts:
        parts = sample.text.split(HOLE)
        holes = len(parts) - 1
        # A name does not end with a dot; where the pattern has no end, its owner's domain comes behind.
        end = STRANGERS if sample.text.endswith(".") and not sample.ends else ""
        for place in range(holes - 1):
            for filling in (
                _in_two(holes, place, TOKEN, outside),
                _in_two(holes, place, outside, TOKEN),
            ):
                yield parts[0] + "".join(map("".join, zip(filling, parts[1:], strict=True))) + end


def matched_fields(texts: Iterable[PatternText]) -> list[str]:
    """Fields of a header that patterns match, with nothing else in them; what names no field is a subject."""
    found = [text if _FIELD_NAME.match(text) else f"Subject: {text}" for text in map(_bare, texts)]
    whole = dict.fromkeys(
        f"{text.rstrip()} {_OTHER}" if text.rstrip().endswith(":") else text for text in found
    )
    return [text for text in whole if _FIELD.fullmatch(text)][:MOST_FIELDS]


def matched_lines(texts: Iterable[PatternText]) -> list[str]:
    """The same as lines of a letter's text."""
    return [text for text in dict.fromkeys(map(_bare, texts)) if _LINE.fullmatch(text)][:MOST_FIELDS]


def _bare(sample: PatternText) -> str:
    return sample.text.replace(HOLE, _OTHER)


def _leading(names: Mapping[str, str], texts: Iterable[PatternText]) -> Iterator[str]:
    outside = names["outside"]
    for sample in texts:
        parts = sample.text.split(HOLE)
        holes = len(parts) - 1
        fillings = [_in_one(holes, place, f"{TOKEN}@{outside}") for place in range(holes)]
        fillings += [_in_two(holes, place, TOKEN, outside) for place in range(holes - 1)]
        # FILTER takes a server's name in place of an address (access(5)).
        fillings += [_in_one(holes, place, names["outside_host"]) for place in range(holes)]
        for filling in fillings:
            yield parts[0] + "".join(map("".join, zip(filling, parts[1:], strict=True)))


def _in_one(holes: int, place: int, text: str) -> list[str]:
    return [text if hole == place else _OTHER for hole in range(holes)]


def _in_two(holes: int, place: int, first: str, second: str) -> list[str]:
    return [_OTHER] * place + [first, second] + [_OTHER] * (holes - place - 2)


def _belongs_to(address: str, user: str, domain: str) -> bool:
    """Whether an address is the user's own, with or without an extension (Postfix's ``recipient_delimiter``)."""
    local, _, host = address.lower().rpartition("@")
    return host == domain and local.split("+", 1)[0] == user


def is_name(text: str) -> bool:
    """Whether DNS could have a name."""
    return _NAME.fullmatch(text) is not None


def is_path(text: str) -> bool:
    """Whether the text can stand between the angle brackets of a command without ending it."""
    return _PATH.fullmatch(text) is not None and not _UNSAFE.search(text) and len(text) < 250
