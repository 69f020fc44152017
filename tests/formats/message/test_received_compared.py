"""The corpus read by three: this reader, mail-parser, and Python's email. Ours is nowhere worse.

``pytest -s`` shows the table: how many of the lines that tell something were read right, for each thing that they tell.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

import mailparser
import pytest

from grader.formats.message.received import read_received
from tests.formats.message.corpus import TIME, Line, corpus

TOLD = ("claimed", "name", "address", "by", "protocol", "id", "recipient", "time")
Said = dict[str, str]


def ours(line: Line) -> Said:
    found = read_received(line.text.replace("\r\n", ""))
    said = {name: str(getattr(found, name)) for name in TOLD if name != "time"}
    return {**said, "time": str(found.moment.seconds)}


def mail_parser(line: Line) -> Said:
    """What mail-parser says, as far as it takes a field apart: of a clause the first word counts."""
    message = mailparser.parse_from_string(f"Received: {line.text}\r\nFrom: a@example.com\r\n\r\n")
    [hop] = message.received or [{}]
    said = {ours: str(hop.get(theirs) or "") for ours, theirs in
            (("by", "by"), ("protocol", "with"), ("id", "id"), ("recipient", "for"))}  # fmt: skip
    said = {name: (value.split() or [""])[0].strip("<>,") for name, value in said.items()}
    said["protocol"] = str(hop.get("with") or "")
    told = str(hop.get("date_utc") or "")
    return {**said, "time": str(TIME) if told.startswith("2026-02-16T08:00:02") else told}


def python_email(line: Line) -> Said:
    """Python's email reads a date alone."""
    try:
        moment = parsedate_to_datetime(line.text.rpartition(";")[2].strip())
    except ValueError:
        return {}
    return {"time": str(int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()))}


READERS: dict[str, Callable[[Line], Said]] = {
    "smtplab": ours, "mail-parser": mail_parser, "Python's email": python_email,
}  # fmt: skip


def right(line: Line, said: Said, what: str) -> bool:
    """Whether a reader said what the line tells."""
    return said.get(what, "") == (str(TIME) if what == "time" else line.told[what])


def test_ours_is_nowhere_worse(capsys: pytest.CaptureFixture[str]) -> None:
    logging.disable(logging.ERROR)
    try:
        said = {name: [reader(line) for line in corpus()] for name, reader in READERS.items()}
    finally:
        logging.disable(logging.NOTSET)
    rows = [f"{'told by':14}" + "".join(f"{name:>16}" for name in ("lines", *READERS))]
    for what in TOLD:
        telling = [place for place, line in enumerate(corpus()) if what == "time" or line.told.get(what)]
        counts = {
            name: sum(right(corpus()[place], found[place], what) for place in telling)
            for name, found in said.items()
        }
        rows.append(f"{what:14}" + "".join(f"{count:>16}" for count in (len(telling), *counts.values())))
        assert counts["smtplab"] == len(telling)
        assert all(counts["smtplab"] >= count for count in counts.values())
    with capsys.disabled():
        print("", *rows, sep="\n")
