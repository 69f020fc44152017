"""The page on a class: one file that loads nothing, works without its script, and obeys no stranger.

It has two editions: the instructor's, and an anonymous one to show in class, which names nobody and repeats nothing
that a student wrote, or that stands in one student's variant alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from grader import resources
from grader.outputs.classview import ClassView, State
from grader.outputs.webpage import content_hash, environment

WORDS: dict[State, tuple[str, str, str]] = {
    "passed": ("passed everything", "✓", "pass"),
    "failed": ("failed something", "✗", "fail"),
    "waiting": ("waits for a person", "◆", "manual"),
    "refused": ("refused", "⊘", "skipped"),
    "error": ("grader failed", "▲", "error"),
    "missing": ("nothing handed in", "∅", "skipped"),
}
"""For each state: in words, as a sign, and whose colour it has."""
WIDTH, HEIGHT, STEP = 352, 150, 32
"""Of the chart, in its own units: eleven bars, each with its gap."""


def page(view: ClassView, *, anonymous: bool = False) -> Iterator[bytes]:
    """The page as one HTML file, piece by piece. Raises ``UsageError`` where smtplab's own templates are missing."""
    known = environment(resources.folder("reports") / "class")
    assert known.loader is not None
    style = "".join(known.loader.get_source(known, name)[0] for name in ("report.css", "class.css"))
    script = "" if anonymous else known.loader.get_source(known, "class.js")[0]
    pieces = known.get_template("class.html.j2").generate(
        view=view,
        anonymous=anonymous,
        words=WORDS,
        bars=_bars(view.distribution),
        style=Markup(style),  # noqa: S704  smtplab's own file
        script=Markup(script),  # noqa: S704  smtplab's own file
        style_hash=content_hash(style),
        script_hash=content_hash(script),
    )
    return map(str.encode, pieces)


def _bars(distribution: list[tuple[str, int]]) -> list[dict[str, object]]:
    """Where each bar of the chart stands; the highest fills it, and whoever is there can be seen."""
    most = max((number for _, number in distribution), default=0) or 1
    return [
        {
            "name": name,
            "number": number,
            "left": place * STEP + 3,
            "height": max(2, round(number / most * HEIGHT)) if number else 0,
        }
        for place, (name, number) in enumerate(distribution)
    ]
