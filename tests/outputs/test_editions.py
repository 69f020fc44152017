"""What a student may not see yet is in no document of theirs, and its points are in all."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from grader import labs, outputs
from grader.cli import main
from grader.course.coursefile import find_course, visibility
from grader.model.course import CourseLab
from grader.model.errors import UsageError
from grader.model.result import CheckResult, Result
from grader.outputs.editions import LATER, NEVER, for_student, hides
from grader.outputs.gradebooks import grade as given_back
from tests import submissions
from tests.outputs import samples

SECRET = "zanzibar"
LAB = "zone-in-part"


def hidden(result: Result, when: str = "after-due") -> Result:
    """The result with its first failure hidden, a word in every text of it, and another check that waits for it."""
    first = next(check for check in result.checks if check.status == "fail")
    texts = dict.fromkeys(("title", "expected", "observed", "why", "next"), SECRET)
    secret = replace(first, code=f"{result.lab}/{SECRET}", tags=[SECRET], visibility=when, **texts)
    waiting = CheckResult(
        code=f"{result.lab}/waiting", title="What waits", status="skipped", points=0, max_points=5,
        because=secret.code, observed=f"Not judged, because {SECRET} failed.",
    )  # fmt: skip
    checks = [secret if check is first else check for check in result.checks]
    note = f"{secret.code} was decided by a person."
    return replace(
        result, checks=[*checks, waiting], notes=[note, *result.notes], max_score=result.max_score + 5
    )


@pytest.fixture
def part() -> Result:
    return hidden(samples.broken()[0])


@pytest.mark.parametrize("name", outputs.FORMATS)
def test_no_document_of_a_student_s_tells_what_is_hidden(name: str, part: Result) -> None:
    kind = outputs.FORMATS[name]
    doors: list[Callable[[], bytes]] = []
    if (one := kind.one) and not kind.of_evidence:
        doors.append(lambda: one(part, None))
    if many := kind.many:
        doors.append(lambda: many([part]))
    for render in doors:
        assert (SECRET.encode() in render()) is (kind.staff or kind.says_hidden)


def test_sums_and_what_is_no_grade_stay(part: Result) -> None:
    shown = for_student(part)
    assert hides(part)
    assert [check.points for check in shown.checks] == [check.points for check in part.checks]
    assert (shown.score, shown.max_score, shown.status) == (part.score, part.max_score, part.status)
    assert LATER in [check.title for check in shown.checks]
    failed = replace(
        part, checks=[replace(c, status="error") if c.visibility != "always" else c for c in part.checks]
    )
    assert given_back(for_student(failed)) is None
    assert for_student(samples.broken()[0]) == samples.broken()[0]


def test_gradescope_is_told_what_to_hide(part: Result) -> None:
    render = outputs.FORMATS["gradescope"].one
    assert render is not None
    for when, word in (("after-due", "after_due_date"), ("never", "hidden")):
        found = json.loads(render(hidden(samples.broken()[0], when), None))
        assert SECRET not in found["output"]
        told = {test["name"]: test for test in found["tests"]}
        assert told.pop(SECRET)["visibility"] == word
        assert {test["visibility"] for test in told.values()} == {"visible"}
        assert SECRET not in json.dumps(list(told.values()))


def test_when_the_work_is_due_is_when_it_is_seen() -> None:
    checks = labs.load(labs.find("spf-dmarc")).all_checks
    first, second = checks[0].code, checks[1].code
    lab = CourseLab(due="2026-12-01T12:00+00:00", visibility={first: "after-due", second: "never"})
    before, after = (datetime(2026, 12, 1, hour, tzinfo=UTC) for hour in (11, 12))
    assert visibility(lab, checks, now=before) == {first: "after-due", second: "never"}
    assert visibility(lab, checks, now=after) == {second: "never"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("visibility: {auth: never}", "course.yaml:4: the lab has no check or tag 'auth'"),
        ("visibility: {spf-record: after-due}", "course.yaml:4: 'after-due' takes a 'due' beside it"),
        ("assignment: {canvass: x}", "there is no platform 'canvass' here; did you mean 'canvas'"),
    ],
)
def test_what_a_course_cannot_mean_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "course.yaml").write_text(f"title: Mail\nlabs:\n  spf-dmarc:\n    {text}\n")
    with pytest.raises(UsageError) as error:
        find_course(tmp_path)
    assert said in str(error.value)


def test_a_class_is_graded_with_what_its_course_hides_and_judged_again_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs.new(LAB, tmp_path / "labs", "zone")
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    monkeypatch.chdir(tmp_path)
    submissions.write("starter", tmp_path / "subs/alice", lab=LAB)
    check = labs.load(LAB).all_checks[0]
    text = (
        "title: Mail\nlabs:\n  {0}:\n    due: {1}\n    visibility: {{{2}: after-due}}\n"
        "    assignment: {{canvas: '77'}}\n"
    )
    course = tmp_path / "course.yaml"
    course.write_text(text.format(LAB, "2999-01-01T00:00+00:00", check.code))
    command = ["grade", LAB, "subs/alice", "--out", "out", "-j", "1", "--exit-zero"]
    assert main([*command, "--format", "html,junit,canvas,csv"]) == 0
    result = json.loads((tmp_path / "out/alice/result.json").read_text())
    assert result["checks"][0]["visibility"] == "after-due"
    for name in ("alice/report.html", "alice/junit.xml", "junit.xml", "anonymous.html"):
        assert f"{LAB}/{check.code}" not in (tmp_path / "out" / name).read_text()
        assert check.title not in (tmp_path / "out" / name).read_text()
    assert check.title in (tmp_path / "out/index.html").read_text()
    assert "(77)" in (tmp_path / "out/canvas.csv").read_text()
    # Without a course the earlier word counts; with one that is due by now, all is seen.
    course.rename(tmp_path / "later.yaml")
    assert main(["regrade", "out", "--out", "again", "--exit-zero"]) == 0
    assert check.title not in (tmp_path / "again/alice/report.html").read_text()
    (tmp_path / "later.yaml").write_text(text.format(LAB, "2001-01-01T00:00+00:00", check.code))
    assert main(["regrade", "out", "--out", "seen", "--course", "later.yaml", "--exit-zero"]) == 0
    assert check.title in (tmp_path / "seen/alice/report.html").read_text()


def test_what_happened_is_not_told_on_a_terminal_where_a_check_is_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labs.new(LAB, tmp_path / "labs", "zone")
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    monkeypatch.chdir(tmp_path)
    submissions.write("starter", tmp_path / "work", lab=LAB)
    check = labs.load(LAB).all_checks[0]
    command = ["check", LAB, "work", "-v", "--exit-zero"]
    assert main(command) == 0
    assert "What happened" in capsys.readouterr().out
    (tmp_path / "labs" / LAB / "of-course.json").write_text(json.dumps({"visibility": {check.code: "never"}}))
    assert main(command) == 0
    said = capsys.readouterr().out
    assert NEVER in said
    assert "What happened" not in said
    assert check.title not in said
