"""A variant: the names and secrets that a lab has for one student."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

CANONICAL = "canonical"


def composed(text: str) -> str:
    """``text`` in Unicode's composed form (NFC): macOS gives names apart, ``u`` and two dots, and all others whole."""
    if text.isascii():
        return text
    import unicodedata

    return unicodedata.normalize("NFC", text)


class Variant(Struct, frozen=True, kw_only=True):
    """Names and secrets of a lab for one student, or the canonical ones.

    ``names`` may be shown to anybody; ``secrets`` (the users' passwords) only to the student.
    """

    id: str
    names: dict[str, str]
    secrets: dict[str, str]
    seed: Annotated[
        str,
        Meta(description="What the names were drawn from, in hex: draws them again without the course key."),
    ] = ""
    probe_key: Annotated[
        bytes, Meta(description="What the probes' addresses are drawn from; not known to a student.")
    ] = b""
    texts: Annotated[
        dict[str, str], Meta(description="Texts for the lab's own files alone, such as a quiz's questions.")
    ] = {}
