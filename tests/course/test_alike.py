"""Hand-ins that are alike: copies are pointed at whatever was done to them, and honest work is not."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from grader import labs
from grader.cli import main
from grader.course import sidebyside
from grader.course.alike import (
    ForeignNames,
    Likeness,
    Work,
    as_csv,
    circles,
    foreign_names,
    likenesses,
    statements,
)
from tests import submissions
from tests.display.test_text import NASTY

KEY = "autumn"
FOLDER = labs.find("open-relay")
LAB = labs.load(FOLDER)


def work(student: str, own: str, *, variant: bool = True) -> Work:
    """One of the lab's own submissions, as if this student had handed it in."""
    drawn = labs.draw_variant(LAB, student if variant else None, KEY)
    made = labs.render_submission(FOLDER / own, drawn)
    return Work(
        student=student,
        files={name: data.decode() for name, data in made.files.items()},
        given={name: data.decode() for name, data in labs.handed_out_files(FOLDER, drawn).items()},
        names={**drawn.names, **drawn.secrets},
        own=variant,
    )


def changed(original: Work, student: str, main_cf: str) -> Work:
    """A work with another ``main.cf``, in the names of this student."""
    other = work(student, "starter")
    return Work(
        student=student,
        files={**original.files, "main.cf": main_cf},
        given=other.given,
        names=other.names,
        own=True,
    )


def an_honest_class() -> list[Work]:
    names = sorted(path.name for path in (FOLDER / "correct").iterdir())
    # "archive" is the solution's text with one more server, which is what a copy looks like.
    return [work(f"s-{name}", f"correct/{name}") for name in names if name != "archive"]


def disguised(original: Work, student: str) -> Work:
    """A copy with the copier's own names, other comments, spacing, order and line breaks."""
    theirs = labs.draw_variant(LAB, student, KEY)
    text = original.files["main.cf"]
    for key, name in sorted(original.names.items(), key=lambda pair: -len(pair[1])):
        if len(name) > 5:
            text = text.replace(name, {**theirs.names, **theirs.secrets}[key])
    lines = statements(text, {})
    shuffled = "\n# All of it is mine.\n".join(
        reversed([line.replace("=", "   =\n   ", 1) for line in lines])
    )
    return changed(original, student, shuffled)


def test_honest_work_is_not_pointed_at() -> None:
    honest = an_honest_class()
    assert len(honest) > 10
    assert likenesses(honest) == []
    assert foreign_names(honest) == []


def test_a_copy_is_found_whatever_was_done_to_its_looks() -> None:
    honest = an_honest_class()
    copied = next(one for one in honest if "mynetworks" in one.files["main.cf"])
    found = likenesses([*honest, disguised(copied, "bob")])
    assert [(pair.one, pair.other) for pair in found] == [(copied.student, "bob")]
    assert found[0].share > 0.8
    assert found[0].statements


def test_what_the_lab_hands_out_is_no_likeness() -> None:
    assert likenesses([work(name, "starter") for name in ("alice", "bob", "carol")]) == []


def test_another_s_names_are_pointed_at() -> None:
    alice, carol = work("alice", "solution"), work("carol", "solution")
    bob = changed(alice, "bob", alice.files["main.cf"])
    found = foreign_names([alice, bob, carol])
    assert [(one.student, one.others) for one in found] == [("bob", ["alice"])]
    assert alice.names["domain"] in found[0].names
    assert not set(found[0].names) & set(bob.names.values())


def test_one_foreign_name_can_be_a_slip() -> None:
    alice, bob = work("alice", "solution"), work("bob", "solution")
    slipped = changed(bob, "bob", bob.files["main.cf"] + f"\n# {alice.names['host_v4']}\n")
    assert foreign_names([alice, slipped]) == []


def test_where_all_have_the_same_names_nobody_s_are_foreign() -> None:
    assert foreign_names([work(name, "solution", variant=False) for name in ("alice", "bob")]) == []


