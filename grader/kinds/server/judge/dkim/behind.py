"""Settings by which Postfix changes a message behind its milters, when OpenDKIM has signed it."""

from __future__ import annotations

from grader.kinds.server.judge.dkim.reading import NOT_THE_SIGNED, OTHER_TEXT
from grader.kinds.server.judge.index import ServerIndex

CHANGING = {
    NOT_THE_SIGNED: ("smtp_header_checks", "smtp_generic_maps", "smtp_mime_header_checks"),
    OTHER_TEXT: ("smtp_body_checks", "smtp_mime_header_checks", "smtp_nested_header_checks"),
}
"""By what is wrong with a signature, what may have made it so."""
REMOVING = ("milter_header_checks", "smtp_header_checks")
"""What can take a signature out: of what milters add, of what goes out."""
BEFORE = (
    "Look at what `{name}` does, or take it out: Postfix does it when OpenDKIM has signed a message, and then nothing "
    "may change that the signature covers. `header_checks`, `body_checks` and `canonical_maps` do the like when mail "
    "comes in, before OpenDKIM is asked."
)
OUT = (
    "Look in the table of `{name}` for what fits `DKIM-Signature:` and ends in `IGNORE`, `STRIP` or `REPLACE`, and "
    "take it out: with the signature gone, nobody can tell whose message it is."
)

Cause = tuple[str, str | None]
"""A sentence, and what to do; nothing to do where the check's own words are about it."""


def changing(problem: str, index: ServerIndex) -> Cause:
    """A setting that may have changed what was signed; without a sentence where none is set."""
    names = CHANGING.get(problem, ())
    found = next((setting for name in names if (setting := index.settings.within(name))), None)
    if found is None:
        return "", None
    return f" {found.shown} changes mail behind OpenDKIM, when it has been signed.", BEFORE.format(
        name=found.name
    )


def removing(index: ServerIndex, otherwise: str | None = None) -> Cause:
    """A setting that may have taken the signature out; without a sentence where none is set."""
    found = next((setting for name in REMOVING if (setting := index.settings.within(name))), None)
    if found is None:
        return "", otherwise
    said = f" {found.shown} works on header fields behind OpenDKIM, and may have taken the signature out."
    return said, OUT.format(name=found.name)
