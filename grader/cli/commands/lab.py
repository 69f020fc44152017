"""``smtplab lab``: for lab authors."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader import kinds
from grader.cli import options
from grader.cli.complete import KIND, LAB
from grader.cli.standby import Standby
from grader.labs.schema import SCHEMAS, rendered

if TYPE_CHECKING:
    from grader.labs.adding import Added


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
    wish = verifying.Wish(jobs, matrix, table)
    with Standby(engine) as standby:

        def once() -> int:
            if show is not None:
                return verifying.show(folders[0], show, standby)
            return max((verifying.prove(folder, wish, standby) for folder in folders), default=0)

        if not watch:
            return once()
        from grader.cli.watch import watching

        return watching(folders[0], [table] if table else [], once, standby)


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
    """List the words of lab.yaml with what they mean.

    They are names, sources, listeners, forms, expectations and what else each kind of lab has. With WORD
    only those that hold it, or whose meaning does.
    """
    from grader.cli.wordlist import show

    return show([kind] if kind else kinds.names(), word)


@lab.command()
@click.argument("lab_id", metavar="LAB", type=LAB)
@click.option(
    "--out", metavar="FILE", type=click.Path(), help="Where it is written.  [default: LAB-VERSION.lab.zip]"
)
@options.debug
def pack(lab_id: str, out: str | None) -> int:
    """Make one file of a lab, to pass on.

    'smtplab lab add FILE' takes it. The same lab gives the same bytes everywhere.
    """
    from grader import labs, outputs
    from grader.cli.files import refuse_impossible
    from grader.labs import packing

    folder = labs.find(lab_id)
    declared = labs.load(folder)
    target = out or f"{declared.id}-{declared.version}.lab.zip"
    refuse_impossible({"--out": target})
    package = packing.of_folder(folder)
    outputs.write(target, packing.packed(package))
    click.echo(
        f"{target}: {declared.id}, version {declared.version}, digest sha256:{package.digest}",
        err=target == "-",
    )
    return 0


@lab.command()
@click.argument("source", metavar="FILE|FOLDER|ADDRESS")
@click.option("--ref", metavar="REF", default="", help="Of a git address: the branch, tag or commit.")
@click.option("--lab", "wanted", metavar="ID", default="", help="Only this one of several labs.")
@click.option("--digest", metavar="SHA256", default="", help="Refuse what has another digest.")
@click.option("--replace", is_flag=True, help="In place of one that was added before.")
@options.debug
def add(source: str, ref: str, wanted: str, digest: str, replace: bool) -> int:
    """Add labs from a packed FILE, a FOLDER or a git ADDRESS.

    'smtplab labs' lists them from then on. They are kept in SMTPLAB_DATA (~/.local/share/smtplab). A lab is data:
    nothing of it is run when it is added.
    """
    from grader.labs import adding

    for each in adding.add(source, ref=ref, lab=wanted, digest=digest, replace=replace):
        click.echo(_told(each))
    return 0


@lab.command()
@options.debug
def added() -> int:
    """List the labs that were added, with where they are from."""
    from grader.labs import adding

    for each in adding.added():
        click.echo(_told(each))
    return 0


@lab.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@options.debug
def update(ids: tuple[str, ...]) -> int:
    """Take added labs once more from where they are from.

    Without ID, all of them.
    """
    from grader.display.text import printed_line
    from grader.labs import adding

    for id_ in ids or [each.id for each in adding.added()]:
        before, now = adding.update(id_)
        what = "as it was" if now.digest == before.digest else f"{before.version} is now {now.version}"
        click.echo(printed_line(f"{id_}: {what}, digest sha256:{now.digest}"))
    return 0


@lab.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@options.debug
def remove(ids: tuple[str, ...]) -> int:
    """Remove labs that were added. Work on them that was begun stays."""
    from grader.display.text import printed_line
    from grader.labs import adding

    for id_ in ids:
        click.echo(
            printed_line(f"{id_}: removed; it was from {adding.without_password(adding.remove(id_).source)}")
        )
    return 0


def _told(each: Added) -> str:
    from grader.display.text import printed_line

    commit = f", commit {each.commit[:12]}" if each.commit else ""
    return printed_line(
        f"{each.id}  version {each.version}  sha256:{each.digest}  from {each.source}{commit}"
    )
