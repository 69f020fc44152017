"""Judges saved evidence again, one run or a whole class, with whatever people have decided since."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import msgspec
from msgspec.structs import replace

from grader import pipeline
from grader.course.class_documents import write_documents
from grader.course.classpages import carry_missing
from grader.course.conduct import locked
from grader.course.coursefile import FoundCourse, visibility
from grader.course.intake.names import OVERRIDES
from grader.course.overrides import (
    Override,
    about_nobody,
    decided,
    overrides_for,
    read_overrides,
    undecided,
    worth_in,
)
from grader.course.results_folder import (
    EVIDENCE,
    RESULT,
    ROW_NAME,
    SIGNATURE,
    by_name,
    documents,
    kept,
    read_result,
    read_row,
    refuse_other_lab,
    write_folder,
)
from grader.course.rows import ClassRow, judged_again
from grader.course.shards import refuse_other_share
from grader.course.signing import Signer
from grader.display.sentences import some
from grader.formats.handed import without_mark
from grader.model.errors import OutputError, UsageError
from grader.model.evidence import AnyEvidence
from grader.model.lab import Lab
from grader.model.result import Result, of_course

MOST_NAMED = 50
"""Students who are named on the screen, of those whose earlier results stand."""


def only(given: Sequence[Path]) -> bytes:
    """The document of the only evidence that is given. Raises ``UsageError`` where there are several."""
    found = list(_sorted_out(given).evidence().values())
    if len(found) != 1:
        raise UsageError("only one result can go to standard output: name a folder with --out")
    return _read(found[0])


def regrade_one(document: bytes, *, lab: Lab | None, hints: str, overrides: Path | None) -> Result:
    """One run judged again. Raises ``UsageError``."""
    result = pipeline.regrade(document, lab=lab, hints=hints)
    if overrides is None:
        return result
    return decided(result, read_overrides(overrides, worth_in(result)))


def regrade_into(
    out: Path,
    given: Sequence[Path],
    *,
    lab: Lab | None,
    hints: str,
    overrides: Path | None,
    formats: Collection[str],
    signer: Signer | None = None,
    course: FoundCourse | None = None,
    tell: Callable[[str], object] = bool,
    miss: Callable[[str], object] = bool,
) -> Iterator[Result]:
    """Judge evidence again and write results to ``out``, then the documents about all that lies there.

    ``given`` are evidence files, folders that hold one, or folders of grades: of those every result, the refused too,
    with what the platform and the roster said of it. A result whose evidence is gone or damaged stays as it was, and
    whose that is is told. Decisions are those of ``overrides``; otherwise of ``out``, and of the folder of grades that
    is judged again, which ``out`` keeps. A result that is judged again is another one: it is signed by ``signer``,
    or by nobody.
    ``course`` says anew what students see by now. ``tell`` is given sentences for the instructor, ``miss`` one for
    each evidence that cannot be read, unless none can. Raises ``UsageError``, ``OutputError``.
    """
    sources = _sorted_out(given)
    if overrides is None and not (out / OVERRIDES).is_file():
        overrides = _found_beside([*sources.without, *sources.folders], sources.single)
    known: dict[str, list[Override]] = {}

    def finished(result: Result) -> Result:
        if result.lab not in known:
            refuse_other_lab(out, result.lab)
            refuse_other_share(out, None)
            known[result.lab] = overrides_for(out, overrides, worth_in(result))
        if course is not None and (said := course.course.labs.get(result.lab)) is not None:
            result = of_course(result, visibility(said, result.checks), said.assignment)
        return decided(result, known[result.lab])

    damaged = sources.damaged
    judged = _judged(sources.evidence(), lab, hints, damaged)
    first = list(islice(judged, 1))
    if damaged and not first and not sources.without:  # where nothing can be judged, no folder is made
        raise UsageError(damaged[0].reason)
    with locked(out):
        for again in chain(first, judged):
            result = finished(again.result)
            yield _write(out / again.name, result, again.evidence, again.before, formats, signer)
        stands: list[str] = []
        for folder in sources.without:
            # It was never run, and what was wrong with it has not changed; or what was found is all that is left.
            try:
                before = undecided(read_result(folder))
            except OutputError as error:
                damaged.append(_Damaged(folder.name, str(error), None))
                continue
            if before.status != "refused":
                stands.append(before.student or folder.name)
            yield _write(out / folder.name, finished(before), None, folder, formats, signer)
        for one in damaged:
            if one.before is not None:
                earlier = finished(undecided(read_result(one.before)))
                yield _write(out / one.name, earlier, None, one.before, formats, signer)
            miss(one.told())
        carry_missing(out, [path for path in given if path.is_dir() and not (path / EVIDENCE).is_file()])
        write_documents(out, formats, afresh=signer is not None)
        for sentence in about_nobody(chain(*known.values()), out):
            tell(sentence)
        if stands:
            tell(
                f"not judged again, for {EVIDENCE} is gone, and graded as before: {some(stands, MOST_NAMED)}"
            )


@dataclass(frozen=True)
class _Again:
    """One run judged again: its name in the new folder, and the folder of its earlier result, if it had one."""

    name: str
    result: Result
    evidence: AnyEvidence
    before: Path | None


@dataclass(frozen=True)
class _Damaged:
    """A run that cannot be judged again, for its evidence or its earlier result is damaged: the name of its folder, a
    sentence why, and the folder of its earlier result where that can be read."""

    name: str
    reason: str
    before: Path | None

    def told(self) -> str:
        """What the instructor is told of it."""
        stands = "has no earlier result" if self.before is None else "is graded as before"
        return f"not judged again, {self.name} {stands}: {self.reason}"


def _judged(
    given: Mapping[str, Path], lab: Lab | None, hints: str, damaged: list[_Damaged]
) -> Iterator[_Again]:
    """Each run judged again; ``damaged`` takes what cannot be read.

    Raises ``UsageError`` for a ``lab`` of another kind.
    """
    for name, path in given.items():
        before = path.parent if path.name == EVIDENCE and (path.parent / RESULT).is_file() else None
        try:
            document = _read(path)
            evidence = pipeline.read_evidence(document)
            earlier = read_result(before) if before is not None else None
        except UsageError as error:
            damaged.append(_Damaged(name, _about(path, error), before if _readable(before) else None))
            continue
        except OutputError as error:
            # Who it is, and what the platform and the roster said, stood there alone.
            damaged.append(_Damaged(name, str(error), None))
            continue
        try:
            again = pipeline.regrade(document, lab=lab, hints=hints)
        except UsageError as error:
            raise UsageError(_about(path, error)) from error
        yield _Again(
            name,
            again if earlier is None else _carried(again, earlier, read_row(path.parent)),
            evidence,
            before,
        )


def _readable(folder: Path | None) -> bool:
    try:
        return folder is not None and bool(read_result(folder))
    except OutputError:
        return False


def _about(path: Path, error: UsageError) -> str:
    """A sentence about a document, which names its file once."""
    return str(error) if repr(str(path)) in str(error) else f"{str(path)!r}: {error}"


@dataclass
class _Sources:
    """What is to be judged again: folders of results, with and without evidence, from folders of grades; what was given
    by itself; and what of the folders of grades cannot be read."""

    folders: list[Path] = field(default_factory=list)
    without: list[Path] = field(default_factory=list)
    single: list[Path] = field(default_factory=list)
    damaged: list[_Damaged] = field(default_factory=list)

    def evidence(self) -> dict[str, Path]:
        """The files of evidence by the names that their results' folders get. Raises ``UsageError``."""
        return by_name([*self.folders, *self.single])


