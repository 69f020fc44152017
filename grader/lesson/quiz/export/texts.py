"""A bank's texts as HTML, and what a platform's importer does not stand."""

from __future__ import annotations

import html

from grader.display.text import visible
from grader.kinds.quiz.questions import Multiple
from grader.model.errors import UsageError

MOST_SHARES = 10
"""Moodle takes a share of a question's mark only where it is on its list: 100% divided by 1 to 10 are."""


def as_html(text: str) -> str:
    """``text`` as HTML: escaped, what stands in backticks as code, line ends as line breaks."""
    parts = [html.escape(visible(part), quote=False).replace("\n", "<br>") for part in text.split("`")]
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))


def quote_as_html(lines: list[str]) -> str:
    """The lines that a question is about as HTML, each as it stands; nothing where there are none."""
    shown = "<br>".join(html.escape(visible(line), quote=False) for line in lines)
    return f"<pre>{shown}</pre>" if lines else ""


def as_line(text: str) -> str:
    """``text`` where a platform takes plain text alone: one line, without backticks."""
    return " ".join(visible(text.replace("`", "")).split())


def shares(question: Multiple) -> list[float]:
    """What each option adds to the mark, or takes from it, in percent.

    The right ones add up to 100, the wrong ones take as much away. Raises ``UsageError`` where there are more of
    either than Moodle knows shares for.
    """
    right = sum(option.right for option in question.options)
    wrong = len(question.options) - right
    if max(right, wrong) > MOST_SHARES:
        raise UsageError(
            f"the question {question.id!r} has more than {MOST_SHARES} right or wrong options, "
            "and Moodle divides a mark into no more parts: take some out, or leave the question out"
        )
    return [round(100 / right, 5) if option.right else -round(100 / wrong, 5) for option in question.options]


def percent(share: float) -> str:
    """A share as Moodle's list writes it: ``50``, ``33.33333``, ``-12.5``."""
    return f"{share:.5f}".rstrip("0").rstrip(".")
