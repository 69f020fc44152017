"""What is wrong with a lab's folder that its declaration does not show: what students would stumble over unread.

Each fault is a sentence that begins with the file, and the line where there is one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from grader import resources
from grader.labs.handout import OWN, OWN_FOLDERS
from grader.labs.limits import HANDOUT, JUNK
from grader.labs.loading import DECLARATION, FILE, load
from grader.labs.variant import draw_variant
from grader.labs.world import read_world
from grader.labs.yamlfile import read_bytes, value_of
from grader.model.diagnostic import Diagnostic, fault_at
from grader.model.lab import Lab
from grader.model.templates import fill, fill_file, nearest
from grader.model.variant import Variant

AT_SIGNS = re.compile(r"(?<![\w.@+-])@([a-z][a-z0-9_]*)@(?![\w.@-])")
"""A name between at signs. Two addresses side by side, ``a@host@b``, are none."""
BRACES = re.compile(r"(?<![{\w$%])\{([a-z][a-z0-9_]*)\}(?!\})")
"""A name in braces, as texts of lab.yaml have it."""

SHORT = frozenset({"title", "why", "next", "expected", "hints"})
"""What a check says in texts without any markup but code."""
EMPHASIS = re.compile(r"(?<![\w*/.])\*{1,2}[^\W_](?:[^*\n]{0,40}[^\W_])?\*{1,2}(?![\w*])")
CODE = re.compile(r"`[^`]*`")

PARTS = (FILE, HANDOUT, *OWN, *OWN_FOLDERS)
"""What lies in a lab's folder. A kind may have further files."""


def inspected(folder: Path) -> list[str]:
    """The faults of a lab's folder beside those for which it would not load. Raises ``LabError`` where it does not."""
    lab = load(folder)
    variant = draw_variant(lab)
    return [
        *_misnamed(folder),
        *_handout(folder, variant),
        *_titles(folder, variant),
        *_required(folder, lab, variant),
        *_tried_as_written(folder, variant),
        *_own_files(folder, variant),
        *_strays(folder),
        *_unproved(folder),
    ]


def _misnamed(folder: Path) -> Iterator[str]:
    """Entries that no lab has, and that come near to one that is missing."""
    there = {path.name for path in folder.iterdir()}
    missing = [name for name in PARTS if name not in there]
    for name in sorted(there - set(PARTS)):
        if hint := nearest("%r", name, missing):
            yield f"{folder / name}: a lab has nothing of this name{hint}"


def _handout(folder: Path, variant: Variant) -> Iterator[str]:
    path = folder / HANDOUT
    if not path.is_file():
        yield f"{path}: there is no handout, and no student could start the lab: write what is to be done"
        return
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        yield f"{path}: it cannot be read ({error.strerror}): check who may read it"
        return
    except UnicodeDecodeError as error:
        yield f"{path}: byte {error.start} is no UTF-8: save it as text in UTF-8"
        return
    if not text.strip():
        yield f"{path}: it is empty: write what is to be done"
    names = {**variant.names, **variant.secrets}
    yield from _unknown_names(path, text, names)
    used = _used(folder)
    for name, value in _canonical(text, variant):
        # Whoever uses the name nowhere may mean the value: such a lab is the same for everybody.
        if name not in used:
            continue
        line = text.count("\n", 0, text.index(value)) + 1
        yield f"{path}:{line}: {value} is the canonical variant's, and others have another: write @{name}@"
    for line, name in _found(BRACES, text):
        if name in variant.names:
            yield (
                f"{path}:{line}: {{{name}}} is a name of lab.yaml; in files it stands between at signs: @{name}@"
            )


