"""Addresses of the envelope: found in what was typed, and led to this server or elsewhere, as Postfix does it."""

from __future__ import annotations

import re
from typing import NamedTuple

from grader.lesson.simulator.server import SimulatedServer

OPERATORS = "|%!()<>@,;:.[]"
SPACE = " \t\r\n"
LABEL = re.compile(r"[0-9A-Za-z_\x80-\xff](?:[0-9A-Za-z_\x80-\xff-]{0,61}[0-9A-Za-z_\x80-\xff])?")
NUMBERS = re.compile(r"[0-9.]*")
QUAD = re.compile(r"[0-9]+(?:\.[0-9]+){3}")
OCTAL = re.compile(r"[0-7]+")
DECIMAL = re.compile(r"0|[1-9][0-9]*")
HEX = re.compile(r"[0-9A-Fa-f]*")
ATOM = r"[^\x00-\x20\x7f()<>@,;:\\\"\[\].]+"
DOT_STRING = re.compile(rf"{ATOM}(?:\.{ATOM})*")
"""A local part that needs no quotation marks."""
LONGEST_NAME = 255


class PathToken(NamedTuple):
    """A piece of an address: an operator, or (``kind`` is ``word``) what stands between operators."""

    kind: str
    text: str


class ParsedPath(NamedTuple):
    """What was found in the text of an address: ``address`` without quotes; ``parts`` of it, and ``others`` beside."""

    address: str
    parts: int
    others: int


class Destination(NamedTuple):
    """Where an address leads: ``kind`` is ``local``, ``outside``, ``invalid``, or ``routed`` for an address of this
    server's whose local part could be a route for another."""

    kind: str
    user: str
    domain: str


def extract(word: str) -> ParsedPath:
    """The address in a word of a command, which may be bare, in brackets, or in worse company (RFC 822 forms)."""
    text = word[1:-1] if word.startswith("<") and word.endswith(">") else word
    if text.startswith("@") and ":" in text:
        text = text[text.index(":") + 1 :]
    tokens, comments = scan(text)
    addresses, others = _group(tokens)
    last = addresses[-1] if addresses else []
    return ParsedPath("".join(token.text for token in last), len(addresses), others + comments)


def scan(text: str) -> tuple[list[PathToken], int]:
    """The tokens of a text, and how many comments were left out."""
    tokens: list[PathToken] = []
    comments, place = 0, 0
    while place < len(text):
        char = text[place]
        if char in SPACE:
            place += 1
        elif char == "(":
            place = _after_comment(text, place + 1)
            comments += 1
        elif char == "[":
            inside, place = _collect(text, place + 1, "]")
            tokens.append(PathToken("word", f"[{inside}]"))
            place += 1
        elif char == '"':
            inside, place = _collect(text, place + 1, '"')
            tokens.append(PathToken("word", inside))
            place += 1
        elif char in OPERATORS:
            tokens.append(PathToken(char, char))
            place += 1
        else:
            inside, place = _collect(text, place, SPACE + OPERATORS + '"')
            tokens.append(PathToken("word", inside))
    return tokens, comments


def _collect(text: str, place: int, ends: str) -> tuple[str, int]:
    """Text up to one of ``ends``; a backslash takes the next character as it is."""
    collected = ""
    while place < len(text) and text[place] not in ends:
        if text[place] == "\\":
            place += 1
            if place == len(text):
                break
        collected += " " if text[place] in SPACE else text[place]
        place += 1
    return collected, place


def _after_comment(text: str, place: int) -> int:
    depth = 1
    while place < len(text) and depth:
        if text[place] == "\\":
            place += 1
        elif text[place] == "(":
            depth += 1
        elif text[place] == ")":
            depth -= 1
        place += 1
    return place


