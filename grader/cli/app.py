"""The program ``smtplab``: its commands, and how it ends.

Exit codes: 0 all passed; 1 some check failed; 2 usage or lab error; 3 the grader or its environment failed;
130 interrupted, everything torn down.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from grader.cli import surroundings
from grader.cli.exitcodes import INTERRUPTED
from grader.cli.interrupts import interruptible
from grader.cli.lazy import LazyGroup
from grader.model.errors import SmtplabError


class CommandSettings:
    """What all commands of one process share. ``debug`` asks for tracebacks."""

    debug = False


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from grader import __version__

        click.echo(f"smtplab {__version__}")
        ctx.exit()


@click.command(
    cls=LazyGroup,
    lazy={
        "labs": "grader.cli.commands.labs:labs",
        "start": "grader.cli.commands.start:start",
        "check": "grader.cli.commands.check:check",
        "hint": "grader.cli.commands.hint:hint",
        "grade": "grader.cli.commands.grade:grade",
        "check-signature": "grader.cli.commands.check_signature:check_signature",
        "merge": "grader.cli.commands.merge:merge",
        "regrade": "grader.cli.commands.regrade:regrade",
        "formats": "grader.cli.commands.formats:formats",
        "course": "grader.cli.commands.course:course",
        "class": "grader.cli.commands.classes:stands",
        "alike": "grader.cli.commands.alike:alike",
        "publish": "grader.cli.commands.publish:publish",
        "compare": "grader.cli.commands.compare:compare",
        "export": "grader.cli.commands.export:export",
        "explain": "grader.cli.commands.explain:explain",
        "quiz": "grader.cli.commands.quiz:quiz",
        "lesson": "grader.cli.commands.lesson:lesson",
        "header": "grader.cli.commands.header:header",
        "simulate": "grader.cli.commands.simulate:simulate",
        "doctor": "grader.cli.commands.doctor:doctor",
        "image": "grader.cli.commands.image:image",
        "lab": "grader.cli.commands.lab:lab",
        "completion": "grader.cli.commands.completion:completion",
    },
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Begin with 'smtplab labs', then 'smtplab start LAB' and 'smtplab check LAB'.",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Say the version."
)
def smtplab() -> None:
    """Configure real mail servers, and learn what they do.

    Exit codes: 0 all passed, 1 some check failed, 2 usage or lab error, 3 the grader or its environment failed,
    130 interrupted.
    """


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; never a traceback, unless ``--debug`` asks for it."""
    session = CommandSettings()
    try:
        surroundings.complete()
        with interruptible():
            code = smtplab.main(argv, prog_name="smtplab", standalone_mode=False, obj=session)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        return _usage(error)
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted; everything that was started has been taken down")
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # click ends the process itself when a reader of its output has stopped, and nowhere else. What is still
        # buffered must not raise once more when the interpreter flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SmtplabError.exit_code
    except Exception as error:
        if session.debug:
            raise
        return _failed(error)


def _usage(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
    else:
        ctx = getattr(error, "ctx", None)
        ask = f"; see '{ctx.command_path} --help'" if ctx else ""
        _say(error.format_message().rstrip(".") + ask)
    return 2


def _failed(error: Exception) -> int:
    if isinstance(error, SmtplabError):
        _say(str(error))
        return error.exit_code
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        _say(f"{where}{error.strerror}")
    else:
        _say(f"a fault in smtplab itself, {type(error).__name__}: {error}; '--debug' shows where")
    return SmtplabError.exit_code


def _say(sentence: str) -> None:
    from grader.display.text import printed

    with suppress(OSError):  # Where that cannot be written either, the exit code has to do.
        click.echo(f"smtplab: {printed(sentence)}", err=True)
