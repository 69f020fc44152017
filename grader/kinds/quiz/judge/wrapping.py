"""What wraps an answer and is no part of it: LaTeX, Markdown, brackets.

``quiz-typed.js`` takes it off in the same way.
"""

from __future__ import annotations

import re
import unicodedata

_WRAPPED = [
    re.compile(pattern)
    for pattern in (
        r"^\$([^$]+)\$$",
        r"^\\\((.+)\\\)$",
        r"^\\(?:text|mathrm|mathbf|math)(?:bf|it|tt|rm)?\{([^{}]+)\}$",
        r"^\*{1,2}([^*]+)\*{1,2}$",
        r"^\(([^()]+)\)$",
    )
]
_ARROWS = re.compile(r"\\(?:to|rightarrow|Rightarrow|implies)(?![A-Za-z])|[\u21d2\u27f6\u27f9\u00bb]")
_MOST = 1000


def unwrapped(text: str) -> str:
    """A text without what wraps it, three deep at most."""
    for _ in range(3):
        for pattern in _WRAPPED:
            if found := pattern.match(text):
                text = found[1].strip(" ")
    return text


def written_plainly(text: str) -> str:
    """A list of choices in ASCII's signs as far as it has them: full-width and circled letters, arrows, set braces."""
    if len(text) > _MOST:
        return text
    text = unwrapped(unicodedata.normalize("NFKC", text).strip().replace("\u3001", ","))
    braces = re.match(r"^\\?\{(.*?)\\?\}$", text)
    return _ARROWS.sub("->", braces[1] if braces else text)
