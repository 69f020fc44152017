"""``smtplab lesson``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from grader.cli import options


@click.group()
def lesson() -> None:
    """The lesson as web pages: reference sheets, annotated sessions, simulator, header builder, quiz."""


@lesson.command()
@click.argument("where", metavar="[DIR]", default="lesson", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--pdf",
    is_flag=True,
    help="The reference sheets as PDF as well, in DIR/sheets; needs Chromium or Chrome.",
)
@options.debug
def build(where: Path, pdf: bool) -> int:
    """Write the lesson into DIR (lesson). It needs no server: open DIR/index.html in a browser."""
    from grader.display.text import printed_line
    from grader.lesson import site

    files = site.build(where, pdf=pdf)
    kinds = Counter(name.rpartition(".")[2] for name in files)
    sheets = f" and {kinds['pdf']} sheets as PDF" if pdf else ""
    click.echo(f"{kinds['html']} pages{sheets}; open {printed_line(str(where / 'index.html'))} in a browser")
    return 0


@lesson.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8025, show_default=True, help="The port; 0 takes any."
)
@options.debug
def serve(port: int) -> int:
    """Serve the lesson to its author: pages appear anew whenever a text, template or handout is saved."""
    from grader.display.text import printed
    from grader.lesson.site.serve import serve as serve_pages

    serve_pages(port, lambda sentence: click.echo(printed(sentence), err=True))
    return 0
