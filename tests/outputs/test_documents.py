"""JSON and CSV: the fields that others rely on, in their order, for every text."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import given

from grader import outputs
from grader.cli.commands.check import check as check_command
from grader.cli.commands.grade import grade as grade_command
from grader.kinds.server.facts import ServerEvidence
from grader.model.result import Result
from tests.display.test_text import NASTY
from tests.outputs.cases import STORIES, case
from tests.outputs.samples import check, result


@pytest.mark.parametrize("name", STORIES)
def test_what_is_written_is_what_was_judged(name: str) -> None:
    graded, evidence = case(name)
    assert msgspec.json.decode(outputs.document(graded), type=Result) == graded
    assert msgspec.json.decode(outputs.document(evidence), type=ServerEvidence) == evidence
    assert outputs.document(graded).endswith(b"}\n")


def test_the_contract_s_fields_come_in_the_contract_s_order() -> None:
    written = msgspec.json.decode(outputs.document(case("broken")[0]))
    contract = [
        "schema",
        "lab",
        "lab_version",
        "student",
        "variant",
        "status",
        "score",
        "max_score",
        "started",
    ]
    contract += ["duration", "engine", "checks"]
    assert [key for key in written if key in contract] == contract
    fields = [
        "code",
        "title",
        "status",
        "points",
        "max_points",
        "because",
        "expected",
        "observed",
        "why",
        "next",
    ]
    fields += ["references", "evidence", "tags"]
    assert [key for key in written["checks"][0] if key in fields] == fields


@given(NASTY)
def test_json_carries_any_text(text: str) -> None:
    written = outputs.document(result([check("starts", "fail", observed=text)], student=text))
    msgspec.json.decode(written, type=Result)
    assert not any(byte < 0x20 and byte != 0x0A for byte in written)


def test_a_class_as_csv() -> None:
    names = ["solution", "broken", "dead", "grader-error", "refused"]
    written = outputs.gradebook_csv(case(name)[0] for name in names)
    assert written.count(b"\r\n") == written.count(b"\n") == 6
    table = list(csv.DictReader(io.StringIO(written.decode(), newline="")))
    assert [line["score"] for line in table] == ["100", "45", "0", "", ""]
    assert [line["status"] for line in table] == ["graded", "graded", "graded", "error", "refused"]
    assert table[1]["open-relay/stranger"] == "0"
    assert table[1]["open-relay/login"] == ""  # a person judges it; nothing was lost
    for line in table[3:]:
        assert line["reason"]
        assert {line[name] for name in line if "/" in name or name == "score"} == {""}


def test_a_student_s_name_is_no_formula() -> None:
    written = outputs.gradebook_csv([case("hostile")[0]])
    table = list(csv.DictReader(io.StringIO(written.decode(), newline="")))
    assert table[0]["student"] == "'=cmd|' /C calc'!A0"


@given(NASTY)
def test_csv_carries_any_text(text: str) -> None:
    written = outputs.gradebook_csv([result([check("starts", code=text)], student=text)])
    assert len(list(csv.reader(io.StringIO(written.decode(), newline="")))) == 2


def test_every_format_renders_every_case() -> None:
    inputs = [case(name) for name in STORIES]
    for kind in outputs.FORMATS.values():
        assert kind.one or kind.many
        for graded, evidence in inputs:
            if kind.one:
                assert kind.one(graded, evidence) == kind.one(graded, evidence)
        if kind.many:
            assert kind.many(graded for graded, _ in inputs)


def test_the_table_of_formats_is_all_that_the_commands_know() -> None:
    rows = outputs.FORMATS.values()
    options = {name for option in check_command.params for name in option.opts}
    assert options >= {f"--{kind.name}" for kind in rows if kind.one}
    assert options.isdisjoint({f"--{kind.name}" for kind in rows if not kind.one})
    for kind in rows:
        taken = grade_command.make_context("grade", ["lab", "work", "--out", "grades", "--format", kind.name])
        assert taken.params["formats"] == (kind.name,)


def test_a_name_in_the_table_is_no_name_of_a_module() -> None:
    modules = {path.stem for path in Path(outputs.__file__).parent.glob("*.py")}
    assert modules.isdisjoint(outputs.__all__)


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    program = "import sys, grader.outputs; print(sorted({m.partition('.')[0] for m in sys.modules}))"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    assert not [
        name for name in ("rich", "jinja2", "junit_xml", "markupsafe", "csv", "xml") if f"'{name}'" in loaded
    ]