def _group(tokens: list[PathToken]) -> tuple[list[list[PathToken]], int]:
    """Addresses in their order, and the number of tokens that belong to none. Read from the right, as RFC 822 wants."""
    addresses: list[list[PathToken]] = []
    others = 0
    current: list[PathToken] = []
    word_fits, in_group, place = True, False, len(tokens) - 1
    while place >= 0:
        token = tokens[place]
        starts_group = token.kind == ":" and in_group
        if token.kind in (">", ",", ";") or starts_group:
            if current:
                addresses.append(current)
                current = []
                # A comma is thought to have been forgotten here.
                others += token.kind in (">", ";")
            others += token.kind != ">"
            word_fits, in_group = True, in_group or token.kind == ";"
            if token.kind == ">":
                place, inside = _bracketed(tokens, place - 1)
                if inside:
                    addresses.append(inside)
            if token.kind == ">" or starts_group:
                ends = "," if starts_group else ">;,:"
                place -= starts_group
                while place >= 0 and (tokens[place].kind == "word" or tokens[place].kind not in ends):
                    others += tokens[place].kind != "<"
                    place -= 1
                if place >= 0 and tokens[place].kind == ":" and not in_group:
                    # What parts this address from others is no part of any.
                    others, place = others + 1, place - 1
                continue
        elif token.kind == "word":
            if not word_fits:
                addresses.append(current)
                current = []
                others += 1
            word_fits = False
            current = [token, *current]
        else:
            word_fits = True
            current = [token, *current]
        place -= 1
    if current:
        addresses.append(current)
    return addresses[::-1], others


def _bracketed(tokens: list[PathToken], place: int) -> tuple[int, list[PathToken]]:
    """The tokens back to the opening bracket, and its place."""
    inside: list[PathToken] = []
    while place >= 0 and tokens[place].kind != "<":
        inside = [tokens[place], *inside]
        place -= 1
    return place, inside


def resolve(server: SimulatedServer, address: str) -> Destination:
    """Where an address leads: own domains are taken off, and routes in what is left are followed."""
    text, domain, stripped = _rewritten(server, address), "", False
    for _ in range(len(address) + 100):
        if text.endswith(".") and "@" in text and not text.endswith(("..", "@.")):
            text = text[:-1]
        at = text.rfind("@")
        if at >= 0:
            text, domain, stripped = text[:at], _plain(text[at + 1 :]), True
            if domain and not is_own(server, domain):
                return _checked("outside", text, domain)
        if "!" in text and stripped:
            text = _unquoted(text)
        if "@" in text or "%" in text or _swapped(text):
            text = _rewritten(server, text)
        elif not text:
            text = server.system[0]
        elif stripped:
            return _checked("routed" if "!" in text else "local", text, domain)
        else:
            text += f"@{server.host}"
    return Destination("invalid", text, domain)


def _opened(text: str) -> str:
    """A text that needs quotation marks, cracked open: its last percent sign is an at sign before a route is sought."""
    if "@" in text or "%" not in text or DOT_STRING.fullmatch(text):
        return text
    head, _, tail = text.rpartition("%")
    return f"{head}@{tail}"


def _swapped(text: str) -> str:
    """``host!user`` as user@host (RFC 976); empty where no sign parts a host, as in brackets, quotes and comments."""
    tokens, _ = scan(text)
    bang = next((place for place, token in enumerate(tokens) if token.kind == "!"), -1)
    return f"{_joined(tokens[bang + 1 :])}@{_joined(tokens[:bang])}" if bang >= 0 else ""


def _joined(tokens: list[PathToken]) -> str:
    """Tokens as text, a space between words that no operator parts."""
    text, after_word = "", False
    for token in tokens:
        text += f" {token.text}" if after_word and token.kind == "word" else token.text
        after_word = token.kind == "word"
    return text


def _plain(domain: str) -> str:
    """A domain as Postfix reads it out of an address: without quotes, and without spaces around it."""
    tokens, comments = scan(domain)
    return domain if comments else _joined(tokens)


def _unquoted(text: str) -> str:
    """What stands in quotes, if nothing stands beside them; otherwise the text."""
    tokens, comments = scan(text)
    return tokens[0].text if text.startswith('"') and len(tokens) == 1 and not comments else text


