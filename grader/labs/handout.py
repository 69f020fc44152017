"""The files of a lab's folder, with a variant's names filled in: what students are given, and the lab's own answers."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from grader import disk
from grader.labs.limits import HANDOUT, JUNK, MARK
from grader.labs.loading import DECLARATION, FILE, find, load, load_wrong
from grader.labs.submission import take_submission
from grader.labs.variant import with_texts
from grader.model.errors import LabError, UsageError
from grader.model.lab import Lab
from grader.model.submission import Submission
from grader.model.templates import fill_file, nearest
from grader.model.variant import Variant, composed

STARTER = "starter"
OWN = ("solution", STARTER)
OWN_FOLDERS = ("correct", "wrong")


class Started(Struct, frozen=True):
    """Which lab a folder was started for, and for whom. ``seed`` draws the variant's names again; ``version`` is the
    lab's, empty where an older smtplab handed it out."""

    lab: str
    student: str | None = None
    variant: str = ""
    seed: str | None = None
    version: str = ""


def render_submission(
    folder: Path, variant: Variant, *, base: Path | None = None, removes: Iterable[str] = ()
) -> Submission:
    """One of a lab's own submissions: its files over those of ``base``, less those that ``removes`` names.

    The variant's names and passwords are filled into files and their names. Raises ``LabError`` where the folder or a
    file cannot be read, is empty, or lacks what is to be removed.
    """
    found = {**(_rendered(base, variant) if base else {}), **_rendered(folder, variant)}
    found.pop(DECLARATION, None)
    for name in removes:
        if found.pop(name, None) is None:
            hint = nearest("%r", name, found)
            raise LabError(f"{folder / DECLARATION} removes {name!r}, which is not there{hint}")
    return Submission(
        {name: data for name, (data, _) in found.items()},
        frozenset(name for name, (_, executable) in found.items() if executable),
    )


def own_submission(lab: Lab, folder: Path, variant: Variant) -> tuple[Submission, str] | None:
    """One of the lab's own submissions, made by ``render_submission`` and taken in, and a sentence that says so.

    ``None`` for a folder that is none of them: the lab's ``solution``, ``starter``, one below ``correct`` or ``wrong``.
    Raises ``SubmissionError`` where a student who handed it in would be refused.
    """
    place = Path(os.path.realpath(folder))
    if place.name not in OWN and place.parent.name not in OWN_FOLDERS:
        return None
    root = place.parent if place.name in OWN else place.parent.parent
    name = place.relative_to(root).as_posix()
    if not place.is_dir():
        return None
    if not (root / FILE).is_file() or load(root).id != lab.id:
        return None
    variant = with_texts(variant, lab)
    told = f"{name} is one of the lab's own submissions: the names of this variant are filled into its files"
    if place.parent.name != "wrong":
        made = render_submission(place, variant)
        return take_submission(lab, made, name, variant.names), f"{told}."
    removes = load_wrong(place).removes
    made = render_submission(place, variant, base=root / "solution", removes=removes)
    taken = take_submission(lab, made, name, variant.names)
    return taken, f"{told}, which replace some of the solution's."


def _rendered(folder: Path, variant: Variant) -> dict[str, tuple[bytes, bool]]:
    """Every file below a folder of a lab by its relative name: its content, and whether it may be executed."""
    names = {**variant.names, **variant.secrets, **variant.texts}
    files: dict[str, tuple[bytes, bool]] = {}
    try:
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder)
            if path.is_file() and not any(JUNK.fullmatch(part) for part in relative.parts):
                name = fill_file(relative.as_posix().encode(), names).decode()
                data = fill_file(path.read_bytes(), names)
                files[name] = data, bool(path.stat().st_mode & stat.S_IXUSR)
    except OSError as error:
        raise LabError(f"cannot read {error.filename}: {error.strerror}") from error
    if not files:
        raise LabError(f"{folder} is empty or missing: put the files there that it is to hold")
    return files


def start(
    path_or_id: str | os.PathLike[str],
    where: Path,
    variant: Variant,
    *,
    student: str | None = None,
    again: str = "",
) -> list[Path]:
    """Hand out a lab: its handout and starter files in ``where``; the paths written.

    Nothing that exists is touched: raises ``UsageError`` where a file is there already or cannot be written; ``again``
    is a command that begins anew.
    """
    folder = find(path_or_id)
    lab = load(folder)
    starter = render_submission(folder / STARTER, variant)
    files = {**starter.files, HANDOUT: handout(folder, variant)}
    mark = Started(
        lab.id, composed(student) if student else None, variant.id, variant.seed or None, lab.version
    )
    files[MARK] = msgspec.json.format(msgspec.json.encode(mark), indent=1) + b"\n"
    there = [name for name in files if os.path.lexists(where / name)]
    if there:
        raise UsageError(
            f"{where / there[0]} is there already: "
            + (f"'{again}' begins anew and keeps your work beside it" if again else "move it away")
            + ", or start the lab in another folder"
        )
    written = []
    for name, data in sorted(files.items()):
        _write_new(where / name, data, executable=name in starter.executable)
        written.append(where / name)
    return written


def handout(folder: Path, variant: Variant) -> bytes:
    """The handout of the lab in a folder, as the students of a variant get it. Raises ``LabError``."""
    try:
        return fill_file((folder / HANDOUT).read_bytes(), {**variant.names, **variant.secrets})
    except OSError as error:
        raise LabError(f"cannot read {folder / HANDOUT}: {error.strerror}: a lab needs a handout") from error


def handed_out_files(folder: Path, variant: Variant) -> dict[str, bytes]:
    """All that the students of a variant get of the lab in a folder, by name. Raises ``LabError``."""
    return {**render_submission(folder / STARTER, variant).files, HANDOUT: handout(folder, variant)}


def _write_new(path: Path, data: bytes, *, executable: bool) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        disk.write_new_file(path, data, 0o777 if executable else 0o666)
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}: choose another folder or make room"
        ) from error


def started(where: Path) -> Started | None:
    """What ``start`` noted in a folder; ``None`` where it noted nothing. Raises ``UsageError`` where it is damaged."""
    path = where / MARK
    try:
        with path.open("rb") as file:
            data = file.read(10_000)
    except OSError:
        return None
    try:
        return noted(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"{path} is damaged ({error}): remove it and name the lab and the student yourself"
        ) from error


def noted(data: bytes) -> Started:
    """A note that ``start`` has made, or somebody else. Raises what ``msgspec.json.decode`` does."""
    found = msgspec.json.decode(data, type=Started)
    return replace(found, student=composed(found.student)) if found.student else found
