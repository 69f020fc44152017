"""``smtplab class``."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import options


@click.command("class")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--anonymous", is_flag=True, help="Name no students, to show it in class.")
@options.debug
def stands(folder: Path, anonymous: bool) -> None:
    """How a class stands: points, how many passed each check, faults and who made them, who has no result.

    DIR is a folder of grades. The same as a page is DIR/index.html, or DIR/anonymous.html.
    """
    from grader.course.classpages import class_view
    from grader.course.results_folder import kept
    from grader.model.errors import UsageError
    from grader.outputs import classtext

    if not kept(folder):
        raise UsageError(f"{str(folder)!r} holds no results: name a folder that 'smtplab grade' wrote")
    classtext.show(class_view(folder), anonymous=anonymous)
