"""Content-Type and its parameters (RFC 2045 section 5.1, RFC 2231 section 3)."""

from __future__ import annotations

import re

from msgspec import Struct

from grader.formats.message.lexer import Malformed, without_comments

_WORD = r"[^\s()<>@,;:\\\"/\[\]?=\x00-\x1f\x7f]+"
_TYPE = re.compile(rf"\s*({_WORD})\s*/\s*({_WORD})\s*")
_PARAMETER = re.compile(rf";\s*({_WORD})\s*=\s*(?:({_WORD})|\"([^\"\\]*(?:\\.[^\"\\]*)*)\")\s*", re.DOTALL)
_SECTION = re.compile(r"(.+?)(?:\*([0-9]{1,3}))?(\*)?", re.DOTALL)
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_EXTENDED = re.compile(r"[^']*'[^']*'")
_BOUNDARY = re.compile(r"[0-9A-Za-z'()+_,\-./:=? ]*")


class ContentType(Struct, frozen=True):
    """``name`` is type and subtype in lower case; parameter names are in lower case too."""

    name: str
    parameters: dict[str, str]

    @property
    def main(self) -> str:
        """The part before the slash."""
        return self.name.partition("/")[0]


def parse_content_type(text: str) -> ContentType:
    """The type and parameters in a field's body. Raises ``Malformed``."""
    plain = without_comments(text)
    found = _TYPE.match(plain)
    if not found:
        raise Malformed("no type/subtype begins it", 0)
    parameters: dict[str, str] = {}
    position = found.end()
    while position < len(plain):
        parameter = _PARAMETER.match(plain, position)
        if not parameter:
            raise Malformed(_fault(plain[position:]), position)
        key = parameter[1].lower()
        if key in parameters:
            raise Malformed(f"the parameter {key} stands twice", position)
        quoted = re.sub(r"\\(.)", r"\1", parameter[3] or "", flags=re.DOTALL)
        parameters[key] = parameter[2] or quoted
        position = parameter.end()
    return ContentType(f"{found[1]}/{found[2]}".lower(), _joined(parameters))


def boundary_fault(boundary: str) -> str:
    """What is wrong with a boundary; empty where nothing is (RFC 2046 section 5.1.1)."""
    if len(boundary) > 70:
        return "is longer than 70 characters"
    if boundary.endswith(" "):
        return "ends with a space"
    return "" if _BOUNDARY.fullmatch(boundary) else "holds a character that no boundary may have"


def _fault(rest: str) -> str:
    if not rest.startswith(";"):
        return "a semicolon is missing before a parameter"
    if not rest[1:].strip():
        return "nothing stands behind the last semicolon"
    name, equals, value = rest[1:].partition("=")
    if not equals or not name.strip():
        return "a parameter has no name=value"
    return (
        "a parameter's value needs quotation marks"
        if value.strip()[:1] != '"'
        else "a quotation mark is not closed"
    )


def _joined(parameters: dict[str, str]) -> dict[str, str]:
    """The parameters with those in sections (``name*0``) put together, and extended ones (``name*``) decoded.

    RFC 2231 sections 3 and 4. Charset and language of an extended value are left off; its bytes are kept.
    """
    sections: dict[str, list[tuple[int, str]]] = {}
    joined: dict[str, str] = {}
    for key, value in parameters.items():
        found = _SECTION.fullmatch(key)
        if found is None or (found[2] is None and found[3] is None):
            joined[key] = value
            continue
        text = _decoded(value, first=int(found[2] or 0) == 0) if found[3] else value
        sections.setdefault(found[1], []).append((int(found[2] or 0), text))
    for key, values in sections.items():
        joined[key] = "".join(text for _, text in sorted(values))
    return joined


def _decoded(value: str, *, first: bool) -> str:
    if first and (found := _EXTENDED.match(value)):
        value = value[found.end() :]
    data = _PERCENT.sub(lambda found: chr(int(found[1], 16)), value)
    return data.encode("latin-1", "surrogateescape").decode("ascii", "surrogateescape")
