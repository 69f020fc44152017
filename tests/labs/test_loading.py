"""Finding, loading and listing labs, and that what is kept of them is never out of date."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader import kinds, labs, resources
from grader.labs.world import program_sources, read_world
from grader.model.errors import LabError, UsageError
from tests.imports import modules, needed

GRADER = Path(kinds.__file__).parent.parent
MEANINGLESS = {"__init__.py", "disk.py", "display", "resources.py"}
"""What reading a lab takes of the program, and no lab's meaning depends on."""


def test_by_id_by_folder_and_by_file(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = labs.load(lab_folder)
    assert labs.load(lab_folder / "lab.yaml") == expected
    assert labs.load(str(lab_folder)) == expected
    monkeypatch.setenv("SMTPLAB_LABS", str(lab_folder.parent))
    assert labs.load("own-domain") == expected
    assert labs.find("own-domain") == lab_folder


def test_an_id_is_found_beside_the_user_as_well(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lab_folder.parent)
    assert labs.load("own-domain").id == "own-domain"
    monkeypatch.chdir(lab_folder)
    assert labs.load(Path()).id == "own-domain"


def test_instructors_labs_come_before_smtplabs_own(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPLAB_LABS", os.pathsep.join([str(lab_folder.parent), str(lab_folder)]))
    assert next(found.path for found in labs.list_labs()) == lab_folder
    assert resources.lab_folders()[-1] == resources.folder("labs")


def test_an_unknown_lab_is_named_with_the_nearest(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPLAB_LABS", str(lab_folder.parent))
    with pytest.raises(LabError, match=r"^there is no lab 'own-domian'; did you mean 'own-domain'\?"):
        labs.load("own-domian")


@pytest.mark.parametrize("given", ["", "..", "a/b", "/nowhere", "own-domain/handout.md"])
def test_what_is_no_lab(given: str) -> None:
    with pytest.raises(LabError, match=r"holds no lab\.yaml: name a lab's id or its folder"):
        labs.load(given)


def test_a_folder_of_labs_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPLAB_LABS", "/nowhere")
    with pytest.raises(
        UsageError, match="SMTPLAB_LABS names '/nowhere', which is no folder: correct or unset it"
    ):
        labs.list_labs()


def test_a_broken_lab_is_listed_with_its_error(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPLAB_LABS", str(lab_folder.parent))
    broken = lab_folder.parent / "broken"
    broken.mkdir()
    (broken / "lab.yaml").write_text("id: broken\n")
    listed = {found.path.name: found for found in labs.list_labs()}
    assert listed["own-domain"].lab == labs.load(lab_folder)
    assert listed["broken"].lab is None
    assert "needs the key" in listed["broken"].error


def test_a_changed_lab_is_read_again(lab_folder: Path) -> None:
    path = lab_folder / "lab.yaml"
    first = labs.load(lab_folder)
    stamp = path.stat()
    path.write_text(path.read_text().replace("points: 10", "points: 11"))
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert labs.load(lab_folder).max_score == first.max_score + 1


def test_changed_forms_are_read_again(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the lab that uses them is validated again, though itself it did not change."""
    parent = lab_folder.parent
    monkeypatch.setenv("SMTPLAB_LABS", str(parent))
    (parent / "forms").mkdir()
    form = parent / "forms" / "ours.yaml"
    form.write_text('- to: ["{token}@{outside}"]\n')
    path = lab_folder / "lab.yaml"
    alone = 'mail: [{to: ["alice@{domain}"]'
    path.write_text(path.read_text().replace(alone, f"forms: [ours]\n      {alone}"))
    labs.load(lab_folder)
    assert read_world().forms["ours"][0].to == ["{token}@{outside}"]
    form.write_text('- {title: ours, to: ["{tocken}@{outside}"]}\n')
    with pytest.raises(
        LabError, match=r"in form 'ours': there is no name \{tocken\}; did you mean \{token\}\?"
    ):
        labs.load(lab_folder)


def test_what_was_kept_is_another_version_s_when_a_file_changes_that_reading_a_lab_takes() -> None:
    reading = {"grader.labs.loading", "grader.labs.world"}
    reading |= {
        f"{kinds.kind(name).package}.{door}"
        for name in kinds.BUILT_IN
        for door in ("declare", "author", "complete")
    }
    taken = {path for name in reading & modules(GRADER).keys() for path in needed(GRADER, name)}
    looked_at = {Path(source.path) for source, _ in program_sources()}
    assert GRADER / "kinds" / "server" / "declare.py" in looked_at
    assert {path.relative_to(GRADER).parts[0] for path in taken - looked_at} <= MEANINGLESS


def test_a_damaged_cache_does_no_harm(
    lab_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grader.labs import loading, world

    monkeypatch.setenv("SMTPLAB_CACHE", str(tmp_path / "cache"))

    def load_afresh() -> object:
        loading._loaded.cache_clear()
        world._known.cache_clear()
        return labs.load(lab_folder)

    expected = load_afresh()
    entries = list((tmp_path / "cache").rglob("*.msgpack"))
    assert len(entries) == 2
    for entry in entries:
        entry.write_bytes(b"\xc1 nonsense")
    assert load_afresh() == expected
    for entry in entries:
        entry.unlink()
        entry.mkdir()
    assert load_afresh() == expected


def test_a_cache_that_cannot_be_written_does_no_harm(
    lab_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grader.labs import loading

    monkeypatch.setenv("SMTPLAB_CACHE", "/dev/null/cache")
    loading._loaded.cache_clear()
    assert labs.load(lab_folder).id == "own-domain"


def test_what_a_wrong_submission_loses(lab_folder: Path) -> None:
    wrong = labs.load_wrong(lab_folder / "wrong" / "open-to-everybody")
    assert (wrong.fails, wrong.skips) == (["stranger"], [])


def test_a_broken_expectation(lab_folder: Path) -> None:
    folder = lab_folder / "wrong" / "open-to-everybody"
    (folder / "expect.yaml").write_text("about: x\nfials: [stranger]\n")
    with pytest.raises(LabError) as refusal:
        labs.load_wrong(folder)
    assert f"{folder}/expect.yaml:2: there is no key 'fials' here; did you mean 'fails'?" in str(
        refusal.value
    )
    (folder / "expect.yaml").unlink()
    with pytest.raises(LabError, match=r"cannot read .*expect.yaml: No such file"):
        labs.load_wrong(folder)


def test_every_declared_name_is_filled() -> None:
    """Sources, peers and zones use names that there are."""
    from grader.model.templates import names_in

    world = read_world()
    texts = [text for s in world.sources.values() for text in (s.address, s.to, s.name, s.helo)]
    texts += [text for peer in world.peers for text in (peer.name, *peer.addresses)]
    texts += [text for pair in world.zones.items() for text in pair]
    assert set().union(*map(names_in, texts)) <= world.names.keys()


def test_the_packages_list_of_names_is_complete() -> None:
    assert labs.__all__ == sorted(labs.__all__)
    assert all(getattr(labs, name) is not None for name in labs.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = labs.nothing


def test_labs_beside_where_one_stands_are_found_behind_all_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labs").mkdir()
    assert labs.load("open-relay").title
    with pytest.raises(LabError, match="there is no lab 'mine'"):
        labs.find("mine")
    labs.new("mine", Path("labs"))
    labs.new("open-relay", Path("labs"))
    assert labs.find("mine") == Path("labs/mine")
    assert labs.find("open-relay") == resources.folder("labs") / "open-relay"
    assert [entry.path.name for entry in labs.list_labs()].count("open-relay") == 1
    (tmp_path / "labs/forms").mkdir()
    (tmp_path / "labs/forms/ours.yaml").write_text('- to: ["{token}@{outside}"]\n')
    monkeypatch.setenv("SMTPLAB_LABS", str(tmp_path / "labs"))
    assert labs.find("open-relay") == tmp_path / "labs/open-relay"
    assert "ours" in read_world().forms


def test_a_lab_is_found_from_within_its_folder(lab_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lab_folder)
    assert labs.find(".") == lab_folder
    monkeypatch.chdir(lab_folder / "solution")
    assert labs.load("..").id == lab_folder.name
    with pytest.raises(LabError, match=r"\. holds no lab.yaml"):
        labs.find(".")
