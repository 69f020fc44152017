"""One slip of the pen, and whether a failure comes of it."""

from __future__ import annotations

import re

from msgspec import Struct

from grader.model.latepattern import late_pattern

MOST_WORDS = 20
_PIECE = late_pattern(r"[^ \t,]{1,100}")
_WORD = late_pattern(r"[A-Za-z][A-Za-z0-9_-]{3,}")
LINE_OF = late_pattern(r"([\w.-]+(?:\.cf|\.conf))(?:,|:)(?: configuration error)?(?: at)? line (\d+)")
"""How Postfix and OpenDKIM name a line of their settings."""


class Slip(Struct, frozen=True):
    """A slip: the file as it was handed in, the line (from zero), what stands there, and what to write instead.

    ``words`` are those by which a failure is known to come of it: the name that was meant, and those around it. One
    that is not ``certain`` is told where a failure is about it, and passed over where none is.
    """

    file: str
    line: int
    sentence: str
    remedy: str
    words: tuple[str, ...] = ()
    certain: bool = False

    def named_by(self, observed: str) -> bool:
        """Whether what was observed, the server's own words among it, names the slip's line or its words."""
        base = self.file.rpartition("/")[2]
        if any(file == base and int(line) == self.line + 1 for file, line in LINE_OF.findall(observed)):
            return True
        return self.within(observed)

    def within(self, text: str) -> bool:
        """Whether a text holds one of the slip's words, whole, in whatever capitals."""
        return any(
            re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text, re.IGNORECASE) for word in self.words
        )


def place(file: str, line: int, column: int | None = None) -> str:
    """``main.cf, line 3, column 7``, from numbers that count from zero."""
    return f"{file}, line {line + 1}" + ("" if column is None else f", column {column + 1}")


def unknown(program: str, file: str, name: str, line: int, near: str | None, *, where: str = "") -> Slip:
    """A parameter that there is not, and the one that was perhaps meant."""
    question = f"; did you mean `{near}`?" if near else "."
    return Slip(
        file,
        line,
        f"{place(file, line)}{where}: {program} has no parameter `{name}`{question}",
        f"Write `{near}`." if near else f"Look the name up: nothing reads `{name}`.",
        (near, name) if near else (name,),
        certain=True,
    )


def in_words(line: str, column: int) -> tuple[str, ...]:
    """The words of a line by which a message of a program may name it; what stands around a column is one of them."""
    around = next((found[0] for found in _PIECE.finditer(line) if found.start() <= column < found.end()), "")
    words = dict.fromkeys([*([around] if len(around) > 1 else []), *_WORD.findall(line)])
    return tuple(words)[:MOST_WORDS]
