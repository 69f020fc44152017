"""A lab as one file to pass on: its folder with what lies beside it that it uses, its version, and a digest of all.

The same lab gives the same bytes everywhere. What is read of such a file, of a folder or of a repository is read within
limits, as what students hand in: whoever wrote it may mean harm.
"""

from __future__ import annotations

import io
import re
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import msgspec
from msgspec import Struct

from grader.labs import cache
from grader.labs.archive import ArchiveTree
from grader.labs.folder import FolderTree, read_ordinary
from grader.labs.limits import DEEPEST, HANDOUT, LARGEST_ARCHIVE, Budget, FoundFile, shown
from grader.labs.tree import Tree
from grader.labs.yamlfile import LARGEST, value_of
from grader.model.errors import LabError, SubmissionError
from grader.model.lab import SubmissionRules
from grader.model.templates import nearest
from grader.resources import LAB_FILE

MANIFEST = "smtplab-lab.json"
SCHEMA = "smtplab/lab/1"
BESIDE = {"forms": ".yaml", "keys": ".pem"}
"""Folders beside labs whose files labs may name, with the ending of these files."""
MOST_FILES = 2_000
MOST_LABS = 100
IDENTIFIER = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Manifest(Struct, frozen=True):
    """What a packed lab says of itself."""

    id: str
    version: str
    digest: str
    schema: str = SCHEMA


class PackedFile(Struct, frozen=True):
    """A file of a packed lab."""

    data: bytes
    executable: bool = False


class Package(Struct, frozen=True):
    """A lab with all that belongs to it: ``ID/…``, ``forms/…`` and ``keys/…``, by their names."""

    id: str
    version: str
    files: dict[str, PackedFile]

    @property
    def digest(self) -> str:
        """SHA-256 in hex over names, modes and contents."""
        parts = [
            (name.encode(), b"x" if file.executable else b"-", file.data)
            for name, file in sorted(self.files.items())
        ]
        return cache.digest(part for each in parts for part in each)


class LabBudget(Budget):
    """What may be read of a lab: all of it, up to limits that no lab comes near."""

    def __init__(self, where: str) -> None:
        anything = ["/".join("*" * depth) for depth in range(1, DEEPEST + 1)]
        rules = SubmissionRules(
            required=[LAB_FILE], optional=anything, max_files=MOST_FILES, max_bytes=LARGEST_ARCHIVE
        )
        super().__init__(rules, where)

    def wants(self, name: str) -> bool:
        """Whether a name is part of the lab. Raises ``SubmissionError`` for a name that nobody can have meant."""
        return name.lower() == HANDOUT or super().wants(name)


def of_folder(folder: Path) -> Package:
    """The lab in a folder. Raises ``LabError``."""
    beside = {}
    for name, ending in BESIDE.items():
        for path in sorted((folder.parent / name).glob(f"*{ending}")):
            try:
                data, _ = read_ordinary(path, str(path), LARGEST_ARCHIVE)
            except (OSError, SubmissionError) as error:
                raise LabError(f"cannot read {path}: {error}") from error
            beside[f"{name}/{path.name}"] = PackedFile(data)
    return _package(FolderTree(folder, str(folder)), "", str(folder), beside)


def of_archive(data: bytes, where: str) -> list[Package]:
    """The labs in an archive whose bytes are ``data``; ``where`` names it. Raises ``LabError``.

    One that was packed must have the digest that it says it has.
    """
    try:
        tree = ArchiveTree(data, LabBudget(where))
    except SubmissionError as error:
        raise LabError(str(error)) from error
    names = list(tree.names(LabBudget(where)))
    found = [_package(tree, top, where, _beside(tree, names, top)) for top in _tops(names)]
    if not found:
        hint = nearest("%r", LAB_FILE, {name.rpartition("/")[2] for name in names})
        raise LabError(f"{where} holds no {LAB_FILE}, and so no lab{hint}")
    if MANIFEST in names:
        _check(tree, found, where)
    return found


def _tops(names: list[str]) -> list[str]:
    """The folders of labs: those that hold a lab.yaml and do not lie in another one of these."""
    tops = sorted(
        (name[: -len(LAB_FILE)].rstrip("/") for name in names if PurePosixPath(name).name == LAB_FILE),
        key=len,
    )
    if len(tops) > MOST_LABS:
        raise LabError(
            f"there are {len(tops)} files {LAB_FILE}, and {MOST_LABS} at most are read: pack labs apart"
        )
    found: list[str] = []
    for top in tops:
        if not any(not other or top.startswith(f"{other}/") for other in found):
            found.append(top)
    return sorted(found)


