"""A zone in every format: characters marked, carets beneath them, and each message beside what was expected."""

from __future__ import annotations

import io
import re
from typing import Any

import junitparser
import lxml.html
import pytest
from rich.cells import cell_len

from grader import labs, outputs, pipeline
from grader.display.carets import marked
from grader.display.excerpts import ExcerptRow
from grader.kinds.zone import show
from grader.model.pointer import Pointer, parse
from grader.outputs import terminal
from tests.tables import every

LAB = labs.load(labs.find("spf-dmarc"))
VARIANT = labs.draw_variant(LAB)
ZONE = """$TTL 1h
@ SOA ns hostmaster 1 4h 1h 2w 5m
@ NS ns
ns A 203.0.113.53
@ MX 10 mail
mail A 203.0.113.10
mail AAAA 2001:db8:113::10
@ TXT "v=spf1 mx ip4:203.0.113.0/24 a:www.example.com include:_spf.newsletter.example -all" ; <b>bold</b> \x07
www A 192.0.2.80
_dmarc TXT "v=DMARC1; p=none; pct=50"
"""


def graded(zone: str) -> pipeline.Graded:
    """The run of a zone."""
    return pipeline.grade(
        LAB, labs.Submission({"example.com.zone": zone.encode()}), engine=None, variant=VARIANT
    )


@pytest.fixture(scope="module")
def run() -> pipeline.Graded:
    """A zone that is right in parts."""
    return graded(ZONE)


def page_of(run: pipeline.Graded) -> Any:
    """The HTML report, taken apart."""
    return lxml.html.fromstring(outputs.html(run.result, run.evidence))


def shown(run: pipeline.Graded, *, width: int = 80, verbose: bool = True) -> str:
    """What the terminal shows."""
    text = io.StringIO()
    terminal.show(run.result, run.evidence, verbose=verbose, file=text, width=width, color=False)
    return text.getvalue()


def test_the_terminal_puts_carets_under_the_characters(run: pipeline.Graded) -> None:
    lines = shown(run).splitlines()
    at = next(number for number, line in enumerate(lines) if re.match(r" *▶ +8 ", line))
    carets = re.search(r"\^+", lines[at + 1])
    assert carets
    assert lines[at][carets.start() : carets.end()] == "ip4:203.0.113.0/24"
    assert all(cell_len(line) <= 80 for line in lines)


def test_the_terminal_tells_who_sent_what_and_what_was_expected(run: pipeline.Graded) -> None:
    text = shown(run)
    assert "example.com.zone, 10 lines, was served over DNS: 9 records for example.com." in text
    assert re.search(
        r"✗ +a neighbour in your data centre +pass +SPF +none\n +203\.0\.113\.66, EHLO rack", text
    )
    assert "expected: SPF fail or softfail or neutral" in text
    assert "The server listened" not in text
    assert "\x07" not in text


def test_remarks_that_cost_nothing_are_notes(run: pipeline.Graded) -> None:
    assert re.search(r"Note +line 10, column 31: pct is no longer part of DMARC", shown(run))


@every(
    ("text", "marks", "width", "expected"),
    [
        ("abc def", ((4, 7),), 20, ["abc def", "    ^^^"]),
        ("abc def", ((0, 1), (4, 7)), 20, ["abc def", "^   ^^^"]),
        ("\tx", ((1, 2),), 20, ["    x", "    ^"]),
        ("漢字 x", ((3, 4),), 20, ["漢字 x", "     ^"]),
        ("abc", (), 20, ["abc"]),
        ("a" * 50, (), 10, ["aaaaaaaaa…"]),
        ("a" * 50 + "XY" + "b" * 50, ((50, 52),), 20, ["…aaaaaaaaaaaXYbbbbb…", "            ^^"]),
        ("a" * 50 + "X" * 50, ((50, 100),), 20, ["…aaaaaaaaaaaXXXXXXX…", "            ^^^^^^^^"]),
    ],
)
def test_carets(text: str, marks: tuple[tuple[int, int], ...], width: int, expected: list[str]) -> None:
    lines = [line.plain for line in marked(ExcerptRow(1, "", text, marks=marks), width)]
    assert [line for line in lines if line or line is lines[0]] == expected


def test_pointers_into_a_zone_are_taken_apart_and_held_against_it(run: pipeline.Graded) -> None:
    assert parse("zone:7:14:18") == Pointer("zone", 7, span=(14, 18))
    assert parse("case:3") == Pointer("case", 3)
    for wrong in ("zone:7:1:2:3", "zone:a:1:2", "case:"):
        assert parse(wrong) is None
    assert show.holds(run.evidence, Pointer("zone", 9, span=(0, 1)))
    for wrong in ("zone:7", "zone:7:1", "zone:10:0:1", "case:999", "case:0:2", "case:0:1:2"):
        pointer = parse(wrong)
        assert pointer is not None
        assert not show.holds(run.evidence, pointer)


def test_the_page_marks_the_characters_and_links_to_them(run: pipeline.Graded) -> None:
    page = page_of(run)
    line = page.get_element_by_id("zone-7")
    assert [mark.text for mark in line.iter("mark")] == ["ip4:203.0.113.0/24"]
    assert "<b>bold</b>" in line.text_content()
    assert "pct is no longer part" in page.get_element_by_id("zone-9").text_content()
    row = next(row for row in page.iter("tr") if "a neighbour in your data centre" in row.text_content())
    assert "missed" in row.get("class")
    assert [mark.text for mark in row.iter("mark")] == ["pass"]
    targets = {element.get("id") for element in page.iter() if element.get("id")}
    links = {link.get("href")[1:] for link in page.iter("a") if (link.get("href") or "").startswith("#")}
    assert links <= targets


def test_a_zone_that_cannot_be_read_is_shown_with_its_faults() -> None:
    run = graded(ZONE.replace("www A 192.0.2.80", "www A 192.0.2\nftp TXTT x"))
    assert "example.com.zone, 11 lines, could not be read as a zone: 2 faults." in shown(run)
    page = page_of(run)
    assert [mark.text for mark in page.get_element_by_id("zone-8").iter("mark")] == ["192.0.2"]
    assert "did you mean TXT?" in page.get_element_by_id("zone-9").text_content()
    assert run.result.score == 0


def test_every_other_format_tells_it_too(run: pipeline.Graded) -> None:
    suite = next(iter(junitparser.JUnitXml.fromstring(outputs.junit([run.result]))))
    assert "ip4:203.0.113.0/24" in str(
        next(case for case in suite if "strangers" in case.name).result[0].message
    )
    header, line = outputs.gradebook_csv([run.result]).decode().splitlines()
    assert line.split(",")[header.split(",").index("spf-dmarc/strangers")] == "0"
    assert pipeline.read_evidence(outputs.document(run.evidence)) == run.evidence
