"""Makes whole messages of the short examples that the header rules are taught with."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FIELD = re.compile(r"[^\n]+(?:\n(?:[ \t]|\\x20)[^\n]*)*")
_BYTE = re.compile(rb"\\x([0-9A-F]{2})")


def assemble(sample: str, example: str, without: Sequence[str] = ()) -> bytes:
    """``sample`` with ``example`` laid over it, as it would be sent: lines end with CR LF, ``\\xNN`` is a byte.

    A field of the example replaces the sample's of that name; what follows its first empty line replaces the body.
    ``without`` names fields of the sample that are left out. Lines that can only be first, and only be last, in a
    header section are put there, so that an example may break the section's form.
    """
    sample_header, _, sample_body = sample.partition("\n\n")
    header, parted, body = example.rstrip("\n").partition("\n\n")
    own = _FIELD.findall(header)
    replaced = {_name(field) for field in own} | {name.lower() for name in without}
    kept = [field for field in _FIELD.findall(sample_header) if _name(field) not in replaced]
    first = header.startswith((" ", "From "))
    fields = own + kept if first else kept + own
    body = f"{body}\n" if parted else sample_body
    # A last line without a colon is a body that lacks the empty line before it.
    separator = "\n\n" if first or not own or ":" in own[-1] else "\n"
    text = "\n".join(fields) + separator + body
    return _BYTE.sub(lambda found: bytes([int(found[1], 16)]), text.encode().replace(b"\n", b"\r\n"))


def _name(field: str) -> str:
    return field.partition(":")[0].strip().lower()
