"""The handouts of all labs as pages: Markdown in, HTML out, the names of the canonical variant filled in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup

from grader.labs.limits import HANDOUT
from grader.labs.loading import list_labs
from grader.labs.variant import draw_variant
from grader.lesson.path import in_order
from grader.model.errors import LabError
from grader.model.lab import Lab
from grader.model.templates import fill_file

SHEET = re.compile(r"sheet (\S+)")


@dataclass(frozen=True)
class Handout:
    """A lab, its handout as HTML, and the ids of the sheets that its checks refer to."""

    lab: Lab
    html: Markup
    sheets: tuple[str, ...]


def handouts() -> list[Handout]:
    """The handout of every lab, smtplab's own and the instructor's, in the order in which labs are best done.

    Raises ``LabError`` for a lab that is broken.
    """
    found = []
    for entry in list_labs():
        if entry.lab is None:
            raise LabError(entry.error)
        found.append(Handout(entry.lab, _html(entry.path / HANDOUT, entry.lab), _sheets(entry.lab)))
    order = in_order([one.lab.id for one in found])
    return sorted(found, key=lambda one: order.index(one.lab.id))


def _html(path: Path, lab: Lab) -> Markup:
    variant = draw_variant(lab)
    try:
        text = fill_file(path.read_bytes(), {**variant.names, **variant.secrets}).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"cannot read {path}: {error}: a lab needs a handout, as UTF-8") from error
    return markdown(text)


def _sheets(lab: Lab) -> tuple[str, ...]:
    named = [found[1] for check in lab.all_checks for text in check.see if (found := SHEET.fullmatch(text))]
    return tuple(dict.fromkeys(named))


class _Renderer(RendererHTML):
    """Renders tables so that phones can scroll them and screen readers find no header without words."""

    def table_open(self, tokens: list[Token], at: int, options: Any, env: Any) -> str:
        return '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table>'

    def table_close(self, tokens: list[Token], at: int, options: Any, env: Any) -> str:
        return "</table></div>"

    def th_open(self, tokens: list[Token], at: int, options: Any, env: Any) -> str:
        return '<th scope="col">' if tokens[at + 1].content else "<td>"

    def th_close(self, tokens: list[Token], at: int, options: Any, env: Any) -> str:
        return "</th>" if tokens[at - 1].content else "</td>"


def markdown(text: str) -> Markup:
    """CommonMark with tables as HTML; HTML in it is shown, not obeyed. The first heading is the page's own."""
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer).enable("table")
    env: dict[str, Any] = {}
    tokens = parser.parse(text, env)
    if tokens and tokens[0].type == "heading_open" and tokens[0].tag == "h1":
        tokens = tokens[3:]
    tokens = _without_empty_heads(tokens)
    return Markup(parser.renderer.render(tokens, parser.options, env))  # noqa: S704  it escapes what it is given


def _without_empty_heads(tokens: list[Token]) -> list[Token]:
    """Markdown's tables cannot do without a head; one whose cells are all empty is none."""
    kept: list[Token] = []
    at = 0
    while at < len(tokens):
        if tokens[at].type == "thead_open":
            end = next(n for n in range(at, len(tokens)) if tokens[n].type == "thead_close")
            if not any(token.content for token in tokens[at:end]):
                at = end + 1
                continue
        kept.append(tokens[at])
        at += 1
    return kept
