"""``smtplab regrade``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli import options
from grader.cli.complete import LAB

if TYPE_CHECKING:
    from grader.model.result import Result


@click.command()
@click.argument("evidence", metavar="EVIDENCE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder for the results; '-' for one on standard output.",
)
@click.option("--lab", type=LAB, help="Judge by this lab as it is now, not by the one kept in the evidence.")
@options.formats
@options.hints
@options.exit_zero
@options.debug
def regrade(
    evidence: tuple[Path, ...],
    out: Path,
    lab: str | None,
    formats: tuple[str, ...],
    hints: str,
    exit_zero: bool,
) -> int:
    """Judge saved evidence again: no container, no network, the same result.

    EVIDENCE is an evidence.json, or a folder that holds one.
    """
    from grader import labs, outputs, pipeline
    from grader.course.results_folder import by_name, refuse_other_lab, write_class, write_folder
    from grader.model.errors import UsageError
    from grader.outputs.files import STANDARD_OUTPUT

    declared = labs.load(labs.find(lab)) if lab else None
    if str(out) == STANDARD_OUTPUT and len(evidence) > 1:
        raise UsageError("only one result can go to standard output: name a folder with --out")
    results: list[Result] = []
    for name, path in by_name(evidence).items():
        document = read(path)
        result = pipeline.regrade(document, lab=declared, hints=hints)
        if str(out) != STANDARD_OUTPUT:
            refuse_other_lab(out, result.lab)
        results.append(result)
        if str(out) == STANDARD_OUTPUT:
            outputs.write(STANDARD_OUTPUT, outputs.document(result))
        else:
            write_folder(out / name, result, pipeline.read_evidence(document), formats)
    if str(out) != STANDARD_OUTPUT:
        write_class(out, formats)
        click.echo(f"{len(results)} judged again: {out}")
    if any(result.status == "error" for result in results):
        return 3
    return 0 if exit_zero or all(result.passed for result in results) else 1


def read(path: Path) -> bytes:
    """The evidence's document. Raises ``UsageError``."""
    from grader.model.errors import UsageError

    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the evidence {str(path)!r}: {error.strerror}") from error
