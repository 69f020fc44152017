"""Units behind a number: seven milliseconds are not the seven seconds that are asked for.

``quiz-typed.js`` has the same table.
"""

from __future__ import annotations

import re

from grader.kinds.quiz.questions import Fill

UNITS = {
    "ns": "ns nanosecond nanoseconds",
    "us": "us \u00b5s \u03bcs microsecond microseconds",
    "ms": "ms msec msecs millisecond milliseconds millisekunden milisegundos",
    "s": "s sec secs second seconds sekunde sekunden segundo segundos seg",
    "min": "m min mins minute minutes minuten minuto minutos ' \u2032",
    "h": "h hr hrs hour hours std stunde stunden hora horas",
    "d": "d day days tag tage d\u00eda d\u00edas dia dias",
    "week": "week weeks woche wochen semana semanas",
    "month": "month months monat monate mes meses",
    "year": "year years jahr jahre a\u00f1o a\u00f1os",
    "bit": "bit bits",
    "byte": "b byte bytes octet octets oktett oktette octeto octetos character characters char chars zeichen",
    "kilo": "k kb kib kilobyte kilobytes",
    "mega": "mb mib megabyte megabytes",
    "giga": "gb gib gigabyte gigabytes",
    "percent": "% \u2030 percent prozent pct",
}
"""What people write for a unit, in small letters."""
_UNIT_OF = {word: unit for unit, words in UNITS.items() for word in words.split(" ")}
_BEHIND = re.compile(r"([0-9]+) ?(%|\u2030|'|\u2032|[a-z\u00b5\u03bc\u00ed\u00f1]+)")
_WORD = re.compile(r"[a-z\u00ed\u00f1]{3,}|%|(?:\((?:in )?|\bin )[a-z\u00b5]{1,2}\b", re.ASCII)
_ORDINAL = "second"
"""In a question it is the one behind the first."""
_PLAIN = frozenset(("byte", "s"))
"""May stand where no unit is asked for: whoever asks how long a chunk is need not say in what."""


def measured_otherwise(question: Fill, text: str, number: str) -> bool:
    """Whether the number has a unit that the question, or a right answer, does not name."""
    known = [question.ask, *(answer.text for answer in question.answers if answer.right)]
    words = [word.lstrip("(").removeprefix("in ") for said in known for word in _WORD.findall(said.lower())]
    asked = {_UNIT_OF[word] for word in words if word in _UNIT_OF and word != _ORDINAL} or _PLAIN
    for found in _BEHIND.finditer(text):
        unit = _UNIT_OF.get(found[2], "")
        if found[1] == number and unit and unit not in asked:
            return True
    return False
