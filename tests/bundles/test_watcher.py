"""Open edX's bundle: its handler is given what ``xqueue_watcher.client`` gives one, and its answer goes back as it is.

The watcher itself ran it outside the project, with a queue on loopback: one answer for each submission that could be
graded, and none where the handler raised, which the watcher logs.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import pytest

from grader import labs
from grader.cli import main
from tests.bundles.conftest import VENV
from tests.bundles.test_bundles import ADDRESS, solve


def exported(here: Path) -> Path:
    assert main(["export", "xqueue", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    return here / "out"


def handler(out: Path, lab: Path | None = None) -> Any:
    """What the watcher makes of the queue's file, with the lab where it was exported to."""
    spec = importlib.util.spec_from_file_location("smtplab_watcher", out / "smtplab_watcher.py")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (queue,) = json.loads((out / "conf.d/spf-dmarc.json").read_text()).values()
    (declared,) = queue["HANDLERS"]
    name, _, of = declared["HANDLER"].rpartition(".")
    assert name == module.__name__
    told = {**declared["KWARGS"], "lab": str(lab or out / "labs/spf-dmarc")}
    return getattr(module, of)(**told, program=str(VENV / "bin/smtplab"))


def submission(text: str) -> dict[str, str]:
    body = {"student_response": text, "grader_payload": '{"lab": "spf-dmarc"}', "student_info": "{}"}
    return {"xqueue_header": "{}", "xqueue_body": json.dumps(body), "xqueue_files": "{}"}


def test_the_problem_s_box_begins_with_the_starter_and_its_queue_is_the_watcher_s(here: Path) -> None:
    out = exported(here)
    problem = ElementTree.fromstring((out / "problem.xml").read_text())
    asked = problem.find("coderesponse")
    assert asked is not None
    assert [asked.get("queuename")] == list(json.loads((out / "conf.d/spf-dmarc.json").read_text()))
    lab = labs.find("spf-dmarc")
    given = labs.handed_out_files(lab, labs.draw_variant(labs.load(lab)))["example.com.zone"].decode()
    assert asked.findtext("codeparam/initial_display") == given
    assert json.loads(asked.findtext("codeparam/grader_payload") or "") == {"lab": "spf-dmarc"}


@pytest.mark.slow
def test_a_text_from_a_browser_gets_its_points_and_what_cannot_be_graded_no_answer(here: Path) -> None:
    out = exported(here)
    solve(here / "work")
    right = (here / "work/example.com.zone").read_text()
    grade = handler(out)
    answer = grade(submission(right.replace("\n", "\r\n")))
    assert (answer["correct"], answer["score"]) == (True, 1.0)
    assert "100 of 100 points" in (ElementTree.fromstring(answer["msg"]).findtext("pre") or "")
    answer = grade(submission(right.replace("-all", "+all")))
    assert not answer["correct"]
    assert 0 < answer["score"] < 1
    assert grade(submission("\x00"))["score"] == 0
    (out / "labs/spf-dmarc/lab.yaml").write_text("id: [")
    with pytest.raises(RuntimeError, match="smtplab failed"):
        grade(submission(right))


def test_a_lab_that_asks_for_more_than_one_text_is_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab = labs.new("two-files", here / "labs", "zone")
    text = (lab / "lab.yaml").read_text()
    (lab / "lab.yaml").write_text(
        text.replace('required: ["{domain}.zone"]', 'required: ["{domain}.zone", notes.txt]')
    )
    (lab / "starter/notes.txt").write_text("mine\n")
    assert main(["export", "xqueue", str(lab), "--from", ADDRESS]) == 2
    assert "asks for 2 files: example.com.zone, notes.txt" in capsys.readouterr().err
