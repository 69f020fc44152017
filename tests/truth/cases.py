"""Reads the suite's files, and makes submissions of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

from grader import labs
from grader.model.result import Result
from grader.model.submission import Submission
from grader.model.variant import Variant

FOLDER = Path(__file__).parent
LABS = ("open-relay", "spf-dmarc", "dkim", "authenticated-message")


class Edit(Struct, frozen=True, forbid_unknown_fields=True):
    """A change of one file: ``old`` becomes ``new`` (everywhere with ``all``), or ``append``, or ``write``."""

    file: str
    old: str | None = None
    new: str | None = None
    append: str | None = None
    write: str | None = None
    all: bool = False


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    """A submission, why it is right or wrong, and the checks that it must lose; ``a|b`` stands for one of them.

    ``asks`` names the checks of which a run cannot know, so that they must be left to a person.
    ``open`` says what the product still gets wrong about it; the line goes once that is mended.
    """

    name: str
    because: str
    edits: list[Edit]
    loses: list[str] = []
    asks: list[str] = []
    open: str = ""
    lab: str = ""


def cases() -> list[Case]:
    """Every case of every lab, in the order of the files."""
    found = []
    for lab in LABS:
        document = yaml.load((FOLDER / f"{lab}.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
        found += [msgspec.structs.replace(case, lab=lab) for case in msgspec.convert(document, list[Case])]
    return found


def submission(case: Case, variant: Variant, scratch: Path) -> Submission:
    """The lab's solution with the case's edits. ``scratch`` is an empty folder to work in.

    Raises ``ValueError`` where an edit finds nothing to change, which is the suite's own mistake.
    """
    work = scratch / "submission"
    shutil.copytree(labs.find(case.lab) / "solution", work)
    for edit in case.edits:
        _edit(work / edit.file, edit, case.name)
    return labs.render_submission(work, variant)


def _edit(path: Path, edit: Edit, case: str) -> None:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if edit.write is not None:
        text = edit.write
    elif edit.append is not None:
        text += edit.append
    else:
        assert edit.old is not None
        assert edit.new is not None
        count = text.count(edit.old)
        if not (count == 1 or (edit.all and count)):
            raise ValueError(f"{case}: {edit.file} holds {count} times {edit.old!r}")
        text = text.replace(edit.old, edit.new)
    path.write_text(text, encoding="utf-8")


def problem(case: Case, result: Result) -> str:
    """In which way the verdict is not the truth; empty where it is."""
    if result.status == "error":
        return f"the grader failed: {result.error}"
    failed = {check.code.split("/", 1)[1] for check in result.checks if check.status == "fail"}
    left = {check.code.split("/", 1)[1] for check in result.checks if check.status == "manual"}
    if known := set(case.asks) - left:
        return f"it does not leave {', '.join(sorted(known))} to a person"
    if not case.loses and not case.asks:
        lost = [check.code.split("/", 1)[1] for check in result.checks if check.status != "pass"]
        return f"it is right, and lost {', '.join(lost)}" if lost else ""
    kept = [codes for codes in case.loses if not failed & set(codes.split("|"))]
    return f"it passed {', '.join(kept)}, and failed {', '.join(sorted(failed)) or 'nothing'}" if kept else ""
