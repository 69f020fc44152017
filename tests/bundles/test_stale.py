"""What students commit under the names of a grader's documents is never read as one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from grader.cli import main
from tests.bundles.test_bundles import ADDRESS, VENV, solve
from tests.bundles.test_check50 import checked
from tests.bundles.test_ci import step

LAB = "spf-dmarc"
FORGED = json.dumps({"score": 100, "max-score": 100, "status": "pass", "tests": []})
TOLD = dict.fromkeys(
    (
        "CLASSROOM", "ASSIGNMENT", "ASSIGNMENT_TYPE", "OWNER", "SUBMISSION_TAG", "COMMIT_URL", "RELEASE_URL",
        "REVIEW_URL",
    ),
    "x",
)  # fmt: skip


@pytest.fixture
def work(here: Path) -> Path:
    """Work that gets no points, with documents that say otherwise."""
    (here / "work").mkdir()
    for name in ("smtplab.json", "results.json", "result.json", "metrics.txt"):
        (here / "work" / name).write_text(FORGED)
    for name in ("junit.xml", "report.html"):
        (here / "work" / name).write_text("<testsuites/>")
    return here / "work"


def run(command: list[str | Path], folder: Path, **told: str) -> int:
    environment = {**os.environ, "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}", **told}
    return subprocess.run(command, cwd=folder, env=environment, check=False).returncode


def exported(platform: str) -> None:
    assert main(["export", platform, LAB, "--out", "out", "--from", ADDRESS]) == 0


@pytest.mark.parametrize("body", ["folder", "file", "link"])
def test_classroom_50_s_grade_is_smtplab_s_whatever_is_committed(body: str, work: Path, here: Path) -> None:
    exported("classroom50")
    (here / "precious").write_text("mine")
    if body == "folder":
        (work / "release-body.md").mkdir()
    elif body == "link":
        (work / "release-body.md").symlink_to(here / "precious")
        (work / "result.json").unlink()
        (work / "result.json").symlink_to(here / "precious")
    assert run([sys.executable, here / "out/autograder.py"], work, SMTPLAB_INSTALLED="yes", **TOLD) == 0
    assert json.loads((work / "result.json").read_text())["score"] == 0
    assert (work / "release-body.md").read_text().startswith("# Who may send as you")
    assert (here / "precious").read_text() == "mine"


def test_classroom_50_keeps_no_committed_result_where_the_grader_failed(work: Path, here: Path) -> None:
    exported("classroom50")
    (here / f"out/labs/{LAB}/lab.yaml").write_text("id: [")
    assert run([sys.executable, here / "out/autograder.py"], work, SMTPLAB_INSTALLED="yes", **TOLD) != 0
    assert not (work / "result.json").exists()


@pytest.mark.parametrize("case", ["unreadable", "broken"])
def test_exercism_s_runner_passes_on_no_results_but_its_own(case: str, work: Path, here: Path) -> None:
    """In production both folders are one."""
    exported("exercism")
    if case == "broken":
        (here / f"out/labs/{LAB}/lab.yaml").write_text("id: [")
    code = run([here / "out/bin/run.sh", LAB, work, work], here)
    assert code == (1 if case == "broken" else 0)
    if case == "broken":
        assert not (work / "results.json").exists()
    else:
        assert json.loads((work / "results.json").read_text())["status"] == "error"


def test_github_s_summary_is_of_this_run(work: Path, here: Path) -> None:
    """The action may run twice in a job, for two labs."""
    exported("github")
    (here / "smtplab").mkdir()
    (here / "smtplab/summary.md").write_text("all passed")
    (here / f"out/labs/{LAB}/lab.yaml").write_text("id: [")
    script = yaml.safe_load((here / "out/action.yml").read_text())["runs"]["steps"][2]["run"]
    done = step(
        script, here, SUBMISSION=".", HINTS="example", SMTPLAB_ENGINE="auto", GITHUB_ACTION_PATH=str(here / "out"),
        RUNNER_TEMP=str(here), GITHUB_OUTPUT=str(here / "output"), GITHUB_STEP_SUMMARY=str(here / "summary"),
    )  # fmt: skip
    assert done.returncode == 2
    assert not (here / "summary").exists()


def test_ci_removes_committed_reports_before_anything_can_fail(work: Path, here: Path) -> None:
    """What lies there when a job ends is published, whether or not smtplab ran."""
    exported("jenkins")
    first = (
        re.findall(r"sh '''(.*?)'''", (here / "out/Jenkinsfile").read_text(), re.DOTALL)[0]
        .strip()
        .splitlines()[0]
    )
    assert step(first, here, WORKSPACE_TMP=str(here / "tmp")).returncode == 0
    assert not (work / "junit.xml").exists()
    assert not (work / "report.html").exists()
    assert main(["export", "gitlab", LAB, "--out", "gitlab", "--from", ADDRESS]) == 0
    _, jobs = yaml.safe_load_all((here / "gitlab/templates/grade.yml").read_text())
    (work / "junit.xml").mkdir()
    assert step(jobs["smtplab"]["before_script"][0], here).returncode == 0
    artifacts = jobs["smtplab"]["artifacts"]
    assert not [
        name for name in [*artifacts["paths"], *artifacts["reports"].values()] if (work / name).exists()
    ]


@pytest.mark.parametrize(("platform", "path"), [("github", "action.yml"), ("gitlab", "templates/grade.yml")])
def test_every_tier_of_hints_is_named(platform: str, path: str, here: Path) -> None:
    exported(platform)
    assert "none, nudge, pointer, next, example" in (here / "out" / path).read_text()


@pytest.mark.slow
def test_check50_grades_work_with_a_folder_where_its_document_lay(work: Path, here: Path) -> None:
    exported("check50")
    (work / "smtplab.json").unlink()
    (work / "smtplab.json").mkdir()
    (work / "smtplab.json/mine").touch()
    solve(here / "solved")
    (here / "solved/example.com.zone").rename(work / "example.com.zone")
    said = checked(here / "out", work)
    assert {one["passed"] for one in said.values()} == {True}
