"""Finds, in whatever was handed in, the one folder that holds what the lab asks for, or says what comes near it."""

from __future__ import annotations

from collections.abc import Iterable

from grader.labs.limits import Budget, inside, shown
from grader.labs.tree import Tree, archives_in, open_archive
from grader.model.errors import SubmissionError
from grader.model.lab import Lab
from grader.model.variant import composed

DEEPEST = 2
"""Archives in archives that are opened: who packs a folder for a platform that packs what it is given makes two."""


def located(lab: Lab, tree: Tree, where: str) -> tuple[Tree, str, str]:
    """The tree with the lab's files, their folder in it, and its name for sentences.

    Where no folder holds them all, it is the whole tree, for its reader to refuse what is missing. Raises
    ``SubmissionError`` where several folders do, or where a file's name says that it was meant.
    """
    names = list(tree.names(Budget(lab.submission, where)))
    for _ in range(DEEPEST):
        packed = archives_in(names)
        if len(packed) != 1 or _folders(lab, names):
            break
        tree = open_archive(lab, tree, packed[0], where)
        where = inside(where, packed[0])
        names = list(tree.names(Budget(lab.submission, where)))
    folders = _folders(lab, names)
    if not folders:
        _refuse_near_miss(lab, names, where)
        _refuse_packed(lab, archives_in(names), where)
        return tree, "", where
    folder = min(folders, key=len)
    if any(other != folder and not other.startswith(f"{folder}/" if folder else "") for other in folders):
        several = ", ".join(shown(name) for name in sorted(folders)[:5])
        raise SubmissionError(
            f"{where} holds {lab.submission.required[0]} in several folders ({several}): hand in one of them"
        )
    return tree, folder, inside(where, folder) if folder else where


def _folders(lab: Lab, names: Iterable[str]) -> set[str]:
    """The folders that hold every file that the lab asks for, by their names as they are there."""
    known = {composed(name): name for name in names}
    first, *others = lab.submission.required
    deep = first.count("/") + 1
    found = set()
    for name, there in known.items():
        if not f"/{name}".endswith(f"/{first}"):
            continue
        folder = name[: -len(first)]
        if all(folder + other in known for other in others):
            found.add("/".join(there.split("/")[:-deep]))
    return found


def _refuse_near_miss(lab: Lab, names: list[str], where: str) -> None:
    """Raises ``SubmissionError`` where a file that the lab asks for is there under another name."""
    for required in lab.submission.required:
        if any(f"/{composed(name)}".endswith(f"/{required}") for name in names):
            continue
        wanted = required.rpartition("/")[2]
        for name in names:
            base = name.replace("\\", "/").rpartition("/")[2]
            if "\\" in name and base.casefold() == wanted.casefold():
                raise SubmissionError(
                    f"{where} holds {shown(name)!r} and no {required}: the backslash is a part of its name, and no "
                    "folder; pack it with another program"
                )
            if _means(base, wanted):
                raise SubmissionError(
                    f"{where} holds no {required}, which the lab {lab.id} asks for, but {shown(name)}: rename it to "
                    f"{wanted}"
                )


def _refuse_packed(lab: Lab, packed: list[str], where: str) -> None:
    """Raises ``SubmissionError`` where archives are there that were not opened: several, or one too deep."""
    if packed:
        several = ", ".join(map(shown, sorted(packed)[:5]))
        raise SubmissionError(
            f"{where} holds no {lab.submission.required[0]}, which the lab {lab.id} asks for, but archives "
            f"({several}): hand in what is in one of them"
        )


def _means(name: str, wanted: str) -> bool:
    """Whether a name is another way to write the one that is wanted: capitals, another ending, letters changed over."""
    name, wanted = name.casefold(), wanted.casefold()
    if sorted(name) == sorted(wanted) or name.startswith(f"{wanted}."):
        return True
    stem, dot, _ = wanted.rpartition(".")
    return bool(dot) and (name == stem or name.startswith((f"{stem}.", f"{stem} (", f"{stem}-", f"{stem}_")))
