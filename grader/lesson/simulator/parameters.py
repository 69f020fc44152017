"""Parameters of MAIL and RCPT (RFC 5321 section 4.1.2), and how their values must look."""

from __future__ import annotations

import re
from typing import Annotated, Literal, NamedTuple

from msgspec import Meta, Struct

NUMBER = re.compile(r"[0-9]+")
LARGEST_FILE = "9223372036854775807"
"""The largest size of a file, in decimal: 64 bits."""
LARGEST_EXACT = 10**15
"""Larger numbers are cut down to this, which Python and JavaScript both count exactly."""
NOTIFY = ("NEVER", "SUCCESS", "FAILURE", "DELAY")


class Parameter(Struct, frozen=True, forbid_unknown_fields=True):
    """A parameter that the server knows; ``server.yaml`` says how to read the keys."""

    name: Annotated[str, Meta(pattern="^[A-Z0-9]+$")]
    values: list[str] = []
    form: Literal["values", "flag", "number", "submitter", "xtext", "notify", "recipient"] = "values"
    once: bool = False
    strict: bool = True


class Read(NamedTuple):
    """What the parameters of a command said. ``fault`` is empty, ``unknown`` or a name with what is wrong with it."""

    fault: str
    text: str
    declared: int | None
    submitter: bool


def read(words: list[str], known: list[Parameter], *, submitter: bool) -> Read:
    """Read parameters in their order, up to the first fault. ``submitter`` is whether AUTH= was there before."""
    seen: set[str] = set()
    declared: int | None = None
    for word in words:
        name, equals, value = word.partition("=")
        parameter = next((one for one in known if one.name == name.upper()), None)
        if parameter is None or bool(equals) == (parameter.form == "flag"):
            return Read("unknown", word, declared, submitter)
        id_ = parameter.name.lower()
        if parameter.once and parameter.name in seen:
            return Read(f"{id_}-again", word, declared, submitter)
        seen.add(parameter.name)
        if parameter.form == "submitter":
            if submitter:
                return Read(f"{id_}-again", word, declared, submitter)
            submitter = value != "<>"
        elif not _fits(parameter, value):
            return Read(f"{id_}-bad" if parameter.strict else "unknown", word, declared, submitter)
        elif parameter.form == "number":
            if is_beyond(value, LARGEST_FILE):
                # What no file can hold is remembered as nothing, also after a number that was too large for the server.
                return Read(f"{id_}-over", word, 0, submitter)
            declared = number(value)
    return Read("", "", declared, submitter)


def _fits(parameter: Parameter, value: str) -> bool:
    match parameter.form:
        case "values":
            return value.upper() in parameter.values
        case "number":
            return bool(NUMBER.fullmatch(value))
        case "xtext":
            decoded = xtext(value)
            return bool(decoded) and all(" " <= char <= "~" for char in decoded or "")
        case "notify":
            return _notify(value)
        case "recipient":
            kind, semicolon, address = value.partition(";")
            if not (kind and semicolon):
                return False
            return is_unicode_xtext(address) if kind.lower() == "utf-8" else xtext(address) is not None
        case _:
            return True


def _notify(value: str) -> bool:
    """RFC 3461 section 4.1: NEVER stands alone."""
    names = [name.upper() for name in re.split("[, \t\r\n]+", value) if name]
    return (
        bool(names)
        and all(name in NOTIFY for name in names)
        and ("NEVER" not in names or all(name == "NEVER" for name in names))
    )


def xtext(text: str) -> str | None:
    """Text in which ``+XX`` stands for an octet (RFC 3461 section 4), decoded; ``None`` where it is malformed."""
    if re.search(r"\+(?![0-9A-Fa-f]{2})", text):
        return None
    return re.sub(r"\+([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text)


def is_unicode_xtext(text: str) -> bool:
    """Whether every ``\\x{…}`` in an address of type utf-8 (RFC 6533 section 3) names a code point."""
    for start in re.split(r"\\x\{", text)[1:]:
        found = re.match("([0-9A-Fa-f]*)}", start)
        if found is None or int(found[1] or "0", 16) > 0x10FFFF:
            return False
    return True


def is_beyond(digits: str, limit: str) -> bool:
    """Whether a number in decimal is larger than another."""
    plain = digits.lstrip("0")
    return len(plain) > len(limit) or (len(plain) == len(limit) and plain > limit)


def number(digits: str) -> int:
    """A number in decimal, cut down to ``LARGEST_EXACT``."""
    return LARGEST_EXACT if is_beyond(digits, str(LARGEST_EXACT)) else int(digits)
