"""``smtplab doctor``."""

from __future__ import annotations

import platform
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from grader.cli import options

if TYPE_CHECKING:
    from grader.engines.base import Engine


@click.command()
@click.option("--clean", is_flag=True, help="Remove what runs that were killed left behind.")
@options.debug
def doctor(clean: bool) -> int:
    """Say what is missing on this machine, and the exact command that fixes it.

    One engine that can run is enough.
    """
    from grader import __version__
    from grader.engines import ENGINES, select

    engines = [select(name) for name in ENGINES]
    if clean:
        return _clean(engines)
    click.echo(
        f"smtplab {__version__}, Python {platform.python_version()} ({sys.executable}), {platform.platform()}"
    )
    able = [_examine(engine) for engine in engines]
    if any(able):
        click.echo("Ready: labs can be graded here.")
        return 0
    click.echo("No engine can run here: fix one of them. Both need nothing of the other.")
    return 3


def _examine(engine: Engine) -> bool:
    problems = engine.problems(thorough=True)
    if not problems:
        click.echo(f"  {click.style('✓', fg='green')} engine {engine.name} can run")
        return True
    click.echo(f"  {click.style('✗', fg='red')} engine {engine.name} cannot run")
    for problem in problems:
        click.echo(f"      {problem.what}")
        click.echo(f"        fix it with: {problem.fix}")
    return False


def _clean(engines: list[Engine]) -> int:
    from grader.model.errors import EngineError

    removed = []
    for engine in engines:
        # An engine that cannot run, for want of room for one, may have left something all the same.
        with suppress(EngineError):
            removed += engine.clean()
    for line in removed:
        click.echo(f"removed {line}")
    click.echo("Nothing was left behind." if not removed else f"{len(removed)} things removed.")
    return 0
