"""Finds, reads and validates labs."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from grader import kinds, resources
from grader.labs import cache
from grader.labs.world import LabWorld, program_digest, read_world
from grader.model.diagnostic import Diagnostic, fault_at
from grader.model.errors import LabError
from grader.model.lab import Check, Lab, Wrong
from grader.model.templates import names_in, nearest, unknown_name

FILE = resources.LAB_FILE
DECLARATION = "expect.yaml"
KIND = re.compile(rb"^kind:[ \t]*[\"']?([\w-]+)", re.MULTILINE)
"""Where lab.yaml names its kind, found before it is read: the kind says how to read it."""


class LabFolder(Struct, frozen=True):
    """A lab's folder, with the lab in it or, where that is broken, the reason."""

    path: Path
    lab: Lab | None
    error: str = ""


def load(path_or_id: str | os.PathLike[str]) -> Lab:
    """The lab in a folder, in a ``lab.yaml``, or with an id. Raises ``LabError``, with a line for each fault."""
    folder = find(path_or_id)
    path = folder / FILE
    data = _bytes(path)
    key = cache.digest([program_digest(), read_world().digest.encode(), str(path).encode(), data])
    lab = _loaded(key, path, data)
    return kinds.author(lab.kind).completed(lab, path, data)


_MEANT = ("lab.yml", "Lab.yaml", "lab.yaml.txt", "lab.json", "LAB.YAML")
"""Names that people give to the declaration of a lab."""


def find(path_or_id: str | os.PathLike[str]) -> Path:
    """The folder of a lab. A bare word is an id; anything else, and a folder that holds a ``lab.yaml``, a path.

    Raises ``LabError`` where there is none, with the nearest id.
    """
    given = os.fspath(path_or_id)
    path = Path(given)
    if path.name == FILE and path.is_file():
        return path.parent
    if (path / FILE).is_file() and (isinstance(path_or_id, os.PathLike) or os.sep in given):
        return path
    if given in (".", "..") and (path / FILE).is_file():
        return path.resolve()
    if path.name != given or given in ("", ".", ".."):
        raise LabError(f"{given or 'the empty name'} holds no {FILE}: name a lab's id or its folder")
    folders = resources.lab_folders()
    for folder in folders:
        if (folder / given / FILE).is_file():
            return folder / given
    if (path / FILE).is_file():
        return path
    for folder in folders:
        if other := next((name for name in _MEANT if (folder / given / name).is_file()), None):
            raise LabError(f"{folder / given} holds {other}, and a lab is declared in {FILE}: rename it")
    ids = [entry.name for entry in _lab_paths(folders)]
    raise LabError(f"there is no lab {given!r}{nearest('%r', given, ids)} ('smtplab labs' lists them)")


def list_labs() -> list[LabFolder]:
    """All labs, instructors' own first, each folder's in alphabetical order; an id that hides another one once."""
    found: dict[str, LabFolder] = {}
    for path in _lab_paths(resources.lab_folders()):
        if path.name in found:
            continue
        try:
            found[path.name] = LabFolder(path, load(path))
        except LabError as error:
            found[path.name] = LabFolder(path, None, str(error))
    return list(found.values())


def load_wrong(folder: Path) -> Wrong:
    """What a wrong submission's ``expect.yaml`` declares. Raises ``LabError``."""
    from grader.labs.yamlfile import parse

    path = folder / DECLARATION
    return parse(_bytes(path), path, Wrong)


def _lab_paths(folders: Sequence[Path]) -> list[Path]:
    return [path.parent for folder in folders for path in sorted(folder.glob(f"*/{FILE}"))]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise LabError(f"cannot read {path}: {error.strerror}") from error


@lru_cache(maxsize=32)
def _loaded(key: str, path: Path, data: bytes) -> Lab:
    found = KIND.search(data)
    named = found[1].decode() if found else kinds.DEFAULT
    type_ = kinds.declare(named).LAB if kinds.exists(named) else Lab
    return cache.cached("labs", key, type_, lambda: _parsed(path, data))


def _parsed(path: Path, data: bytes) -> Lab:
    from grader.labs.complaints import refusal
    from grader.labs.yamlfile import convert, value_of

    value = value_of(data, path)
    named = value.setdefault("kind", kinds.DEFAULT) if isinstance(value, dict) else kinds.DEFAULT
    if not kinds.exists(named):
        known = kinds.names()
        hint = f" (there are {', '.join(known)})"
        if not isinstance(named, str):
            raise refusal(path, data, [fault_at(("kind",), f"'kind' must be one word{hint}")])
        hint = nearest("%r", named, known) or hint
        raise refusal(path, data, [fault_at(("kind",), f"there is no kind of lab {named!r}{hint}")])
    lab = convert(
        value, data, path, kinds.declare(named).LAB, explained=lambda fault: _of_another(fault, named)
    )
    if complaints := list(_complaints(lab, path, read_world())):
        raise refusal(path, data, complaints)
    return lab


