"""``smtplab publish``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli import options

if TYPE_CHECKING:
    from grader.course.publish.sending import Platform

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
_grades: Decorator = click.argument("grades", type=click.Path(path_type=Path))
_send: Decorator = click.option("--send", is_flag=True, help="Send; without it, nothing leaves this machine.")
_url: Decorator = click.option("--url", required=True, help="The platform's address, https://HOST.")
_token: Decorator = click.option(
    "--token-file", required=True, type=click.Path(path_type=Path), help="A file with the access token."
)


@click.group()
def publish() -> None:
    """Send grades to a course platform: a dry run, unless --send says otherwise.

    A score that is no grade is never sent. What was sent stands in published.jsonl beside the results, and is sent
    again only where it has changed.
    """


@publish.command()
@_grades
@_url
@click.option("--course-id", required=True, help="Canvas's number of the course.")
@click.option("--assignment", help="Canvas's number of the assignment.  [default: that of course.yaml]")
@_token
@_send
@options.debug
def canvas(
    grades: Path, url: str, course_id: str, assignment: str | None, token_file: Path, send: bool
) -> int:
    """Send the GRADES of a folder, with comments, to an assignment on Canvas."""
    from grader.course.publish.canvas import Canvas
    from grader.course.publish.web import refuse_unprotected, secret

    where = refuse_unprotected(url)

    def platform(known: str) -> Platform:
        return Canvas(where, course_id, assignment or known, secret(token_file))

    return _publish(grades, platform, "canvas", assignment, send)


@publish.command()
@_grades
@_url
@click.option(
    "--assignment", required=True, help="Moodle's number of the assignment (not of its course module)."
)
@_token
@_send
@options.debug
def moodle(grades: Path, url: str, assignment: str, token_file: Path, send: bool) -> int:
    """Send the GRADES of a folder, with feedback, to an assignment on Moodle, by its web services."""
    from grader.course.publish.moodle import Moodle
    from grader.course.publish.web import refuse_unprotected, secret

    where = refuse_unprotected(url)
    return _publish(
        grades, lambda _: Moodle(where, assignment, secret(token_file)), "moodle", assignment, send
    )


@publish.command()
@_grades
@click.option("--line-item", help="The address of the line item.  [default: that of course.yaml]")
@click.option("--token-url", required=True, help="Where the platform gives access tokens.")
@click.option("--client-id", required=True, help="What the platform calls this tool.")
@click.option("--key", required=True, type=click.Path(path_type=Path), help="The tool's RSA key, in PEM.")
@click.option(
    "--key-id",
    help="The key's name in the tool's key set ('kid'), for a platform that finds the key there.",
)
@click.option(
    "--users",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV with 'student' and 'sub', kept from launches.",
)
@_send
@options.debug
def lti(
    grades: Path,
    line_item: str | None,
    token_url: str,
    client_id: str,
    key: Path,
    key_id: str | None,
    users: Path,
    send: bool,
) -> int:
    """Send the GRADES of a folder to a line item, by LTI's Assignment and Grade Services."""
    from grader.course.publish.lti import Lti, read_users
    from grader.course.publish.web import refuse_unprotected
    from grader.model.errors import UsageError

    try:
        pem = key.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the key {str(key)!r}: {error.strerror}") from error
    where, known_users = refuse_unprotected(token_url), read_users(users)

    def platform(known: str) -> Platform:
        return Lti(refuse_unprotected(line_item or known), where, client_id, pem, known_users, key_id)

    return _publish(grades, platform, "lti", line_item, send)


def _publish(
    folder: Path, platform: Callable[[str], Platform], name: str, given: str | None, send: bool
) -> int:
    from collections import Counter

    from grader.course.publish.outgoing import outgoing
    from grader.course.publish.sending import published
    from grader.course.results_folder import kept, results
    from grader.display.text import printed_line
    from grader.model.errors import UsageError

    found = list(outgoing(results(kept(folder))))
    if not found:
        raise UsageError(f"{str(folder)!r} holds no results: name a folder that 'smtplab grade' wrote")
    known = found[0].assignment.get(name, "")
    if given is None and not known:
        raise UsageError(
            "which assignment is meant is not said: give it here, or in 'assignment' of course.yaml"
        )
    numbers: Counter[str] = Counter()
    for done in published(folder, found, platform(known), send=send):
        numbers[done.what] += 1
        points = "no score" if done.one.score is None else f"{done.one.score} of {done.one.max_score}"
        why = f" ({done.why})" if done.why else ""
        click.echo(printed_line(f"{done.one.student}: {points}, {done.what}{why}"))
    click.echo(", ".join(f"{number} {what}" for what, number in numbers.items()))
    if not send and numbers["would be sent"]:
        click.echo("Nothing was sent: add --send.")
    return 1 if numbers["not taken"] else 0
