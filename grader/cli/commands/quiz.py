"""``smtplab quiz``: the knowledge check in the terminal, and the bank for course platforms."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from grader.cli import options
from grader.cli.options import Decorator

NUMBER = 10
FORMATS = ("moodle", "gift", "qti")

_topic: Decorator = click.option(
    "--topic", "topics", metavar="TOPIC", multiple=True, help="Only this topic; may be given again."
)
_bank: Decorator = click.option(
    "--bank",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A file of your own questions, instead of smtplab's; may be given again.",
)
_out: Decorator = click.option(
    "--out",
    default="-",
    show_default=True,
    type=click.Path(),
    help="The file to write ('-' is standard output).",
)


@click.group(invoke_without_command=True)
@click.option("--seed", help="The same seed gives the same questions.  [default: a new one]")
@click.option(
    "--number", type=click.IntRange(1, 200), default=NUMBER, show_default=True, help="How many questions."
)
@_topic
@_bank
@options.exit_zero
@options.debug
@click.pass_context
def quiz(
    ctx: click.Context,
    seed: str | None,
    number: int,
    topics: tuple[str, ...],
    bank: tuple[Path, ...],
    exit_zero: bool,
) -> int:
    """Check what you know: ten questions, with a word on every answer.

    Answers are letters or words, one line a question; they may come from a pipe. Ctrl-C ends and says the score.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    from grader.cli.exitcodes import INTERRUPTED
    from grader.display.screen import Screen, words
    from grader.lesson.quiz.practice import chosen, draw, new_seed, valid_seed
    from grader.lesson.quiz.terminal import Interrupted, PractiseRound, reader

    questions = chosen(topics, bank)
    seed = valid_seed(seed) if seed is not None else new_seed()
    ask, again = reader()
    screen = Screen()
    command = ["smtplab", "quiz", "--seed", seed, *(["--number", str(number)] if number != NUMBER else [])]
    command += [word for topic in topics for word in ("--topic", topic)]
    command += [word for path in bank for word in ("--bank", str(path))]
    drawn = draw(questions, seed, number)
    check = PractiseRound(drawn, seed, ask=ask, again=again, screen=screen, command=shlex.join(command))
    most = len(check.posed)
    screen.show(
        words("Knowledge check", "bold"), words(f"seed {seed} · {most} questions · 10 points each", "dim")
    )
    try:
        check.run()
    except Interrupted:
        check.score()
        return 0 if exit_zero else 1
    except KeyboardInterrupt:
        click.echo()
        check.score()
        return INTERRUPTED
    check.score()
    return 0 if check.right or exit_zero else 1


@quiz.command()
@click.option(
    "--format",
    "kind",
    type=click.Choice(FORMATS),
    required=True,
    help="moodle: Moodle XML; gift: GIFT; qti: a zip of QTI 1.2, for Canvas and others.",
)
@_out
@click.option("--seed", help="Gives the order of the choices.  [default: always the same]")
@_topic
@_bank
@options.debug
def export(kind: str, out: str, seed: str | None, topics: tuple[str, ...], bank: tuple[Path, ...]) -> int:
    """Write questions for Moodle, Canvas and others, with what is said to each answer."""
    from importlib import import_module

    from grader import outputs
    from grader.lesson.quiz.export import SEED, prepared
    from grader.lesson.quiz.practice import chosen, sheets, valid_seed

    questions = chosen(topics, bank)
    write = getattr(import_module(f"grader.lesson.quiz.export.{kind}"), kind)
    outputs.write(out, write(prepared(questions, sheets(), valid_seed(seed) if seed is not None else SEED)))
    if out != "-":
        click.echo(f"{len(questions)} questions: {out}")
    return 0


@quiz.command("print")
@click.option("--seed", help="The same seed gives the same paper.  [default: a new one]")
@click.option(
    "--number", type=click.IntRange(1, 200), default=NUMBER, show_default=True, help="How many questions."
)
@click.option("--key", is_flag=True, help="Add the right answers, on a page of their own.")
@_out
@_topic
@_bank
@options.debug
def paper(
    seed: str | None, number: int, key: bool, out: str, topics: tuple[str, ...], bank: tuple[Path, ...]
) -> int:
    """Write a knowledge check as an HTML page to be printed."""
    from grader import outputs
    from grader.lesson.quiz.practice import chosen, draw, new_seed, valid_seed
    from grader.lesson.quiz.printed import printed

    questions = chosen(topics, bank)
    seed = valid_seed(seed) if seed is not None else new_seed()
    drawn = draw(questions, seed, number)
    outputs.write(out, printed(drawn, seed, key=key))
    if out != "-":
        click.echo(f"{len(drawn)} questions, seed {seed}: {out}")
    return 0


@quiz.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "kind",
    type=click.Choice(("text", "csv", "json")),
    default="text",
    show_default=True,
    help="How it is written.",
)
@_out
@options.debug
def stats(folder: Path, kind: str, out: str) -> int:
    """How hard each question was for a class, and whether it tells who knows from who does not.

    DIR is a folder of grades. Difficulty is the mean share of the points; discrimination the correlation with the
    student's other questions; upper-lower what the best 27 percent have more than the worst.
    """
    from grader import outputs
    from grader.course.results_folder import kept, results
    from grader.lesson.quiz import stats as counting
    from grader.model.errors import UsageError

    if not (folders := kept(folder)):
        raise UsageError(f"{str(folder)!r} holds no results: name a folder that 'smtplab grade' wrote")
    write = {"text": counting.as_text, "csv": counting.as_csv, "json": counting.as_json}[kind]
    outputs.write(out, write(counting.stats(results(folders))))
    return 0