def _of_another(fault: Diagnostic, named: str) -> Diagnostic:
    """A fault with a word on which kinds of lab have a key that this one has not."""
    from grader.labs.complaints import UNKNOWN_KEY

    if fault.code != UNKNOWN_KEY or "did you mean" in fault.sentence:
        return fault
    key = str(fault.path[-1])
    having = []
    for other in kinds.names():
        whole = _parts(kinds.declare(other).LAB)
        parts = [kinds.declare(other).LAB.__name__] if len(fault.path) == 1 else list(whole)
        if other != named and any(key in whole[part].get("properties", {}) for part in parts):
            having.append(repr(other))
    if not having:
        return fault
    sentence = f"{fault.sentence}: it is one of labs of kind {' or '.join(having)}, and this one is {named!r}"
    return replace(fault, sentence=sentence)


@lru_cache(maxsize=32)
def _parts(type_: type[Lab]) -> dict[str, Any]:
    """The parts of a lab's schema by their names."""
    from grader.labs.schema import schema_of

    parts: dict[str, Any] = schema_of(type_)["$defs"]
    return parts


def _complaints(lab: Lab, path: Path, world: LabWorld) -> Iterator[Diagnostic]:
    """What the schema cannot say: names that nothing bears, codes that no check has, circles."""
    folder = path.absolute().parent.name
    if lab.id != folder:
        yield fault_at(("id",), f"the id {lab.id!r} and the folder's name {folder!r} must be the same")
    for position, pattern in enumerate(lab.submission.required):
        if pattern.startswith("/") or ".." in pattern.split("/"):
            yield fault_at(
                ("submission", "required", position), f"{pattern!r} leaves the submission's folder"
            )
    yield from kinds.author(lab.kind).complaints(lab)
    codes = [check.code for check in lab.all_checks]
    for position, check in enumerate(lab.all_checks):
        here = ("checks", position)
        if check.code in codes[:position]:
            yield fault_at((*here, "code"), f"two checks have the code {check.code!r}")
        yield from _code_complaints(check, codes, here)
        yield from _text_complaints(check, world, here)
    yield from _circles(lab)


def _code_complaints(check: Check, codes: list[str], here: tuple[str | int, ...]) -> Iterator[Diagnostic]:
    for key, named in (("needs", check.needs), ("control", check.control)):
        for number, code in enumerate(named):
            if code == check.code:
                yield fault_at((*here, key, number), f"the check {code!r} names itself")
            elif code not in codes:
                yield fault_at(
                    (*here, key, number), f"no check has the code {code!r}{nearest('%r', code, codes)}"
                )


def _text_complaints(check: Check, world: LabWorld, here: tuple[str | int, ...]) -> Iterator[Diagnostic]:
    texts = {key: getattr(check, key) for key in ("title", "why", "next", "expected", "explain")}
    for key, text in texts.items():
        for name in sorted(names_in(text or "") - world.names.keys()):
            yield fault_at((*here, key), unknown_name(name, world.names))
    if check.hints:
        for key in ("nudge", "pointer", "example"):
            for name in sorted(names_in(getattr(check.hints, key)) - world.names.keys()):
                yield fault_at((*here, "hints", key), unknown_name(name, world.names))


def _circles(lab: Lab) -> Iterator[Diagnostic]:
    """One complaint for the first circle of ``needs``, ``control`` and ``unless-arrived``, with all its members."""
    follows = {check.code: sorted(check.depends_on) for check in lab.all_checks}
    done: set[str] = set()
    for start in follows:
        trail: list[str] = []
        if circle := _walk(start, follows, trail, done):
            position = next(number for number, check in enumerate(lab.all_checks) if check.code == circle[0])
            yield fault_at(
                ("checks", position, "code"), f"checks wait for each other: {' needs '.join(circle)}"
            )
            return


def _walk(code: str, follows: dict[str, list[str]], trail: list[str], done: set[str]) -> list[str]:
    if code in trail:
        return [*trail[trail.index(code) :], code]
    if code in done or code not in follows:
        return []
    trail.append(code)
    for other in follows[code]:
        if other != code and (circle := _walk(other, follows, trail, done)):
            return circle
    trail.pop()
    done.add(code)
    return []
