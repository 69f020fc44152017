"""The pages about a class in a folder of grades, and ``smtplab class``."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from lxml import html
from msgspec.structs import replace

from grader import outputs
from grader.cli import main
from grader.course.class_documents import write_documents
from grader.course.classpages import carry_missing, class_view, note_missing
from grader.course.intake.names import ANONYMOUS, INDEX, safe_name
from grader.course.intake.roster import Student
from grader.course.results_folder import documents, write_folder
from grader.model.errors import OutputError
from grader.model.result import Person, refused
from tests.outputs.cases import case

ODD = ("-rf", "a b", "a%2Fb", "müller", "#1?x", "<b>", "x" * 250)
"""Students' names that a link must not take for anything but a name."""


@pytest.fixture
def grades(tmp_path: Path) -> Path:
    out = tmp_path / "grades"
    out.mkdir()
    graded, evidence = case("broken")
    for student in ODD:
        write_folder(
            out / safe_name(student),
            documents(replace(graded, student=student), evidence, outputs.USUAL),
        )
    return out


def page(path: Path) -> Any:
    return html.document_fromstring(path.read_bytes())


def test_each_report_is_reached_whatever_the_student_s_name(grades: Path) -> None:
    write_documents(grades, outputs.USUAL)
    links = page(grades / INDEX).xpath("//section[@id='students']//tbody//a/@href")
    assert len(links) == len(ODD)
    for link in links:
        assert (grades / unquote(link)).is_file()
        assert not set("#?<>\"' ") & set(link)


def test_no_link_leads_to_a_report_that_was_not_wanted(grades: Path) -> None:
    for path in grades.glob("*/report.html"):
        path.unlink()
    write_documents(grades, outputs.USUAL)
    assert page(grades / INDEX).xpath("//section[@id='students']//tbody//a") == []


def test_pages_are_written_with_reports_alone_or_anew(grades: Path) -> None:
    write_documents(grades, ("csv",))
    assert not (grades / INDEX).exists()
    (grades / INDEX).touch()
    write_documents(grades, ("csv",))
    assert (grades / INDEX).stat().st_size
    assert "broken" not in (grades / ANONYMOUS).read_text()


def test_who_is_missing_is_so_until_something_is_handed_in(grades: Path) -> None:
    note_missing(grades, [Student(id=name, person=Person(name="N. N.")) for name in ("zoe", "a b")])
    missing = [one.id for one in class_view(grades).students if one.state == "missing"]
    assert missing == ["zoe"]
    (grades / "missing.json").write_text("[{]")
    with pytest.raises(OutputError, match=r"missing\.json.*is damaged"):
        class_view(grades)


def test_who_is_missing_stands_in_the_class_s_documents_without_a_score(grades: Path) -> None:
    note_missing(grades, [Student(id=name, person=Person()) for name in ("=zoe|x", "a b")])
    write_documents(grades, ("csv", "markdown", "canvas", "moodle-xml", "junit"))
    with (grades / "grades.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    (absent,) = [row for row in rows if row["status"] == "missing"]
    assert absent["student"] == "'=zoe|x"
    assert absent["reason"] == "handed nothing in"
    assert {key: text for key, text in absent.items() if text}.keys() == {"student", "status", "reason"}
    assert [row["status"] for row in rows if row["student"] == "a b"] == ["graded"], "who has handed in since"
    said = (grades / outputs.FORMATS["markdown"].file).read_text().splitlines()[-1]
    assert said == "| =zoe&#124;x |  |  | handed nothing in |"
    for name in ("canvas", "moodle-xml", "junit"):
        assert "zoe" not in (grades / outputs.FORMATS[name].file).read_text(), "no gradebook gets a 0 of it"


def test_the_command_shows_the_class(grades: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unread = refused(replace(case("broken")[0], student="evan"), "evan.zip holds no main.cf")
    write_folder(grades / "evan", documents(unread, None, outputs.USUAL))
    assert main(["class", str(grades)]) == 0
    said = capsys.readouterr().out
    assert "8 students" in said
    assert "evan.zip holds no main.cf" in said
    assert main(["class", str(grades), "--anonymous"]) == 0
    said = capsys.readouterr().out
    assert "8 students" in said
    assert "evan" not in said
    assert "müller" not in said


def test_a_folder_without_results_is_said_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["class", str(tmp_path)]) == 2
    assert "holds no results: name a folder that 'smtplab grade' wrote" in capsys.readouterr().err


def test_who_is_missing_from_two_folders_is_so_once(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "out")]
    for folder, *students in zip(folders, ("zoe", "zoe", "max"), ("max", "ann", "max"), strict=True):
        folder.mkdir()
        note_missing(folder, [Student(id=student, person=Person()) for student in dict.fromkeys(students)])
    carry_missing(folders[2], folders[:2])
    assert [one.id for one in class_view(folders[2]).students] == ["zoe", "max", "ann"]


def test_regrading_keeps_who_is_missing_and_writes_the_pages(
    grades: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note_missing(grades, [Student(id="zoe", person=Person(name="Zoe Z."))])
    assert main(["regrade", str(grades), "--out", str(grades.parent / "again"), "--exit-zero"]) == 0
    assert "Zoe Z." in (grades.parent / "again" / INDEX).read_text()
    assert "zoe" not in (grades.parent / "again" / ANONYMOUS).read_text()
