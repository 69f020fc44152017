"""Reads what a student handed in, a folder or an archive, as work of somebody who may mean harm.

Nothing outside of it is read, whatever its links say; nothing in it can block, and no more of it is read than the lab
allows.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace

from grader.labs.limits import Budget, folder_for_file, inside, shown
from grader.labs.tree import MadeTree, Tree, opened, shown_source
from grader.model.errors import SubmissionError
from grader.model.lab import Lab
from grader.model.submission import Submission
from grader.model.templates import fill
from grader.model.variant import composed

if TYPE_CHECKING:
    from grader.labs.parts import Source


_FOREIGN = (".7z", ".rar", ".zst", ".lz", ".lzma", ".gz", ".xz", ".bz2", ".dmg", ".iso")
"""How archives end that are none of ``ARCHIVES``."""
_MOST_NAMED = 3
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How a text of two octets a character begins."""


def read_submission(
    lab: Lab, source: Source, names: Mapping[str, str] | None = None, *, where: str = ""
) -> Submission:
    """What lies in a folder, or in a zip or tar archive, as far as the lab asks for it.

    The one folder in it that holds what the lab asks for is found at any depth, and in an archive within, two deep.
    ``names`` are the variant's, for files that are named after them; sentences name the source
    ``where``, or else by its own name. Links, devices and the like are refused, editors' and systems' own files are
    left out. Raises ``SubmissionError``.
    """
    where = where or shown_source(source)
    lab = _named(lab, names)
    return _taken(lab, opened(lab, source, where), where)


def take_submission(lab: Lab, made: Submission, where: str, names: Mapping[str, str]) -> Submission:
    """Files that were made in memory, taken in as if a student had handed them in: see ``read_submission``.

    ``where`` names them in sentences. Raises ``SubmissionError``.
    """
    return _taken(_named(lab, names), MadeTree(made, where), where)


def _taken(lab: Lab, tree: Tree, where: str) -> Submission:
    """What the lab asks for, of a tree that ``where`` names."""
    outside, inner = where, ""
    if not all(tree.has(name) for name in lab.submission.required):
        from grader.labs.locate import located

        tree, inner, where = located(lab, tree, where)
    budget = Budget(lab.submission, where)
    files: dict[str, bytes] = {}
    executable: set[str] = set()
    for entry in tree.files(inner, budget):
        budget.take(entry)
        name = composed(entry.name)
        files[name] = entry.data
        if entry.executable:
            executable.add(name)
    _require(lab, files, where, budget.ignored)
    # Of what was handed in: where that lies on this machine is nobody's affair who reads the result.
    within = "" if where == outside else where.removeprefix(f"{outside}/")
    return Submission(dict(sorted(files.items())), frozenset(executable), sorted(budget.ignored), within)


def _named(lab: Lab, names: Mapping[str, str] | None) -> Lab:
    """The lab with the names filled in where its files' own names hold some."""
    if names is None or not any("{" in name for name in lab.submission.required):
        return lab
    required = [fill(name, names, lab.id) for name in lab.submission.required]
    return replace(lab, submission=replace(lab.submission, required=required))


def _require(lab: Lab, files: dict[str, bytes], where: str, others: list[str]) -> None:
    for name in lab.submission.required:
        if name not in files:
            if any(other.startswith(f"{name}/") for other in files):
                raise SubmissionError(folder_for_file(inside(where, name)))
            raise SubmissionError(
                f"{where} holds no {name}, which the lab {lab.id} asks for{_instead(files, others)}"
            )
        if files[name].startswith(UTF_16):
            raise SubmissionError(
                f"{inside(where, name)} is written in UTF-16, two octets for each character: save it as text in UTF-8"
            )
        if (at := files[name].find(b"\0")) >= 0:
            raise SubmissionError(
                f"{inside(where, name)} is not plain text (there is a NUL byte at offset {at}): "
                "save it as text in UTF-8"
            )


def _instead(files: dict[str, bytes], others: list[str]) -> str:
    """What lies there in place of a file that is missing, and what to do."""
    if packed := [name for name in (*others, *files) if name.lower().endswith(_FOREIGN)]:
        return f", but {shown(packed[0])}, which cannot be opened here: pack it as a zip or tar archive"
    if others and not files and len(others) <= _MOST_NAMED:
        return f", but {', '.join(map(shown, sorted(others)))}: add it"
    return ": add it"
