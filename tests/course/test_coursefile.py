"""``course.yaml``: made new, read, refused with its line, and what commands take from it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import jsonschema
import pytest

from grader import labs
from grader.cli import main
from grader.course.coursefile import FILE, due, find_course, new_course
from grader.labs.schema import SCHEMAS
from grader.labs.yamlfile import value_of
from grader.model.errors import UsageError

HEAD = "title: Mail\n"


def course(folder: Path, text: str) -> Path:
    path = folder / FILE
    path.write_text(text)
    return path


def test_a_new_course_is_read_and_has_a_key_of_its_own(tmp_path: Path) -> None:
    keys = set()
    for name in ("one", "two"):
        new_course(tmp_path / name)
        found = find_course(tmp_path / name)
        assert found is not None
        assert list(found.course.labs) == ["open-relay"]
        keys.add(found.key)
        assert stat.S_IMODE((tmp_path / name / "course.key").stat().st_mode) == 0o600
        jsonschema.validate(value_of((tmp_path / name / FILE).read_bytes(), Path(FILE)), SCHEMAS["course"]())
    assert len(keys) == 2
    with pytest.raises(UsageError, match="is there already"):
        new_course(tmp_path / "one")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("labs: {}\n", "course.yaml:1: the file needs the key 'title'"),
        (HEAD + "rooster: x\n", "course.yaml:2: there is no key 'rooster' here; did you mean 'roster'"),
        (HEAD + "roster: none.csv\n", "course.yaml:2: there is no file 'none.csv'"),
        (HEAD + "key: a\nkey-file: b\n", "course.yaml:3: 'key' and 'key-file' both say where the key is"),
        (HEAD + "labs:\n  open-rely: {}\n", "course.yaml:3: there is no lab 'open-rely'; did you mean 'open-relay'"),
        (HEAD + "labs:\n  dkim:\n    due: tomorrow\n", "course.yaml:4: 'tomorrow' is no time with an offset"),
        (HEAD + "labs:\n  dkim:\n    due: 2026-12-01T23:59\n", "is no time with an offset"),
        (HEAD + "labs:\n  dkim:\n    hints: nudges\n", "did you mean 'nudge'"),
        (HEAD + "labs:\n  dkim:\n    formats: [html, cvs]\n", "there is no format 'cvs'; did you mean 'csv'"),
        (HEAD + "labs:\n  dkim:\n    layout: canvass\n", "there is no layout 'canvass'; did you mean 'canvas'"),
        (HEAD + "labs:\n  dkim:\n    overrides: x.csv\n", "there is no file 'x.csv'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(UsageError) as error:
        find_course(course(tmp_path, text))
    assert sentence in str(error.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("key-file: none\n", "cannot read the course's key in .*none': No such file"),
        ("key-file: empty\n", "is empty"),
        ("key-variable: NOBODY_SETS_THIS\n", "in the variable NOBODY_SETS_THIS: set it"),
    ],
)
def test_a_key_that_is_not_there_is_no_key_that_is_forgotten(
    tmp_path: Path, text: str, sentence: str
) -> None:
    (tmp_path / "empty").touch()
    found = find_course(course(tmp_path, HEAD + text))
    assert found is not None
    with pytest.raises(UsageError, match=sentence):
        _ = found.key


def test_where_there_is_no_course_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_course(None) is None
    with pytest.raises(UsageError, match="cannot read course"):
        find_course(Path("autumn.yaml"))


def test_a_lab_that_the_course_says_nothing_of_is_graded_as_any(tmp_path: Path) -> None:
    found = find_course(course(tmp_path, HEAD + "labs:\n  dkim: {due: '2026-12-01T23:59+01:00'}\n"))
    assert found is not None
    assert found.lab("open-relay").formats == []
    moment = due(found.lab("dkim"))
    assert moment is not None
    assert moment.isoformat() == "2026-12-01T23:59:00+01:00"


def test_a_class_is_handed_out_and_graded_by_its_course(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labs.new("ours", tmp_path / "labs", "zone")
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "class.csv").write_text("id,email\n1001,jane@example.edu\n")
    text = "labs:\n  ours: {hints: none, formats: [csv], due: '2026-03-02T10:00+00:00'}\n"
    course(tmp_path, HEAD + "key: autumn\nroster: class.csv\n" + text)
    assert main(["start", "ours", "export/submission_12", "--student", "1001"]) == 0
    (tmp_path / "export/submission_metadata.yml").write_text(
        "submission_12:\n  :submitters:\n  - :email: jane@example.edu\n  :created_at: 2026-03-02 10:15:00 Z\n"
    )
    assert main(["grade", "ours", "export", "--out", "out", "-j", "1"]) == 1
    result = json.loads((tmp_path / "out/1001/result.json").read_text())
    assert result["variant"] == labs.draw_variant(labs.load("ours"), "1001", "autumn").id
    assert (result["handed_in"]["late"], result["person"]["email"]) == (True, "jane@example.edu")
    assert not any(check["hints"]["nudge"] for check in result["checks"])
    assert not (tmp_path / "out/1001/report.html").exists()
    assert main(["grade", "ours", "export", "--out", "out", "--format", "html", "--hints", "example"]) == 1
    assert (tmp_path / "out/1001/report.html").exists()
