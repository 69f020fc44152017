"""What smtplab keeps beside a student's work, who may change it."""

from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec

from grader import labs
from grader.cli import lastrun
from grader.labs.limits import LAST
from grader.model.errors import UsageError
from grader.outputs import changes
from tests.fuzz.target import Target
from tests.outputs.cases import case


def _started(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".smtplab.json").write_bytes(data)
        labs.started(Path(folder))


def _kept() -> bytes:
    """What is kept beside a work, some help given."""
    story, _ = case("broken")
    last = lastrun.after(None, story)
    return msgspec.json.encode(lastrun.with_given(last, story.checks[5], ["nudge", "next"]))


def _last_run(data: bytes) -> None:
    """Whatever is kept, it is compared with, added to and read for help as after a run."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / LAST).write_bytes(data)
        story, _ = case("broken")
        before = lastrun.read(Path(folder), story.lab)
        changes.between(before.result if before else None, story)
        lastrun.keep(Path(folder), lastrun.after(before, story))
        assert lastrun.read(Path(folder), story.lab) is not None
        if before is not None:
            assert all(all(check.ladder.values()) for check in before.result.checks)


TARGETS = (
    Target(
        "started",
        _started,
        lambda: [b'{"lab": "open-relay", "student": null, "variant": "canonical"}'],
        (b"[", b"{", b'"', b'{"a":', b"null", b",", b":", b"0"),
        refuses=(UsageError,),
    ),
    Target(
        "last run",
        _last_run,
        lambda: [_kept()],
        (b"[", b"{", b'"', b'{"a":', b"null", b",", b":", b"0", b'"pass"', b'"next"', b"-1", b"1e9"),
    ),
)
