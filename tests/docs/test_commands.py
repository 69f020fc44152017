"""Every command that README and docs show is run as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from grader import labs, verify
from grader.engines.base import Engine
from grader.kinds.program.declare import ProgramCheck
from grader.kinds.quiz.bank import read_bank
from grader.kinds.quiz.declare import Quiz
from grader.kinds.quiz.entries import sheets
from grader.kinds.server.declare import ServerCheck
from grader.kinds.zone.declare import ZoneCheck
from grader.labs.yamlfile import parse
from grader.model.errors import LabError
from grader.model.lab import Check, Wrong
from tests import submissions
from tests.tables import every

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#:]+)\)")


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return [text for kind, text in FENCE.findall(page.read_text()) if kind == language]


def shell(script: str, folder: Path, **variables: str) -> None:
    """Run a script that must succeed to its end."""
    bin_folder = str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "SMTPLAB_DATA": str(folder / "data"),
        **variables,
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
    }
    # What was told the make that runs the tests is not meant for those that they run.
    for name in ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "ARGS"):
        environment.pop(name, None)
    command = ["sh", "-euxc", script]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.engines("local")
@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")], ids=lambda page: page.stem)
def test_the_commands_of_a_page_work_in_their_order(page: Path, engine: Engine, tmp_path: Path) -> None:
    for student in ("alice", "bob"):
        submissions.write("solution", tmp_path / "submissions" / student)
    shell("\n".join(blocks(page, "sh")), tmp_path, SMTPLAB_ENGINE=engine.name)


@pytest.mark.slow
@pytest.mark.engines("docker")
def test_the_commands_of_the_examples_for_ci_work(engine: Engine, tmp_path: Path) -> None:
    github, gitlab, *_ = (yaml.safe_load(text) for text in blocks(ROOT / "docs/grading-a-class.md", "yaml"))
    commands = [step["run"] for step in github["jobs"]["grade"]["steps"] if "run" in step]
    assert commands == gitlab["grade"]["script"]
    submissions.write("solution", tmp_path)
    shell("\n".join(line for line in commands if line.startswith("smtplab ")), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"junit.xml", "report.html"}


@pytest.mark.slow
def test_the_recipes_for_several_machines_grade_a_class_in_four_shards(tmp_path: Path) -> None:
    """Each of four platforms grades one shard: together a class, since all count the shards alike."""
    page = ROOT / "docs/grading-a-class.md"
    *_, gitlab, github, kubernetes = (yaml.safe_load(text) for text in blocks(page, "yaml"))
    [*_, slurm] = blocks(page, "bash")
    [indexes] = re.findall(r"--array=1-(\d+)$", slurm, re.MULTILINE)
    jobs, job = github["jobs"], kubernetes["spec"]
    assert len(jobs["grade"]["strategy"]["matrix"]["shard"]) == gitlab["grade"]["parallel"] == int(indexes)
    assert job["completions"] == 4
    [container] = job["template"]["spec"]["containers"]
    steps = {name: [step["run"] for step in jobs[name]["steps"] if "run" in step] for name in jobs}
    recipes: list[tuple[str, dict[str, str]]] = [
        (shlex.join(container["command"]), {"JOB_COMPLETION_INDEX": "0"}),
        (gitlab["grade"]["script"][-1], {"CI_NODE_INDEX": "2", "CI_NODE_TOTAL": "4"}),
        (steps["grade"][-1], {"SHARD": "3", "SHARDS": "4"}),
        (slurm, {"SLURM_ARRAY_TASK_ID": "4", "SLURM_ARRAY_TASK_COUNT": "4"}),
    ]
    students = ("alice", "bob", "carol")
    for student in students:
        submissions.write("solution", tmp_path / "submissions" / student, lab="spf-dmarc")
    for grade, variables in recipes:
        shell(grade, tmp_path, **variables)
    merge = gitlab["merge"]["script"][-1]
    assert merge == steps["merge"][-1]
    shell(merge, tmp_path)
    book = (tmp_path / "grades/grades.csv").read_text()
    assert [line.split(",")[0] for line in book.splitlines() if "graded" in line] == list(students)


@pytest.mark.slow
@pytest.mark.engines("local")
def test_the_commands_of_the_readme_work_in_a_fresh_clone(engine: Engine, tmp_path: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    first, then, lesson, for_developers = blocks(ROOT / "README.md", "sh")
    shell(first, tmp_path, SMTPLAB_ENGINE=engine.name)
    assert (tmp_path / "work/open-relay/handout.md").is_file()
    shell(then, tmp_path)
    shell(lesson, tmp_path)
    assert (tmp_path / "lesson/index.html").is_file()
    # These are what runs this very test; the Makefile must know them.
    for line in for_developers.splitlines():
        program, target = shlex.split(line)
        subprocess.run([program, "--dry-run", target], cwd=ROOT, capture_output=True, check=True)


@every("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.stem)
def test_links_lead_to_files(page: Path) -> None:
    missing = [target for target in LINK.findall(page.read_text()) if not (page.parent / target).exists()]
    assert missing == []


def _fits(text: str, page: Path, type_: type[Check]) -> bool:
    try:
        return bool(parse(text.encode(), page, list[type_]))  # type: ignore[valid-type]
    except LabError:
        return False


def test_the_examples_of_checks_are_checks_and_those_of_labs_are_labs(tmp_path: Path) -> None:
    page = ROOT / "docs/writing-a-lab.md"
    for text in blocks(page, "yaml"):
        if text.startswith("id: "):
            folder = tmp_path / text.split()[1]
            folder.mkdir()
            (folder / "lab.yaml").write_text(text)
            assert labs.load(folder).all_checks
        elif text.startswith("about: "):
            assert parse(text.encode(), page, Wrong).fails
        else:
            # A check of one kind is none of another, so it is of that kind whose type it fits.
            assert any(_fits(text, page, type_) for type_ in (ServerCheck, ZoneCheck, ProgramCheck)), text


PASTED = re.compile(r"^( *)```yaml\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
AN_EXPECTATION = re.compile(r" +# (expect: .*)$")
CHECK = """\
- code: pasted
  title: What was pasted
  points: 1
  why: It is an example.
  next: Read on.
