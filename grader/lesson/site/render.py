"""Renders a page of the lesson: templates with autoescape, style and script inside it, and a strict policy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jinja2
import msgspec
from markupsafe import Markup

from grader.lesson.entries import LessonEntry
from grader.lesson.facts import COUNTS, LABELS, settings
from grader.lesson.library import Library
from grader.lesson.site.pages import GROUPS, Page, addresses, homes
from grader.lesson.site.way import KINDS, way
from grader.outputs import references
from grader.outputs.webpage import content_hash, prose

POLICY = (
    "default-src 'none'; script-src {scripts}; style-src {styles}; img-src data:; connect-src {connect}; "
    "form-action 'none'; base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The Content Security Policy of every page: what is in the page runs, and nothing enters it or leaves it."""

_SHORT_CODE = re.compile("<code>([^<]{1,24})</code>")


@dataclass(frozen=True)
class Renderer:
    """Renders ``pages`` from the templates and assets in ``folder``.

    ``live`` is a script for pages that are served; ``pdf`` says that the sheets are there as PDF, so that pages can
    lead to them.
    """

    folder: Path
    library: Library
    pages: tuple[Page, ...]
    live: str = ""
    pdf: bool = False

    def page(self, page: Page) -> bytes:
        """The page as one HTML document. Raises ``jinja2.TemplateError`` for a faulty template."""
        styles = [*self._assets("css", ("base", *page.styles, page.name, "print"))]
        scripts = [*self._assets("js", ("base", *page.scripts, page.name))]
        if self.live:
            scripts.append(self.live)
        policy = POLICY.format(
            scripts=_hashes(scripts), styles=_hashes(styles), connect="'self'" if self.live else "'none'"
        )
        template = self._environment.get_template(page.template or f"{page.name}.html.j2")
        before, after = self._neighbours(page)
        text = template.render(
            **page.values(self.library),
            page=page,
            before=before,
            after=after,
            policy=policy,
            styles=[Markup(style) for style in styles],  # noqa: S704  smtplab's own files
            scripts=[Markup(script) for script in scripts],  # noqa: S704  smtplab's own files
            data=None
            if page.data is None
            else embedded(page.data(self.library, addresses(self.pages, self.library))),
        )
        return text.encode()

    def _assets(self, kind: str, names: Iterable[str]) -> Iterable[str]:
        for name in dict.fromkeys(names):
            path = self.folder / kind / f"{name}.{kind}"
            # A page need not have a style sheet or a script of its own; any other that is named must be there.
            if path.exists() or name not in {page.name for page in self.pages}:
                yield path.read_text(encoding="utf-8")

    @cached_property
    def _environment(self) -> jinja2.Environment:
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader([self.folder / "pages", self.folder / "parts"]),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(
            library=self.library,
            entry=self.library.entries.__getitem__,
            labels=LABELS,
            settings=settings,
            pdf=self.pdf,
            counts=COUNTS,
            practised=self._practised,
            at_home=self._at_home,
            way=way(self.pages),
            kinds_of_pages=KINDS,
            groups=[(group, [page for page in self.pages if page.group == group]) for group in GROUPS],
        )
        environment.filters.update(
            prose=_prose,
            rfc=references.link,
            address=self._addresses(),
            entry=self.library.entries.__getitem__,
            kind=type,
        )
        return environment

    def _neighbours(self, page: Page) -> tuple[Page | None, Page | None]:
        """The pages before and after this one, in the menu's order."""
        ordered = [None, *sorted(self.pages, key=lambda one: GROUPS.index(one.group)), None]
        at = ordered.index(page)
        return ordered[at - 1], ordered[at + 1]

    def _at_home(self, page: Page, kind: type[LessonEntry]) -> list[LessonEntry]:
        """The entries of a kind whose place is the page, in the library's order."""
        return [
            entry
            for id_, home in homes(self.pages, self.library).items()
            if home is page and isinstance(entry := self.library.entries[id_], kind)
        ]

    def _practised(self, id_: str) -> list[Page]:
        return [page for page in self.pages if id_ in page.practises]

    def _addresses(self) -> Callable[[str], str]:
        return addresses(self.pages, self.library).__getitem__


def _prose(text: str) -> Markup:
    """Text with code in backticks; code of a few words is not torn apart at the end of a line."""
    return Markup(_SHORT_CODE.sub(r'<code class="whole">\1</code>', str(prose(text))))  # noqa: S704  it came escaped


def embedded(value: object) -> Markup:
    """A value as JSON that can stand inside a ``script`` element: nothing in it ends the element."""
    text = msgspec.json.encode(value).decode().replace("<", "\\u003c")
    return Markup(text)  # noqa: S704  no sign of markup is left in it


def _hashes(texts: Iterable[str]) -> str:
    return " ".join(f"'{content_hash(text)}'" for text in texts)
