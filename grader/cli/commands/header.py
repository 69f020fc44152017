"""``smtplab header``: build a message's header, and take one apart."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli import options

if TYPE_CHECKING:
    from grader.lesson.composer import Complaint, Draft

FIELDS = {
    "from": "Who wrote it: 'Alice <alice@example.com>'.",
    "sender": "Who sent it, if that is not the one author.",
    "reply-to": "Where answers are to go.",
    "to": "Recipients, with commas between them.",
    "cc": "Those who get a copy.",
    "bcc": "Those who get a copy unseen; they stand in the envelope alone.",
    "subject": "Any characters; those beyond ASCII become encoded words.",
    "date": "The date.  [default: now]",
    "message-id": "The identifier.  [default: a new one]",
    "in-reply-to": "The Message-ID of the message that this one answers.",
    "references": "The Message-IDs of the thread, the oldest first.",
    "comments": "A free remark.",
    "x-mailer": "The program that wrote it.",
    "auto-submitted": "auto-generated, auto-replied or no.",
    "list-id": "A mailing list's name: 'Staff <staff.lists.example.com>'.",
    "list-unsubscribe": "'<https://…>, <mailto:…>'.",
    "list-unsubscribe-post": "List-Unsubscribe=One-Click.",
    "content-type": "text/plain or text/html.",
    "content-transfer-encoding": "automatic, 7bit, 8bit, quoted-printable or base64.",
}
ASKED = ("from", "to", "cc", "bcc", "subject")
LARGEST = 32 * 1024 * 1024
STANDARD = "-"


def _fields(command: options.Decorator) -> options.Decorator:
    for name, text in reversed(FIELDS.items()):
        command = click.option(f"--{name}", name.replace("-", "_"), metavar="TEXT", help=text)(command)
    return command


@click.group()
def header() -> None:
    """Build a message with a header that keeps the rules, or see what a header tells."""


@header.command()
@_fields
@click.option("--body", "body_file", metavar="FILE", help="The text, in UTF-8 ('-' is standard input).")
@click.option(
    "-o",
    "--out",
    metavar="FILE",
    default=STANDARD,
    help="Where to write the message.  [default: standard output]",
)
@click.option("--explain", is_flag=True, help="Say what each line is for, instead of writing the message.")
@options.debug
def build(body_file: str | None, out: str, explain: bool, **typed: str | None) -> int:
    """Make a message of fields: folded, encoded, dated, with CR LF.

    Without --from, on a terminal, it asks for the fields. Exits with 2 where a field cannot be used.
    """
    from grader.cli.files import refuse_impossible
    from grader.lesson.composer import compose
    from grader.outputs import write

    refuse_impossible({"--out": out})
    values = {name.replace("_", "-"): text for name, text in typed.items() if text is not None}
    if body_file is not None:
        values["body"] = _text(body_file)
    if "from" not in values and sys.stdin.isatty():
        values.update(_asked(values))
    draft = compose(_stamped(values))
    for complaint in draft.complaints:
        _tell(complaint)
    if draft.message is None:
        return 2
    if explain:
        _explain(draft)
        return 0
    write(out, draft.message)
    if draft.recipients:
        recipients = " ".join(f"RCPT TO:<{address}>" for address in draft.recipients)
        click.echo(f"envelope: MAIL FROM:<{draft.sender}> {recipients}", err=True)
    return 0


def _stamped(values: Mapping[str, str]) -> dict[str, str]:
    """The values with a date and an identifier, where none was given."""
    from grader.lesson.composer import compose, date_now, fresh_identifier

    sender = compose(values).sender
    return {"date": date_now(), "message-id": fresh_identifier(sender), **values}


def _asked(given: Mapping[str, str]) -> dict[str, str]:
    """What the main fields are to hold, each asked for until it can be used, and the text up to a line of one dot."""
    from grader.lesson.composer import compose, tables

    values: dict[str, str] = {}
    for field in tables().fields:
        if field.id not in ASKED or field.id in given:
            continue
        click.echo(f"{field.help} Example: {field.example}", err=True)
        while True:
            values[field.id] = click.prompt(field.label, default="", show_default=False, err=True)
            wrong = [
                one for one in compose(values).complaints if one.field == field.id and one.severity == "error"
            ]
            if not wrong:
                break
            _tell(wrong[0])
    if "body" not in given:
        click.echo("The text; a line of one dot ends it.", err=True)
        lines = iter(sys.stdin.readline, "")
        values["body"] = "".join(iter(lambda: next(lines, ".\n"), ".\n"))
    return values


def _tell(complaint: Complaint) -> None:
    from grader.display.text import printed_line

    kind = "" if complaint.severity == "error" else "warning: "
    click.echo(f"smtplab: {kind}{printed_line(complaint.sentence)} ({complaint.reference})", err=True)


def _explain(draft: Draft) -> None:
    from rich.text import Text

    from grader.display.looks import QUIET
    from grader.display.screen import Screen, words
    from grader.lesson import library
    from grader.lesson.composer import tables

    screen = Screen()
    notes = {note.id: note.text for note in tables().notes}
    for field in draft.fields:
        about = " ".join([library().entries[field.entry].summary, *(notes[id_] for id_ in field.notes)])
        screen.show(words("\n".join(field.lines)), words(about, QUIET), Text())


@header.command()
@click.argument("file", metavar="FILE")
@click.option(
    "--own",
    metavar="DOMAIN",
    default="",
    help="The domain of your servers, or several with commas between.  [default: the newest hop's]",
)
@click.option("--smtputf8", is_flag=True, help="It is sent with SMTPUTF8: UTF-8 in the header is right.")
@click.option(
    "--json", "json_file", metavar="FILE", help="Write what was found as JSON ('-' is standard output)."
)
@options.exit_zero
@options.debug
def analyse(file: str, own: str, smtputf8: bool, json_file: str | None, exit_zero: bool) -> int:
    """See which way the message in FILE came, what was checked on it, and what is wrong with it.

    FILE may be '-' for standard input.
    Exits with 1 where the message breaks a rule.
    """
    import msgspec

    from grader.cli.files import refuse_impossible
    from grader.formats.message import check_message
    from grader.lesson.analyser import analyse as analysed
    from grader.lesson.analyser import screen
    from grader.outputs import write

    refuse_impossible({"--json": json_file})
    raw = _read(file)
    if b"\r" not in raw:
        # What is saved on Unix ends its lines with LF alone; on the wire they end with CR LF.
        raw = raw.replace(b"\n", b"\r\n")
    found, faults = analysed(raw, own), check_message(raw, smtputf8=smtputf8)
    if json_file is not None:
        document = {**msgspec.to_builtins(found), "faults": msgspec.to_builtins(faults)}
        write(json_file, msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
    if json_file != STANDARD:
        screen.show(found, faults)
    broken = any(fault.severity == "error" for fault in faults)
    return 1 if broken and not exit_zero else 0


def _text(name: str) -> str:
    """A file's text. Raises ``UsageError`` where it is no UTF-8."""
    from grader.model.errors import UsageError

    try:
        return _read(name).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{name!r} is no UTF-8 text from byte {error.start} on: save it as UTF-8") from error


def _read(name: str) -> bytes:
    """A file's bytes, or standard input's, without a byte order mark.

    Raises ``UsageError`` where it cannot be read, or is too large.
    """
    from grader.formats.handed import without_mark
    from grader.model.errors import UsageError

    try:
        if name == STANDARD:
            data = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(LARGEST + 1)
    except OSError as error:
        raise UsageError(f"cannot read {name!r}: {error.strerror}; name another file") from error
    if len(data) > LARGEST:
        raise UsageError(f"{name!r} is larger than {LARGEST // 1024 // 1024} MB: give a smaller message")
    return without_mark(data)
