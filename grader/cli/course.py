"""What a command is told by its options, and by the course where they say nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from grader.model.course import CourseLab


@dataclass(frozen=True)
class Settled:
    """How a class is graded once options and course are put together."""

    roster: Path | None
    groups: bool
    layout: str | None
    overrides: Path | None
    formats: tuple[str, ...]
    hints: str
    key: str | None
    due: datetime | None = None
    of_lab: CourseLab | None = None


def settled(
    course: Path | None,
    lab_id: str,
    *,
    roster: Path | None,
    groups: bool,
    layout: str | None,
    overrides: Path | None,
    formats: tuple[str, ...],
    hints: str,
    key: str | None,
) -> Settled:
    """The options of the running command, with what ``course.yaml`` says in place of those that were not given.

    Raises ``UsageError`` where the course's file is wrong.
    """
    from grader.course.coursefile import due, find_course

    found = find_course(course)
    if found is None:
        return Settled(roster, groups, layout, overrides, formats, hints, key)
    of_lab = found.lab(lab_id)
    return Settled(
        roster=roster or found.path(found.course.roster),
        groups=groups or of_lab.groups,
        layout=layout or of_lab.layout,
        overrides=overrides or found.path(of_lab.overrides),
        formats=tuple(of_lab.formats) if of_lab.formats and not _given("formats") else formats,
        hints=of_lab.hints if of_lab.hints is not None and not _given("hints") else hints,
        key=key or found.key,
        due=due(of_lab),
        of_lab=of_lab,
    )


def _given(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source not in (None, ParameterSource.DEFAULT)
