"""Platforms that record a grade: the right one whatever strangers wrote, and none where the grader failed.

The rules of ``readers`` were compared with the platforms' own code, which was run outside the project in the folder of
golden documents beside this file:

- mod_vpl: ``find_proposedgrade`` and ``find_proposedcomment``, cut out of ``vpl_submission.class.php``:
  ``php cut-out.php vpl.txt failed-vpl.txt`` gives 15, and no grade
- Autolab, as ``parseAutoresult`` does: ``ruby -rjson -e 'puts JSON.parse(File.read(ARGV[0]).rstrip.split("\\n")[-1]
  .gsub(/([a-zA-Z0-9]+):/, %q("\\1":)))' autolab.txt`` gives the scores, and an error for ``failed-autolab.txt``
- check50 3.5.0: ``python -c 'import json, check50.renderer as r; r.to_html(**json.load(open("check50.json")))'``,
  likewise ``to_ansi``, and ``check50.runner.CheckResult.from_dict`` on each of its results
- INGInious: ``ParsableText.rst`` of ``inginious/frontend/parsable_text.py`` on ``text`` of ``inginious.json`` makes no
  elements but ``p`` and ``pre``; docutils, which it uses, is run here
- GitLab's metrics: ``prometheus_client.parser.text_string_to_metric_families`` on ``metrics.txt``

Of PrairieLearn (``processGradingResult``), Submitty (``custom_doit``), Open edX (``update_score``), INGInious's agent
and Classroom 50 the code or schema was read; Gradescope, CodeGrade and Exercism are followed by their documentation.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from grader import __version__, outputs
from grader.model.result import Decision, Result, refused
from tests.conftest import examples
from tests.display.test_text import NASTY
from tests.outputs.cases import case
from tests.outputs.platforms.readers import GRADES, MOST, vpl_comments
from tests.outputs.platforms.samples import ATTACK, OBEYED, attacked, failed, of_a_zone
from tests.outputs.samples import check, result
from tests.tables import every

GOLDEN = Path(__file__).parent / "golden"
EARNED = 15 / MOST
MADE_FOR_ONE = [kind.name for kind in outputs.FORMATS.values() if kind.one and not kind.usual]
MADE_FOR_ALL = [kind.name for kind in outputs.FORMATS.values() if kind.many and not kind.usual]


def written(name: str, graded: Result) -> bytes:
    """A result in the format of that name."""
    render = outputs.FORMATS[name].one
    assert render is not None
    return render(graded, None)


@every("name", GRADES)
def test_the_grade_is_right_whatever_strangers_wrote(name: str) -> None:
    assert GRADES[name](written(name, attacked())) == pytest.approx(EARNED, abs=1e-4)


@every("name", GRADES)
def test_what_the_grader_failed_at_is_no_grade(name: str) -> None:
    for graded in (failed(), case("grader-error")[0], attacked("error")):
        document = written(name, graded)
        assert GRADES[name](document) is None
        if name not in ("classroom50", "gitlab-metrics"):
            assert "The grader failed, not your work. This costs you no points." in document.decode()


@every("name", sorted(GRADES.keys() - {"submitty", "xqueue"}))
def test_what_was_refused_is_no_grade_either(name: str) -> None:
    assert GRADES[name](written(name, refused(attacked(), ATTACK))) is None


@pytest.mark.parametrize("name", ["submitty", "xqueue"])
def test_where_a_reply_without_a_grade_is_not_shown_a_refusal_has_no_points_and_its_reason(name: str) -> None:
    document = written(name, refused(attacked(), "there is no main.cf"))
    assert GRADES[name](document) == 0
    assert "there is no main.cf" in document.decode()


@every("name", sorted({*MADE_FOR_ONE, *MADE_FOR_ALL}))
def test_hostile_documents_are_as_they_were(name: str) -> None:
    """``UPDATE_GOLDEN=1`` writes them instead; every change is looked at as the platform's reader would."""
    kind = outputs.FORMATS[name]
    made = {f"failed-{kind.file}": [failed()], kind.file: [attacked()]}
    for file, graded in made.items():
        if kind.one:
            document = kind.one(graded[0], None)
        else:
            assert kind.many
            document = kind.many(graded)
        # The version of smtplab stands in some.
        document = document.replace(f'"{__version__}"'.encode(), b'"VERSION"')
        if os.environ.get("UPDATE_GOLDEN"):
            GOLDEN.mkdir(exist_ok=True)
            (GOLDEN / file).write_bytes(document)
        assert document == (GOLDEN / file).read_bytes()