def _sorted_out(given: Sequence[Path]) -> _Sources:
    sources = _Sources()

    def miss(name: str, error: OutputError) -> None:
        sources.damaged.append(_Damaged(name, str(error), None))

    for path in given:
        if not path.is_dir() or (path / EVIDENCE).is_file():
            sources.single.append(path)
            continue
        found = list(kept(path, miss))
        if not found and not sources.damaged:
            raise UsageError(f"{str(path)!r} holds neither {EVIDENCE} nor results: name a folder of grades")
        for folder in found:
            (sources.folders if (folder / EVIDENCE).is_file() else sources.without).append(folder)
    return sources


def _found_beside(folders: Sequence[Path], single: Sequence[Path]) -> Path | None:
    """The decisions beside the results that are judged again."""
    homes = [path.parent for path in folders]
    homes += [path.parent.parent for path in single if path.name == EVIDENCE]
    homes += [path.parent for path in single if path.is_dir()]
    return next((home / OVERRIDES for home in dict.fromkeys(homes) if (home / OVERRIDES).is_file()), None)


def _carried(result: Result, earlier: Result, row: ClassRow | None) -> Result:
    """With what the earlier result knew beside the evidence: what the platform, the roster and the hand-out said."""
    seen = {check.code: check.visibility for check in earlier.checks}
    return replace(
        result,
        student=earlier.student,
        handed_in=earlier.handed_in,
        person=earlier.person,
        assignment=earlier.assignment,
        checks=[replace(check, visibility=seen.get(check.code, "always")) for check in result.checks],
        notes=[*(row.notes if row else ()), *result.notes],
    )


def _write(
    target: Path,
    result: Result,
    evidence: AnyEvidence | None,
    before: Path | None,
    formats: Collection[str],
    signer: Signer | None,
) -> Result:
    row = read_row(before) if before is not None else None
    others = {} if row is None else {ROW_NAME: msgspec.json.encode(judged_again(row, result))}
    files = documents(result, evidence, formats) | others
    if evidence is None and before is not None and read_result(before) == result:
        # A report that was made when there was evidence shows more than one that is made without.
        files |= {name: _read(before / name) for name in files if (before / name).is_file()}
    if signer is not None:
        files[SIGNATURE] = signer.sign(target.name, files)
    write_folder(target, files)
    return result


def _read(path: Path) -> bytes:
    try:
        return without_mark(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read the evidence {str(path)!r}: {error.strerror}") from error
