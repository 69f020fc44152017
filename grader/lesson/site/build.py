"""Builds the lesson's site."""

from __future__ import annotations

from pathlib import Path

from grader import resources
from grader.lesson.library import Library, library
from grader.lesson.site.folder import replace
from grader.lesson.site.pages import PAGES, lab_pages
from grader.lesson.site.render import Renderer


def render(source: Library | None = None, *, live: str = "", pdf: bool = False) -> dict[str, bytes]:
    """Every page of the site by its file's name. ``source`` is the lesson's data, by default smtplab's own.

    ``live`` is a script that pages carry when they are served to an author; with it they may ask their own server.
    ``pdf`` makes sheets lead to their PDF.
    """
    renderer = Renderer(
        resources.folder("reports") / "lesson", source or library(), (*PAGES, *lab_pages()), live, pdf
    )
    return {page.file: renderer.page(page) for page in renderer.pages}


def build(folder: Path, *, pdf: bool = False) -> list[str]:
    """Write the site into ``folder``, with the sheets as PDF if wanted; the names of its files.

    Raises ``OutputError`` as ``folder.replace`` does, and for PDFs what ``pdf.printed`` raises.
    """
    files = render(pdf=pdf)
    if pdf:
        from grader.lesson.site.pdf import printed

        sheets = printed({page.name: files[page.file] for page in PAGES if page.sheet})
        files |= {f"sheets/{name}.pdf": data for name, data in sheets.items()}
    replace(folder, files)
    return sorted(files)
