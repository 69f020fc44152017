"""Help in rungs: what a cap forbids is in no document, and what it allows stands in its order."""

from __future__ import annotations

import io
from typing import Any

import pytest
from lxml import html
from msgspec.structs import replace

from grader.judge import judge
from grader.model.hints import RUNGS, TIERS, UNASKED
from grader.model.lab import Hints
from grader.model.result import Result
from grader.outputs import FORMATS, terminal
from tests.judge.builders import arrival, check, evidence, facts, lab, outcome

SAID = {rung: f"The {rung} as it stands in the lab." for rung in RUNGS}
ON_A_PAGE = ("html", "markdown", "github-summary")
"""What can fold, and so holds all rungs. The others show those that come unasked."""
FOR_PEOPLE = (
    "junit",
    "markdown",
    "gradescope",
    "prairielearn",
    "vpl",
    "sarif",
    "autolab",
    "classroom50",
    "ctrf",
)


def graded(cap: str) -> Result:
    hints = Hints(SAID["nudge"], SAID["pointer"], SAID["example"])
    failing = replace(check(arrives="nowhere"), hints=hints, next=SAID["next"])
    other = replace(failing, code="again")
    attempts = [facts(), facts("again")]
    done = [outcome("accepted"), outcome("accepted", "again/1")]
    arrived = [arrival(), arrival(id=1, attempts=["again/1"])]
    return judge(evidence(lab(failing, other), attempts, done, arrived), hints=cap)


def documents(result: Result) -> dict[str, str]:
    made = {}
    for name, kind in FORMATS.items():
        if not kind.of_evidence:
            made[name] = "".join(
                render.decode()
                for render in (
                    kind.one(result, None) if kind.one else b"",
                    kind.many(iter([result])) if kind.many else b"",
                )
            )
    return made


def on_screen(result: Result, *, verbose: bool = False, more: bool = False) -> str:
    file = io.StringIO()
    terminal.show(result, file=file, width=200, verbose=verbose, more=more)
    return file.getvalue()


@pytest.mark.parametrize("cap", TIERS)
def test_what_the_cap_forbids_is_in_no_document(cap: str) -> None:
    result = graded(cap)
    forbidden = [SAID[rung] for rung in RUNGS[TIERS.index(cap) :]]
    for name, text in documents(result).items():
        assert not [said for said in forbidden if said in text], name
    everything = on_screen(result, verbose=True, more=True)
    assert not [said for said in forbidden if said in everything]
    assert all(SAID[rung] in everything for rung in RUNGS[: TIERS.index(cap)])


def test_the_next_step_follows_the_nudge_and_the_rest_is_asked_for() -> None:
    said = [SAID[rung] for rung in UNASKED]
    made = {**documents(graded("example")), "terminal": on_screen(graded("example"))}
    for name in (*FOR_PEOPLE, "html", "terminal"):
        assert made[name].index(said[0]) < made[name].index(said[1]), name
    for name, text in made.items():
        if name not in (*ON_A_PAGE, "json"):
            assert SAID["pointer"] not in text, name
            assert SAID["example"] not in text, name


def test_a_page_says_each_rung_once_and_folds_what_was_not_asked_for() -> None:
    page = html.document_fromstring(documents(graded("example"))["html"])
    for rung, said in SAID.items():
        found: Any = page.xpath(f"//*[contains(text(), '{said}')]")
        assert len(found) == 2, "once for each of the two failures"
        folded = bool(found[0].xpath("ancestor::details[contains(@class, 'hint')]"))
        assert folded == (rung not in UNASKED)


def test_asking_for_more_gives_every_rung_in_order() -> None:
    text = on_screen(graded("example"), more=True)
    places = [text.index(said) for said in SAID.values()]
    assert places == sorted(places)
