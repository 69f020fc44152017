"""The way through the lesson as the first page shows it: stages of pages, and labs that are on none of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grader.lesson.path import OF_A_LAB, stages
from grader.lesson.site.pages import Page

KINDS = {"Learn": "read", "Look up": "sheet", "Practise": "try out", "Labs": "lab"}
"""What a step is, by the group of its page."""


@dataclass(frozen=True)
class Part:
    """A stage of the way with its pages."""

    title: str
    about: str
    pages: tuple[Page, ...]

    @property
    def count(self) -> int:
        """How many steps it has."""
        return len(self.pages)


def way(pages: Sequence[Page]) -> list[Part]:
    """The stages, and at the end the labs that an instructor has added. A step without a page is left out."""
    known = {page.name: page for page in pages}
    parts = [
        Part(stage.title, stage.about, tuple(known[step] for step in stage.steps if step in known))
        for stage in stages()
    ]
    on_it = {page.name for part in parts for page in part.pages}
    more = tuple(page for page in pages if page.name.startswith(OF_A_LAB) and page.name not in on_it)
    if more:
        parts.append(Part("Go further", "Labs that your course has added.", more))
    return [part for part in parts if part.pages]
