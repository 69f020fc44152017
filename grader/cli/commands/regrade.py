"""``smtplab regrade``."""

from __future__ import annotations

from collections.abc import Iterable
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
@options.overrides
@options.sign
@options.course
@options.hints
@options.exit_zero
@options.debug
def regrade(
    evidence: tuple[Path, ...],
    out: Path,
    lab: str | None,
    formats: tuple[str, ...],
    overrides: Path | None,
    sign: Path | None,
    course: Path | None,
    hints: str,
    exit_zero: bool,
) -> int:
    """Judge saved evidence again: no container, no network, the same result.

    EVIDENCE is an evidence.json, a folder that holds one, or a whole folder of grades. What people have decided is
    kept, and a result whose evidence is gone or damaged stays as it was.
    """
    from grader import labs, outputs
    from grader.course import regrading
    from grader.course.coursefile import find_course
    from grader.course.signing import read_signer
    from grader.display.sentences import count
    from grader.display.text import printed_line
    from grader.model.errors import UsageError
    from grader.outputs.files import STANDARD_OUTPUT

    declared = labs.load(labs.find(lab)) if lab else None
    number, failed, passed = 0, False, True

    def tell(sentence: str) -> None:
        click.echo(f"smtplab: {printed_line(sentence)}", err=True)

    def miss(sentence: str) -> None:
        nonlocal failed
        failed = True
        tell(sentence)

    if str(out) == STANDARD_OUTPUT:
        if sign:
            raise UsageError("a signature lies beside its result: name a folder with --out")
        document = regrading.only(evidence)
        judged: Iterable[Result] = [
            regrading.regrade_one(document, lab=declared, hints=hints, overrides=overrides)
        ]
    else:
        judged = regrading.regrade_into(
            out,
            evidence,
            lab=declared,
            hints=hints,
            overrides=overrides,
            formats=formats,
            course=find_course(course),
            signer=read_signer(sign) if sign else None,
            tell=tell,
            miss=miss,
        )
    for result in judged:
        number += 1
        failed = failed or result.status == "error"
        passed = passed and result.passed
        if str(out) == STANDARD_OUTPUT:
            outputs.write(STANDARD_OUTPUT, outputs.document(result))
    if str(out) != STANDARD_OUTPUT:
        click.echo(f"{count(number, 'result')} after judging again: {printed_line(str(out))}")
    if failed:
        return 3
    return 0 if exit_zero or passed else 1
