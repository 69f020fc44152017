"""``smtplab merge``."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import options


@click.command()
@click.argument("shards", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for the whole class.")
@options.exit_zero
@options.debug
def merge(shards: tuple[Path, ...], out: Path, exit_zero: bool) -> int:
    """Put the shards of a class together: the folder of grades that one machine would have written.

    DIR... are the folders of all shards, which 'smtplab grade --shard' wrote. Shards of different classes are refused,
    and students who are missing or there twice are named.
    """
    from grader.course.merging import merge_into
    from grader.course.results_folder import kept, result_lines
    from grader.display.sentences import count
    from grader.display.text import printed_line
    from grader.outputs import classscreen

    number = merge_into(out, shards)
    there = kept(out)
    classscreen.show_class(result_lines(there))
    click.echo(f"{count(number, 'result')} of {count(len(shards), 'shard')} merged: {printed_line(str(out))}")
    if any(result.status == "error" for result in result_lines(there)):
        return 3
    return 0 if exit_zero or all(result.passed for result in result_lines(there)) else 1