@settings(max_examples=examples(40))
@given(
    texts=st.lists(st.one_of(NASTY, st.sampled_from(OBEYED)), min_size=8, max_size=8),
    points=st.integers(0, 25),
)
def test_no_text_changes_a_grade(texts: list[str], points: int) -> None:
    title, expected, observed, why, next_, note, student, remark = texts
    said = {"title": title, "expected": expected, "observed": observed, "why": why, "next": next_}
    first = check("stranger", "fail", points=points, **said, remarks=[remark], references=[note], tags=[note])
    rest = [check(code, title=title) for code in ("starts", "allow-lists", "leaks", "login")]
    graded = result([first, *rest], student=student, notes=[note], lab_title=title)
    for name, grade in GRADES.items():
        assert grade(written(name, graded)) == pytest.approx(graded.score / MOST, abs=1e-4), name


@every("name", MADE_FOR_ONE)
def test_half_a_surrogate_and_control_characters_reach_nobody(name: str) -> None:
    text = written(name, attacked()).decode()
    assert not [char for char in text if char != "\n" and (ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0)]


@every("name", MADE_FOR_ONE)
def test_feedback_names_the_cause_wherever_there_is_room_for_it(name: str) -> None:
    if name in ("codegrade", "gitlab-metrics"):
        return
    document = written(name, case("broken")[0]).decode()
    assert "A message from neighbour (10.99.0.66) on port 25 was sent on to" in document
    assert "VRFY for a real user and for an unknown one" in document or name == "check50"


@pytest.mark.parametrize("name", ["prairielearn", "github-summary", "autolab"])
def test_what_is_too_long_is_shortened_until_it_is_taken(name: str) -> None:
    flood = [check("stranger", "fail", observed="x" * 100_000) for _ in range(40)]
    graded = result([*flood, check("starts")])
    document = written(name, graded)
    assert 1000 < len(document) <= 1_048_576
    assert b"more characters" in document


def test_points_that_a_person_decides_on_are_said_and_not_lost() -> None:
    document = json.loads(written("gradescope", case("broken")[0]))
    assert document["output"].startswith("45 of 100 points; a person decides on 15 more")
    login = next(test for test in document["tests"] if test["extra_data"]["code"] == "open-relay/login")
    assert "score" not in login
    assert "A person decides on this check, for up to 15 points." in login["output"]


def test_a_comment_in_vpl_says_what_a_check_cost_and_shows_texts_as_they_are() -> None:
    comments = vpl_comments(written("vpl", attacked()))
    costs = [title.rpartition("(")[2] for title, _ in comments[1:]]
    assert costs == ["10 of 10 points)", "-20)", "-10)", "-5)", "0 of 15 points)"]
    assert all(line.startswith(">") for _, shown in comments[1:] for line in shown.splitlines())


def test_a_problem_of_autolab_is_a_check_by_its_code() -> None:
    last = written("autolab", case("broken")[0]).decode().rstrip().splitlines()[-1]
    assert json.loads(last)["scores"] == {
        "starts": 10, "local": 15, "unknown": 10, "office": 10, "stranger": 0, "allow-lists": 0, "leaks": 0,
    }  # fmt: skip


def test_check50_knows_what_was_not_run_because_of_a_failure() -> None:
    document = json.loads(written("check50", case("broken")[0]))
    assert set(document) == {"slug", "results", "version"}
    found = {one["name"]: one for one in document["results"]}
    assert all(
        set(one) == {"name", "description", "passed", "log", "cause", "data", "dependency"}
        for one in found.values()
    )
    assert [found[name]["passed"] for name in ("starts", "stranger", "allow-lists", "login")] == [
        True, False, None, None,
    ]  # fmt: skip
    assert found["allow-lists"]["dependency"] == "stranger"
    assert found["stranger"]["cause"]["help"].partition("\nLet mynetworks")[0].startswith("Which of your")