def test_statements_are_free_of_looks_and_names() -> None:
    text = "# mine\nmydomain =  a.example\nmydestination = mx.a.example,\n\ta.example  # both\n\n; none\n"
    names = {"domain": "a.example", "host": "mx.a.example"}
    assert statements(text, names) == ["mydomain = {domain}", "mydestination = {host}, {domain}"]


@given(NASTY, NASTY)
def test_no_text_breaks_the_comparison_or_its_table(one: str, other: str) -> None:
    works = [
        Work(
            student=student,
            files={"main.cf": text},
            given={"main.cf": other},
            names={"domain": other},
            own=True,
        )
        for student, text in ((one, one), (other, one), ("alice", one))
    ]
    table = as_csv(foreign_names(works), likenesses(works))
    assert table.decode().startswith("pointer,student,other,share,what\r\n")


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=30))
def test_likeness_is_between_none_and_all(words: list[str]) -> None:
    texts = (" ".join(words), " ".join(reversed(words)), "z")
    works = [
        Work(student=str(n), files={"f": text}, given={}, names={}, own=False) for n, text in enumerate(texts)
    ]
    assert all(0 < pair.share <= 1 + 1e-9 for pair in likenesses(works))


def test_the_table_is_csv_that_no_spreadsheet_calculates() -> None:
    table = as_csv(
        [ForeignNames("=1+1", ["alice"], ["a.example"])], [Likeness("bob", "carol", 0.876, ["@x", "y"])]
    )
    lines = list(csv.DictReader(io.StringIO(table.decode(), newline="")))
    assert [list(line.values()) for line in lines] == [
        ["foreign names", "'=1+1", "alice", "", "a.example"],
        ["alike", "bob", "carol", "0.88", "'@x; y"],
    ]