def _beside(tree: ArchiveTree, names: list[str], top: str) -> dict[str, PackedFile]:
    """What lies beside a lab's folder in an archive, as far as labs may name it."""
    if not top:
        return {}
    around = f"{top.rpartition('/')[0]}/".lstrip("/")
    found = {}
    for name in names:
        short = name[len(around) :]
        folder, _, file = short.partition("/")
        if name.startswith(around) and folder in BESIDE and file.endswith(BESIDE[folder]) and "/" not in file:
            found[short] = PackedFile(_bounded(tree, name))
    return found


def _bounded(tree: ArchiveTree, name: str) -> bytes:
    try:
        data = tree.data(name, LARGEST_ARCHIVE)
    except SubmissionError as error:
        raise LabError(str(error)) from error
    if len(data) > LARGEST_ARCHIVE:
        raise LabError(f"{shown(name)} is larger than {LARGEST_ARCHIVE} bytes")
    return data


def _package(tree: Tree, top: str, where: str, beside: Mapping[str, PackedFile]) -> Package:
    place = f"{where}/{shown(top)}" if top else where
    budget = LabBudget(place)
    files: dict[str, PackedFile] = {}
    try:
        for entry in tree.files(top, budget):
            budget.take(entry)
            files[entry.name] = PackedFile(entry.data, entry.executable)
        if budget.ignored:
            raise LabError(f"{place}/{shown(budget.ignored[0])} lies deeper than {DEEPEST} folders")
        return _named(files, place, beside, budget)
    except SubmissionError as error:
        raise LabError(f"cannot take the lab: {error}") from error


def _named(
    files: dict[str, PackedFile], place: str, beside: Mapping[str, PackedFile], budget: Budget
) -> Package:
    """The package of a lab's files, under the id that its lab.yaml has, with what that names of ``beside``."""
    path = Path(place) / LAB_FILE
    if LAB_FILE not in files:
        raise LabError(f"{place} holds no {LAB_FILE}: name a lab's folder")
    data = files[LAB_FILE].data
    if len(data) > LARGEST:
        raise LabError(f"{path} is larger than {LARGEST} bytes, which no lab needs")
    value = value_of(data, path)
    id_, version = (value.get(key) if isinstance(value, dict) else None for key in ("id", "version"))
    if not isinstance(id_, str) or not IDENTIFIER.fullmatch(id_) or id_ in BESIDE:
        raise LabError(f"{path}: 'id' is no lab's id: small letters and digits, joined by single hyphens")
    packed = {f"{id_}/{name}": file for name, file in files.items() if name != MANIFEST}
    for name, file in beside.items():
        if re.search(
            rf"(?<![\w-]){re.escape(PurePosixPath(name).stem)}(?![\w-])", data.decode("utf-8", "replace")
        ):
            budget.take(FoundFile(name, file.data, executable=False))
            packed[name] = file
    return Package(id_, str(version), packed)


def _check(tree: ArchiveTree, found: list[Package], where: str) -> None:
    """Raises ``LabError`` where a packed lab is not what its manifest says."""
    try:
        manifest = msgspec.json.decode(_bounded(tree, MANIFEST), type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LabError(f"{where}: its {MANIFEST} is damaged ({error}): get the file again") from error
    if manifest.schema != SCHEMA:
        raise LabError(
            f"{where} follows {manifest.schema[:60]!a}, and this smtplab reads {SCHEMA!r}: update smtplab"
        )
    if [manifest.id] != [package.id for package in found] or manifest.digest != found[0].digest:
        held = ", ".join(f"{package.id} with {package.digest}" for package in found)
        raise LabError(
            f"{where} says that it holds {manifest.id[:60]!a} with the digest {manifest.digest[:64]!a}, and it holds "
            f"{held}: it was changed or damaged on the way; get it again"
        )


def packed(package: Package) -> bytes:
    """The package as one zip archive, the same bytes everywhere: no compression, no times, files by their names."""
    manifest = Manifest(package.id, package.version, package.digest)
    files = {
        MANIFEST: PackedFile(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"),
        **dict(sorted(package.files.items())),
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, file in files.items():
            archive.writestr(_entry(name, executable=file.executable), file.data)
    return made.getvalue()


def _entry(name: str, *, executable: bool) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.create_system = 3  # Unix, whatever system packs it.
    info.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << 16
    return info


def write(package: Package, root: Path) -> None:
    """Write the files of a package below ``root``. Raises ``OSError``."""
    for name, file in package.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        if file.executable:
            path.chmod(path.stat().st_mode | 0o111)
