"""What was recorded of a mail server."""

from __future__ import annotations

from msgspec import Struct

from grader.model.dns import KeyRecord


class RecordComplaint(Struct, frozen=True):
    """Something wrong in a file of records. ``line`` and ``column`` count from 1; 0 is the file as a whole.

    One that is not ``fatal`` is a remark.
    """

    file: str
    line: int
    column: int
    sentence: str
    fatal: bool = True


class RecordFile(Struct, frozen=True):
    """A file of records as it was handed in. A private key in it is left out."""

    name: str
    text: str


class Published(Struct, frozen=True):
    """What a submission wants DNS to say: its files, the records in them, and what is wrong with them."""

    files: list[RecordFile]
    records: list[KeyRecord]
    complaints: list[RecordComplaint]


class ServiceFacts(Struct, frozen=True):
    """A service beside Postfix: whether it ran when probing began, and whether it was stopped on purpose later."""

    name: str
    running: bool
    stopped: bool = False
