"""Evidence that older versions saved is still read, and judged as it was then."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from grader import outputs, pipeline
from grader.model.errors import UsageError
from grader.model.evidence import SCHEMA
from tests.tables import every

HERE = Path(__file__).parent / "older"
SAVED = sorted(HERE.glob("*.evidence.json"))


def test_there_is_one_of_every_kind() -> None:
    kinds = {pipeline.read_evidence(path.read_bytes()).lab.kind for path in SAVED}
    assert kinds == {"server", "program", "zone", "quiz"}


@pytest.mark.parametrize("saved", SAVED, ids=lambda path: path.name.partition(".")[0])
def test_saved_evidence_is_judged_as_it_was(saved: Path) -> None:
    then = saved.with_name(saved.name.replace("evidence", "result")).read_bytes()
    assert outputs.document(pipeline.regrade(saved.read_bytes())) == then


@pytest.mark.parametrize("saved", SAVED, ids=lambda path: path.name.partition(".")[0])
def test_brought_up_to_date_it_stays_what_it_is(saved: Path) -> None:
    evidence = pipeline.read_evidence(saved.read_bytes())
    assert evidence.schema == SCHEMA
    again = pipeline.read_evidence(outputs.document(evidence))
    assert again == evidence


@every(
    ("document", "said"),
    [
        (b"", "no evidence"),
        (b"[]", "no evidence"),
        (b'{"schema": "smtplab/evidence/2", "facts": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"schema": "smtplab/evidence/1", "lab": ' + b'{"a": ' * 100_000, "nested too deeply"),
        (b'{"schema": "smtplab/evidence/1", "lab": {}}', "no evidence"),
        (b'{"schema": "smtplab/evidence/1", "lab": {"kind": "nothing"}}', "no evidence"),
        (
            b'{"schema": "smtplab/evidence/2", "lab": {"kind": "nothing"}}',
            "there is no kind of lab 'nothing'",
        ),
        (b'{"schema": "smtplab/evidence/9", "lab": {}}', "this version of smtplab reads"),
    ],
)
def test_what_is_none_is_refused_in_one_sentence(document: bytes, said: str) -> None:
    with pytest.raises(UsageError, match="evidence") as refused:
        pipeline.read_evidence(document)
    assert said in str(refused.value)


def test_a_document_cut_short_anywhere_is_refused() -> None:
    whole = (HERE / "quiz.evidence.json").read_bytes()
    for length in range(0, len(whole) - 2, 997):
        with pytest.raises(UsageError):
            pipeline.read_evidence(whole[:length])
    broken = msgspec.json.decode(whole)
    del broken["lab"]["checks"]
    assert pipeline.read_evidence(msgspec.json.encode(broken)).lab.kind == "quiz"


def test_a_question_without_a_right_answer_is_judged_all_the_same() -> None:
    document = msgspec.json.decode((HERE / "quiz.evidence.json").read_bytes())
    typed = [posed["question"] for posed in document["quiz"]["posed"] if "answers" in posed["question"]]
    for question in typed:
        for answer in question["answers"]:
            answer["right"] = False
    assert typed
    assert pipeline.regrade(msgspec.json.encode(document)).status == "graded"


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        ("", "pass"),
        ("Unknown mechanism found: a:old.example.com", "fail"),
        ("Too many DNS lookups", "pass"),
        ("More than 2 DNS look-ups find nothing", "pass"),
    ],
)
def test_an_spf_record_that_could_not_be_used_still_cannot(problem: str, status: str) -> None:
    document = msgspec.json.decode((HERE / "zone.evidence.json").read_bytes())
    [measured] = [one for one in document["zone"]["measured"] if one["attempt"].startswith("spf-record")]
    measured |= {"problem": problem, "term": "a:old.example.com", "holder": "example.com"}
    result = pipeline.regrade(msgspec.json.encode(document))
    [check] = [check for check in result.checks if check.code == "spf-dmarc/spf-record"]
    assert check.status == status
