"""Finds, reads and validates labs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from grader import resources
from grader.kinds.server.declare import Try
from grader.labs import cache
from grader.labs.world import ATTEMPT_NAMES, MADE_SOURCES, World, program_digest, read_world
from grader.model.attempt import Mail
from grader.model.errors import LabError
from grader.model.lab import Check, Lab, Wrong
from grader.model.templates import names_in, nearest, unknown_name

if TYPE_CHECKING:
    from grader.labs.complaints import Complaint

FILE = "lab.yaml"
DECLARATION = "expect.yaml"
LISTENERS = ("25", "25+starttls", "465", "587", "587+starttls")
USERS = ("alice", "bob")


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
    world = read_world()
    lab = _loaded(
        cache.digest([program_digest(), world.digest.encode(), str(path).encode(), data]), path, data
    )
    if lab.quiz is None:
        return lab
    from grader.kinds.quiz.complete import completed

    return completed(lab, path, data)


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
    if path.name != given or given in ("", ".", ".."):
        raise LabError(f"{given or 'the empty name'} holds no {FILE}: name a lab's id or its folder")
    folders = resources.lab_folders()
    for folder in folders:
        if (folder / given / FILE).is_file():
            return folder / given
    if (path / FILE).is_file():
        return path
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
    return cache.cached("labs", key, Lab, lambda: _parsed(path, data))


def _parsed(path: Path, data: bytes) -> Lab:
    from grader.labs.complaints import refusal
    from grader.labs.yamlfile import parse

    lab = parse(data, path, Lab)
    if complaints := list(_complaints(lab, path, read_world())):
        raise refusal(path, data, complaints)
    return lab


def _complaints(lab: Lab, path: Path, world: World) -> Iterator[Complaint]:
    """What the schema cannot say: names that nothing bears, codes that no check has, circles."""
    from grader.labs.complaints import Complaint

    folder = path.absolute().parent.name
    if lab.id != folder:
        yield Complaint(("id",), f"the id {lab.id!r} and the folder's name {folder!r} must be the same")
    if lab.kind == "zone":
        from grader.kinds.zone.checks import zone_complaints

        yield from zone_complaints(lab, world)
    for position, pattern in enumerate(lab.submission.required):
        if pattern.startswith("/") or ".." in pattern.split("/"):
            yield Complaint(
                ("submission", "required", position), f"{pattern!r} leaves the submission's folder"
            )
    yield from _kind_complaints(lab)
    codes = [check.code for check in lab.checks]
    for position, check in enumerate(lab.checks):
        here = ("checks", position)
        if check.code in codes[:position]:
            yield Complaint((*here, "code"), f"two checks have the code {check.code!r}")
        yield from _code_complaints(check, codes, here)
        yield from _text_complaints(check, world, here)
        for number, attempt in enumerate(check.attempts):
            yield from _try_complaints(attempt, codes, world, (*here, "try", number))
    yield from _circles(lab)


def _kind_complaints(lab: Lab) -> Iterator[Complaint]:
    from grader.labs.complaints import Complaint

    if lab.kind == "quiz":
        if lab.quiz is None:
            yield Complaint(
                (), "a lab of kind 'quiz' says with the key 'quiz' where its questions are; add it"
            )
        if lab.checks:
            yield Complaint(("checks",), "the checks of a quiz are its questions: remove 'checks'")
    else:
        if lab.kind == "program" or lab.program is not None:
            from grader.kinds.program.plan import complaints

            yield from complaints(lab)
        if lab.quiz is not None:
            yield Complaint(("quiz",), f"a lab of kind {lab.kind!r} has no questions: write 'kind: quiz'")
        if not lab.checks:
            yield Complaint((), "the lab has no checks: add at least one")


def _code_complaints(check: Check, codes: list[str], here: tuple[str | int, ...]) -> Iterator[Complaint]:
    from grader.labs.complaints import Complaint

    for key, named in (("needs", check.needs), ("control", check.control)):
        for number, code in enumerate(named):
            if code == check.code:
                yield Complaint((*here, key, number), f"the check {code!r} names itself")
            elif code not in codes:
                yield Complaint(
                    (*here, key, number), f"no check has the code {code!r}{nearest('%r', code, codes)}"
                )


def _text_complaints(check: Check, world: World, here: tuple[str | int, ...]) -> Iterator[Complaint]:
    from grader.labs.complaints import Complaint

    texts = {key: getattr(check, key) for key in ("title", "why", "next", "expected", "explain")}
    for key, text in texts.items():
        for name in sorted(names_in(text or "") - world.names.keys()):
            yield Complaint((*here, key), unknown_name(name, world.names))
    if check.hints:
        for key in ("nudge", "pointer", "example"):
            for name in sorted(names_in(getattr(check.hints, key)) - world.names.keys()):
                yield Complaint((*here, "hints", key), unknown_name(name, world.names))


def _try_complaints(
    attempt: Try, codes: list[str], world: World, here: tuple[str | int, ...]
) -> Iterator[Complaint]:
    from grader.labs.complaints import Complaint

    listeners = [str(listener) for listener in attempt.on]
    sources = [*world.sources, *sorted(MADE_SOURCES)]
    yield from _unknown_words("source", attempt.sources, sources, (*here, "from"))
    yield from _unknown_words("listener", listeners, LISTENERS, (*here, "on"))
    yield from _unknown_words("list of forms", attempt.forms, sorted(world.forms), (*here, "forms"))
    if attempt.user is not None and attempt.user.removesuffix("!") not in USERS:
        yield Complaint(
            (*here, "as"), f"there is no user {attempt.user!r}; the users are {' and '.join(USERS)}"
        )
    if attempt.unless_arrived is not None and attempt.unless_arrived not in codes:
        hint = nearest("%r", attempt.unless_arrived, codes)
        yield Complaint((*here, "unless-arrived"), f"no check has the code {attempt.unless_arrived!r}{hint}")
    if attempt.say and (attempt.mail or attempt.forms):
        yield Complaint((*here, "say"), "'say' stands instead of 'mail' and 'forms': make two entries of it")
    known_names = world.names.keys() | ATTEMPT_NAMES
    for number, form in enumerate(attempt.forms):
        for mail in world.forms.get(form, []):
            for _, name in mail_names(mail):
                if name not in known_names:
                    sentence = f"in form {mail.title!r}: {unknown_name(name, known_names)}"
                    yield Complaint((*here, "forms", number), sentence)
    for number, text in enumerate(attempt.say):
        for name in sorted(names_in(text) - known_names):
            yield Complaint((*here, "say", number), unknown_name(name, known_names))
    for number, mail in enumerate(attempt.mail):
        for key, name in mail_names(mail):
            if name not in known_names:
                yield Complaint((*here, "mail", number, key), unknown_name(name, known_names))


def _unknown_words(
    what: str, words: Sequence[str], known: Sequence[str], here: tuple[str | int, ...]
) -> Iterator[Complaint]:
    from grader.labs.complaints import Complaint

    for number, word in enumerate(words):
        if word not in known:
            hint = nearest("%r", word, known) or f" (there are {', '.join(known)})"
            yield Complaint((*here, number), f"there is no {what} {word!r}{hint}")


def mail_names(mail: Mail) -> Iterator[tuple[str, str]]:
    """Each key of a mail with each name that its text uses."""
    texts: list[tuple[str, str | None]] = [("from", mail.sender), ("title", mail.title), ("helo", mail.helo)]
    texts += [("parameters", mail.parameters), ("preamble", mail.preamble), ("header_from", mail.header_from)]
    texts += [("to", text) for text in mail.to] + [("before", text) for text in mail.before]
    for key, text in texts:
        for name in sorted(names_in(text or "")):
            yield key, name


def _circles(lab: Lab) -> Iterator[Complaint]:
    """One complaint for the first circle of ``needs``, ``control`` and ``unless-arrived``, with all its members."""
    from grader.labs.complaints import Complaint

    follows = {check.code: sorted(depends_on(check)) for check in lab.checks}
    done: set[str] = set()
    for start in follows:
        trail: list[str] = []
        if circle := _walk(start, follows, trail, done):
            position = next(number for number, check in enumerate(lab.checks) if check.code == circle[0])
            yield Complaint(
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


def depends_on(check: Check) -> set[str]:
    """Codes of the checks without whose outcome this one cannot be judged."""
    spared = {attempt.unless_arrived for attempt in check.attempts if attempt.unless_arrived}
    return {*check.needs, *check.control, *spared}
