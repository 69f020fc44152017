"""How a class stands: what is counted, and what the two editions of the page and of the text say of strangers."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import given, settings
from lxml import html
from msgspec.structs import replace

from grader.model.result import Decision, HandedIn, Person, Result, refused
from grader.outputs import classpage, classtext
from grader.outputs.classview import ClassView, Entry, view
from tests.conftest import examples
from tests.display.test_text import NASTY
from tests.outputs.attacks import HOSTILE, LINES
from tests.outputs.cases import case
from tests.outputs.samples import check, result
from tests.tables import every

ADVICE = "Let mynetworks name {net}.0/28 of {domain} and nothing wider."


def graded(student: str, *failed: str, advice: str = "Close it.", **fields: Any) -> Result:
    checks = [
        check(code, "fail" if code in failed else "pass", next=advice if code in failed else "")
        for code in ("starts", "local", "leaks")
    ]
    return result(checks, student=student, **fields)


def a_class() -> ClassView:
    """Everybody that there is: passed, failed, late, decided, waiting, refused, failed by the grader, missing."""
    decision = Decision(points=5, why="an appeal", by="Dr Who", judged="fail", judged_points=0)
    by_hand = [check("starts"), check("local", "manual"), check("leaks", decision=decision)]
    half = [
        check("starts"),
        check("local", "error", observed="the disk was full"),
        check("leaks", "fail", next="Close it."),
    ]
    results = [
        graded("anna", person=Person(name="Anna A.", group="red", section="1")),
        graded("bob", "leaks", handed_in=HandedIn(late=True, time="2026-12-02T00:10")),
        graded("carol", "leaks", "local"),
        result(by_hand, student="dora"),
        refused(graded("evan"), "evan.zip holds no main.cf"),
        replace(graded("frank"), status="error", error="no room was left"),
        result(half, student="gina"),
    ]
    entries = [Entry(one, f"{one.student}/report.html") for one in results]
    entries[1] = Entry(results[1], "bob/report.html", ["handed out for anna, handed in by bob"])
    return view(entries, [("henry", Person(name="Henry H."))])


def whole(found: ClassView, *, anonymous: bool = False) -> bytes:
    return b"".join(classpage.page(found, anonymous=anonymous))


def words_of(page: bytes) -> str:
    root: Any = html.document_fromstring(page)
    for aside in root.xpath("//style | //script"):
        aside.drop_tree()
    return " ".join(root.text_content().split())


def test_who_is_in_which_state() -> None:
    found = a_class()
    assert {one.id: one.state for one in found.students} == {
        "anna": "passed", "bob": "failed", "carol": "failed", "dora": "waiting", "evan": "refused", "frank": "error",
        "gina": "error", "henry": "missing",
    }  # fmt: skip
    assert [(one.id, one.reason) for one in found.without_result] == [
        ("frank", "no room was left"),
        ("gina", "the disk was full"),
        ("evan", "evan.zip holds no main.cf"),
        ("henry", ""),
    ]
    assert [one.score for one in found.students] == [30, 25, 10, 15, None, None, None, None]


def test_points_are_counted_of_those_who_have_a_grade() -> None:
    found = a_class()
    assert {name: number for name, number in found.distribution if number} == {
        "30-39": 1, "50-59": 1, "80-89": 1, "100": 1,
    }  # fmt: skip
    assert found.median == pytest.approx((15 / 30 + 25 / 30) / 2)
    assert view([]).median is None


@every("score", range(101))
def test_each_per_cent_is_in_its_own_bin(score: int) -> None:
    found = view([Entry(replace(graded("anna"), score=score, max_score=100))])
    place = [number for _, number in found.distribution].index(1)
    assert place == score // 10


def test_a_check_s_rate_is_of_those_judged() -> None:
    tallies = {tally.short: tally for tally in a_class().checks}
    assert [(code, tally.statuses["fail"], tally.unjudged) for code, tally in tallies.items()] == [
        ("starts", 0, 0), ("local", 1, 2), ("leaks", 3, 0),
    ]  # fmt: skip
    assert tallies["local"].rate == pytest.approx(2 / 3)
    assert view([Entry(refused(graded("evan"), "empty"))]).checks[0].rate is None


def test_faults_are_those_with_the_same_advice_whatever_the_variant() -> None:
    told = [
        graded("s1", "local", advice=ADVICE.format(net="10.1.2", domain="a1.example"), variant="1"),
        graded("s2", "local", advice=ADVICE.format(net="10.3.4", domain="b2.example"), variant="2"),
        graded("s3", "local", advice="Read the log.", variant="3"),
    ]
    found = view(Entry(one) for one in told)
    assert [(fault.advice.text, [one.id for one in fault.students]) for fault in found.faults] == [
        ("Let mynetworks name … of … and nothing wider.", ["s1", "s2"]),
        ("Read the log.", ["s3"]),
    ]


def test_the_instructor_s_page_leads_to_each_report() -> None:
    page = whole(a_class())
    root: Any = html.document_fromstring(page)
    for student in ("anna", "bob", "gina"):
        assert root.xpath(f"//section[@id='students']//a[@href='{student}/report.html']")
    assert [one.text_content() for one in root.xpath("//details[1]//ul/li")][:3] == ["bob", "carol", "gina"]
    said = words_of(page)
    for text in (
        "Henry H.",
        "no room was left",
        "Late.",
        "handed out for anna",
        "A person has decided.",
        "1 late",
        "Late. Handed in 2026-12-02T00:10.",
    ):
        assert text in said
    assert "15 points wait for a person" in said


def test_the_anonymous_edition_names_nobody() -> None:
    found = a_class()
    page = whole(found, anonymous=True).decode()
    file = io.StringIO()
    classtext.show(found, anonymous=True, file=file, width=100)
    for said in (page, file.getvalue()):
        for student in found.students:
            assert student.id not in said
        for text in (
            "Anna",
            "Henry",
            "main.cf",
            "no room",
            "disk was full",
            "report.html",
            "Dr Who",
            "2026-12",
        ):
            assert text not in said
        assert re.search("67 ?%", said)  # the median
    assert "data-is" not in page
    assert "<script" not in page
    assert "late" not in words_of(page.encode()).split(), "in a small class, everybody knows who that is"
    assert "late" not in file.getvalue().split()


def test_the_anonymous_edition_repeats_nothing_of_one_student_s_variant() -> None:
    advice = [ADVICE.format(net=f"10.0.{n}", domain=f"d{n}.example") for n in range(4)]
    alone = view([Entry(graded("s1", "local", advice=advice[1], variant="1"))])
    page = whole(alone, anonymous=True).decode()
    assert "d1.example" not in page
    assert "mynetworks" not in page
    many = view(Entry(graded(f"s{n}", "local", advice=advice[n], variant=str(n))) for n in range(4))
    page = whole(many, anonymous=True).decode()
    assert "mynetworks" in page
    assert not re.search(r"d\d\.example|10\.0\.", page)


def test_of_a_large_class_s_variants_a_few_are_remembered() -> None:
    advice = [ADVICE.format(net=f"10.0.{n}", domain=f"d{n}.example") for n in range(40)]
    found = view(Entry(graded(f"s{n}", "local", advice=advice[n], variant=str(n))) for n in range(40))
    phrases = [*(one.title for one in found.checks), *(one.advice for one in found.faults)]
    assert {len(phrase.variants) for phrase in phrases} == {3}
    assert all(phrase.anybody_s for phrase in phrases)


def test_the_text_says_what_the_page_says() -> None:
    file = io.StringIO()
    classtext.show(a_class(), file=file, width=100)
    said = file.getvalue()
    assert "8 students   median 67%" in said
    assert re.search(r"open-relay/local +66 % .* 1 failed, 2 not judged", said)
    assert "bob, carol and gina" in said
    assert re.search(r"evan +refused: evan\.zip holds no main\.cf", said)
    assert re.search(r"henry +handed nothing in", said)
    assert re.search(r"Handed in late, 1 student\n +bob \(2026-12-02T00:10\)", said)


def attacked(text: str) -> ClassView:
    """Every text that a stranger, a platform or a roster can choose is this one."""
    person = Person(name=text, group=text, section=text)
    checks = [check("starts", "fail", code=text, title=text, next=text), check("local", "fail", next=text)]
    one = result(
        checks,
        student=text,
        lab=text,
        lab_title=text,
        lab_version=text,
        variant=text,
        person=person,
        handed_in=HandedIn(time=text, late=True),
    )
    return view(
        [
            Entry(one, "a%3A/report.html", [text]),
            Entry(refused(one, text)),
            Entry(replace(one, status="error")),
        ],
        [(text, person)],
    )


@settings(max_examples=examples(40))
@given(NASTY)
def test_no_text_becomes_more_than_text(text: str) -> None:
    _is_only_text(text)


@pytest.mark.parametrize(
    "text", [HOSTILE, LINES, "</title></svg></script><script>alert(1)</script>", "`<b>`"]
)
def test_no_attack_becomes_more_than_text(text: str) -> None:
    _is_only_text(text)


def _is_only_text(text: str) -> None:
    found = attacked(text)
    for anonymous in (False, True):
        page = whole(found, anonymous=anonymous)
        root: Any = html.document_fromstring(page)
        assert not root.xpath("//img | //iframe | //object | //link | //base | //form | //input | //b | //x")
        assert not root.xpath("//@*[starts-with(name(), 'on')] | //@style | //@src")
        assert len(root.xpath("//script")) == (0 if anonymous else 1)
        assert set(root.xpath("//a/@href")) <= {
            "#points", "#checks", "#faults", "#no-result", "#students", "a%3A/report.html", "anonymous.html",
        }  # fmt: skip
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u200b\ufeff\ufffe\ud800-\udfff]", page.decode()
        )
        file = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
        classtext.show(found, anonymous=anonymous, file=file, width=80)
        shown = file.buffer.getvalue().decode()
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]|^\s*::(?!\d|ffff:\d)|##(\w*)\[", shown, re.MULTILINE)


def test_every_story_is_shown() -> None:
    found = view(
        Entry(case(name)[0]) for name in ("solution", "broken", "dead", "grader-error", "refused", "hostile")
    )
    assert len(found.students) == 6
    assert whole(found) == whole(found)
    for anonymous in (False, True):
        assert b"Nobody has a grade." in whole(view([]), anonymous=anonymous)
