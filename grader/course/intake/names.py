"""Names of students and of the folders that their results get, however odd what they are made from."""

from __future__ import annotations

import os
import re
from hashlib import sha256

from grader import outputs
from grader.labs.limits import ARCHIVES
from grader.labs.variant import LONGEST_STUDENT
from grader.model.errors import UsageError
from grader.model.variant import composed

LOCK_NAME = ".smtplab-grades"
"""Marks a folder that grades are written to, and is locked while they are."""
HAND_INS = "hand-ins.csv"
OVERRIDES = "overrides.csv"
SHARD = "shard.json"
INDEX = "index.html"
ANONYMOUS = "anonymous.html"
MISSING = "missing.json"
MADE_OF = ".smtplab-documents.json"
"""What the documents about a class were made of; no student's folder begins with a dot."""
PUBLISHED = "published.jsonl"
BESIDE_RESULTS = frozenset(
    {
        HAND_INS, OVERRIDES, SHARD, INDEX, ANONYMOUS, MISSING, PUBLISHED,
        *(kind.file for kind in outputs.FORMATS.values() if kind.many),
    }
)  # fmt: skip
"""Files that lie in a folder of grades beside the students' folders, none of which may have such a name."""


_SAFE = re.compile(r"[A-Za-z0-9_@+,][A-Za-z0-9 _.@+,-]{0,149}")
"""Names that are safe as they are, as most are."""


def student_id(name: str) -> str:
    """A student's id in printable characters, each in its composed form: the same name however a system spells it.

    Raises ``UsageError`` where it is too long or empty.
    """
    student = printable(composed(name))
    if not student or len(student) > LONGEST_STUDENT:
        raise UsageError(
            f"the name {student[:40]!r}… is too long for a student's id: rename the folder"
            if student
            else "a student's id is empty: give one"
        )
    return student


def printable(name: str) -> str:
    """A name, whatever bytes it is of, in characters that every document can hold: ``l%FF``."""
    if name.isprintable():
        return name
    return "".join(char if char.isprintable() else _percent(char) for char in name)


def without_ending(name: str) -> str:
    """An archive's name without the ending that says what it is."""
    ending = max((ending for ending in ARCHIVES if name.lower().endswith(ending)), key=len, default="")
    return name[: len(name) - len(ending)]


def safe_name(name: str) -> str:
    """A file name for ``name`` that is safe in shells, web servers and archives; different names stay different."""
    if _SAFE.fullmatch(name) and name.casefold() not in BESIDE_RESULTS:
        return name
    quoted = "".join(char if char.isalnum() or char in " _-.@+," else _percent(char) for char in name)
    if quoted[:1] in (".", "-", " ", "") or quoted.casefold() in BESIDE_RESULTS:
        quoted = _percent(quoted[:1] or "\0") + quoted[1:]
    if len(os.fsencode(quoted)) > 150:
        digest = sha256(os.fsencode(name)).hexdigest()[:16]
        quoted = os.fsencode(quoted)[:130].decode(errors="ignore") + "~" + digest
    return quoted


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))
