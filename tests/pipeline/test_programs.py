"""A lab of an instructor's own that runs a program: written in YAML alone, graded from first to last."""

from __future__ import annotations

import re
from pathlib import Path

from grader import kinds, labs, outputs, pipeline
from grader.engines.base import Engine
from grader.kinds.program.facts import ProgramPlan
from grader.model.submission import Submission

PAGE = Path(__file__).parents[2] / "docs" / "writing-a-lab.md"
SEND = b"""#!/usr/bin/env python3
# Prints what it should not, and keeps a note in /tmp.
import os, smtplib, ssl, sys
e = os.environ
open("/tmp/note", "w").write("begun")
print("the password is", e["PASSWORD"])
try:
    tls = ssl.create_default_context()
    if e["PORT"] == "465":
        smtp = smtplib.SMTP_SSL(e["HOST"], 465, timeout=5, context=tls)
    else:
        smtp = smtplib.SMTP(e["HOST"], int(e["PORT"]), timeout=5)
        smtp.starttls(context=tls)
    smtp.login(e["USER"], e["PASSWORD"])
    smtp.sendmail("a@b.example", e["TO"].split(","), "Subject: " + e["PASSWORD"] + "\\r\\n\\r\\nHello\\r\\n")
except (OSError, smtplib.SMTPException) as error:
    sys.exit(f"{type(error).__name__}")
"""


def documented_lab(folder: Path) -> Path:
    """The lab that the documentation shows."""
    [text] = re.findall(r"^```yaml\n(id: first-program\n.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    path = folder / "first-program"
    path.mkdir()
    (path / "lab.yaml").write_text(text)
    return path


def test_the_documented_lab_grades_a_program_whose_permissions_were_lost(
    engine: Engine, tmp_path: Path
) -> None:
    lab = labs.load(documented_lab(tmp_path))
    handed_in = Submission({"send": SEND})
    variant = labs.draw_variant(lab)
    run = pipeline.grade(lab, handed_in, engine=engine, variant=variant)
    assert [(check.code, check.status) for check in run.result.checks] == [
        ("first-program/delivers", "pass"),
        ("first-program/honest", "pass"),
    ]
    notes = " ".join(run.result.notes)
    assert "chmod +x send" in notes
    assert "one after the other" in notes
    assert {e.where for r in run.evidence.facts.runs for e in r.exposed} == {"message", "output"}
    plan = kinds.plan(lab.kind).make(lab, handed_in, variant, student=None, only=None)
    assert isinstance(plan, ProgramPlan)
    document = outputs.document(run.evidence)
    page = outputs.html(run.result, run.evidence)
    for planned in plan.runs:
        assert planned.password.encode() not in document
        assert planned.password.encode() not in page
    assert all(planned.password.encode() not in arrival.raw for planned in plan.runs
               for arrival in run.evidence.facts.arrivals)  # fmt: skip
    assert pipeline.regrade(document) == run.result
