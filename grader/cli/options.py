"""Options that several commands take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from grader.engines import AUTO, NAMES
from grader.model.hints import TIERS

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _debug(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        ctx.obj.debug = True


debug: Decorator = click.option(
    "--debug", is_flag=True, is_eager=True, expose_value=False, callback=_debug,
    help="Show the traceback of an error.",
)  # fmt: skip
engine: Decorator = click.option(
    "--engine", type=click.Choice(NAMES), default=AUTO, envvar="SMTPLAB_ENGINE",
    show_envvar=True, help="What runs the server; 'auto' takes the first that can.",
)  # fmt: skip
seed: Decorator = click.option(
    "--seed", "key", metavar="KEY", envvar="SMTPLAB_SEED", show_envvar=True,
    help="The course's key: with it, each student has names and networks of their own.",
)  # fmt: skip
exit_zero: Decorator = click.option(
    "--exit-zero", is_flag=True, help="Exit with 0 instead of 1 when checks failed."
)


def _formats(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, ...]:
    from grader.model.templates import nearest
    from grader.outputs import FORMATS, USUAL

    chosen = tuple(dict.fromkeys(value.split(","))) if value else USUAL
    for name in chosen:
        if name not in FORMATS:
            raise click.BadParameter(
                f"there is no format {name!r}{nearest('%r', name, FORMATS)}; 'smtplab formats' lists them"
            )
    return chosen


formats: Decorator = click.option(
    "--format", "formats", metavar="NAME,...", callback=_formats,
    help="What is written, of 'smtplab formats'.  [default: what that marks with a star]",
)  # fmt: skip
course: Decorator = click.option(
    "--course", metavar="FILE", type=click.Path(path_type=Path),
    help="The course's settings; the command line counts more.  [default: course.yaml, if it is there]",
)  # fmt: skip
overrides: Decorator = click.option(
    "--overrides", metavar="CSV", type=click.Path(path_type=Path),
    help="A person's decisions: student, check, points or 'manual', why, by.  [default: DIR/overrides.csv]",
)  # fmt: skip
sign: Decorator = click.option(
    "--sign", metavar="KEYFILE", type=click.Path(path_type=Path),
    help="Sign each result with this key of 'smtplab course signing-key'.",
)  # fmt: skip
hints: Decorator = click.option(
    "--hints", type=click.Choice(TIERS), default="example", show_default=True,
    help="The highest rung of help that may be shown; below 'next' nothing names a fix.",
)  # fmt: skip
