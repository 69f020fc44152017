"""Grades given back to platforms: what is sent, what never is, and what is not sent twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from msgspec.structs import replace

from grader.cli import main
from grader.course.publish import web
from grader.course.publish.outgoing import outgoing
from grader.course.results_folder import documents, write_folder
from grader.model.result import Person, refused
from tests.course.publish.platforms import LINE_ITEM, TOKEN, Platforms, serving
from tests.outputs.samples import check, result

SECRET = "zanzibar"
RIGHT = [check("starts"), check("leaks", "fail")]
ROWS = {
    "alice": (RIGHT, Person(canvas="1001", email="alice@school.example")),
    "bob": ([check("starts"), check("leaks")], Person(login="bob")),
    "zoë/1": ([check("starts"), check("leaks", "fail", title=SECRET, visibility="never")], Person()),
    "=nobody": (RIGHT, Person(login="nobody")),
    "lost": ([check("starts"), check("leaks", "error")], Person(login="lost")),
    "later": ([check("starts"), check("leaks", "manual")], Person(login="later")),
    "refused": (RIGHT, Person(login="refused")),
}
NOT_GRADES = {"lost", "later", "refused"}


@pytest.fixture(scope="module")
def pem() -> bytes:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.fixture
def platforms(pem: bytes) -> Iterator[Platforms]:
    key = serialization.load_pem_private_key(pem, None)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    with serving(public) as found:
        yield found


@pytest.fixture
def grades(tmp_path: Path, pem: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "tool.pem").write_bytes(pem)
    (tmp_path / "users.csv").write_text(
        "student,sub\n"
        + "".join(f"{student},sub-{number}\n" for number, student in enumerate(ROWS) if number != 3)
    )
    for number, (student, (checks, person)) in enumerate(ROWS.items()):
        made = result(checks, student=student, person=person, assignment={"canvas": "34"})
        if student == "refused":
            made = refused(made, "there is no main.cf")
        write_folder(tmp_path / "grades" / str(number), documents(made, None, ["json"]))
    return tmp_path / "grades"


def command(name: str, platforms: Platforms) -> list[str]:
    head = ["publish", name, "grades"]
    if name == "canvas":
        return [*head, "--url", platforms.url, "--course-id", "12", "--token-file", "token"]
    if name == "moodle":
        return [*head, "--url", platforms.url, "--assignment", "34", "--token-file", "token"]
    item = f"{platforms.url}{LINE_ITEM}?type=1"
    return [
        *head, "--line-item", item, "--token-url", f"{platforms.url}/token", "--client-id", "tool",
        "--key", "tool.pem", "--users", "users.csv",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["canvas", "moodle", "lti"])
def test_a_dry_run_sends_nothing_and_sending_sends_each_grade_once(
    name: str, grades: Path, platforms: Platforms, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(name, platforms)) == (1 if name == "lti" else 0)
    assert "Nothing was sent: add --send." in capsys.readouterr().out
    assert platforms.grades == []
    assert platforms.tokens == 0
    assert main([*command(name, platforms), "--send"]) == 1
    said = capsys.readouterr().out
    assert "=nobody: 10 of 15, not taken" in said
    assert len(platforms.grades) == (6 if name == "lti" else 3)
    assert SECRET not in json.dumps(platforms.grades)
    assert main([*command(name, platforms), "--send"]) == 1
    assert f"{len(platforms.grades)} sent before" in capsys.readouterr().out
    assert len(platforms.grades) == (6 if name == "lti" else 3)
    log = (grades / "published.jsonl").read_text()
    sent = [json.loads(line)["student"] for line in log.splitlines()]
    assert sent == ["alice", "bob", *(["later", "lost", "refused"] if name == "lti" else []), "zoë/1"]
    assert TOKEN not in log


def test_canvas_gets_points_and_a_comment_by_whatever_it_knows_a_student(
    grades: Path, platforms: Platforms
) -> None:
    main([*command("canvas", platforms), "--send"])
    sent = {one["user"]: one for one in platforms.grades}
    assert {user: one["submission[posted_grade]"] for user, one in sent.items()} == {
        "1001": "10", "sis_login_id:bob": "15", "hex:sis_user_id:7a6fc3ab2f31": "10",
    }  # fmt: skip
    assert "10 of 15 points" in sent["1001"]["comment[text_comment]"]
    assert "not shown" in sent["hex:sis_user_id:7a6fc3ab2f31"]["comment[text_comment]"]


def test_moodle_is_asked_who_it_is(grades: Path, platforms: Platforms) -> None:
    main([*command("moodle", platforms), "--send"])
    assert {one["userid"]: one["grade"] for one in platforms.grades} == {"7": "15", "8": "10", "9": "10"}
    assert {one["assignmentid"] for one in platforms.grades} == {"34"}


def test_lti_is_told_why_there_is_no_score_and_gets_one_token(grades: Path, platforms: Platforms) -> None:
    main([*command("lti", platforms), "--send"])
    told = {one["userId"]: one for one in platforms.grades}
    students = dict(zip(ROWS, (f"sub-{number}" for number in range(len(ROWS))), strict=True))
    assert platforms.tokens == 1
    assert (told[students["alice"]]["scoreGiven"], told[students["alice"]]["scoreMaximum"]) == (10, 15)
    progress = {student: told[sub]["gradingProgress"] for student, sub in students.items() if sub in told}
    assert progress == {
        "alice": "FullyGraded", "bob": "FullyGraded", "zoë/1": "FullyGraded", "lost": "Failed",
        "later": "PendingManual", "refused": "NotReady",
    }  # fmt: skip
    assert [student for student in NOT_GRADES if "scoreGiven" in told[students[student]]] == []
    assert sorted(times := [one["timestamp"] for one in platforms.grades]) == times


def test_a_platform_that_goes_down_is_given_the_rest_later_and_what_changed_again(
    grades: Path, platforms: Platforms, capsys: pytest.CaptureFixture[str]
) -> None:
    platforms.down = 1
    assert main([*command("canvas", platforms), "--send"]) == 3
    assert "takes nothing for now (503" in capsys.readouterr().err
    platforms.down = None
    log = grades / "published.jsonl"
    log.write_bytes(log.read_bytes() + b'{"time": "cut o')
    changed = result(
        ROWS["alice"][0][:1], student="alice", person=ROWS["alice"][1], assignment={"canvas": "34"}
    )
    assert main([*command("canvas", platforms), "--send"]) == 1
    assert len(platforms.grades) == 3
    write_folder(grades / "0", documents(changed, None, ["json"]))
    assert main([*command("canvas", platforms), "--send"]) == 1
    assert [one["submission[posted_grade]"] for one in platforms.grades if one["user"] == "1001"] == [
        "10",
        "10",
    ]
    assert len(platforms.grades) == 4


def test_a_platform_that_has_no_time_is_asked_again(
    grades: Path, platforms: Platforms, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(web, "PAUSE_SECONDS", 0.01)
    platforms.busy = 3
    assert main([*command("canvas", platforms), "--send"]) == 1
    assert len(platforms.grades) == 3
    monkeypatch.setattr(web, "BUSY_SECONDS", 0.0)
    (grades / "published.jsonl").unlink()
    platforms.busy = 1
    assert main([*command("canvas", platforms), "--send"]) == 3
    assert "takes nothing for now (403 403 Forbidden (Rate Limit Exceeded))" in capsys.readouterr().err


def test_canvas_s_refusal_of_one_student_stops_nobody_else(
    grades: Path, platforms: Platforms, capsys: pytest.CaptureFixture[str]
) -> None:
    platforms.unassigned.add("1001")
    assert main([*command("canvas", platforms), "--send"]) == 1
    assert "alice: 10 of 15, not taken (403" in capsys.readouterr().out
    assert {one["user"] for one in platforms.grades} == {"sis_login_id:bob", "hex:sis_user_id:7a6fc3ab2f31"}


def test_a_grade_that_moodle_drops_without_a_word_counts_as_not_taken(
    grades: Path, platforms: Platforms, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    platforms.locked.add("8")
    monkeypatch.setattr("tests.course.publish.platforms.MOODLE_MAXIMUM", 12)
    assert main([*command("moodle", platforms), "--send"]) == 1
    said = capsys.readouterr().out
    assert "alice: 10 of 15, not taken (Moodle did not keep it" in said
    assert "bob: 15 of 15, not taken (Moodle did not keep it" in said
    assert [one["userid"] for one in platforms.grades] == ["9"]
    sent = [json.loads(line)["student"] for line in (grades / "published.jsonl").read_text().splitlines()]
    assert sent == ["zoë/1"]
    platforms.locked.clear()
    monkeypatch.setattr("tests.course.publish.platforms.MOODLE_MAXIMUM", 15)
    main([*command("moodle", platforms), "--send"])
    assert [one["userid"] for one in platforms.grades] == ["9", "8", "7"]


def test_a_score_that_lti_has_is_not_taken_away_by_a_grader_that_failed(
    grades: Path, platforms: Platforms, capsys: pytest.CaptureFixture[str]
) -> None:
    main([*command("lti", platforms), "--send"])
    failed = result(
        [check("starts"), check("leaks", "error")],
        student="alice", person=ROWS["alice"][1], assignment={"canvas": "34"},
    )  # fmt: skip
    write_folder(grades / "0", documents(failed, None, ["json"]))
    capsys.readouterr()
    main([*command("lti", platforms), "--send"])
    assert (
        "alice: no score, kept back (the grader failed, which costs nobody a point; the score sent before stays)"
        in (capsys.readouterr().out)
    )
    assert len(platforms.grades) == 6


def test_whatever_is_no_grade_has_no_score() -> None:
    for student, (checks, person) in ROWS.items():
        made = result(checks, student=student, person=person)
        [one] = outgoing([refused(made, "x") if student == "refused" else made])
        assert (one.score is None) is (student in NOT_GRADES)
        assert one.digest != replace(one, comment="other").digest


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (["--url", "http://canvas.example.edu"], 2, "no address to send grades to"),
        (["--url", "ftp://127.0.0.1"], 2, "no address to send grades to"),
        (["--token-file", "none"], 2, "cannot read the token"),
        (["--token-file", "users.csv"], 3, "refuses the token"),
    ],
)
def test_what_cannot_be_sent_is_said(
    change: list[str],
    code: int,
    said: str,
    grades: Path,
    platforms: Platforms,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*command("canvas", platforms), *change, "--send"]) == code
    assert said in capsys.readouterr().err
    assert platforms.grades == []
    assert not (grades / "published.jsonl").exists() or not (grades / "published.jsonl").read_bytes()
