"""Labs that were added: taken from a file, a folder or a repository, kept in the user's data folder.

Each lies in a folder of its own, ``ID/ID``, with its ``forms`` and ``keys`` beside, and a note on where it is from.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct

from grader import disk, resources
from grader.labs import packing, repository
from grader.labs.handout import handout
from grader.labs.limits import LARGEST_ARCHIVE
from grader.labs.loading import load
from grader.labs.packing import Package
from grader.labs.variant import draw_variant
from grader.model.errors import LabError, UsageError
from grader.model.templates import nearest

NOTE = "added.json"
HEAD = "HEAD"


class Added(Struct, frozen=True):
    """Where a lab that was added is from: ``source`` as it was named, of a repository also ``ref`` and ``commit``."""

    id: str
    version: str
    digest: str
    source: str
    ref: str = ""
    commit: str = ""


def add(source: str, *, ref: str = "", lab: str = "", digest: str = "", replace: bool = False) -> list[Added]:
    """Add the labs that a file, a folder or a git address holds; of several only ``lab``, if it is given.

    ``digest`` is the one that the lab must have. Raises ``UsageError``, with nothing added, where a lab is broken,
    there already (unless ``replace``), or not the one that is wanted.
    """
    packages, commit = _read(source, ref)
    if lab:
        known = [package.id for package in packages]
        packages = [package for package in packages if package.id == lab]
        if not packages:
            raise UsageError(
                f"{source} holds no lab {lab!r}{nearest('%r', lab, known)}; it holds {', '.join(known)}"
            )
    wanted = digest.removeprefix("sha256:").lower()
    if wanted and [package.digest for package in packages] != [wanted]:
        held = ", ".join(f"{package.id} with {package.digest}" for package in packages)
        raise UsageError(f"{source} does not hold what was asked for: its digest is another one ({held})")
    for package in packages:
        _refuse(package, replace=replace)
    for package in packages:
        _prove(package, source)
    place = source if repository.is_address(source) else str(Path(source).absolute())
    return [_install(package, place, ref, commit) for package in packages]


def _read(source: str, ref: str) -> tuple[list[Package], str]:
    path = Path(source)
    if repository.is_address(source):
        data, commit = repository.fetched(source, ref or HEAD)
        return packing.of_archive(data, source), commit
    if ref:
        raise UsageError(
            "--ref is for a git address: a file or folder is taken as it is (file:///… is an address)"
        )
    if path.is_dir():
        if (path / resources.LAB_FILE).is_file():
            return [packing.of_folder(path)], ""
        folders = [found.parent for found in sorted(path.glob(f"*/{resources.LAB_FILE}"))]
        if not folders:
            raise UsageError(f"{source} holds no {resources.LAB_FILE}: name a lab's folder")
        return [packing.of_folder(folder) for folder in folders], ""
    try:
        with path.open("rb") as file:
            return packing.of_archive(file.read(LARGEST_ARCHIVE + 1), source), ""
    except OSError as error:
        raise UsageError(
            f"cannot read {source}: {error.strerror}: name a file, a folder or a git address"
        ) from error


def _refuse(package: Package, *, replace: bool) -> None:
    """Raises ``UsageError`` for a lab whose id or forms are taken."""
    if (resources.folder("labs") / package.id).is_dir():
        raise UsageError(
            f"smtplab itself has a lab {package.id!r}: give yours another id, or name it in SMTPLAB_LABS"
        )
    there = {each.id: each for each in added()}.get(package.id)
    if there is not None and not replace:
        same = "the same" if there.digest == package.digest else "another one"
        where = without_password(there.source)
        raise UsageError(
            f"the lab {package.id!r} was added already, in version {there.version} from {where}, and this is {same}: "
            "'smtplab lab update' fetches it again, --replace takes this one"
        )
    for name, held in sorted(_beside_others(package.id).items()):
        if name in package.files and package.files[name].data != held:
            raise UsageError(
                f"{package.id} brings a file {name}, and another lab has another one of that name: have it renamed"
            )


def _beside_others(id_: str) -> dict[str, bytes]:
    """The forms and keys that other labs may name, by their names within a package."""
    found: dict[str, bytes] = {}
    for folder in (resources.folder("fixtures"), *resources.lab_folders()):
        for name, ending in packing.BESIDE.items() if folder != home() / id_ else ():
            for path in (folder / name).glob(f"*{ending}"):
                found.setdefault(f"{name}/{path.name}", path.read_bytes())
    return found


def without_password(source: str) -> str:
    """A source as it may be shown: of an address with a password in it everything but that."""
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:…@", source)


def home() -> Path:
    """The folder of all labs that were added. Raises ``UsageError`` for a user without a home."""
    folder = resources.added_labs()
    if folder is None:
        raise UsageError("you have no home folder to keep labs in: set SMTPLAB_DATA")
    return folder


def _install(package: Package, source: str, ref: str, commit: str) -> Added:
    note = Added(package.id, package.version, package.digest, source, ref, commit)
    target = home() / package.id
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with disk.locked(target.parent / ".lock"):
            disk.recover(target.parent)
            with disk.replaced_folder(target) as beside:
                beside.mkdir()
                packing.write(package, beside)
                data = msgspec.json.format(msgspec.json.encode(note), indent=1) + b"\n"
                # An address may hold a password.
                disk.write_file(beside / NOTE, data, 0o600)
    except OSError as error:
        raise UsageError(
            f"cannot write {target}: {error.strerror}: make room, or set SMTPLAB_DATA to another folder"
        ) from error
    return note


def _prove(package: Package, source: str) -> None:
    """Raises ``LabError`` for a lab that would not load or could not be started."""
    with tempfile.TemporaryDirectory(prefix="smtplab-add-") as folder:
        root = Path(folder)
        try:
            packing.write(package, root)
            with resources.with_labs(root):
                handout(root / package.id, draw_variant(load(root / package.id)))
        except LabError as error:
            raise LabError(str(error).replace(f"{root}/", f"{without_password(source)}: ")) from error
        except OSError as error:
            raise LabError(f"{source} cannot be unpacked: {error.strerror} ({error.filename})") from error


def added() -> list[Added]:
    """The labs that were added, by their ids."""
    folder = resources.added_labs()
    found = []
    for path in sorted(folder.glob(f"*/{NOTE}")) if folder is not None else ():
        try:
            found.append(msgspec.json.decode(path.read_bytes(), type=Added))
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            found.append(Added(path.parent.name, "?", "", "a place that is not known any more"))
    return found


def update(id_: str) -> tuple[Added, Added]:
    """Take a lab that was added once more from where it is from: what it was, and what it is. Raises ``UsageError``."""
    before = _known(id_)
    [now] = add(before.source, ref=before.ref, lab=id_, replace=True)
    return before, now


def remove(id_: str) -> Added:
    """Remove a lab that was added. Raises ``UsageError`` where none of that id was."""
    before = _known(id_)
    with disk.locked(home() / ".lock"):
        disk.remove_folder(home() / id_)
    return before


def _known(id_: str) -> Added:
    known = {each.id: each for each in added()}
    if id_ not in known:
        hint = nearest("%r", id_, known) or (f"; these were: {', '.join(known)}" if known else "; none was")
        raise UsageError(f"no lab {id_!r} was added{hint}")
    return known[id_]
