"""Labs of the kind zone that instructors write: made new, and refused where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader import labs, pipeline, verify
from grader.model.errors import LabError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A new lab of the kind zone."""
    return labs.new("who-sends", tmp_path / "labs", "zone")


def test_a_new_lab_of_the_kind_verifies(folder: Path) -> None:
    trials = verify.trials(folder)
    assert {trial.name for trial in trials} >= {"solution", "starter", "correct/addresses", "wrong/no-ipv6"}
    for trial in trials:
        for student in (None, verify.RANDOM_STUDENT):
            assert verify.try_one(folder, trial, student, None).problem == ""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('required: ["{domain}.zone"]', 'required: ["{domian}.zone"]', "did you mean {domain}?"),
        ('client: "{host_v6}"', 'client: "{host_v7}"', "did you mean {host_v6}?"),
        ("@  TXT", '@  TXT "{nobody}"\n      @  TXT', "there is no name {nobody}"),
        ("{loads: true}", "{lods: true}", "there is no key 'lods' here; did you mean 'loads'?"),
        ("expect: {spf: [pass]}", "expect: {arrives: mailbox}", "'arrives' here: it is one of labs of kind 'server'"),
        ("expect: {spf: [pass]}", "expect: {zone: {spf: [pass]}}", "there is no key 'zone' here"),
        ("expect: {spf: [pass]}", "expect: {}", "nothing is expected, so that the check would judge nothing"),
        ("expect: {spf: [pass]}", "expect: {answers: [x]}", "'answers' is judged of questions, and 'try' has none"),
        ("expect: {spf: [pass]}", "expect: {loads: true, answers: [x]}", "is judged of questions"),
        ("{spf: [pass]}", "{spf: [passed]}", "did you mean 'pass'?"),
        (
            "    - messages:\n        - {title: your server,",
            "    - mail:\n        - {title: x, to: [y],",
            "there is no key 'mail' here: it is one of labs of kind 'server', and this one is 'zone'",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_refused_with_its_line(folder: Path, old: str, new: str, complaint: str) -> None:
    path = folder / "lab.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(LabError, match=r"lab\.yaml:\d+: ") as refused:
        labs.load(folder)
    assert complaint in str(refused.value)


def test_a_broken_zone_of_others_and_a_missing_key_are_the_labs_fault(folder: Path) -> None:
    path = folder / "lab.yaml"
    text = path.read_text()
    lab, variant = labs.load(folder), labs.draw_variant(labs.load(folder))
    solution = labs.render_submission(folder / "solution", variant)
    path.write_text(text.replace("ns A   {nameserver}", "ns A   nowhere"))
    with pytest.raises(LabError, match=r"the lab's zone third\.example, line 3: .*no IPv4 address"):
        pipeline.grade(labs.load(folder), solution, engine=None, variant=variant)
    signed = 'signed: {domain: "{domain}", selector: s, key: nobody}, client: "{host_v4}"'
    path.write_text(text.replace('client: "{host_v4}"', signed))
    with pytest.raises(LabError, match=r"no key signs as 'nobody': put nobody\.pem into the folder 'keys'"):
        pipeline.grade(labs.load(folder), solution, engine=None, variant=variant)
    assert lab.kind == "zone"


def test_an_unknown_check_is_refused(folder: Path) -> None:
    lab = labs.load(folder)
    with pytest.raises(UsageError, match="has no check 'nothing'"):
        pipeline.grade(lab, labs.Submission({}), engine=None, only={"nothing"})
