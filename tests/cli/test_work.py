"""Commands that are printed work from where the person stands; several labs under way; beginning anew."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from grader import labs
from grader.cli import lastrun, main
from grader.cli.typed import command, program
from grader.cli.work import find_work, work_on
from grader.judge import judge
from grader.model.errors import UsageError
from tests.judge import builders

OWN = Path(sys.prefix) / "bin"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def printed(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """The commands that stand on lines of their own, as a shell would take them."""
    lines = capsys.readouterr().out.splitlines()
    return [shlex.split(line) for line in lines if line.strip().startswith((program(), "smtplab "))]


def test_the_program_is_named_as_a_shell_finds_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{OWN}:{os.environ['PATH']}")
    assert command("check", "a b") == "smtplab check 'a b'"
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert command("labs") == f"{OWN / 'smtplab'} labs"
    monkeypatch.chdir(OWN.parent.parent)
    assert command("labs") == f"{OWN.relative_to(Path.cwd())}/smtplab labs"
    done = subprocess.run([*shlex.split(command("--version"))], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("smtplab ")


def test_start_prints_a_command_that_works_wherever_the_lab_is_put(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["spf-dmarc"], ["knowledge-check"], ["spf-dmarc", "another place"]):
        assert main(["start", *arguments]) == 0
        [line] = printed(capsys)
        assert main(line[1:]) in (0, 1), line
        assert "points" in capsys.readouterr().out


def test_a_work_is_found_from_inside_it_and_from_inside_another(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lab in ("dkim", "open-relay"):
        assert main(["start", lab]) == 0
    for place in (here, here / "work/dkim", here / "work/dkim/opendkim", here / "work/open-relay"):
        monkeypatch.chdir(place)
        for lab in ("dkim", "open-relay"):
            found = work_on(lab)
            assert found is not None
            assert found.resolve() == here / "work" / lab
    monkeypatch.chdir(here / "work/dkim/opendkim")
    found_here = find_work(None, None)
    assert found_here is not None
    assert found_here.folder.resolve() == here / "work/dkim"


def test_which_of_several_labs_is_asked_for_with_a_command_that_works(here: Path) -> None:
    for lab in ("open-relay", "spf-dmarc"):
        assert main(["start", lab]) == 0
    with pytest.raises(
        UsageError, match=r"several labs are under way .* as in '\S*smtplab check open-relay'\Z"
    ):
        find_work(None, None)
    (here / "Makefile").touch()
    with pytest.raises(UsageError, match="'make check LAB=open-relay'"):
        find_work(None, None)


def test_beginning_anew_keeps_the_old_work_beside_it_and_the_same_names(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["start", "open-relay", "--student", "alice", "--seed", "k"]) == 0
    work = here / "work/open-relay"
    given = labs.started(work)
    (work / "main.cf").write_text("mine\n")
    assert main(["start", "open-relay"]) == 2
    assert "start open-relay --again' begins anew" in capsys.readouterr().err
    for number in (1, 2):
        assert main(["start", "open-relay", "--again"]) == 0
        assert labs.started(work) == given
        assert (here / f"work/open-relay.before-{number}").is_dir()
    assert (here / "work/open-relay.before-1/main.cf").read_text() == "mine\n"
    found = find_work(None, None)
    assert found is not None
    assert found.folder == Path("work/open-relay")


def test_labs_are_listed_in_order_with_what_was_begun_and_the_last_score(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["labs"]) == 0
    rows = capsys.readouterr().out.splitlines()
    order = [row.split()[0] for row in rows if " min " in row]
    assert order == ["open-relay", "authenticated-message", "spf-dmarc", "dkim", "knowledge-check"]
    assert rows[-1].startswith("Begin with: ")
    assert main(["start", "dkim"]) == 0
    assert main(["start", "open-relay"]) == 0
    run = builders.evidence(builders.lab(builders.check()), [builders.facts()], [builders.outcome("rcpt")])
    result = judge(run)
    kept = lastrun.LastRun(
        result=type(result)(**{**{f: getattr(result, f) for f in result.__struct_fields__}, "lab": "dkim"})
    )
    lastrun.keep(here / "work/dkim", kept)
    capsys.readouterr()
    assert main(["labs"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert f"{result.score} of {result.max_score}" in next(row for row in rows if row.startswith("dkim"))
    assert " begun " in rows[0]
    assert rows[-1].startswith("Go on with: ")


@pytest.mark.parametrize(
    "entry", [entry for entry in labs.list_labs() if entry.lab], ids=lambda entry: entry.path.name
)
def test_the_handout_names_its_lab_where_it_says_how_to_check(entry: labs.LabFolder) -> None:
    text = (entry.path / "handout.md").read_text()
    assert f"    make check LAB={entry.path.name}\n" in text
    assert "make check`" not in text