def test_the_command_says_who(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for student in ("alice", "carol"):
        submissions.write("solution", tmp_path / student, student=student, key=KEY)
    submissions.write("solution", tmp_path / "bob", student="alice", key=KEY)
    (tmp_path / "dora").mkdir()
    sources = [str(tmp_path / student) for student in ("alice", "bob", "carol", "dora")]
    csv_file = tmp_path / "pointers.csv"
    assert main(["alike", "open-relay", *sources, "--seed", KEY, "--csv", str(csv_file)]) == 0
    said = capsys.readouterr()
    assert "bob has names of alice" in said.out
    assert "a pointer is no verdict" in said.out
    assert f"passed over: {tmp_path / 'dora'}" in said.err
    assert csv_file.read_text().splitlines()[1].startswith("foreign names,bob,alice,")


def test_side_by_side_is_what_the_lab_does_not_explain() -> None:
    copy = {
        "main.cf": "# mine\nrelayhost =\nfoo_a = <b>1</b>\nbar = 2\nonly = here\n",
        "given.cf": "shared = yes\n",
    }
    other = {
        "main.cf": "bar = 2\nrelayhost =\nfoo_a = <b>1</b>\nalso = mine.example\n",
        "given.cf": "shared = yes\n",
    }
    given = {"main.cf": "relayhost =\n", "given.cf": "shared = yes\n"}
    works = [
        Work(student="alice", files=copy, given=given, names={}, own=True),
        Work(student="<i>bob", files=other, given=given, names={"host": "mine.example"}, own=True),
    ]
    [pair] = sidebyside.pairs(works, [Likeness("alice", "<i>bob", 0.8, [])])
    [file] = pair.files
    assert file.name == "main.cf"
    assert [row.one for row in file.rows if row.one] == ["foo_a = <b>1</b>", "bar = 2", "only = here"]
    assert [row.other for row in file.rows if row.other] == ["bar = 2", "foo_a = <b>1</b>", "also = {host}"]
    assert {row.one or row.other for row in file.rows if row.shared} == {"foo_a = <b>1</b>", "bar = 2"}
    shown = sidebyside.page("open-relay", [pair]).decode()
    assert "&lt;b&gt;1&lt;/b&gt;" in shown
    assert "<b>" not in shown
    assert "<i>bob" not in shown
    assert "relayhost" not in shown
    assert "another's variant" not in shown, "nobody has a variant of their own"


def test_whole_copies_are_listed_by_their_names_in_each_run() -> None:
    lines = [f"option_{number} = {number * 7919}" for number in range(300)]
    honest = {
        f"h{who}": [line for place, line in enumerate(lines) if place % 40 > 27 + who] for who in range(12)
    }
    texts = {"carol": lines, "alice": lines, "bob": lines} | honest
    works = [
        Work(student=name, files={"f": "\n".join(text)}, given={}, names={}, own=False)
        for name, text in texts.items()
    ]
    found = [
        (pair.share, pair.one, pair.other) for pair in likenesses(works) if "h" not in pair.one + pair.other
    ]
    assert found == [(1.0, "alice", "bob"), (1.0, "carol", "alice"), (1.0, "carol", "bob")]


def test_the_page_tells_who_has_names_of_another_s_variant() -> None:
    foreign = [
        ForeignNames("<i>mallory", ["alice", "bob", "carol", "dora"], ["mail.a1.example", "10.7.0.<b>"])
    ]
    page: Any = html.document_fromstring(sidebyside.page("open-relay", [], foreign=foreign))
    [section] = page.xpath("//section[h2/@id='foreign']")
    assert section.xpath("string(h3)") == "<i>mallory has names of alice, bob, carol and 1 more"
    assert [one.text_content() for one in section.xpath(".//li")] == ["mail.a1.example", "10.7.0.<b>"]
    none: Any = html.document_fromstring(sidebyside.page("open-relay", [], foreign=[]))
    assert "Nobody's work has names of another's." in none.text_content()


@given(st.lists(st.text("ab\n #=", max_size=40), min_size=2, max_size=2))
def test_side_by_side_loses_nothing(texts: list[str]) -> None:
    works = [
        Work(student=name, files={"f": text}, given={}, names={}, own=True)
        for name, text in zip("ab", texts, strict=True)
    ]
    [pair] = sidebyside.pairs(works, [Likeness("a", "b", 1.0, [])])
    rows = [row for file in pair.files for row in file.rows]
    assert [row.one for row in rows if row.one] == statements(texts[0], {})
    assert [row.other for row in rows if row.other] == statements(texts[1], {})


def copies(*groups: str) -> list[Work]:
    """Students who have handed in the same as all others of their group."""
    return [
        Work(student=f"{group}{number}", files={"main.cf": text}, given={}, names={}, own=False)
        for group, number, text in (
            (group, number, "".join(f"{group}{line} = {line} {line}\n" for line in range(40)))
            for group in groups
            for number in range(20)
        )
    ]


def test_many_copies_of_one_work_are_one_find(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty copies are 190 pairs: who reads them wants to know who they are, and not each pair."""
    for one in copies("a", "b"):
        (tmp_path / "subs" / one.student).mkdir(parents=True)
        (tmp_path / "subs" / one.student / "main.cf").write_text(one.files["main.cf"])
    page = tmp_path / "alike.html"
    sources = sorted(map(str, (tmp_path / "subs").iterdir()))
    assert main(["alike", "open-relay", *sources, "--html", str(page)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert said.count("are alike: 190 pairs, 100 %") == 2
    assert "380 pointers in 40 hand-ins" in said
    shown: Any = html.document_fromstring(page.read_text())
    assert len(shown.xpath("//table")) < 100
    titles = " ".join(title.text_content() for title in shown.xpath("//h2[starts-with(@id, 'pair-')]"))
    assert all(Path(source).name in titles.replace(":", "").split() for source in sources)
    assert "Of 380 pairs" in shown.text_content()


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] != pair[1])))
def test_every_pair_is_in_one_circle(links: list[tuple[int, int]]) -> None:
    pairs = [Likeness(str(one), str(other), 1.0, []) for one, other in links]
    found = circles(pairs)
    assert sorted(links) == sorted((int(p.one), int(p.other)) for circle in found for p in circle.pairs)
    students = [student for circle in found for student in circle.students]
    assert len(students) == len(set(students))
    assert all({p.one, p.other} <= set(circle.students) for circle in found for p in circle.pairs)
