"""``smtplab lab``: for lab authors."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from grader import kinds
from grader.cli import options
from grader.cli.complete import KIND, LAB
from grader.labs.schema import SCHEMAS, rendered


@click.group()
def lab() -> None:
    """Write labs of your own. They are found in ./labs, and in the folders of SMTPLAB_LABS, separated as in PATH."""


@lab.command()
@click.argument("lab_id", metavar="ID")
@click.argument("where", metavar="[DIR]", default="labs", type=click.Path(file_okay=False, path_type=Path))
@click.option("--kind", type=KIND, default=kinds.DEFAULT, show_default=True, help="What is handed in.")
@click.option(
    "--with",
    "more",
    metavar="WORD",
    default="",
    help="One that holds more: 'signatures' for a server that signs (DKIM).",
)
@options.debug
def new(lab_id: str, where: Path, kind: str, more: str) -> int:
    """Make a small lab that works, in DIR/ID (labs/ID), for you to change."""
    from grader import labs
    from grader.display.text import printed_line
    from grader.resources import lab_folders

    folder = printed_line(str(labs.new(lab_id, where, kind, more)))
    known = any(where.resolve() == other.resolve() for other in lab_folders())
    told = "" if known else f"SMTPLAB_LABS={shlex.quote(printed_line(str(where.resolve())))} "
    click.echo(f"{folder}: change lab.yaml, handout.md, starter, solution and wrong, and prove it with:")
    click.echo(f"  {told}smtplab lab verify {lab_id}")
    return 0


@lab.command()
@click.argument("ids", metavar="[ID]...", nargs=-1, type=LAB)
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 1000), help="How many at a time.  [default: one a processor]"
)
@click.option("--watch", is_flag=True, help="Prove it again whenever a file of it is saved, until Ctrl-C.")
@click.option(
    "--show",
    metavar="NAME",
    help="Print the report that one submission gets: wrong/FAULT, correct/NAME, solution.",
)
@click.option("--matrix", is_flag=True, help="Also print which submission of wrong/ loses which check.")
@click.option(
    "--matrix-csv",
    "table",
    metavar="FILE",
    type=click.Path(),
    help="Write that as CSV ('-' is standard output).",
)
@options.engine
@options.debug
def verify(
    ids: tuple[str, ...],
    jobs: int | None,
    watch: bool,
    show: str | None,
    matrix: bool,
    table: str | None,
    engine: str,
) -> int:
    """Prove labs: the solution gets full marks, the starter does not, and each known fault costs what it declares.

    All are handed in as a student hands in. A check that no known fault loses proves nothing, and is named; so is what
    students would stumble over in the handout and the files. Without ID, every lab.
    """
    from grader import labs
    from grader.cli import verifying
    from grader.cli.files import refuse_impossible

    folders = [labs.find(given) for given in ids] or [entry.path for entry in labs.list_labs()]
    if len(folders) != 1 and (watch or show or table):
        raise click.UsageError("--watch, --show and --matrix-csv are about one lab: give its ID")
    refuse_impossible({"--matrix-csv": table})
    wish = verifying.Wish(engine, jobs, matrix, table)

    def once() -> int:
        if show is not None:
            return verifying.show(folders[0], show, engine)
        return max((verifying.prove(folder, wish) for folder in folders), default=0)

    if watch:
        from grader.cli.watch import watching

        return watching(folders[0], [table] if table else [], once)
    return once()


@lab.command()
@click.argument("kind", type=click.Choice(list(SCHEMAS)), default="lab")
@options.debug
def schema(kind: str) -> int:
    """Print a JSON Schema: of lab.yaml, of wrong/*/expect.yaml, of course.yaml, of a result or of evidence."""
    click.echo(rendered(kind), nl=False)
    return 0


@lab.command()
@click.argument("word", required=False)
@click.option("--kind", type=KIND, default=None, help="Those of one kind of lab.  [default: all]")
@options.debug
def names(word: str | None, kind: str | None) -> int:
    """List the words that lab.yaml may hold, with what they mean: names, sources, listeners, forms, expectations.

    With WORD only those that hold it, or whose meaning does.
    """
    from grader.cli.wordlist import show

    return show([kind] if kind else kinds.names(), word)
