"""The settings in a submission that are kept in the evidence, so that what is misspelt there can be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.formats.typography import odd_characters
from grader.kinds.server.declare import ServerSubmission
from grader.kinds.server.facts import SettingsFile
from grader.kinds.server.plan.install import installed
from grader.model.submission import Submission

LONGEST = 50_000
"""Octets of a file that is kept; longer ones are none that a person wrote."""
MOST = 20
_SETTINGS = re.compile(r"(?:/main|/master)\.cf\Z|/opendkim(?:-[a-z0-9]{1,20})?\.conf\Z")
_KEY = "PRIVATE KEY"


def settings_files(rules: ServerSubmission, submission: Submission) -> list[SettingsFile]:
    """What is kept, at most 20 files, in the order of their names. Private keys are never among them."""
    return sorted(_kept(rules, submission), key=lambda file: file.name)[:MOST]


def _kept(rules: ServerSubmission, submission: Submission) -> Iterator[SettingsFile]:
    for name, file in installed(rules, submission):
        if len(file.data) > LONGEST:
            continue
        text = file.data.decode("utf-8", "replace")
        if _KEY in text or not (_SETTINGS.search(file.path) or _is_odd(text)):
            continue
        yield SettingsFile(name, file.path, text)


def _is_odd(text: str) -> bool:
    """Whether a character is not what it looks like in a line that is no comment."""
    lines = text.split("\n")
    return any(not line.lstrip().startswith("#") and any(odd_characters(line)) for line in lines)
