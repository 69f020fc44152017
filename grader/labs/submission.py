"""Reads what a student handed in, a folder or an archive, as work of somebody who may mean harm.

Nothing outside of it is read, whatever its links say; nothing in it can block, and no more of it is read than the lab
allows.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from grader.labs.limits import JUNK, Budget, FoundFile, shown
from grader.model.errors import SubmissionError
from grader.model.lab import Lab
from grader.model.submission import Submission
from grader.model.templates import fill


def read_submission(
    lab: Lab, path: str | os.PathLike[str], names: Mapping[str, str] | None = None
) -> Submission:
    """What lies in a folder, or in a zip or tar archive, as far as the lab asks for it.

    ``names`` are the variant's, for files that are named after them. Links, devices and the like are refused,
    editors' and systems' own files are left out. Raises ``SubmissionError``.
    """
    where = shown(os.fsdecode(path))
    lab = _named(lab, names)
    budget = Budget(lab.submission, where)
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name holds a NUL"
        raise SubmissionError(
            f"cannot read the submission {where}: {reason}: name the folder that holds {lab.submission.required[0]}"
        ) from error
    if stat.S_ISDIR(mode):
        entries = _folder(Path(path), budget)
    elif stat.S_ISREG(mode):
        from grader.labs.archive import archived

        entries = archived(Path(path), budget)
    else:
        raise SubmissionError(f"{where} is neither a folder nor an archive: name the folder with your files")
    files: dict[str, bytes] = {}
    executable: set[str] = set()
    for entry in entries:
        budget.take(entry)
        files[entry.name] = entry.data
        if entry.executable:
            executable.add(entry.name)
    _require(lab, files, where)
    return Submission(dict(sorted(files.items())), frozenset(executable), sorted(budget.ignored))


def _named(lab: Lab, names: Mapping[str, str] | None) -> Lab:
    """The lab with the names filled in where its files' own names hold some."""
    if names is None or not any("{" in name for name in lab.submission.required):
        return lab
    required = [fill(name, names, lab.id) for name in lab.submission.required]
    return replace(lab, submission=replace(lab.submission, required=required))


def _require(lab: Lab, files: dict[str, bytes], where: str) -> None:
    for name in lab.submission.required:
        if name not in files:
            within = [other for other in files if other.endswith(f"/{name}")]
            if any(other.startswith(f"{name}/") for other in files):
                raise SubmissionError(_folder_for_file(f"{where}/{name}"))
            hint = f" (there is {within[0]}: name the folder that holds it)" if within else ""
            raise SubmissionError(f"{where} holds no {name}, which the lab {lab.id} asks for{hint}: add it")
        if (at := files[name].find(b"\0")) >= 0:
            raise SubmissionError(
                f"{where}/{name} is not plain text (there is a NUL byte at offset {at}): save it as text in UTF-8"
            )


def _folder_for_file(path: str) -> str:
    return f"{path} is a folder, and the lab asks for a file: put the file there"


def _folder(path: Path, budget: Budget) -> Iterator[FoundFile]:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SubmissionError(
            f"cannot read the folder {budget.where}: {error.strerror}: check who may read it"
        ) from error
    try:
        yield from _listed(descriptor, "", 1, budget)
    finally:
        os.close(descriptor)


def _listed(folder: int, prefix: str, depth: int, budget: Budget) -> Iterator[FoundFile]:
    """Files below an open folder. Each is opened relative to it and never through a link, so that none can be
    exchanged for something else between being looked at and being read."""
    with os.scandir(folder) as found:
        names = []
        for entry in found:
            budget.look()
            names.append(entry.name)
    for name in sorted(names):
        if JUNK.fullmatch(name):
            continue
        try:
            yield from _entry(folder, name, prefix + name, depth, budget)
        except OSError as error:
            raise SubmissionError(
                f"cannot read {budget.where}/{shown(prefix + name)}: {error.strerror}: check who may read it"
            ) from error


def _entry(folder: int, name: str, full: str, depth: int, budget: Budget) -> Iterator[FoundFile]:
    mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    if stat.S_ISDIR(mode):
        if full in budget.rules.required:
            raise SubmissionError(_folder_for_file(f"{budget.where}/{full}"))
        if depth >= budget.deepest:
            budget.wants(full + "/*")
            return
        inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            yield from _listed(inner, full + "/", depth + 1, budget)
        finally:
            os.close(inner)
    elif budget.wants(full):
        if not stat.S_ISREG(mode):
            raise SubmissionError(f"{budget.where}/{shown(full)} is {_kind(mode)}: hand in the file itself")
        yield _file(folder, name, full, budget)


def _file(folder: int, name: str, full: str, budget: Budget) -> FoundFile:
    # Had a FIFO taken the file's place meanwhile, O_NONBLOCK would keep open() from waiting for its other end.
    descriptor = os.open(
        name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=folder
    )
    try:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise SubmissionError(f"{budget.where}/{shown(full)} is {_kind(mode)}: hand in the file itself")
        data = bytearray()
        while len(data) <= budget.next_limit and (
            chunk := os.read(descriptor, budget.next_limit + 1 - len(data))
        ):
            data += chunk
    finally:
        os.close(descriptor)
    return FoundFile(full, bytes(data), bool(mode & stat.S_IXUSR))


def _kind(mode: int) -> str:
    kinds = {
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a device",
        stat.S_IFCHR: "a device",
        stat.S_IFDIR: "a folder",
    }
    return kinds.get(stat.S_IFMT(mode), "no ordinary file")
