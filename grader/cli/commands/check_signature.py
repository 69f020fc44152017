"""``smtplab check-signature``."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli import options


@click.command("check-signature")
@click.argument("given", metavar="RESULT|FOLDER...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--key", required=True, type=click.Path(path_type=Path), help="The public key to check with.")
@click.option("--student", metavar="ID", help="Whose the results must be.")
@options.debug
def check_signature(given: tuple[Path, ...], key: Path, student: str | None) -> int:
    """Say whether results are what 'smtplab grade --sign' signed, and lie where they were signed for.

    A RESULT is a result.json with its result.json.sig beside it; a FOLDER that of one student, or a folder of grades.
    Exit code 0 where all are, 1 where one is not.
    """
    from grader.course import signing
    from grader.course.results_folder import RESULT
    from grader.display.sentences import count
    from grader.display.text import printed_line
    from grader.model.errors import UsageError

    public = signing.read_public(key)
    wrong = checked = 0
    for path in given:
        if not path.is_dir():
            if not path.is_file():
                raise UsageError(f"there is no result {str(path)!r}: check the path")
            found = {path: list(signing.complaints_of_file(path, public, student))}
        else:
            folders = (
                [path]
                if (path / RESULT).is_file()
                else sorted(one.parent for one in path.glob(f"*/{RESULT}"))
            )
            if not folders:
                raise UsageError(f"{str(path)!r} holds no results: name a folder that 'smtplab grade' wrote")
            found = {one: list(signing.complaints(one, public, student)) for one in folders}
        checked += len(found)
        for place, said in found.items():
            wrong += bool(said)
            for sentence in said:
                click.echo(printed_line(f"{place}: {sentence}"))
    click.echo(f"{count(checked, 'result')} checked, {wrong} not as signed")
    return 1 if wrong else 0
