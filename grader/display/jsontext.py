"""Values as JSON, whatever strangers wrote into their texts."""

from __future__ import annotations

from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder()


def encoded(value: object) -> bytes:
    """A value as JSON in UTF-8. Half a surrogate pair, which a stranger may have sent, stands as an escape."""
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)))


def line(value: object) -> bytes:
    """The same with a line feed at its end, which takes half the time of adding one to what may be a megabyte."""
    try:
        return _ENCODER.encode_lines([value])
    except UnicodeEncodeError:
        return encoded(value) + b"\n"


def indented(value: object) -> bytes:
    """The same over several lines, for people who look into the file; with a line feed at its end."""
    return msgspec.json.format(encoded(value), indent=2) + b"\n"


def _without_surrogates(value: Any) -> Any:
    from grader.display.text import scalars  # hardly any run needs it

    if isinstance(value, str):
        return scalars(value)
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {scalars(key): _without_surrogates(item) for key, item in value.items()}
    return value
