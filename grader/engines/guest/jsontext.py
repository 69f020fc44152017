"""JSON (RFC 8259), read and written by the functions in C that Python's own library of that name is made of.

To import that library, with the regular expressions that it brings along, takes as long as Python's own start.
"""

from __future__ import annotations

from _json import encode_basestring, make_encoder, make_scanner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Reading:
    """What the library's own decoder tells its scanner, without hooks."""

    strict = True
    object_hook = object_pairs_hook = array_hook = None
    parse_int = int
    parse_float = parse_constant = float
    memo: dict[str, str] = {}


def _refuse(value: object) -> object:
    raise TypeError(f"a {type(value).__name__} is no value of JSON")


_scan = make_scanner(_Reading())  # type: ignore[arg-type] # all that it looks at is there
_encode = make_encoder(None, _refuse, encode_basestring, None, ":", ",", False, False, True)


def decoded(text: str) -> Any:
    """The value of a text. Raises ``ValueError``, or ``RecursionError`` for one that is nested too deep."""
    text = text.strip(" \t\r\n")
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        end = -1
    if end != len(text):
        raise ValueError("this is no JSON")
    return value


def encoded(value: object) -> str:
    """A value as text, on one line. Raises ``TypeError`` for what JSON has no word for."""
    return "".join(_encode(value, 0))
