"""The folder that is kept of each submission: written whole or not at all, and found again."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from grader import outputs
from grader.course.submissions import safe_name
from grader.model.errors import UsageError
from grader.model.evidence import AnyEvidence
from grader.model.result import Result

RESULT = "result.json"
EVIDENCE = "evidence.json"
_PARTIAL = ".partial-"
_REPLACED = ".replaced-"


def write_folder(
    target: Path,
    result: Result,
    evidence: AnyEvidence | None,
    formats: Iterable[str],
    others: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Write everything about one submission as a folder, whole or not at all."""
    with replacing(target) as folder:
        outputs.write(folder / RESULT, outputs.document(result))
        if evidence is not None:
            outputs.write(folder / EVIDENCE, outputs.document(evidence))
        for kind in (outputs.FORMATS[name] for name in formats if name != "json"):
            if kind.one:
                outputs.write(folder / kind.file, kind.one(result, evidence))
        for name, data in others.items():
            outputs.write(folder / name, data)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A new folder that becomes ``target`` when it is complete, and leaves nothing behind when it does not."""
    beside = target.with_name(_PARTIAL + target.name)
    aside = target.with_name(_REPLACED + target.name)
    for leftover in (beside, aside):
        shutil.rmtree(leftover, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
        if target.exists():
            target.rename(aside)
        beside.rename(target)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
        if aside.exists() and not target.exists():
            aside.rename(target)
        shutil.rmtree(aside, ignore_errors=True)


def recover(out: Path) -> None:
    """Finish or undo what a killed process was replacing in ``out``."""
    for leftover in out.iterdir():
        if leftover.name.startswith(_PARTIAL):
            shutil.rmtree(leftover, ignore_errors=True)
        elif leftover.name.startswith(_REPLACED):
            whole = leftover.with_name(leftover.name.removeprefix(_REPLACED))
            if whole.exists():
                shutil.rmtree(leftover)
            else:
                leftover.rename(whole)


def by_name(evidence: Sequence[Path]) -> dict[str, Path]:
    """AnyEvidence files by the names that their results' folders get: that of their own folder, or of the file.

    A folder stands for the evidence in it. Raises ``UsageError`` where two would get the same name.
    """
    found: dict[str, Path] = {}
    for given in evidence:
        path = given / EVIDENCE if given.is_dir() else given
        name = safe_name(path.resolve().parent.name if path.name == EVIDENCE else path.stem)
        if name in found:
            raise UsageError(
                f"the results of {str(found[name])!r} and {str(path)!r} would both be named {name!r}: rename one"
            )
        found[name] = path
    return found
