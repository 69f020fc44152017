"""What students are handed out, what lab authors begin with, and the schemas that help them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import yaml
from jsonschema import Draft202012Validator

from grader import labs, resources
from grader.cli.work import find_work
from grader.labs.scaffold import SCHEMA_FILE
from grader.labs.schema import SCHEMAS
from grader.model.attempt import Mail
from grader.model.errors import LabError, UsageError
from grader.model.lab import Lab, Wrong
from tests.tables import every


def test_a_lab_is_handed_out_with_the_variants_names(lab_folder: Path, tmp_path: Path) -> None:
    lab = labs.load(lab_folder)
    variant = labs.draw_variant(lab, "jane", "key")
    written = labs.start(lab_folder, tmp_path / "work", variant, student="jane")
    assert [path.name for path in written] == [".smtplab.json", "handout.md", "main.cf"]
    assert f"mydomain = {variant.names['domain']}\n" in (tmp_path / "work" / "main.cf").read_text()
    assert variant.names["host_v6"] in (tmp_path / "work" / "handout.md").read_text()
    assert "key" not in json.loads((tmp_path / "work" / ".smtplab.json").read_text()).values()
    mark = labs.started(tmp_path / "work")
    assert mark == labs.Started("own-domain", "jane", variant.id, variant.seed, "1")
    assert labs.draw_variant(lab, mark.student, seed=mark.seed).names == variant.names


def test_a_started_lab_is_a_submission(lab_folder: Path, tmp_path: Path) -> None:
    lab = labs.load(lab_folder)
    labs.start(lab_folder, tmp_path / "work", labs.draw_variant(lab))
    assert list(labs.read_submission(lab, tmp_path / "work").files) == ["main.cf"]
    assert labs.started(tmp_path / "work") == labs.Started("own-domain", None, "canonical", None, "1")


@pytest.mark.parametrize("name", ["main.cf", "handout.md", ".smtplab.json"])
def test_a_students_work_is_never_overwritten(lab_folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / name).write_text("my work")
    with pytest.raises(
        UsageError, match="is there already: move it away, or start the lab in another folder"
    ):
        labs.start(lab_folder, tmp_path / "work", labs.draw_variant(labs.load(lab_folder)))
    assert [path.name for path in (tmp_path / "work").iterdir()] == [name]
    assert (tmp_path / "work" / name).read_text() == "my work"


def test_a_link_that_leads_nowhere_is_not_followed(lab_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "main.cf").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is there already"):
        labs.start(lab_folder, tmp_path / "work", labs.draw_variant(labs.load(lab_folder)))
    assert not (tmp_path / "elsewhere").exists()


def test_a_folder_that_cannot_be_made(lab_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot write .*: Not a directory"):
        labs.start(lab_folder, tmp_path / "file" / "work", labs.draw_variant(labs.load(lab_folder)))


def test_notes_of_a_start(tmp_path: Path) -> None:
    assert labs.started(tmp_path) is None
    (tmp_path / ".smtplab.json").write_text("{")
    with pytest.raises(UsageError, match="is damaged"):
        labs.started(tmp_path)


def test_a_lab_without_a_handout_or_a_starter(lab_folder: Path, tmp_path: Path) -> None:
    variant = labs.draw_variant(labs.load(lab_folder))
    (lab_folder / "handout.md").unlink()
    with pytest.raises(LabError, match="a lab needs a handout"):
        labs.start(lab_folder, tmp_path / "a", variant)
    (lab_folder / "starter" / "main.cf").unlink()
    with pytest.raises(LabError, match="starter is empty or missing"):
        labs.start(lab_folder, tmp_path / "b", variant)
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()


def test_no_placeholder_is_left_in_a_new_lab(lab_folder: Path) -> None:
    variant = labs.draw_variant(labs.load(lab_folder), "jane")
    rendered = labs.render_submission(lab_folder, variant).files
    assert {"lab.yaml", "handout.md", "starter/main.cf", "solution/main.cf"} <= set(rendered)
    assert not [name for name, data in rendered.items() if re.search(rb"@[a-z0-9_]+@", data)]


def test_a_wrong_submission_is_the_solution_with_its_own_files_over_it(lab_folder: Path) -> None:
    variant = labs.draw_variant(labs.load(lab_folder), "jane")
    solution, wrong = lab_folder / "solution", lab_folder / "wrong" / "fault"
    (solution / "@domain@.zone").write_text("$ORIGIN @domain@.\n")
    (solution / "send").write_text("#!/bin/sh\n")
    (solution / "send").chmod(0o755)
    wrong.mkdir()
    (wrong / "expect.yaml").write_text("{fails: [starts], about: it}\n")
    (wrong / "main.cf").write_text("# another one\n")
    made = labs.render_submission(wrong, variant, base=solution, removes=["send"])
    domain = variant.names["domain"]
    assert made.files == {"main.cf": b"# another one\n", f"{domain}.zone": f"$ORIGIN {domain}.\n".encode()}
    assert labs.render_submission(wrong, variant, base=solution).executable == {"send"}
    with pytest.raises(LabError, match=r"expect\.yaml removes 'master\.cf', which is not there"):
        labs.render_submission(wrong, variant, base=solution, removes=["master.cf"])


def test_a_starters_program_may_be_executed(lab_folder: Path, tmp_path: Path) -> None:
    program = lab_folder / "starter" / "send"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    labs.start(lab_folder, tmp_path / "work", labs.draw_variant(labs.load(lab_folder)))
    assert os.access(tmp_path / "work" / "send", os.X_OK)
    assert not os.access(tmp_path / "work" / "main.cf", os.X_OK)


@pytest.mark.parametrize("lab_id", ["", "Lab", "a b", "../x", "-a", "a--b", "x" * 41])
def test_ids_that_no_lab_can_have(tmp_path: Path, lab_id: str) -> None:
    with pytest.raises(UsageError, match="cannot be a lab's id"):
        labs.new(lab_id, tmp_path / "labs")
    assert not (tmp_path / "labs").exists()


def test_a_new_lab_overwrites_nothing(lab_folder: Path) -> None:
    with pytest.raises(UsageError, match="is there already"):
        labs.new("own-domain", lab_folder.parent)
    (lab_folder.parent / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        labs.new("x", lab_folder.parent / "file")
    assert sorted(path.name for path in lab_folder.parent.iterdir()) == ["file", SCHEMA_FILE, "own-domain"]


def test_editors_are_led_to_the_schema(lab_folder: Path) -> None:
    first = (lab_folder / "lab.yaml").read_text().splitlines()[0]
    schema = (lab_folder / first.partition("$schema=")[2]).resolve()
    assert json.loads(schema.read_bytes()) == SCHEMAS["lab"]()


def test_the_schema_beside_smtplabs_own_labs_is_that_of_the_types() -> None:
    assert json.loads((resources.folder("labs") / SCHEMA_FILE).read_bytes()) == SCHEMAS["lab"]()


@pytest.mark.parametrize("name", ["lab", "wrong", "forms"])
def test_schemas_are_valid_and_say_who_they_are(name: str) -> None:
    schema = SCHEMAS[name]()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert str(schema["$id"]).startswith("urn:smtplab:schema:")
    assert schema["title"]


def test_schemas_accept_what_the_loader_accepts(lab_folder: Path) -> None:
    lab_yaml = yaml.safe_load((lab_folder / "lab.yaml").read_text().replace("on: [", '"on": ['))
    Draft202012Validator(SCHEMAS["lab"]()).validate(lab_yaml)
    Draft202012Validator(SCHEMAS["lab"]()).validate(msgspec.to_builtins(labs.load(lab_folder)))
    wrong = yaml.safe_load((lab_folder / "wrong" / "open-to-everybody" / "expect.yaml").read_text())
    Draft202012Validator(SCHEMAS["wrong"]()).validate(wrong)
    for form in (resources.folder("fixtures") / "forms").glob("*.yaml"):
        Draft202012Validator(SCHEMAS["forms"]()).validate(yaml.safe_load(form.read_text()))


@pytest.mark.parametrize("type_", [Lab, Wrong, Mail])
def test_every_key_is_explained(type_: type) -> None:
    """An editor shows the description of each key while an author types."""
    plain = "id title version summary submission host checks kind teaches code points expect try tags hints required"
    described = {*plain.split(), "fails", "about", "skips"}
    schema = msgspec.json.schema(type_)
    for definition in schema["$defs"].values():
        assert definition["description"]
        for key, value in definition["properties"].items():
            assert key in described or "description" in value, key


def test_resources_are_found_from_anywhere(tmp_path: Path) -> None:
    code = "from grader import resources; print(resources.folder('fixtures'), resources.folder('labs'))"
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(Path(resources.__file__).parent.parent)},
    )  # fmt: skip
    assert all(Path(path).is_dir() for path in found.stdout.split())


def test_resources_in_a_wheel_lie_inside_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "grader" / "data" / "labs").mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "grader")
    assert resources.folder("labs") == tmp_path / "grader" / "data" / "labs"
    with pytest.raises(UsageError, match=r"'fixtures' is missing .*: install smtplab again"):
        resources.folder("fixtures")


def test_the_cache_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("SMTPLAB_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert resources.cache_folder() == tmp_path / ".cache" / "smtplab"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert resources.cache_folder() == tmp_path / "x" / "smtplab"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert resources.cache_folder() == tmp_path / "Library" / "Caches" / "smtplab"


OWN = ("solution", "starter", "correct/strict", "wrong/any-sender")


@every("name", OWN)
@every("student", [None, "alice"])
def test_the_labs_own_submissions_are_graded_with_the_names_of_the_variant(
    name: str, student: str | None
) -> None:
    folder = labs.find("open-relay")
    lab = labs.load(folder)
    variant = labs.draw_variant(lab, student)
    own = labs.own_submission(lab, folder / name, variant)
    assert own is not None
    handed_in, told = own
    assert name in told
    assert "main.cf" in handed_in.files
    assert variant.names["domain"].encode() in handed_in.files["main.cf"]
    assert b"@domain@" not in b"".join(handed_in.files.values())
    assert "expect.yaml" not in handed_in.files


def test_what_is_no_submission_of_the_labs_own_is_read_as_it_stands(tmp_path: Path) -> None:
    lab = labs.load(labs.find("open-relay"))
    variant = labs.draw_variant(lab)
    for name in ("solution", "wrong/alice", "alice"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "main.cf").write_text("mydomain = @domain@\n")
        assert labs.own_submission(lab, folder, variant) is None
    other = labs.find("dkim") / "solution"
    assert labs.own_submission(lab, other, variant) is None


@pytest.mark.parametrize("name", OWN)
def test_a_labs_own_submission_says_which_lab_it_is_for(name: str) -> None:
    folder = labs.find("open-relay")
    work = find_work(str(folder / name), None)
    assert work is not None
    assert (work.lab, work.folder) == (folder, folder / name)
