"""From what a kind of lab finds of each check to the lab's result."""

from __future__ import annotations

from grader import kinds
from grader.kinds.base import Judge
from grader.model.errors import SmtplabError
from grader.model.evidence import AnyEvidence
from grader.model.finding import JUDGES_NOTHING, Judged
from grader.model.hints import allows
from grader.model.lab import Check, Lab
from grader.model.result import CheckResult, EngineFacts, HintTexts, Result, Status
from grader.model.templates import fill

MOST_POINTERS = 12
FAULT = "A fault in smtplab itself"
"""How the observation of a check begins whose judging raised what it should not."""


def judge(
    evidence: AnyEvidence, *, lab: Lab | None = None, hints: str = "example", only: set[str] | None = None
) -> Result:
    """Judge a run.

    ``lab`` replaces the declaration recorded in the evidence, for a lab corrected since. ``hints`` is the highest
    rung of help that the result may hold, one of ``grader.model.hints.TIERS``: below ``next`` it holds no next step.
    ``only`` names the checks to report; those they need are judged all the same, and one whose failure is why another
    was skipped is reported with it.
    """
    lab = lab or evidence.lab
    frame = _Frame(evidence, lab, hints)
    wanted = None if only is None else only | frame.causes(only)
    reported = [
        frame.done[check.code]
        for check in frame.checks
        if (wanted is None or check.code in wanted)
        and (evidence.error or evidence.checks is None or check.code in evidence.checks)
    ]
    return Result(
        lab=lab.id,
        lab_title=lab.title,
        lab_version=lab.version,
        student=evidence.student,
        variant=evidence.variant,
        status="error" if evidence.error else "graded",
        score=sum(check.points for check in reported),
        max_score=sum(check.max_points for check in reported),
        started=evidence.started,
        duration=evidence.duration,
        engine=EngineFacts(name=evidence.engine, image=evidence.image, mta=evidence.mta),
        checks=reported,
        error=evidence.error,
        notes=[*evidence.notes, *([] if evidence.error else frame.judge.notes(reported))],
    )


class _Frame:
    """What judging is the same for, whatever was handed in: order, blockers, controls, texts, hints."""

    def __init__(self, evidence: AnyEvidence, lab: Lab, hints: str) -> None:
        judging = kinds.judge(evidence.lab.kind)
        self.evidence = evidence
        self.lab = lab
        self.hints = hints
        self.checks = list(judging.checks(evidence, lab))
        self.judge: Judge = judging.judge(evidence, lab, hints=hints)
        self.done: dict[str, CheckResult] = {}
        self._waiting = {check.code: check for check in in_order_of_need(self.checks)}
        for code in [*self._waiting]:
            self._of(code)

    def causes(self, codes: set[str]) -> set[str]:
        """The checks because of whose failure some of these were skipped."""
        because = (self.done[code].because for code in codes if code in self.done)
        return {cause.removeprefix(f"{self.lab.id}/") for cause in because if cause}

    def _of(self, code: str) -> CheckResult | None:
        """The result of a check, judged now where its turn is later. Of one that is being judged there is none yet."""
        if code in self._waiting:
            self.done[code] = self._one(self._waiting.pop(code))
        return self.done.get(code)

    def _one(self, check: Check) -> CheckResult:
        if self.evidence.error:
            return self._result(check, Judged("error", self.evidence.error))
        needed = [self.done[code] for code in check.needs if code in self.done]
        blocker = next((result for result in needed if result.status != "pass"), None)
        if blocker is not None:
            return self._skipped(check, blocker)
        if self.evidence.checks is not None and check.code not in self.evidence.checks:
            return self._result(check, Judged("manual"))
        judged = self._judged(check)
        cause = self._of(judged.because or "")
        if cause is not None and cause.status == "fail":
            return self._skipped(check, cause)
        controls = [self.lab.check(code) for code in check.control]
        if judged.status == "pass" and controls and not any(map(self.judge.way_open, controls)):
            first = self.done[controls[0].code]
            if first.status == "error":
                return self._result(check, Judged("error", JUDGES_NOTHING))
            return self._skipped(check, first)
        return self._result(check, judged)

    def _judged(self, check: Check) -> Judged:
        """What the kind finds. A fault in its judging costs that check's verdict, and never the others'."""
        try:
            return self.judge.judge(check)
        except SmtplabError:
            raise
        except Exception as error:
            return Judged("error", f"{FAULT}, {type(error).__name__}: {error}")

    def _skipped(self, check: Check, blocker: CheckResult) -> CheckResult:
        because = blocker.because or blocker.code
        return self._result(check, None, because=because, observed=f"Not judged, because {because} failed.")

    def _result(
        self, check: Check, judged: Judged | None, *, because: str | None = None, observed: str = ""
    ) -> CheckResult:
        """``judged`` in the lab's own words; without it the check was skipped ``because`` of another."""
        names = self.evidence.names
        status: Status = judged.status if judged else "skipped"
        judged = judged or Judged("pass", observed)
        failed = status == "fail"
        earned = check.points if status == "pass" else (judged.points or 0) if failed else 0
        next_ = judged.next if judged.next is not None else fill(check.next, names)
        return CheckResult(
            code=f"{self.lab.id}/{check.code}",
            title=fill(check.title, names),
            status=status,
            points=earned,
            max_points=check.points,
            because=because,
            expected=judged.expected if judged.expected is not None else fill(check.expected or "", names),
            observed=judged.observed,
            why=judged.why if judged.why is not None else fill(check.why, names),
            next=next_ if failed and allows(self.hints, "next") else "",
            references=list(check.see if judged.references is None else judged.references),
            evidence=[str(pointer) for pointer in judged.pointers[:MOST_POINTERS]],
            tags=list(check.tags),
            hints=self._hints(check) if failed else HintTexts(),
            remarks=list(judged.remarks),
            place=judged.place if failed and allows(self.hints, "next") else None,
        )

    def _hints(self, check: Check) -> HintTexts:
        if check.hints is None:
            return HintTexts()
        names = self.evidence.names
        return HintTexts(
            nudge=fill(check.hints.nudge, names) if allows(self.hints, "nudge") else None,
            pointer=fill(check.hints.pointer, names) if allows(self.hints, "pointer") else None,
            example=fill(check.hints.example, names) if allows(self.hints, "example") else None,
        )


def in_order_of_need(checks: list[Check]) -> list[Check]:
    """The checks, each after those it needs or is controlled by. The loader has refused cycles; saved ones end here."""
    by_code = {check.code: check for check in checks}
    ordered: dict[str, Check] = {}
    begun: set[str] = set()

    def place(check: Check) -> None:
        if check.code in begun:
            return
        begun.add(check.code)
        for code in (*check.needs, *check.control):
            if code not in ordered and code in by_code:
                place(by_code[code])
        ordered.setdefault(check.code, check)

    for check in checks:
        place(check)
    return list(ordered.values())
