"""Labs that travel: packed into one file, added from a file, a folder or a repository, updated and removed."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from grader import labs, resources
from grader.cli import main
from grader.labs import adding, packing, repository
from grader.labs.limits import LARGEST_ARCHIVE
from grader.labs.world import read_world
from grader.model.errors import LabError, UsageError


@pytest.fixture(autouse=True)
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Added labs that are not the user's, and a folder in which no labs lie."""
    monkeypatch.setenv("SMTPLAB_DATA", str(tmp_path / "data"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "data" / "labs"


@pytest.fixture
def zone_lab(tmp_path: Path) -> Path:
    return labs.new("who-sends", tmp_path / "mine", "zone")


@pytest.fixture
def program_lab(tmp_path: Path) -> Path:
    return labs.new("first-program", tmp_path / "mine", "program")


def changed(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_lab_gives_the_same_bytes_wherever_and_whenever_it_is_packed(
    program_lab: Path, tmp_path: Path
) -> None:
    first = packing.packed(packing.of_folder(program_lab))
    (program_lab / ".git").mkdir()
    (program_lab / ".git" / "HEAD").write_text("x")
    (program_lab / "solution" / "send~").write_text("x")
    for path in program_lab.rglob("*"):
        os.utime(path, (1, 1))
    (program_lab / "handout.md").chmod(0o600)
    assert packing.packed(packing.of_folder(program_lab)) == first
    (program_lab / "solution" / "send").chmod(0o644)
    assert packing.of_folder(program_lab).digest != packing.of_archive(first, "x")[0].digest


def test_what_is_packed_is_added_whole(program_lab: Path, own_data: Path, tmp_path: Path) -> None:
    packed = tmp_path / "x.zip"
    packed.write_bytes(packing.packed(packing.of_folder(program_lab)))
    with pytest.raises(LabError, match="there is no lab"):
        labs.find("first-program")
    [added] = adding.add(str(packed))
    assert adding.added() == [added]
    assert (
        added.digest
        == packing.of_folder(program_lab).digest
        == packing.of_folder(labs.find("first-program")).digest
    )
    assert labs.find("first-program") == own_data / "first-program" / "first-program"
    assert os.access(own_data / "first-program/first-program/solution/send", os.X_OK)
    assert labs.load("first-program").title == labs.load(program_lab).title
    assert stat.S_IMODE((own_data / "first-program" / adding.NOTE).stat().st_mode) == 0o600


def test_forms_and_keys_beside_a_lab_travel_with_it(tmp_path: Path) -> None:
    folder = labs.new("own-domain", tmp_path / "mine")
    for name, data in (("forms/ours.yaml", '- to: ["{token}@{outside}"]\n'), ("forms/theirs.yaml", "[]\n")):
        (tmp_path / "mine" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "mine" / name).write_text(data)
    changed(
        folder / "lab.yaml",
        'mail: [{to: ["alice@{domain}"]',
        'forms: [ours]\n      mail: [{to: ["alice@{domain}"]',
    )
    package = packing.of_folder(folder)
    assert {name for name in package.files if not name.startswith("own-domain/")} == {"forms/ours.yaml"}
    adding.add(str(folder))
    assert "ours" in read_world().forms
    assert labs.load("own-domain").all_checks
    # The same forms may come with two labs, other ones of the same name may not.
    other = labs.new("other-domain", tmp_path / "mine")
    changed(
        other / "lab.yaml",
        'mail: [{to: ["alice@{domain}"]',
        'forms: [ours]\n      mail: [{to: ["alice@{domain}"]',
    )
    adding.add(str(other))
    adding.remove("other-domain")
    (tmp_path / "mine/forms/ours.yaml").write_text('- to: ["x@{outside}"]\n')
    with pytest.raises(UsageError, match=r"brings a file forms/ours.yaml, and another lab has another one"):
        adding.add(str(other))


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "-C", str(folder), *arguments],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_a_repository_gives_its_labs_by_branch_tag_and_commit_and_an_update(zone_lab: Path) -> None:
    top = zone_lab.parent
    labs.new("first-quiz", top, "quiz")
    git(top, "init", "--quiet")
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "first")
    git(top, "tag", "v1")
    address = f"file://{top}"
    assert [each.id for each in adding.add(address)] == ["first-quiz", "who-sends"]
    changed(zone_lab / "lab.yaml", 'version: "1"', 'version: "2"')
    git(top, "commit", "--quiet", "--all", "--message", "second")
    before, now = adding.update("who-sends")
    assert (before.version, now.version, now.commit) == ("1", "2", git(top, "rev-parse", "HEAD"))
    [older] = adding.add(address, ref="v1", lab="who-sends", replace=True)
    assert (older.version, older.digest) == ("1", before.digest)
    assert adding.update("who-sends")[1] == older
    with pytest.raises(UsageError, match=r"git cannot fetch .*: fatal: .*nope: check the address and --ref"):
        adding.add(address, ref="nope", replace=True)
    with pytest.raises(UsageError, match="holds no lab 'who-send'; did you mean 'who-sends'"):
        adding.add(address, lab="who-send")
    with pytest.raises(UsageError, match="git cannot fetch"):
        adding.add(f"file://{top}/nowhere")


def test_an_address_runs_nothing_and_its_password_is_not_shown(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    for source in (f"ext::sh -c 'touch {ran}'", f"ext::sh://-c touch {ran}", f"--upload-pack=touch {ran}"):
        with pytest.raises(UsageError):
            adding.add(source)
        if repository.ADDRESS.search(source):
            with pytest.raises(UsageError):
                repository.fetched(source, "HEAD")
    with pytest.raises(UsageError):
        repository.fetched("file:///nowhere", f"--upload-pack=touch {ran}")
    assert not ran.exists()
    assert adding.without_password("https://me:secret@host/x.git") == "https://me:…@host/x.git"


def test_what_was_changed_on_the_way_is_refused(zone_lab: Path, tmp_path: Path) -> None:
    whole = packing.packed(packing.of_folder(zone_lab))
    changed_zip = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as source, zipfile.ZipFile(changed_zip, "w") as target:
        for info in source.infolist():
            data = source.read(info)
            target.writestr(
                info, data.replace(b"p=reject", b"p=none") if "solution" in info.filename else data
            )
    path = tmp_path / "x.zip"
    path.write_bytes(changed_zip.getvalue())
    with pytest.raises(LabError, match="it was changed or damaged on the way; get it again"):
        adding.add(str(path))
    path.write_bytes(whole)
    with pytest.raises(UsageError, match="does not hold what was asked for"):
        adding.add(str(path), digest="sha256:" + "0" * 64)
    assert adding.added() == []
    adding.add(str(path), digest=f"sha256:{packing.of_folder(zone_lab).digest}")


def tar_of(*members: tuple[str, bytes | str]) -> bytes:
    """A tar archive; a member with text for content is a link to it."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return made.getvalue()


def bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/lab.yaml", b"id: x\n")
        archive.writestr("x/big", b"\0" * (LARGEST_ARCHIVE + 1))
    return made.getvalue()


LAB = b'id: x\nversion: "1"\n'
LATER = msgspec.json.encode(packing.Manifest("x", "1", "", "smtplab/lab/9"))
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "leads-out": (lambda: tar_of(("x/lab.yaml", LAB), ("../y", b"z")), "leads out of the archive"),
    "absolute": (lambda: tar_of(("x/lab.yaml", LAB), ("/etc/passwd", b"z")), "leads out of the archive"),
    "link": (lambda: tar_of(("x/lab.yaml", LAB), ("x/solution", "/etc")), "as no ordinary file"),
    "twice": (lambda: tar_of(("x/lab.yaml", LAB), ("x/lab.yaml", LAB)), "twice"),
    "bomb": (bomb, "larger than"),
    "many": (lambda: tar_of(("x/lab.yaml", LAB), *((f"x/{n}", b"") for n in range(2_500))), "more than 2000 files"),
    "very-many": (lambda: tar_of(*((f"{n}", b"") for n in range(5_000))), "more than 4000 entries"),
    "control": (lambda: tar_of(("x/lab.yaml", LAB), ("x/\x1b[31m", b"")), "printable characters"),
    "labs": (lambda: tar_of(*((f"{n}/lab.yaml", LAB) for n in range(150))), "and 100 at most are read"),
    "no-lab": (lambda: tar_of(("x/lab.yml", LAB)), "holds no lab.yaml, and so no lab; did you mean 'lab.yml'"),
    "no-archive": (lambda: b"<html>", "neither a folder nor an intact zip or tar archive"),
    "other-id": (lambda: tar_of(("x/lab.yaml", b"id: ../../y\n")), "'id' is no lab's id"),
    "broken-lab": (lambda: tar_of(("x/lab.yaml", LAB)), "needs the key"),
    "file-in-file": (lambda: tar_of(("x/lab.yaml", LAB), ("x/a", b""), ("x/a/b", b"")), "cannot be unpacked"),
    "manifest": (lambda: tar_of(("x/lab.yaml", LAB), (packing.MANIFEST, b"{")), "is damaged"),
    "later": (
        lambda: tar_of(("x/lab.yaml", LAB), (packing.MANIFEST, LATER)),
        "update smtplab",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_or_broken_archive_is_refused_in_a_sentence_and_leaves_nothing(
    name: str, tmp_path: Path, own_data: Path
) -> None:
    make, said = HOSTILE[name]
    path = tmp_path / "x.tar"
    path.write_bytes(make())
    with pytest.raises(UsageError, match=said):
        adding.add(str(path))
    assert not own_data.exists()


def test_a_lab_takes_the_place_of_no_other(zone_lab: Path, tmp_path: Path) -> None:
    adding.add(str(zone_lab))
    with pytest.raises(UsageError, match=r"was added already, in version 1 from .*, and this is the same"):
        adding.add(str(zone_lab))
    changed(zone_lab / "handout.md", "#", "##")
    with pytest.raises(UsageError, match="and this is another one"):
        adding.add(str(zone_lab))
    own = labs.new("open-relay", tmp_path / "mine")
    with pytest.raises(UsageError, match="smtplab itself has a lab 'open-relay'"):
        adding.add(str(own))
    # Of several none is added where one is broken.
    (tmp_path / "mine/open-relay").rename(tmp_path / "mine/renamed")
    adding.remove("who-sends")
    with pytest.raises(UsageError, match="smtplab itself has a lab"):
        adding.add(str(tmp_path / "mine"))
    assert adding.added() == []


def test_a_lab_without_a_handout_is_not_added(zone_lab: Path) -> None:
    (zone_lab / "handout.md").unlink()
    with pytest.raises(LabError, match=r"who-sends/handout.md: .*a lab needs a handout"):
        adding.add(str(zone_lab))


def test_the_commands_pack_add_list_update_and_remove(
    zone_lab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SMTPLAB_LABS", str(zone_lab.parent))
    assert main(["lab", "pack", "who-sends"]) == 0
    assert Path("who-sends-1.lab.zip").is_file()
    digest = capsys.readouterr().out.split("sha256:")[1].strip()
    monkeypatch.delenv("SMTPLAB_LABS")
    assert main(["lab", "add", "who-sends-1.lab.zip", "--digest", digest]) == 0
    assert main(["lab", "added"]) == 0
    assert main(["labs"]) == 0
    assert capsys.readouterr().out.count("who-sends") >= 3
    assert main(["lab", "update"]) == 0
    assert "who-sends: as it was" in capsys.readouterr().out
    assert main(["lab", "remove", "who-send"]) == 2
    assert "did you mean 'who-sends'?" in capsys.readouterr().err
    assert main(["lab", "remove", "who-sends"]) == 0
    assert main(["lab", "add", "nothing.zip"]) == 2
    assert "name a file, a folder or a git address" in capsys.readouterr().err
    assert adding.added() == []


def test_where_added_labs_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SMTPLAB_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert resources.added_labs() == tmp_path / ".local" / "share" / "smtplab" / "labs"
    monkeypatch.setenv("HOME", str(tmp_path / "gone"))
    assert resources.added_labs() is None
    assert labs.load("open-relay").id == "open-relay"
