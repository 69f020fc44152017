"""``smtplab image``."""

from __future__ import annotations

import click

from grader.cli import options
from grader.cli.progress import build_image


@click.group()
def image() -> None:
    """The image that submissions' servers run in."""


@image.command()
@options.engine
@options.debug
def build(engine: str) -> int:
    """Build the image unless it is there, and print its digest."""
    from grader.cli.engine import usable

    click.echo(build_image(usable(engine)))
    return 0
