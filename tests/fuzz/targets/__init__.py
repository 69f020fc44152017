"""All readers of strangers' text, by what they read."""

from __future__ import annotations

from tests.fuzz.targets import evidence, hosts, lessons, mail, records, submissions, wire, work

TARGETS = (
    *records.TARGETS,
    *mail.TARGETS,
    *submissions.TARGETS,
    *work.TARGETS,
    *hosts.TARGETS,
    *wire.TARGETS,
    *evidence.TARGETS,
    *lessons.TARGETS,
)
