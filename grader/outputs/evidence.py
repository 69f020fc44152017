"""The evidence that a result is shown with, which may be missing: what a kind of lab shows of it, if there is any."""

from __future__ import annotations

from functools import cached_property

from grader import kinds
from grader.display.excerpts import Excerpt
from grader.kinds.base import Section, Show
from grader.model.diagnostic import FilePlace
from grader.model.evidence import AnyEvidence
from grader.model.pointer import Pointer, parse
from grader.model.result import CheckResult, Result


class EvidenceView:
    """What there is to show of one evidence document; nothing where there is none."""

    def __init__(self, evidence: AnyEvidence | None) -> None:
        self._evidence = evidence
        self.show: Show | None = kinds.show(evidence.lab.kind) if evidence is not None else None

    @cached_property
    def narrative(self) -> list[str]:
        """What happened, in sentences."""
        if self.show is None or self._evidence is None or self._evidence.error:
            return []
        return list(self.show.narrative(self._evidence))

    def pointers(self, check: CheckResult) -> list[Pointer]:
        """What a check points to and the evidence holds."""
        found = (parse(text) for text in check.evidence)
        return [
            pointer for pointer in found if pointer and self.show and self.show.holds(self._evidence, pointer)
        ]

    def place(self, check: CheckResult) -> FilePlace | None:
        """Where in the files handed in a check failed, or points to first; else the first file as a whole, if known."""
        if check.place is not None:
            return check.place
        # Kinds that other packages bring may be older than this door.
        of_piece = getattr(self.show, "place", None)
        places = [of_piece(self._evidence, pointer) for pointer in self.pointers(check)] if of_piece else []
        if found := [place for place in places if isinstance(place, FilePlace)]:
            return found[0]
        files = self._evidence.files if self._evidence is not None else []
        return FilePlace(files[0]) if files else None

    def excerpts(self, check: CheckResult, *, rows: int) -> tuple[list[Excerpt], int]:
        """Excerpts of at most ``rows`` lines for a check, and how many further pointers it has."""
        if self.show is None:
            return [], 0
        return self.show.excerpts(self._evidence, self.pointers(check), rows)

    def sections(self, result: Result) -> list[Section]:
        """The parts of the HTML report on what happened."""
        if self.show is None or not self.narrative:
            return []
        pointed = dict.fromkeys(pointer for check in result.checks for pointer in self.pointers(check))
        return list(self.show.sections(self._evidence, list(pointed)))