def _rewritten(server: SimulatedServer, text: str) -> str:
    """The address in the form user@domain: routes, bang paths and percent signs taken apart."""
    if text in ("", "@"):
        return text
    text = _opened(text)
    if text.startswith("@") and ":" in text:
        route, _, rest = text.partition(":")
        if route.rfind("[") > route.rfind("]"):
            # Postfix takes the first half of an IPv6 address for a route, and what follows for a name to be quoted.
            return f'{route}:"{rest}"'
        text = rest
    if "@" not in text:
        if swapped := _swapped(text):
            text = swapped
        elif "%" in text:
            percent = text.rfind("%")
            text = f"{text[:percent]}@{text[percent + 1 :]}"
        else:
            text += f"@{server.domain}"
    return text[:-1] if text.endswith(".") and not text.endswith(("..", "@.")) else text


def _checked(kind: str, user: str, domain: str) -> Destination:
    valid = is_literal(domain) if domain.startswith("[") else is_hostname(domain)
    return Destination(kind if valid and not user.startswith("-") else "invalid", user, domain)


def is_own(server: SimulatedServer, domain: str) -> bool:
    """Whether mail for a domain, or an address in brackets, is this server's."""
    lower = domain.lower()
    if lower in server.domains:
        return True
    value = literal_value(lower)
    return value != "" and value in {literal_value(f"[{own}]") for own in server.addresses}


def is_hostname(name: str) -> bool:
    """Whether a name is made as RFC 1123 section 2.1 wants it, underscores and UTF-8 allowed."""
    labels = name.split(".")
    return (
        len(name) <= LONGEST_NAME
        and all(LABEL.fullmatch(label) for label in labels)
        and not NUMBERS.fullmatch(name)
    )


def is_literal(text: str) -> bool:
    """Whether Postfix takes this for an address in brackets (RFC 5321 section 4.1.3): it is not strict with IPv6."""
    if not (text.startswith("[") and text.endswith("]")):
        return False
    inside = text[1:-1]
    return _is_v6(inside[5:]) if inside.lower().startswith("ipv6:") else _is_v4(inside)


def _is_v4(text: str) -> bool:
    if not QUAD.fullmatch(text):
        return False
    octets = [int(octet) for octet in text.split(".")]
    return max(octets) <= 255 and (octets[0] != 0 or not text.strip("0."))


def _is_v6(text: str) -> bool:
    """As Postfix's ``valid_ipv6_hostaddr`` reads it, from the left; it does not count the groups."""
    field = null_field = length = place = 0
    while place < len(text):
        if text[place] == ".":
            return 2 <= field <= 6 and _is_v4(text[place - length :])
        if text[place] == ":":
            following = text[place + 1 : place + 2]
            field += 1
            if (place == 0 and following.isascii() and following.isalnum()) or field > 7:
                return False
            place, length = place + 1, 0
            if following == ":":
                if null_field:
                    return False
                null_field = field
        else:
            found = HEX.match(text, place)
            length = len(found[0]) if found else 0
            if not 0 < length <= 4:
                return False
            place += length
    return field >= 2 and (length > 0 or null_field == field - 1)


def literal_value(text: str) -> str:
    """An address in brackets in one spelling; empty where it is none, or where the system's library reads none."""
    if not is_literal(text):
        return ""
    inside = text[1:-1]
    if not inside.lower().startswith("ipv6:"):
        octets = [_number(octet) for octet in inside.split(".")]
        return "" if None in octets else ".".join(map(str, octets))
    groups = _groups(inside[5:])
    return ":".join(f"{group:x}" for group in groups) if groups else ""


def _number(octet: str) -> int | None:
    """An octet as inet_aton(3) reads it: a zero in front makes it octal."""
    if octet.startswith("0") and octet != "0":
        return int(octet, 8) if OCTAL.fullmatch(octet) else None
    return int(octet)


def _groups(text: str) -> list[int]:
    """The eight groups of an IPv6 address as inet_pton(3) reads it; none where it does not."""
    head, _, last = text.rpartition(":")
    if "." in last:
        octets = last.split(".")
        if not all(DECIMAL.fullmatch(octet) for octet in octets):
            return []
        a, b, c, d = map(int, octets)
        text = f"{head}:{a * 256 + b:x}:{c * 256 + d:x}"
    halves = [[int(group, 16) for group in half.split(":")] if half else [] for half in text.split("::")]
    room = 8 - sum(map(len, halves))
    if len(halves) == 1:
        return halves[0] if room == 0 else []
    return [*halves[0], *[0] * room, *halves[1]] if room > 0 else []
