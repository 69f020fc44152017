"""Readers of the exported formats that owe nothing to what writes them.

GIFT is read as Moodle's importer reads it: escapes become placeholders, then the text is cut at the signs that remain.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_ESCAPED = {sign: f"\x00{ord(sign):03d};" for sign in ":#={}~"}
_FORMATS = ("html", "plain", "moodle", "markdown")


@dataclass
class Gift:
    """A question as GIFT says it; weights are percents, ``answers`` texts with weight and feedback."""

    category: str
    name: str
    format: str
    text: str
    kind: str
    answers: list[tuple[str, float, str]] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    general: str = ""


def read_gift(document: str) -> list[Gift]:
    """Every question of a GIFT file. Raises ``ValueError`` for what is none."""
    found: list[Gift] = []
    category = ""
    for block in re.split(r"\n\s*\n", document.strip()):
        lines = [line for line in block.split("\n") if not line.strip().startswith("//")]
        text = "\n".join(lines).strip()
        if text.startswith("$CATEGORY:"):
            category = text[10:].strip()
        else:
            found.append(_question(_protected(text), category))
    return found


def _protected(text: str) -> str:
    text = text.replace("\\\\", "\x00092;")
    for sign, placeholder in _ESCAPED.items():
        text = text.replace(f"\\{sign}", placeholder)
    return text.replace("\\n", "\x00010;").replace("\x00092;", "\\")


def _plain(text: str) -> str:
    return re.sub(r"\x00(\d{3});", lambda found: chr(int(found[1])), text).strip()


def _formatted(text: str, default: str) -> tuple[str, str]:
    text = text.strip()
    if text.startswith("[") and (name := text[1 : text.find("]")]) in _FORMATS:
        return name, _plain(text[text.find("]") + 1 :])
    return default, _plain(text)


def _question(text: str, category: str) -> Gift:
    if not text.startswith("::"):
        raise ValueError(f"no name: {text[:60]}")
    name, _, text = text[2:].partition("::")
    start, end = text.find("{"), text.find("}")
    if not 0 < start < end or text[end + 1 :].strip():
        raise ValueError(f"braces: {text[:60]}")
    body = text[start + 1 : end].strip()
    body, _, general = body.rpartition("####")
    format_, asked = _formatted(text[:start], "moodle")
    question = Gift(category, _plain(name), format_, asked, "", general=_formatted(general, format_)[1])
    if "~" in body:
        question.kind = "single" if "=" in body else "multiple"
        parts = body.replace("=", "~=").split("~")
    else:
        question.kind = "match" if "->" in body else "fill"
        parts = body.split("=")
    for part in (part.strip() for part in parts):
        if part and question.kind == "match":
            left, _, right = part.partition("->")
            question.pairs.append((_formatted(left, format_)[1], _plain(right)))
        elif part:
            question.answers.append(_answer(part, question.kind, format_))
    return question


def _answer(part: str, kind: str, format_: str) -> tuple[str, float, str]:
    weight = 100.0 if kind == "fill" else 0.0
    if part.startswith("="):
        weight, part = 100.0, part[1:]
    elif found := re.match(r"%(-?[0-9]{1,2}[0-9.]*)%", part):
        weight, part = float(found[1]), part[found.end() :]
    text, _, feedback = part.partition("#")
    return _formatted(text, format_)[1], weight, _formatted(feedback, format_)[1]
