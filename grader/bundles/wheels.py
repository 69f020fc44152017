"""A wheel of smtplab for machines on which students may read it: without the labs' own submissions."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from grader.model.errors import UsageError

LABS = ("grader", "data", "labs")
"""Where a wheel of smtplab has its labs."""
SUBMISSIONS = ("solution", "correct", "wrong")


def without_solutions(wheel: Path) -> bytes:
    """The wheel without what its labs are solved by, and with a RECORD (PEP 427) that names what is left.

    Raises ``UsageError`` where the file is no wheel.
    """
    made = io.BytesIO()
    try:
        with zipfile.ZipFile(wheel) as given, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as kept:
            for entry in given.infolist():
                if _solves(entry.filename):
                    continue
                data = given.read(entry)
                kept.writestr(entry, _record(data) if _is_record(entry.filename) else data)
    except (zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{wheel.name!r} is no wheel: make one with 'make wheel'") from error
    return made.getvalue()


def _solves(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return parts[:3] == LABS and len(parts) > 4 and parts[4] in SUBMISSIONS


def _is_record(name: str) -> bool:
    folder, _, last = name.rpartition("/")
    return last == "RECORD" and folder.endswith(".dist-info") and "/" not in folder


def _record(data: bytes) -> bytes:
    """The lines of a RECORD whose files are kept: name, digest and size of each."""
    rows = csv.reader(io.StringIO(data.decode(), newline=""))
    made = io.StringIO(newline="")
    csv.writer(made, lineterminator="\n").writerows(row for row in rows if row and not _solves(row[0]))
    return made.getvalue().encode()
