"""What a platform says of when work was handed in: shown wherever a result is, and worth no points."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from lxml import etree, html

from grader import outputs
from grader.model.result import HandedIn, Result
from grader.outputs.feedback import lateness, remarks
from tests.outputs.samples import check, result

TIME = "2026-12-02T00:10:00+01:00"


def handed_in(time: str = TIME, *, late: bool = True) -> Result:
    return result([check("starts")], student="bob", handed_in=HandedIn(time=time, late=late))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (None, ""),
        (HandedIn(time=TIME), ""),
        (HandedIn(late=True), "Handed in late: the points are those of the work alone."),
        (
            HandedIn(time=TIME, late=True),
            f"Handed in late, at {TIME}: the points are those of the work alone.",
        ),
    ],
)
def test_lateness_is_a_sentence_where_a_platform_says_so(facts: HandedIn | None, said: str) -> None:
    about = result([check("starts")], handed_in=facts)
    assert lateness(about) == said
    assert list(remarks(about)) == ([said] if said else [])


def test_a_platform_s_time_is_shown_on_one_line_and_not_without_end() -> None:
    said = lateness(handed_in("12:00\n\x1b[2J" + "9" * 100_000))
    assert said.isprintable()
    assert len(said) < 200


def test_the_gradebook_has_both_columns() -> None:
    found = [handed_in(), handed_in(late=False), handed_in("=1+1"), result([check("starts")])]
    table = list(csv.DictReader(io.StringIO(outputs.gradebook_csv(found).decode(), newline="")))
    assert [(line["handed_in"], line["late"]) for line in table] == [
        (TIME, "late"), (TIME, ""), ("'=1+1", "late"), ("", ""),
    ]  # fmt: skip
    assert len({line["score"] for line in table}) == 1, "nothing is judged by it"


def test_the_report_tells_its_student() -> None:
    page: Any = html.document_fromstring(outputs.html(handed_in()))
    assert lateness(handed_in()) in page.xpath("string(//p[@class='note'])")
    assert page.xpath(f"//dl[@class='facts']//dd[text()='{TIME}']")
    in_time: Any = html.document_fromstring(outputs.html(handed_in(late=False)))
    assert "Handed in late" not in in_time.text_content()
    assert in_time.xpath(f"//dl[@class='facts']//dd[text()='{TIME}']")


@pytest.mark.parametrize("name", ["markdown", "gradescope", "autolab", "vpl", "prairielearn", "xqueue"])
def test_so_do_platforms_that_show_remarks(name: str) -> None:
    render = outputs.FORMATS[name].one
    assert render is not None
    assert b"Handed in late, at 2026" in render(handed_in(), None)


def test_junit_has_it_as_properties() -> None:
    root = etree.fromstring(outputs.junit([handed_in()]))
    facts = {one.get("name"): one.get("value") for one in root.iter("property")}
    assert (facts["handed_in"], facts["late"]) == (TIME, "yes")
    assert "late" not in outputs.junit([result([check("starts")])]).decode()