def _titles(folder: Path, variant: Variant) -> Iterator[str]:
    """Names between at signs in the texts of lab.yaml, which students would read as they stand."""
    from grader.labs.complaints import refusal

    path = folder / FILE
    data = read_bytes(path, "lab")
    faults = [
        fault_at(place, f"@{name}@ is for files; in lab.yaml a name stands in braces: {{{name}}}")
        for place, text in _texts(value_of(data, path), ())
        for _, name in _found(AT_SIGNS, text)
        if name in variant.names
    ]
    faults += _unfilled(value_of(data, path), variant)
    faults += _told_as_written(value_of(data, path))
    if faults:
        yield from str(refusal(path, data, faults)).splitlines()


def _told_as_written(value: Any) -> Iterator[Diagnostic]:
    """Emphasis where a text is shown as it stands, and sheets that the lesson has not."""
    entries: set[str] = set()
    for place, text in _texts(value, ()):
        if place[0] != "checks":
            continue
        if SHORT.intersection(place[-2:]) and (found := EMPHASIS.search(CODE.sub("", text))):
            sentence = f"{found[0]} is shown with its asterisks: only 'explain' and {HANDOUT} have emphasis"
            yield fault_at(place, sentence)
        sheet = text.removeprefix("sheet ")
        if "see" in place and sheet != text:
            entries = entries or _entries()
            if sheet not in entries:
                yield fault_at(place, f"the lesson has no sheet {sheet!r}{nearest('%r', sheet, entries)}")


def _entries() -> set[str]:
    """The names of the lesson's entries, and of its sheets."""
    files = list((resources.folder("reports") / "data").glob("*.yaml"))
    ids = {
        name for path in files for name in re.findall(r"^- id: ([\w.-]+)$", path.read_text(), re.MULTILINE)
    }
    return ids | {path.stem for path in files}


def _required(folder: Path, lab: Lab, variant: Variant) -> Iterator[str]:
    """Files that are asked for and that the lab's own solution has not."""
    from grader.labs.complaints import refusal

    names = {**variant.names, **variant.secrets, **variant.texts}
    files = [fill_file(path.as_posix().encode(), names).decode() for path in _files(folder / "solution")]
    faults = [
        fault_at(
            ("submission", "required", number),
            f"{value} is the canonical variant's, and others have another: write {{{name}}}",
        )
        for number, required in enumerate(lab.submission.required)
        for name, value in _canonical(required, variant)
    ]
    faults += [
        fault_at(
            ("submission", "required", number),
            f"{required!r} is asked for, and solution/ has no such file{nearest('%r', required, files)}",
        )
        for number, required in enumerate(fill(name, variant.names) for name in lab.submission.required)
        if files and required not in files
    ]
    if faults:
        yield from str(refusal(folder / FILE, read_bytes(folder / FILE, "lab"), faults)).splitlines()


def _tried_as_written(folder: Path, variant: Variant) -> Iterator[str]:
    """Values of the canonical variant in what is tried and in the lab's own answers: others have other ones."""
    from grader.labs.complaints import refusal

    path = folder / FILE
    data = read_bytes(path, "lab")
    used = _used(folder)
    if not used:
        # All is the same for everybody.
        return
    faults = [
        fault_at(place, f"{value} is the canonical variant's, and others have another: write {{{name}}}")
        for place, text in _texts(value_of(data, path), ())
        if place[0] == "checks" and {"try", "expect"}.intersection(place)
        for name, value in _canonical(text, variant)
    ]
    if faults:
        yield from str(refusal(path, data, faults)).splitlines()
    for top in ("solution", "correct"):
        for file in _files(folder / top):
            text = (folder / top / file).read_text(encoding="utf-8", errors="replace")
            for name, value in _canonical(text, variant):
                if name in used:
                    line = text.count("\n", 0, text.index(value)) + 1
                    yield (
                        f"{folder / top / file}:{line}: {value} is the canonical variant's, and others have another: "
                        f"write @{name}@"
                    )


