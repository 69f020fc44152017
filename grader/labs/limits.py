"""What is read of a submission, and how much of it at most."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from grader.model.errors import SubmissionError
from grader.model.lab import SubmissionRules as Rules
from grader.model.variant import composed

JUNK = re.compile(
    r"""(?: \.git | \.svn | \.hg | \.gitignore | \.gitattributes
        | __MACOSX | \.DS_Store | \._.* | Thumbs\.db | desktop\.ini
        | \.idea | \.vscode | __pycache__ | \.nfs.* | .*~ | \.\#.* | \#.*\# | .*\.sw[nop]
        | \.{1,2}smtplab(?:-last)?\.json(?:\.[0-9a-f]{8})? )""",
    re.VERBOSE | re.IGNORECASE,
)
"""Names of what version control, editors and desktops leave behind."""

HANDOUT = "handout.md"
MARK = ".smtplab.json"
"""Kept beside a student's work, so that ``check`` knows the lab and the variant again."""

LAST = ".smtplab-last.json"
"""Kept there too: what ``check`` said last, for comparing and for hints."""

DEEPEST = 12
"""Folders within each other in which the lab's files are looked for."""

ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
LARGEST_ARCHIVE = 8 * 1024 * 1024
ENTRIES_BEYOND = 2_000
"""How many entries beyond those that the lab allows are looked at before a folder is refused."""

SHOWN_IGNORED = 20

HAND_IN = "what was handed in"
"""How sentences name a hand-in where its place on this machine is nobody's affair who reads them."""


class FoundFile(Struct, frozen=True):
    """A regular file found in a submission: ``data`` is at most ``Budget.next_limit`` + 1 bytes long."""

    name: str
    data: bytes
    executable: bool


class Budget:
    """What may still be read of a submission."""

    def __init__(self, rules: Rules, where: str) -> None:
        self.rules = rules
        self.where = where
        self._files = rules.max_files
        self._bytes = rules.max_bytes
        self._entries = rules.max_files + ENTRIES_BEYOND
        self._patterns = [
            [segment_pattern(part) for part in text.split("/")] for text in rules.required + rules.optional
        ]
        self.deepest = max(len(pattern) for pattern in self._patterns)
        self.ignored: list[str] = []

    @property
    def next_limit(self) -> int:
        """Bytes that the next file may have."""
        return self._bytes

    def look(self) -> None:
        """Count an entry of any kind. Raises ``SubmissionError`` when there are too many."""
        self._entries -= 1
        if self._entries < 0:
            raise SubmissionError(
                f"{self.where} holds more than {self.rules.max_files + ENTRIES_BEYOND} entries: "
                "hand in the lab's files alone"
            )

    def wants(self, name: str) -> bool:
        """Whether a name is part of the lab. Raises ``SubmissionError`` for a name that nobody can have meant."""
        parts = composed(name).split("/")
        if any(JUNK.fullmatch(part) for part in parts) or name.lower() == HANDOUT:
            return False
        if (
            not name.isprintable()
            or "\\" in name
            or any(len(part.encode("utf-8", "replace")) > 255 for part in parts)
        ):
            raise SubmissionError(
                f"{self.where} holds a file named {name[:200]!a}: give it a name of printable characters"
            )
        if any(_fits(pattern, parts) for pattern in self._patterns):
            return True
        if len(self.ignored) < SHOWN_IGNORED:
            self.ignored.append(name)
        return False

    def take(self, entry: FoundFile) -> None:
        """Count a file. Raises ``SubmissionError`` when the submission is too large."""
        self._files -= 1
        self._bytes -= len(entry.data)
        if self._files < 0:
            raise SubmissionError(
                f"{self.where} holds more than {self.rules.max_files} files, which is all that this lab takes: "
                "leave out what the lab does not ask for"
            )
        if self._bytes < 0:
            raise SubmissionError(
                f"{self.where} is larger than {self.rules.max_bytes} bytes, which is all that this lab takes "
                f"({shown(entry.name)} went beyond it): leave out what the lab does not ask for"
            )


def shown(name: str) -> str:
    """A file's name for a sentence, with whatever is not plain text escaped."""
    return ascii(name[:200]) if not name.isprintable() else name[:200]


def inside(where: str, name: str) -> str:
    """How sentences name what lies in a place that they name ``where``."""
    return shown(name) if where == HAND_IN else f"{where}/{shown(name)}"


def folder_for_file(path: str) -> str:
    """The sentence for a folder that has the name of a file that the lab asks for."""
    return f"{path} is a folder, and the lab asks for a file: put the file there"


@lru_cache(maxsize=256)
def segment_pattern(text: str) -> re.Pattern[str]:
    """A glob pattern for one part of a path."""
    import fnmatch

    return re.compile(fnmatch.translate(text), re.DOTALL)


def _fits(pattern: list[re.Pattern[str]], parts: list[str]) -> bool:
    return len(pattern) == len(parts) and all(p.match(part) for p, part in zip(pattern, parts, strict=True))
