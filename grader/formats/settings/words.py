"""The words that a mail server's settings are made of, and the one that a misspelt one was meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from grader import resources

LONGEST = 100
"""Letters of a word that may be a misspelt one."""
NEAR = 0.78
"""How like two words are, of 1, for one to be a misspelling of the other (``difflib``)."""
ALL_BUT_A_LETTER = 0.94
"""How like they are where a letter is missing, wrong or too many."""


@cache
def postfix_parameters() -> frozenset[str]:
    """Every parameter of Postfix 3.10, as ``postconf -d`` lists them."""
    return frozenset(_listed("postfix"))


@cache
def restrictions() -> frozenset[str]:
    """Every restriction of Postfix 3.10's smtpd (postconf(5))."""
    return frozenset(_listed("restrictions"))


@cache
def opendkim_parameters() -> dict[str, str]:
    """Every parameter of OpenDKIM 2.11 (opendkim.conf(5)), by its name in small letters."""
    return {name.lower(): name for name in _listed("opendkim")}


def _listed(name: str) -> list[str]:
    text = (resources.folder("fixtures") / "settings" / f"{name}.txt").read_text("ascii")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def meant(word: str, known: Iterable[str]) -> str | None:
    """The known word that a misspelt one was meant to be; ``None`` where none is near enough."""
    from difflib import get_close_matches

    if len(word) > LONGEST:
        return None
    by_letters = {_letters(name): name for name in sorted(known)}
    letters = _letters(word)
    if letters in by_letters:
        return by_letters[letters]
    if close := get_close_matches(letters, list(by_letters), n=1, cutoff=ALL_BUT_A_LETTER):
        return by_letters[close[0]]
    # A word too few at the end: what is left is enough where only one goes on like that.
    longer = [name for name in by_letters.values() if name.lower().startswith(f"{word.lower()}_")]
    if len(longer) == 1:
        return longer[0]
    close = get_close_matches(letters, list(by_letters), n=1, cutoff=NEAR)
    return by_letters[close[0]] if close else None


def _letters(word: str) -> str:
    """A word without what separates its parts, which is what people remember least."""
    return word.lower().replace("_", "").replace("-", "")
