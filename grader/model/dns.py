"""DNS data as values: places in a file, records as they were read, records to publish, answers.

Lines and columns of a ``Span`` count from zero, columns in characters.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from grader.model.diagnostic import Span


class TxtString(Struct, frozen=True):
    """A string of a TXT record. ``source`` is how the file writes it, with escapes and without the outer quotes."""

    place: Span
    source: str
    quoted: bool

    def octets(self) -> list[tuple[int, int]]:
        """Each octet with the offset in ``source`` of what writes it: itself, ``\\;`` or ``\\059`` (RFC 1035 5.1).

        Characters beyond ASCII stand for their octets in UTF-8, as every nameserver takes them.
        """
        found: list[tuple[int, int]] = []
        at = 0
        while at < len(self.source):
            start, at = at, at + 1
            if self.source[start] == "\\" and at < len(self.source):
                digits = self.source[at : at + 3]
                if len(digits) == 3 and digits.isascii() and digits.isdigit() and int(digits) < 256:
                    found.append((int(digits), start))
                    at += 3
                    continue
                at += 1
            octets = self.source[at - 1].encode("utf-8", "surrogateescape")
            found += [(octet, start) for octet in octets]
        return found


class ZoneRecord(Struct, frozen=True):
    """A record as it was read. ``owner`` is absolute, in lower case, without the dot at its end."""

    owner: str
    type: str
    ttl: int
    data: str
    place: Span
    texts: list[TxtString] = []
    cut: Annotated[
        Span | None, Meta(description="Where a comment begins that cuts an unquoted text short.")
    ] = None
    names: Annotated[
        list[Span], Meta(description="Names that the file writes without a dot at their end.")
    ] = []


class KeyRecord(Struct, frozen=True):
    """A record that was published: a TXT with its character-strings, or a CNAME with its target.

    ``name`` is absolute, in lower case, without the dot at its end; ``line`` counts from 1.
    """

    name: str
    type: Literal["TXT", "CNAME"]
    data: list[bytes]
    file: str = ""
    line: int = 0


class KeyAnswer(Struct, frozen=True):
    """What DNS answered to a TXT question: response code, names that aliases led to, and each TXT's strings."""

    name: str
    rcode: str
    aliases: list[str] = []
    texts: list[list[bytes]] = []