def _files(folder: Path) -> list[Path]:
    """The files below a folder, relative to it, without what editors leave."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    relative = [path.relative_to(folder) for path in found]
    return [path for path in relative if not any(JUNK.fullmatch(part) for part in path.parts)]


def _unfilled(value: Mapping[str, Any], variant: Variant) -> Iterator[Diagnostic]:
    """Names in what is said of the lab as a whole, which is the same for all variants."""
    for key in ("title", "summary"):
        for _, name in _found(BRACES, str(value.get(key, ""))):
            if name in variant.names:
                yield fault_at(
                    (key,), f"{key!r} is the same for all students: {{{name}}} is not filled in there"
                )


def _texts(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text in a document, with its place."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(inner, (*place, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, (*place, number))


def _own_files(folder: Path, variant: Variant) -> Iterator[str]:
    """Names that nothing bears in the lab's own submissions."""
    names = {**variant.names, **variant.secrets, **variant.texts}
    for top in (*OWN, *OWN_FOLDERS):
        for path in sorted((folder / top).rglob("*")):
            parts = path.relative_to(folder).parts
            if (
                path.is_file()
                and path.name != DECLARATION
                and not any(JUNK.fullmatch(part) for part in parts)
            ):
                yield from _unknown_names(path, path.name, names)
                try:
                    yield from _unknown_names(path, path.read_bytes().decode("utf-8", "replace"), names)
                except OSError as error:
                    yield f"{path}: it cannot be read ({error.strerror}): check who may read it"


def _canonical(text: str, variant: Variant) -> Iterator[tuple[str, str]]:
    """Names of the variant whose value stands in a text as it is; the longest of those that hold each other.

    Values without a dot or colon are words that may mean anything.
    """
    fixed = {name for name, declared in read_world().names.items() if declared.fixed}
    values = {
        value: name for name, value in variant.names.items() if name not in fixed and re.search("[.:]", value)
    }
    known = "|".join(re.escape(value) for value in sorted(values, key=len, reverse=True))
    for value in dict.fromkeys(re.findall(rf"(?<![\w.:-])(?:{known})(?![\w:-]|\.\d)", text)):
        yield values[value], value


def _used(folder: Path) -> set[str]:
    """The names that lab.yaml has in braces, or a file between at signs."""
    used = {name for _, name in _found(BRACES, (folder / FILE).read_text(encoding="utf-8", errors="replace"))}
    own = [folder / top / name for top in (*OWN, *OWN_FOLDERS) for name in _files(folder / top)]
    for path in (folder / HANDOUT, *own):
        with suppress(OSError):  # What cannot be read is told of elsewhere.
            text = path.read_text(encoding="utf-8", errors="replace")
            used |= set(re.findall(r"@([a-z][a-z0-9_]*)@", f"{path.name} {text}"))
    return used


def _unknown_names(path: Path, text: str, names: Collection[str]) -> Iterator[str]:
    for line, name in _found(AT_SIGNS, text):
        if name not in names:
            hint = nearest("@%s@", name, names)
            yield f"{path}:{line}: @{name}@ stays as it stands, because there is no such name{hint}"


def _found(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, str]]:
    """Each name that a pattern finds, once, with its line, counted from one."""
    told = set()
    for match in pattern.finditer(text):
        if match[1] not in told:
            told.add(match[1])
            yield text.count("\n", 0, match.start()) + 1, match[1]


def _strays(folder: Path) -> Iterator[str]:
    """Files where each submission should be a folder of its own."""
    for top in OWN_FOLDERS:
        parent = folder / top
        for path in sorted(parent.iterdir()) if parent.is_dir() else ():
            if not path.is_dir() and not JUNK.fullmatch(path.name):
                yield f"{path}: each submission of {top}/ is a folder: move the file into one"


def _unproved(folder: Path) -> Iterator[str]:
    parent = folder / OWN_FOLDERS[1]
    if not parent.is_dir() or not any(path.is_dir() for path in parent.iterdir()):
        yield (
            f"{parent}: there is no submission with a fault, so that no check is proved: add one for each fault that "
            f"students make, with the checks that it loses in {DECLARATION}"
        )
