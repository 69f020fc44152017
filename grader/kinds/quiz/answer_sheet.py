"""The sheet that a student fills in: each question as a comment, and its name with the answer to come."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence

from grader.kinds.quiz.facts import Posed
from grader.kinds.quiz.questions import Fill, Match, Multiple, OrderItems, Single, choices, letter

WIDTH = 100
TASKS = {
    "single": "One is right.",
    "multiple": "One or more are right: choose all of them.",
    "order": "Put all of them in order.",
    "match": "Put a letter to each.",
    "fill": "Fill in a word or number.",
}


QUOTED = "| "
"""Before each line that a question quotes: such lines are not wrapped."""


def asked(posed: Posed) -> Iterator[str]:
    """A question with what it quotes and its choices, as lines of plain text."""
    yield " ".join(f"{posed.question.ask} {TASKS[posed.question.kind]}".split())
    yield from (f"  {QUOTED}{line}".rstrip() for line in posed.question.quoted)
    if isinstance(posed.question, Match):
        yield f"  {'; '.join(pair.left for pair in posed.question.pairs)}"
    for place, text in enumerate(posed.shown):
        yield f"  {letter(place)}) {text}"


def blank_sheet(posed: Sequence[Posed]) -> str:
    """The questions as YAML with the answers left open."""
    parts = []
    for number, one in enumerate(posed, 1):
        lines = [f"{number}. {line}" if place == 0 else f"   {line}" for place, line in enumerate(asked(one))]
        comment = [part for line in lines for part in _comment(line)]
        parts.append("\n".join([*comment, *_blank(one)]))
    return "\n\n".join(parts)


def _comment(line: str) -> list[str]:
    """A line as a comment of YAML, on as many lines as it takes; what is quoted stays as it stands."""
    if line.lstrip().startswith(QUOTED.rstrip()):
        return [f"# {line}"]
    return textwrap.wrap(
        line,
        WIDTH,
        initial_indent="# ",
        subsequent_indent="#    ",
        break_on_hyphens=False,
        drop_whitespace=True,
    )


def _blank(posed: Posed) -> list[str]:
    question = posed.question
    if isinstance(question, Match):
        return [f"{question.id}:", *(f"  {_quoted(pair.left)}:" for pair in question.pairs)]
    if isinstance(question, Multiple | OrderItems):
        return [f"{question.id}: []"]
    return [f"{question.id}:"]


def key_by_letters(posed: Sequence[Posed]) -> str:
    """The right answers as YAML, by the letters of the choices as they are shown."""
    return "\n".join(f"{one.question.id}: {_key(one)}" for one in posed)


def _key(posed: Posed) -> str:
    question = posed.question
    if isinstance(question, Fill):
        return _quoted(next(answer.text for answer in question.answers if answer.right))
    if isinstance(question, Match):
        return "".join(f"\n  {_quoted(pair.left)}: {_letter(posed, pair.right)}" for pair in question.pairs)
    right = choices(question)
    if isinstance(question, Single | Multiple):
        right = [option.text for option in question.options if option.right]
    found = [_letter(posed, text) for text in right]
    return found[0] if isinstance(question, Single) else f"[{', '.join(found)}]"


def _letter(posed: Posed, text: str) -> str:
    return letter(posed.shown.index(text))


def _quoted(text: str) -> str:
    # JSON's strings are YAML's in double quotation marks.
    return text if text.isascii() and text.isalpha() else json.dumps(text, ensure_ascii=False)
