"""Signed results: what was changed, renamed, or is another student's is told, and nothing else is."""

from __future__ import annotations

import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from grader import labs
from grader.cli import main
from grader.course.results_folder import SIGNATURE
from grader.course.signing import Signature, Signer, read_signer
from tests import submissions

LAB = "zone-signed"
STUDENTS = ("alice", "bob", "=1+1", "zoë", "two\nlines")


@pytest.fixture(scope="module", autouse=True)
def graded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("signed")
    labs.new(LAB, home / "labs", "zone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SMTPLAB_LABS", str(home / "labs"))
        patch.chdir(home)
        for student in STUDENTS:
            submissions.write("solution", home / "subs" / student, lab=LAB)
        (home / "subs" / "empty").mkdir()
        assert main(["course", "signing-key", "key"]) == 0
        assert grade("grades", "--sign", "key") == 1
        yield home


@pytest.fixture
def here(graded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(graded / "grades", tmp_path / "grades")
    for name in ("key", "key.pub"):
        shutil.copy(graded / name, tmp_path / name)
    (tmp_path / "subs").symlink_to(graded / "subs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def grade(out: str, *more: str) -> int:
    sources = [str(path) for path in sorted(Path("subs").iterdir())]
    return main(["grade", LAB, *sources, "--out", out, "-j", "1", *more])


def check(*given: str) -> int:
    return main(["check-signature", *given, "--key", "key.pub"])


def test_what_is_as_it_was_signed_is_right(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check("grades", "grades/alice", "grades/bob/result.json") == 0
    assert "8 results checked, 0 not as signed" in capsys.readouterr().out
    assert stat.S_IMODE((here / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["result.json", "evidence.json", "report.html", "row.json"])
def test_a_changed_file_is_told(here: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = here / "grades/alice" / name
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))
    assert check("grades") == 1
    assert f"alice: {name} was changed after it was signed" in capsys.readouterr().out


def test_a_result_given_to_somebody_else_is_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(here / "grades/bob")
    shutil.copytree(here / "grades/alice", here / "grades/bob")
    assert check("grades") == 1
    assert "bob: signed as 'alice', and lies in 'bob'" in capsys.readouterr().out
    assert check("grades/alice/result.json", "--student", "bob") == 1
    assert "the result of 'alice', not of 'bob'" in capsys.readouterr().out
    assert check("grades/alice/result.json", "--student", "alice") == 0
    # The signature of one result beside another.
    shutil.copy(here / "grades/zoë" / SIGNATURE, here / "grades/alice" / SIGNATURE)
    assert check("grades/alice/result.json") == 1
    assert "result.json was changed after it was signed" in capsys.readouterr().out


def test_a_signature_that_is_missing_forged_or_another_s_is_told(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = here / "grades/alice" / SIGNATURE
    kept = path.read_bytes()
    signed = msgspec.json.decode(kept, type=Signature)
    path.unlink()
    assert check("grades/alice") == 1
    assert "not signed" in capsys.readouterr().out
    for forged, said in (
        (b"{", "cannot be read"),
        (msgspec.json.encode(msgspec.structs.replace(signed, folder="bob")), "was changed, or is none"),
        (msgspec.json.encode(msgspec.structs.replace(signed, schema="other/1")), "of another version"),
        (Signer(bytes(32)).sign("alice", {}), "signed with another key"),
    ):
        path.write_bytes(forged)
        assert check("grades/alice") == 1
        assert said in capsys.readouterr().out
    path.write_bytes(kept)
    assert check("grades/alice") == 0


def test_openssl_takes_the_signature_too(here: Path) -> None:
    signed = msgspec.json.decode((here / "grades/alice" / SIGNATURE).read_bytes(), type=Signature)
    (here / "statement").write_bytes(signed.statement)
    (here / "signature").write_bytes(signed.signature)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key.pub", "-rawin", "-in", "statement"]
    done = subprocess.run([*command, "-sigfile", "signature"], cwd=here, capture_output=True, check=False)
    assert b"Signature Verified Successfully" in done.stdout, done.stderr


def test_resumed_with_a_key_it_believes_what_the_key_signed(here: Path) -> None:
    graded = {path: path.stat().st_mtime_ns for path in here.glob("grades/*/result.json")}
    evidence = here / "grades/bob/evidence.json"
    evidence.write_bytes(evidence.read_bytes() + b" ")
    (here / "grades/alice" / SIGNATURE).unlink()
    assert grade("grades", "--resume", "--sign", "key") == 1
    again = {path.parent.name for path, time in graded.items() if path.stat().st_mtime_ns != time}
    assert again == {"alice", "bob", "empty"}
    assert check("grades") == 0


def test_resumed_with_one_format_more_it_makes_the_document_and_grades_nobody(here: Path) -> None:
    before = (here / "grades/alice/result.json").read_bytes()
    started = {path.parent.name: path.read_bytes() for path in here.glob("grades/*/evidence.json")}
    formats = ("--format", "json,html,junit,csv,markdown,canvas")
    assert grade("grades", "--resume", "--sign", "key", *formats) == 1
    assert (here / "grades/alice/result.json").read_bytes() == before
    assert {path.parent.name: path.read_bytes() for path in here.glob("grades/*/evidence.json")} == started
    for name in ("alice/report.md", "alice/junit.xml", "report.md", "canvas.csv"):
        assert (here / "grades" / name).is_file()
    assert check("grades") == 0
    # Where the evidence can be read no more, the student is graded again.
    (here / "grades/alice/evidence.json").write_bytes(b"{")
    assert grade("grades", "--resume", "--format", "ctrf") == 1
    assert (here / "grades/alice/ctrf.json").is_file()
    assert (here / "grades/alice/evidence.json").read_bytes() != b"{"


def test_what_is_judged_again_is_signed_again_or_by_nobody_and_merging_keeps_signatures(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["regrade", "grades", "--out", "again", "--exit-zero"]) == 0
    assert check("again") == 1
    assert "alice: not signed" in capsys.readouterr().out
    assert main(["regrade", "grades", "--out", "again", "--sign", "key", "--exit-zero"]) == 0
    assert check("again") == 0
    for shard in (1, 2):
        assert grade(f"s{shard}", "--shard", f"{shard}/2", "--sign", "key") in (0, 1)
    assert main(["merge", "s1", "s2", "--out", "merged", "--exit-zero"]) == 0
    assert check("merged") == 0


def test_keys_that_are_none_are_refused_and_none_is_written_over(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_signer(here / "key").private not in repr(read_signer(here / "key")).encode()
    before = (here / "key").read_bytes()
    assert main(["course", "signing-key", "key"]) == 2
    (here / "key.pub").rename(here / "pub")
    assert main(["course", "signing-key", "key"]) == 2
    assert (here / "key").read_bytes() == before
    capsys.readouterr()
    for command, said in (
        (["check-signature", "grades", "--key", "key"], "holds no public key"),
        (["check-signature", "grades", "--key", "none"], "cannot read the key"),
        (["check-signature", "subs", "--key", "pub"], "holds no results"),
        (["check-signature", "nothing", "--key", "pub"], "there is no result"),
        (["regrade", "grades", "--out", "x", "--sign", "pub"], "holds no signing key"),
        (["regrade", "grades/alice", "--out", "-", "--sign", "key"], "lies beside its result"),
    ):
        assert main(command) == 2
        assert said in capsys.readouterr().err