def test_exercism_s_statuses() -> None:
    document = json.loads(written("exercism", case("broken")[0]))
    assert (document["version"], document["status"]) == (3, "fail")
    assert [test["status"] for test in document["tests"]] == ["pass"] * 4 + ["fail"] * 3
    assert json.loads(written("exercism", case("solution")[0]))["status"] == "pass"
    broken = json.loads(written("exercism", failed()))
    assert broken["status"] == "error"
    assert broken["message"].startswith("The grader failed")


def test_exercism_ends_no_run_for_its_size() -> None:
    """Results above 500 kilobytes are none (building/tooling/docker.md)."""
    one = check("stranger", "fail", observed="é" * 60_000)
    long = [replace(one, code=f"open-relay/{number}") for number in range(20)]
    document = written("exercism", result(long))
    assert len(document) <= 500_000
    tests = json.loads(document)["tests"]
    assert [one["status"] for one in tests] == ["fail"] * 20
    assert all("more characters" in one["message"] for one in tests)


def test_check50_says_why_nothing_was_read() -> None:
    nothing = refused(case("broken")[0], "holds no main.cf")
    causes = [one["cause"] for one in json.loads(written("check50", nothing))["results"]]
    assert causes
    assert all("holds no main.cf" in cause["rationale"] for cause in causes)


def test_annotations_name_file_line_and_columns() -> None:
    render = outputs.FORMATS["github-annotations"].one
    assert render is not None
    lines = render(*of_a_zone()).decode().splitlines()
    assert all(line.startswith(("::notice ", "::error ", "::warning ")) for line in lines)
    assert any(line.startswith("::error file=example.com.zone,line=8,col=") for line in lines)


@pytest.mark.parametrize("graded", [attacked(), failed()], ids=["attacked", "failed"])
def test_a_command_on_github_is_one_line_with_two_properties_at_most(graded: Result) -> None:
    lines = written("github-annotations", graded).decode().splitlines()
    assert len(lines) == 1 + sum(one.status in ("fail", "manual", "error") for one in graded.checks)
    for line in lines:
        head, _, _ = line.removeprefix("::").partition("::")
        command, _, properties = head.partition(" ")
        assert command in ("notice", "error", "warning")
        assert [one.partition("=")[0] for one in properties.split(",")] == ["title"]


@every("name", sorted(set(MADE_FOR_ONE) - {"codegrade", "gitlab-metrics"}))
def test_what_a_person_decided_is_said_beside_the_check(name: str) -> None:
    decision = Decision(points=10, why="seen in the lab", by="Dr. Who", judged="fail", judged_points=0)
    document = written(
        name, result([check("starts", decision=decision), check("leaks", "fail", decision=decision)])
    )
    assert "Decided by a person, Dr. Who: seen in the lab" in document.decode()


def test_the_name_of_a_file_is_escaped_wherever_it_stands() -> None:
    graded, evidence = of_a_zone()
    for file in (f"x,line=1::error title=y::{ATTACK}", "\udce9 ä/../%0A.zone", "a b#c?d:e\n"):
        named = replace(evidence, files=[file], facts=replace(evidence.facts, file=file))
        for name in ("github-annotations", "junit-gitlab", "junit-github", "ctrf", "sarif"):
            render = outputs.FORMATS[name].one
            assert render is not None
            document = render(graded, named).decode()
            if name == "github-annotations":
                heads = [line.removeprefix("::").partition("::")[0] for line in document.splitlines()]
                keys = {
                    part.partition("=")[0] for head in heads for part in head.partition(" ")[2].split(",")
                }
                assert keys == {"title", "file", "line", "col", "endColumn"}
            if name == "sarif":
                uris = set(re.findall(r'"uri": "(.*)"', document))
                assert uris
                assert all(re.fullmatch(r"[\w.~/%-]+", uri, re.ASCII) for uri in uris)


def test_a_whole_result_without_points_to_win_is_whole_where_it_passed() -> None:
    assert json.loads(written("prairielearn", result([])))["score"] == 1.0


def test_a_score_is_a_grade_only_where_every_check_was_judged() -> None:
    assert attacked().final
    assert not failed().final
    assert not replace(attacked(), status="error").final
    waits = replace(check("leaks", "skipped"), because="open-relay/login")
    assert result([check("login", "manual"), waits, check("starts")]).waiting_points == 20
