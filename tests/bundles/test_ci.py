"""Exported CI: its files are what GitHub and GitLab take, and their steps grade as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from junitparser import JUnitXml

from grader.cli import main
from tests.bundles.test_bundles import ADDRESS, VENV, solve

pytestmark = pytest.mark.slow

LAB = "spf-dmarc"
CODES = {"right": 0, "wrong": 1, "empty": 2, "broken": 2}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def exported(platform: str, here: Path, case: str) -> Path:
    """The bundle, and beside it the checkout of a student whose work is as the case says."""
    assert main(["export", platform, LAB, "--out", "grader", "--from", ADDRESS]) == 0
    solve(here / "work")
    # A checkout holds more than what is handed in.
    (here / "work/.github/workflows").mkdir(parents=True)
    (here / "work/README.md").write_text("mine\n")
    zone = here / "work/example.com.zone"
    if case == "wrong":
        zone.write_text(zone.read_text().replace("-all", "+all"))
    elif case == "empty":
        zone.unlink()
    elif case == "broken":
        (here / "grader/labs" / LAB / "lab.yaml").write_text("id: [")
    return here / "grader"


def step(script: str, here: Path, **told: str) -> subprocess.CompletedProcess[str]:
    """A step as runners run it: a script of its own, in the checkout, by a shell that stops at errors."""
    (here / "step.sh").write_text(script)
    environment = {**os.environ, "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}", **told}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", here / "step.sh"],
        cwd=here / "work",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def fits(schema: str, *paths: Path) -> None:
    """Check files by the schema that the consumer publishes, as the library check-jsonschema carries it."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_github_s_and_gitlab_s_files_fit_their_schemas(here: Path) -> None:
    for platform in ("github", "gitlab"):
        assert main(["export", platform, LAB, "--out", platform, "--from", ADDRESS]) == 0
    fits("vendor.github-actions", here / "github/action.yml")
    fits("vendor.github-workflows", here / "github/workflow.yml")
    # The schema is of one document of a file; the first says what may be filled in, and the second holds the jobs.
    for name, text in zip(("spec", "jobs"), component(here / "gitlab"), strict=True):
        (here / f"{name}.yml").write_text(text)
    fits("vendor.gitlab-ci", here / "spec.yml", here / "jobs.yml", here / "gitlab/gitlab-ci.yml")


def component(bundle: Path) -> list[str]:
    """Both documents of GitLab's component: its header, and its jobs."""
    return re.split(r"^---\n", (bundle / "templates/grade.yml").read_text(), flags=re.MULTILINE)


def test_gitlab_s_component_declares_all_that_it_uses_and_is_given(here: Path) -> None:
    """What the schema cannot say, by GitLab's documentation (doc/ci/inputs): names, types, options and defaults."""
    assert main(["export", "gitlab", LAB, "--out", "gitlab", "--from", ADDRESS]) == 0
    header, jobs = component(here / "gitlab")
    document = yaml.safe_load(header)
    assert list(document) == ["spec"]
    declared: dict[str, dict[str, Any]] = document["spec"]["inputs"]
    used = re.findall(r"\$\[\[ *(.*?) *\]\]", jobs)
    assert {name.removeprefix("inputs.") for name in used} == set(declared)
    assert "$[[" not in header
    for about in declared.values():
        assert about.keys() <= {"description", "default", "options", "type", "regex"}
        assert isinstance(
            about.get("default", ""), {"string": str, "boolean": bool}[about.get("type", "string")]
        )
        assert about.get("default") in about.get("options", [about.get("default")])
    (included,) = yaml.safe_load((here / "gitlab/gitlab-ci.yml").read_text())["include"]
    assert included["inputs"].keys() >= {name for name, about in declared.items() if "default" not in about}
    assert included["inputs"].keys() <= declared.keys()
    # The component's name is the name of its file in templates.
    assert included["component"].partition("@")[0].endswith("/COURSE/GRADER/grade")


def test_jenkins_s_file_holds_what_a_declarative_pipeline_may(here: Path) -> None:
    """Its sections and their order of nesting, by Jenkins's book (Pipeline Syntax). As Groovy it was parsed outside."""
    assert main(["export", "jenkins", LAB, "--out", "jenkins", "--from", ADDRESS]) == 0
    text = re.sub(r"'''.*?'''", "''", (here / "jenkins/Jenkinsfile").read_text(), flags=re.DOTALL)
    text = re.sub(r"//.*|'[^'\n]*'", "", text)
    found: list[str] = []
    around: list[str] = []
    for word, bracket in re.findall(r"(\w*)(?:\([^()]*\))?\s*([{}])", text):
        if bracket == "}":
            around.pop()
            continue
        found.append(" ".join([*around, word]))
        around.append(word)
    assert around == []
    assert set(found) == {
        "pipeline", "pipeline options", "pipeline parameters", "pipeline stages", "pipeline stages stage",
        "pipeline stages stage steps", "pipeline post", "pipeline post always",
    }  # fmt: skip
    assert re.search(r"^\s*agent any$", text, re.MULTILINE)


