"""Words that people put around letters and texts: ``first e, then c``, ``the answer is b``, ``both b and d``."""

from __future__ import annotations

import re

_ORDINALS = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth",
    "twentieth",
]  # fmt: skip
_NUMBER_OF = {word: number for number, word in enumerate(_ORDINALS, 1)}
_ORDINAL = re.compile(
    rf"(?<![\w-])(?:(?P<word>{'|'.join(_ORDINALS)})(?:ly)?|(?P<digits>[1-9][0-9]?)(?:st|nd|rd|th))(?![\w-])[:,]?\s{{0,3}}",
    re.IGNORECASE | re.ASCII,
)
_BEFORE = re.compile(
    r"(?:(?:i think |so )?(?:the |my )?(?:right |correct )?"
    r"(?:answers?|options?|choices?|letters?|order|sequence)(?: is| are)?(?::|(?= )) ?"
    r"|(?:antwort(?:en)?|l\u00f6sung|respuestas?): ?|i (?:say|guess|choose|pick|take) "
    r"|it(?: i|['\u2019])s |they are |both |only )+",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"(?: (?:is|are) (?:the )?(?:right|correct|true)(?: (?:ones?|answers?|order))?"
    r"|,? ?\(?in (?:that|this) order\)?)$",
    re.IGNORECASE,
)
_REASON = re.compile(
    r"(?:,|;| -)? (?:because|since|as|weil|denn|porque) .*$|,? ?\((?:and )?not [^()]*\)$", re.IGNORECASE
)
_FIRST = re.compile(r"(?:first(?:ly)?|1st)(?::|,)?\s(?=\s*\S)", re.IGNORECASE)
_FINALLY = re.compile(
    r"[\s,;]{1,3}(?:and |then )?(?:finally|last|lastly),?\s{1,3}(?=[^,;]{1,80}$)", re.IGNORECASE
)
_NEXT = re.compile(
    r"\s{0,3}(?:[,;]\s{0,3}|\s)(?:and )?"
    r"(?:then|next|after that|afterwards|followed by|before|dann|danach|luego|despu\u00e9s),?\s{1,3}",
    re.IGNORECASE,
)
_RANK = r"\(?([A-Za-z])\)?\s{0,3}(?:[=:-]\s{0,3})?([1-9][0-9]?)"
_RANKS = re.compile(rf"(?:{_RANK}(?:[\s,;]{{1,3}}|$)){{2,20}}")
_LONGEST = 1000


def plainly(text: str) -> str:
    """A text without the words that people put around what they mean. What says no, as ``not``, stays."""
    if len(text) > _LONGEST:
        return text
    text = " ".join(text.split(" ")).strip()
    text = _BEHIND.sub("", _REASON.sub("", text.rstrip(".!")))
    if before := _BEFORE.match(text):
        text = text[before.end() :].strip()
    found = {found["word"] or found["digits"] for found in _ORDINAL.finditer(text)}
    if len(found) > 1:
        return _ORDINAL.sub(_numbered, text)
    if first := _FIRST.match(text):
        text = text[first.end() :].lstrip()
    return _NEXT.sub(", ", _FINALLY.sub(", ", text))


def _numbered(found: re.Match[str]) -> str:
    return f"{found['digits'] or _NUMBER_OF[found['word'].lower()]}. "


def ranks(text: str) -> dict[str, str]:
    """Letters with their places behind them: ``e=1, c=2`` or ``e1 c2``; empty where a text is none of these."""
    if len(text) > _LONGEST or not _RANKS.fullmatch(text.strip()):
        return {}
    pairs = re.findall(_RANK, text)
    return dict(pairs) if len(dict(pairs)) == len(pairs) else {}
