"""Signed mail (DKIM, RFC 6376): what a lab asks of signatures, and what is recorded of keys in DNS."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

BODY = "body"
"""Stands among the header fields of ``covers`` for the whole text of a message."""


class SignatureExpect(Struct, frozen=True, forbid_unknown_fields=True):
    """What must hold of the signatures that messages bear when they arrive. All given keys must hold.

    A signature is the domain's own if its ``d=`` is the student's domain or lies in it. All keys but ``present`` speak
    of own signatures, and of those that align with From in the relaxed way (RFC 9989 section 4.4): a message with
    neither says nothing to them.
    """

    present: Annotated[
        bool | None,
        Meta(
            description="Whether a message bears a signature of the domain that aligns with its From, or none."
        ),
    ] = None
    verifies: Annotated[
        bool, Meta(description="Every signature of the domain verifies with the key that DNS gives.")
    ] = False
    covers: Annotated[
        list[str],
        Meta(
            description="Header fields, and 'body' for the text: a copy in which one of them was changed, or the "
            "text continued, no longer verifies."
        ),
    ] = []
    key_bits: Annotated[
        Annotated[int, Meta(ge=512)] | None,
        Meta(
            description="Bits that the RSA key of a signature must have at least; there must be an RSA signature "
            "with SHA-256, whatever other kinds are beside it (RFC 8301, RFC 8463).",
        ),
    ] = field(name="key-bits", default=None)


class KeyRecord(Struct, frozen=True):
    """A record that was published: a TXT with its character-strings, or a CNAME with its target.

    ``name`` is absolute, in lower case, without the dot at its end; ``line`` counts from 1.
    """

    name: str
    type: Literal["TXT", "CNAME"]
    data: list[bytes]
    file: str = ""
    line: int = 0


class Complaint(Struct, frozen=True):
    """Something wrong in a file of records. ``line`` and ``column`` count from 1; 0 is the file as a whole.

    One that is not ``fatal`` is a remark.
    """

    file: str
    line: int
    column: int
    sentence: str
    fatal: bool = True


class RecordFile(Struct, frozen=True):
    """A file of records as it was handed in. A private key in it is left out."""

    name: str
    text: str


class Published(Struct, frozen=True):
    """What a submission wants DNS to say: its files, the records in them, and what is wrong with them."""

    files: list[RecordFile]
    records: list[KeyRecord]
    complaints: list[Complaint]


class KeyAnswer(Struct, frozen=True):
    """What DNS answered to a TXT question: response code, names that aliases led to, and each TXT's strings."""

    name: str
    rcode: str
    aliases: list[str] = []
    texts: list[list[bytes]] = []


class ServiceFacts(Struct, frozen=True):
    """A service beside Postfix: whether it ran when probing began, and whether it was stopped on purpose later."""

    name: str
    running: bool
    stopped: bool = False