@pytest.mark.parametrize("case", CODES)
def test_github_s_step_grades_a_checkout(case: str, here: Path) -> None:
    grader = exported("github", here, case)
    action = yaml.safe_load((grader / "action.yml").read_text())
    assert ADDRESS in action["runs"]["steps"][1]["run"]
    grade: dict[str, Any] = action["runs"]["steps"][2]
    told = {
        name: action["inputs"][value.removeprefix("${{ inputs.").removesuffix(" }}")]["default"]
        for name, value in grade["env"].items()
    }
    (here / "summary").write_text("an earlier step\n")
    done = step(
        grade["run"], here, **told, GITHUB_ACTION_PATH=str(grader), RUNNER_TEMP=str(here),
        GITHUB_OUTPUT=str(here / "output"), GITHUB_STEP_SUMMARY=str(here / "summary"),
    )  # fmt: skip
    assert done.returncode == CODES[case], done.stderr
    assert (here / "output").read_text() == f"report={here}/smtplab/report.html\n"
    summary = (here / "summary").read_text()
    assert summary.startswith("an earlier step\n")
    assert ("# Who may send as you" in summary) is (case != "broken")
    assert ("::error" in done.stdout) is (case in ("wrong", "empty"))
    assert (here / "smtplab/report.html").exists() is (case != "broken")


@pytest.mark.parametrize("case", CODES)
def test_gitlab_s_script_clones_the_grader_and_grades_a_checkout(case: str, here: Path) -> None:
    grader = exported("gitlab", here, case)
    commit(grader)
    spec, jobs = yaml.safe_load_all((grader / "templates/grade.yml").read_text())
    given = {name: about.get("default", "COURSE/GRADER") for name, about in spec["spec"]["inputs"].items()}
    job = jobs["smtplab"]
    server = {
        "CI_SERVER_PROTOCOL": "https", "CI_JOB_TOKEN": "token", "CI_SERVER_FQDN": "git.example.edu",
        "CI_PROJECT_DIR": str(here / "work"),
        # Where that address leads is all that is different here.
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{grader}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://gitlab-ci-token:token@git.example.edu/COURSE/GRADER.git",
    }  # fmt: skip

    def filled(text: str) -> str:
        return re.sub(r"\$\[\[ inputs\.(\w+) \]\]", lambda found: given[found[1]], text)

    told = {
        name: re.sub(r"\$(CI_\w+)", lambda found: server[found[1]], filled(value))
        for name, value in job["variables"].items()
    }
    *before, install = map(filled, job["before_script"])
    assert ADDRESS in install
    done = step("\n".join([*before, *map(filled, job["script"])]), here, **server, **told)
    assert done.returncode == CODES[case], done.stderr
    artifacts = [*job["artifacts"]["paths"], *job["artifacts"]["reports"].values()]
    there = [name for name in artifacts if (here / "work" / name).is_file()]
    assert there == (artifacts if case != "broken" else [])


@pytest.mark.parametrize("case", CODES)
def test_jenkins_s_steps_clone_the_grader_and_grade_a_checkout(case: str, here: Path) -> None:
    grader = exported("jenkins", here, case)
    commit(grader)
    text = (grader / "Jenkinsfile").read_text()
    assert text.count("{") == text.count("}")
    install, grade = re.findall(r"sh '''(.*?)'''", text, re.DOTALL)
    told = {"WORKSPACE_TMP": str(here / "tmp dir"), "GRADER": str(grader)}
    (here / "tmp dir").mkdir()
    remove, clone, _, pip = install.strip().splitlines()
    assert ADDRESS in pip
    assert step(f"{remove}\n{clone}", here, **told).returncode == 0
    (here / "tmp dir/smtplab").mkdir()
    (here / "tmp dir/smtplab/bin").symlink_to(VENV / "bin")
    # In Groovy's ''' a backslash is written twice.
    done = step(grade.replace("\\\\", "\\"), here, **told)
    assert done.returncode == (0 if case != "broken" else 2), done.stderr
    assert (here / "work/junit.xml").is_file() is (case != "broken")
    if case != "broken":
        # What makes a build unstable.
        (suite,) = JUnitXml.fromfile(str(here / "work/junit.xml"))
        assert (suite.failures + suite.errors > 0) is (case != "right")


def commit(folder: Path) -> None:
    who = ["-c", "user.name=course", "-c", "user.email=course@school.example"]
    for command in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "-m", "The lab"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    assert shutil.which("git")