"""


def _as_checks(snippet: str) -> Iterator[str]:
    """A snippet of the page as whole checks: what is only a part of one gets the rest around it, and stays as it is."""
    if snippet.startswith("- code: "):
        yield snippet
    elif "try:" in snippet:
        yield CHECK + snippet
    else:
        for line in snippet.splitlines():
            told = AN_EXPECTATION.search(line)
            assert told is not None, line
            yield f"{CHECK}  try:\n{line}\n  {told[1]}\n"


def test_each_example_of_a_check_can_be_pasted_below_the_checks_of_a_new_lab(tmp_path: Path) -> None:
    found = [text for _, text in PASTED.findall((ROOT / "docs/writing-a-lab.md").read_text())]
    pasted = [
        check for text in found if not text.startswith(("id: ", "about: ")) for check in _as_checks(text)
    ]
    made = {kind: labs.new(kind, tmp_path, kind) / "lab.yaml" for kind in ("server", "zone")}
    before = {kind: path.read_text() for kind, path in made.items()}
    fitting, refused = [], []
    for check in pasted:
        for kind, path in made.items():
            path.write_text(f"{before[kind]}\n{check}")
            try:
                fitting.append(labs.load(path.parent).all_checks[-1].code)
                if check.startswith("- code: ") and not labs.load(path.parent).needs_engine:
                    solution = verify.trials(path.parent)[0]
                    assert verify.try_one(path.parent, solution, None, None).problem == ""
            except LabError as error:
                refused.append(str(error))
    # A check of one kind is none of another.
    assert all("there is no key" in sentence for sentence in refused)
    assert fitting == ["relay", "spoofed", *["pasted"] * 5]


def test_an_example_of_a_question_can_be_pasted_into_a_new_quiz(tmp_path: Path) -> None:
    question, quiz = blocks(ROOT / "docs/quiz.md", "yaml")
    folder = labs.new("week-4", tmp_path, "quiz")
    before = len(labs.load(folder).all_checks)
    with (folder / "questions.yaml").open("a") as bank:
        bank.write(question)
    assert len(labs.load(folder).all_checks) == before + 1
    declared = (folder / "lab.yaml").read_text()
    (folder / "lab.yaml").write_text(declared[: declared.index("quiz:\n")] + quiz)
    assert len(labs.load(folder).all_checks) > before + 1


def test_the_examples_of_a_quiz_are_one(tmp_path: Path) -> None:
    page = ROOT / "docs/quiz.md"
    questions, quiz = blocks(page, "yaml")
    (tmp_path / "questions.yaml").write_text(questions)
    assert len(read_bank([tmp_path / "questions.yaml"], sheets())) == 1
    declared = msgspec.convert(parse(quiz.encode(), page, dict[str, Any])["quiz"], Quiz)
    assert declared.draw == 10
