"""Exported autograders: what is in them, and that each does its work where its platform would run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from grader import labs
from grader.bundles import PLATFORMS
from grader.cli import main
from tests.bundles.conftest import Run
from tests.bundles.unpacking import unpack

ROOT = Path(__file__).parent.parent.parent
VENV = Path(sys.prefix)
ADDRESS = "git+https://git.example.edu/course/smtplab@v1"
STOPS = "Gradescope grades in a container without namespaces and without Docker, and the lab open-relay needs a server"


def solve(folder: Path, lab: str = "spf-dmarc") -> None:
    """Put the solution of the canonical variant into a folder."""
    found = labs.find(lab)
    folder.mkdir(parents=True)
    for name, data in labs.render_submission(
        found / "solution", labs.draw_variant(labs.load(found))
    ).files.items():
        (folder / name).write_bytes(data)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_bundle_is_whole_and_holds_no_solution(platform: str, here: Path) -> None:
    assert main(["export", platform, "spf-dmarc", "--from", ADDRESS]) == 0
    out = here / f"spf-dmarc-{platform}"
    texts = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    if archive := PLATFORMS[platform].archive:
        unpack(out / archive, here / "unpacked")
        texts |= {
            str(path.relative_to(here / "unpacked")): path.read_bytes()
            for path in (here / "unpacked").rglob("*")
            if path.is_file()
        }
    assert len(texts["README.md"].splitlines()) == 7
    assert any(name.endswith("labs/spf-dmarc/lab.yaml") for name in texts)
    assert not [name for name in texts if {"solution", "correct", "wrong"} & set(Path(name).parts)]
    assert not [name for name, data in texts.items() if b"@install@" in data or b"@lab@" in data]
    assert [name for name, data in texts.items() if ADDRESS.encode() in data]
    assert not [name for name, data in texts.items() if b"smtplab==" in data]


def test_gradescope_s_archive_has_its_scripts_at_the_root_and_executable(here: Path) -> None:
    assert main(["export", "gradescope", "knowledge-check", "--out", "out", "--from", ADDRESS]) == 0
    with zipfile.ZipFile("out/autograder.zip") as packed:
        modes = {one.filename: one.external_attr >> 16 & 0o777 for one in packed.infolist()}
    assert {modes[name] for name in ("setup.sh", "run_autograder")} == {0o755}
    assert sorted(path.name for path in Path("out").iterdir()) == ["README.md", "autograder.zip"]


def test_a_wheel_travels_with_the_bundle_and_is_what_is_installed(here: Path) -> None:
    wheel = here / "smtplab-9.9-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("grader/__init__.py", "")
    assert main(["export", "prairielearn", "spf-dmarc", "--out", "out", "--wheel", str(wheel)]) == 0
    with zipfile.ZipFile(here / "out" / wheel.name) as archive:
        assert archive.namelist() == ["grader/__init__.py"]
    assert f'pip install --no-cache-dir "./{wheel.name}"' in (here / "out/Dockerfile").read_text()
    assert main(["export", "gradescope", "spf-dmarc", "--out", "zip", "--wheel", str(wheel)]) == 0
    with zipfile.ZipFile("zip/autograder.zip") as packed:
        assert f'pip install --no-cache-dir "/autograder/source/{wheel.name}"'.encode() in packed.read(
            "setup.sh"
        )
        assert wheel.name in packed.namelist()


def test_prairielearn_s_question_offers_what_is_handed_out_and_asks_for_the_lab_s_files(here: Path) -> None:
    assert main(["export", "prairielearn", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    question = here / "out/questions/spf-dmarc"
    info = json.loads((question / "info.json").read_text())
    assert info["gradingMethod"] == "External"
    assert info["externalGradingOptions"]["entrypoint"] == "/grade/serverFilesCourse/smtplab/run"
    assert 'file-names="example.com.zone"' in (question / "question.html").read_text()
    assert {path.name for path in (question / "clientFilesQuestion").iterdir()} == {
        "handout.md", "example.com.zone", "newsletter-key.txt",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gradescope", "open-relay"], STOPS),
        (["gradescope", "open-relay"], "--offline makes a bundle that collects the work"),
        (["gradescope", "spf-dmarc", "--offline"], "leave --offline out"),
        (["vpl", "open-relay", "--offline"], "leave --offline out"),
        (["autolab", "open-relay", "--offline"], "does not read what Autolab lets you download"),
        (["prairielearn", "open-relay", "--offline"], "does not read what PrairieLearn lets you download"),
        (["gradescope", "open-relay", "--offline", "--from", ADDRESS], "leave --wheel and --from out"),
        (["inginious", "open-relay"], "INGInious grades in a container without namespaces"),
        (
            ["canvas", "spf-dmarc"],
            "there is no bundle for 'canvas': Canvas has no autograder: grade what it lets you download",
        ),
        (["submitty", "spf-dmarc"], "those commands alone that its site allows"),
        (["artemis", "open-relay"], "Artemis grades in a container without namespaces"),
        (
            ["check50", "spf-dmarc", "--wheel", "smtplab-9.9-py3-none-any.whl"],
            "installs nothing from a bundle",
        ),
        (
            ["check50", "spf-dmarc", "--course", "course.yaml", "--from", ADDRESS],
            "students can read all of the lab, so nothing can be hidden from them",
        ),
        (["gradscope", "open-relay"], "there is no bundle for 'gradscope'; did you mean 'gradescope'?"),
        (
            ["gradescope", "spf-dmarc", "--out", "there"],
            "'there' is there already: name another folder with --out",
        ),
        (
            ["gradescope", "spf-dmarc", "--wheel", "none.whl"],
            "there is no wheel 'none.whl': make one with 'make wheel'",
        ),
        (
            ["gradescope", "spf-dmarc", "--out", "file/below", "--from", ADDRESS],
            "cannot be written to 'file/below'",
        ),
        (
            ["github", "open-relay"],
            "GitHub Actions must be told where smtplab comes from, which no package index has: give",
        ),
        (
            ["gradescope", "spf-dmarc"],
            "Gradescope must be told where smtplab comes from, which no package index",
        ),
        (["gitlab", "open-relay", "--from", "git+https://x/$(id)"], "is no address to install from"),
        (["jenkins", "open-relay", "--from", 'https://x/"'], "is no address to install from"),
        (["jenkins", "open-relay", "--from", ADDRESS, "--wheel", "file"], "keep one"),
        (["github", "open-relay", "--wheel", "file"], "'file' is no name of a wheel"),
        (["github", "open-relay", "--wheel", "smtplab-9.9-py3-none-any.whl"], "any.whl' is no wheel"),
    ],
    ids=[
        "server",
        "server-offline",
        "no-server",
        "runs-there",
        "autolab-offline",
        "prairielearn-offline",
        "offline-installs",
        "inginious-server",
        "canvas",
        "submitty",
        "artemis-server",
        "check50-wheel",
        "check50-hides",
        "platform",
        "there",
        "wheel",
        "unwritable",
        "nowhere",
        "no-index",
        "address",
        "quote",
        "both",
        "no-wheel",
        "no-zip",
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(
    arguments: list[str], said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "there").mkdir()
    (here / "file").touch()
    (here / "smtplab-9.9-py3-none-any.whl").touch()
    (here / "course.yaml").write_text("title: Mail\nlabs: {spf-dmarc: {visibility: {spf-record: never}}}\n")
    before = sorted(path.name for path in here.iterdir())
    assert main(["export", *arguments]) in (2, 3)
    assert said in capsys.readouterr().err
    assert sorted(path.name for path in here.iterdir()) == before


@pytest.mark.parametrize(
    ("handed", "status"),
    [
        (["main.cf"], "passed"),
        (["mine/main.cf"], "passed"),
        (["main.cf.txt"], "failed"),
        ([], "failed"),
    ],
)
def test_gradescope_collects_what_is_graded_elsewhere(handed: list[str], status: str, here: Path) -> None:
    assert main(["export", "gradescope", "open-relay", "--offline", "--out", "out"]) == 0
    assert len((here / "out/README.md").read_text().splitlines()) == 7
    home = here / "autograder"
    unpack(Path("out/autograder.zip"), home / "source")
    assert sorted(path.name for path in (home / "source").iterdir()) == [
        "asked-for.txt", "collected.json", "incomplete.json", "run_autograder", "setup.sh",
    ]  # fmt: skip
    (home / "submission").mkdir()
    for name in handed:
        (home / "submission" / name).parent.mkdir(exist_ok=True)
        (home / "submission" / name).touch()
    outside(["bash", str(home / "source/run_autograder")], home, AUTOGRADER_HOME=str(home))
    made = json.loads((home / "results/results.json").read_text())
    (test,) = made["tests"]
    assert (test["status"], test["score"], test["max_score"]) == (status, 0, 0), "0 of 0 is no grade"
    assert "score" not in made
    assert "main.cf" in test["output"]
    assert "no grade here yet" in made["output"]


CASES = {"right": (100, True), "empty": (None, True), "broken": (None, False)}
"""What is handed in; the score, and whether the grader did its work."""


@pytest.mark.slow
@pytest.mark.engines("docker")
@pytest.mark.parametrize("case", CASES)
def test_gradescope_s_runs_in_a_plain_container(case: str, contained: Run, here: Path) -> None:
    assert main(["export", "gradescope", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    home = here / "autograder"
    with zipfile.ZipFile("out/autograder.zip") as packed:
        packed.extractall(home / "source")
    (home / "source/run_autograder").chmod(0o755)
    handed_in(home / "submission", home / "source/labs/spf-dmarc", case)
    contained("/autograder/source/run_autograder", {home: "/autograder"})
    results = home / "results/results.json"
    if not CASES[case][1]:
        assert not results.exists()
        return
    document: dict[str, Any] = json.loads(results.read_text())
    assert document.get("score") == CASES[case][0]
    if case == "empty":
        assert "holds no example.com.zone" in document["output"]


@pytest.mark.slow
@pytest.mark.engines("docker")
@pytest.mark.parametrize("case", CASES)
def test_prairielearn_s_runs_in_a_plain_container(case: str, contained: Run, here: Path) -> None:
    assert main(["export", "prairielearn", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    grade = here / "out/serverFilesCourse"
    handed_in(here / "student", grade / "smtplab/labs/spf-dmarc", case)
    (here / "results").mkdir()
    mounts = {
        grade: "/grade/serverFilesCourse",
        here / "student": "/grade/student",
        here / "results": "/grade/results",
    }
    code = contained("/grade/serverFilesCourse/smtplab/run", mounts)
    assert (code == 0) is CASES[case][1]
    if code:
        return
    document = json.loads((here / "results/results.json").read_text())
    assert document["gradable"] is (case == "right")
    assert document.get("score") == (1.0 if case == "right" else None)


def handed_in(folder: Path, lab: Path, case: str) -> None:
    """A solution; nothing; a solution and a lab that cannot be read, which is the course's fault."""
    if case == "empty":
        folder.mkdir(parents=True)
    else:
        solve(folder)
    if case == "broken":
        (lab / "lab.yaml").write_text("id: [")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_classroom_50_s_makes_a_whole_result(case: str, here: Path) -> None:
    """With all keys of ``classroom50/result/v1``; such a result was validated by its schema outside the project."""
    assert main(["export", "classroom50", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    handed_in(here / "work", here / "out/labs/spf-dmarc", case)
    told = {
        "CLASSROOM": "mail", "ASSIGNMENT": "spf", "ASSIGNMENT_TYPE": "individual", "OWNER": "alice",
        "SUBMISSION_TAG": "submit/1", "COMMIT_URL": "c", "RELEASE_URL": "r", "REVIEW_URL": "v",
        "SMTPLAB_INSTALLED": "yes", "PATH": f"{VENV / 'bin'}:{os.environ['PATH']}",
    }  # fmt: skip
    code = subprocess.run(
        [sys.executable, here / "out/autograder.py"],
        cwd=here / "work",
        env={**os.environ, **told},
        check=False,
    ).returncode
    assert (code == 0) is CASES[case][1]
    if code:
        assert not (here / "work/result.json").exists()
        return
    made = json.loads((here / "work/result.json").read_text())
    assert set(made) == {
        "schema", "classroom", "assignment", "assignment_type", "owner", "submission", "commit", "release", "review",
        "datetime", "score", "max-score", "tests",
    }  # fmt: skip
    assert (made["score"], made["max-score"]) == ((100, 100) if case == "right" else (0, 0))
    assert (here / "work/release-body.md").read_text().startswith("# Who may send as you")


def outside(command: list[str], folder: Path, **variables: str) -> str:
    """What a command prints that finds smtplab on its path, unless the variables say another one.

    Nothing tells it of a make around the tests: make would say then which folder it enters and leaves.
    """
    path = f"{VENV / 'bin'}:{os.environ['PATH']}"
    around = {
        name: value for name, value in os.environ.items() if name not in ("MAKELEVEL", "MAKEFLAGS", "MFLAGS")
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env={**around, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


@pytest.mark.parametrize("case", ["right", "empty"])
def test_what_the_course_hides_is_hidden_where_its_bundle_grades(
    case: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "course.yaml").write_text("title: Mail\nlabs: {spf-dmarc: {visibility: {spf-record: never}}}\n")
    assert main(["export", "vpl", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    handed_in(here / "work", here / "nowhere", case)
    title = next(
        check for check in labs.load(labs.find("spf-dmarc")).all_checks if check.code == "spf-record"
    ).title
    lab = str(here / "out/jail/labs/spf-dmarc")
    capsys.readouterr()
    main(["check", lab, "work", "--html", "report.html", "--vpl", "vpl.txt", "--junit", "junit.xml", "-v"])
    shown = [
        capsys.readouterr().out,
        *(Path(name).read_text() for name in ("report.html", "vpl.txt", "junit.xml")),
    ]
    assert [text for text in shown if title in text or "spf-dmarc/spf-record" in text] == []
    assert "A check that is not shown" in shown[1]


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_autolab_s_prints_scores_last_or_none(case: str, here: Path) -> None:
    """As Tango does: the Makefile under its own name, the archive and the hand-in in one folder, and ``make``."""
    assert main(["export", "autolab", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    readme = (here / "out/README.md").read_text()
    handed_in(here / "work", here / "nowhere", "right" if case == "broken" else case)
    shutil.make_archive(str(here / "out/handin"), "zip", here / "work")
    if case == "broken":
        with tarfile.open(here / "out/autograde.tar", "w"):
            pass
    (here / "out/autograde-Makefile").rename(here / "out/Makefile")
    last = outside(["make"], here / "out").rstrip().splitlines()[-1]
    if case == "right":
        scores = json.loads(last)["scores"]
        assert sum(scores.values()) == 100
        assert ", ".join(f"{code} {points}" for code, points in scores.items()) in readme
    else:
        assert not last.startswith("{")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_moodle_vpl_s_grades_the_files_that_were_handed_in(case: str, here: Path) -> None:
    """As VPL's jail does: the script for evaluation, then what it made, beside files of VPL's own."""
    assert main(["export", "vpl", "spf-dmarc", "--out", "out", "--from", ADDRESS]) == 0
    handed_in(here / "work", here / "nowhere", "right" if case == "broken" else case)
    shutil.copy("out/activity/vpl_evaluate.sh", here / "work")
    lines = [
        "export VPL_GRADEMAX=100",
        *(["export VPL_SUBFILE0=example.com.zone"] if case != "empty" else []),
    ]
    (here / "work/vpl_environment.sh").write_text("\n".join(lines) + "\n")
    outside(["bash", "vpl_evaluate.sh"], here / "work")
    given = {"SMTPLAB_LABS": str(here / "out/jail/labs")} | (
        {"PATH": "/usr/bin:/bin"} if case == "broken" else {}
    )
    said = outside(["./vpl_execution"], here / "work", **given)
    assert said.count("Grade :=>>100\n") == (2 if case == "right" else 0)
    assert said.count("Grade :=>>") == (2 if case == "right" else 0)
    assert {"right": "100 of 100 points", "empty": "example.com.zone", "broken": "no fault of yours"}[
        case
    ] in said
