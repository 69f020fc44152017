"""What every lab holds, whatever its kind: it teaches at each check, and knows in which ways it is got wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grader import labs, verify
from grader.lesson import library
from grader.model.lab import Check, Lab
from grader.model.templates import fill
from grader.outputs import references
from tests.tables import every

LABS = {entry.path.name: labs.load(entry.path) for entry in labs.list_labs()}
WRITTEN = {name: lab for name, lab in LABS.items() if lab.kind != "quiz"}
"""Labs whose checks their authors wrote; a quiz makes one of each question, and the bank has tests of its own."""
CHECKS = [(lab, check) for lab in WRITTEN.values() for check in lab.all_checks]
DOCUMENT = re.compile(r"(?:Postfix|OpenDKIM|HAProxy) \w")
"""What a server's own documentation is named by, where no RFC says it."""
WRONG = [
    (lab, path.parent)
    for lab in LABS.values()
    for path in sorted(labs.find(lab.id).glob("wrong/*/expect.yaml"))
]
each_lab = pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
each_written_lab = pytest.mark.parametrize("lab", WRITTEN.values(), ids=WRITTEN)
each_check = every(("lab", "check"), CHECKS, ids=lambda case: case[1].code)
each_fault = every(("lab", "folder"), WRONG, ids=lambda case: f"{case[0].id}/{case[1].name}")


def handout(lab: Lab) -> str:
    """A lab's handout as its author wrote it."""
    return (labs.find(lab.id) / "handout.md").read_text(encoding="utf-8")


def texts(check: Check) -> dict[str, str]:
    """Everything that a check may say to a student, by the name of the field."""
    assert check.hints
    return {
        "title": check.title,
        "expected": check.expected or "",
        "why": check.why,
        "next": check.next,
        "explain": check.explain or "",
        "nudge": check.hints.nudge,
        "pointer": check.hints.pointer,
        "example": check.hints.example,
    }


@each_lab
def test_the_points_make_a_hundred(lab: Lab) -> None:
    assert lab.max_score == 100


@each_lab
def test_a_lab_is_found_by_the_name_of_its_folder(lab: Lab) -> None:
    assert labs.find(lab.id).name == lab.id
    assert lab.summary.endswith(".")


@each_check
def test_a_check_teaches(lab: Lab, check: Check) -> None:
    said = texts(check)
    assert [name for name, text in said.items() if not text.strip()] == []
    assert len(set(said.values())) == len(said), "one text says twice what another does"
    assert 150 <= len(said["explain"].split()) <= 300


@each_check
def test_a_check_says_where_to_read_on(lab: Lab, check: Check) -> None:
    assert check.see
    lost = [
        reference
        for reference in check.see
        if not references.link(reference)
        and not DOCUMENT.match(reference)
        and reference.removeprefix(references.SHEET) not in library().entries
    ]
    assert lost == []


@each_check
def test_every_name_in_a_text_is_one_that_students_have(lab: Lab, check: Check) -> None:
    for student in (None, "somebody"):
        names = labs.draw_variant(lab, student).names
        for name, text in texts(check).items():
            assert fill(text, names, name), "fill refuses a name that there is not"


@each_written_lab
def test_the_handout_announces_the_points_of_every_check_in_order(lab: Lab) -> None:
    announced = re.findall(r"^\| .* \| (\d+) \|$", handout(lab), re.MULTILINE)
    assert [int(points) for points in announced] == [check.points for check in lab.all_checks]


@each_lab
@pytest.mark.parametrize("student", [None, "somebody"])
def test_what_is_handed_out_has_every_name_filled_in(lab: Lab, student: str | None, tmp_path: Path) -> None:
    variant = labs.draw_variant(lab, student)
    labs.start(lab.id, tmp_path / "work", variant)
    files = [path for path in (tmp_path / "work").rglob("*") if path.is_file()]
    assert tmp_path / "work" / "handout.md" in files
    unfilled = re.compile(rb"@[a-z][a-z0-9_]*@")
    assert [path.name for path in files if unfilled.search(path.read_bytes())] == []


@each_lab
def test_solution_and_starter_are_tried_and_many_faults_are_known(lab: Lab) -> None:
    names = [trial.name for trial in verify.trials(labs.find(lab.id))]
    assert names[:2] == ["solution", "starter"]
    assert sum(name.startswith("correct/") for name in names) >= 3
    assert sum(name.startswith("wrong/") for name in names) >= 30


@each_written_lab
def test_every_check_is_lost_by_some_known_fault_alone(lab: Lab) -> None:
    faults = [labs.load_wrong(path.parent) for path in labs.find(lab.id).glob("wrong/*/expect.yaml")]
    alone = {fault.fails[0] for fault in faults if len(fault.fails) == 1}
    assert alone == {check.code for check in lab.all_checks}


@each_fault
def test_a_known_fault_names_checks_that_there_are(lab: Lab, folder: Path) -> None:
    declared = labs.load_wrong(folder)
    assert {*declared.fails, *declared.skips} <= {check.code for check in lab.all_checks}
    assert not set(declared.fails) & set(declared.skips)
    assert len(set(declared.fails)) == len(declared.fails)
