"""The way through the lesson leads over pages that there are, and to every lab."""

from __future__ import annotations

from dataclasses import replace

from grader import labs
from grader.lesson.path import OF_A_LAB, in_order, stages
from grader.lesson.site import PAGES
from grader.lesson.site.pages import lab_pages
from grader.lesson.site.way import KINDS, way

ALL = (*PAGES, *lab_pages())


def test_every_step_is_a_page_and_every_lab_a_step() -> None:
    steps = [step for stage in stages() for step in stage.steps]
    assert len(steps) == len(set(steps))
    assert set(steps) <= {page.name for page in ALL}
    own = {f"{OF_A_LAB}{entry.path.name}" for entry in labs.list_labs()}
    assert own <= set(steps)
    assert {page.group for part in way(ALL) for page in part.pages} <= KINDS.keys()


def test_a_lab_that_the_course_added_stands_at_the_end() -> None:
    mine = replace(lab_pages()[0], name=f"{OF_A_LAB}mine", title="Mine")
    parts = way([*ALL, mine])
    assert [page.title for page in parts[-1].pages] == ["Mine"]
    assert in_order(["mine", "dkim", "open-relay"]) == ["open-relay", "dkim", "mine"]
