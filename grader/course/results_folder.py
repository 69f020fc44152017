"""The folder that is kept of each submission: written whole or not at all, and found again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from grader import disk, outputs
from grader.course.submissions import safe_name
from grader.model.errors import UsageError
from grader.model.evidence import AnyEvidence
from grader.model.result import Result

RESULT = outputs.FORMATS["json"].file
EVIDENCE = outputs.FORMATS["evidence"].file


def write_folder(
    target: Path,
    result: Result,
    evidence: AnyEvidence | None,
    formats: Collection[str],
    others: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Write everything about one submission as a folder, whole or not at all."""
    with disk.replaced_folder(target) as folder:
        folder.mkdir()
        for kind in outputs.FORMATS.values():
            wanted = kind.always or kind.name in formats
            if kind.one and wanted and not (kind.of_evidence and evidence is None):
                outputs.write(folder / kind.file, kind.one(result, evidence))
        for name, data in others.items():
            outputs.write(folder / name, data)


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
