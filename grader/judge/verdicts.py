"""From findings to a check's result, and from check results to the lab's."""

from __future__ import annotations

from grader.kinds.findings import Finding, Verdict, broken
from grader.kinds.server.declare import Expect
from grader.kinds.server.judge.expectations import judgements
from grader.kinds.server.judge.index import Case, EvidenceIndex
from grader.model.evidence import Evidence
from grader.model.lab import Check, Lab
from grader.model.result import CheckResult, EngineFacts, HintTexts, Result, Status
from grader.model.templates import fill

HINT_TIERS = ("none", "nudge", "pointer", "example")
MOST_POINTERS = 12
MOST_REMARKS = 40
MOST_TOLD = 4
"""Different ways in which an expectation was met that are told."""
OUT_OF_TIME = (
    "The server was so slow, or silent for so long, that the time was over before this could be tried."
)


def judge(
    evidence: Evidence, *, lab: Lab | None = None, hints: str = "example", only: set[str] | None = None
) -> Result:
    """Judge a run.

    ``lab`` replaces the declaration recorded in the evidence, for a lab corrected since. ``hints`` is the
    highest tier of hints that the result may hold: ``none``, ``nudge``, ``pointer`` or ``example``. ``only``
    names the checks to report; those they need are judged all the same.
    """
    lab = lab or evidence.lab
    if evidence.quiz is not None:
        from grader.kinds.quiz.judge.verdicts import judge_answers

        done = judge_answers(evidence, evidence.quiz, lab, hints)
        reported = [result for code, result in done.items() if only is None or code in only]
    else:
        done = _judge_checks(evidence, lab, hints)
        planned = {facts.check for facts in evidence.attempts}
        reported = [
            done[check.code]
            for check in lab.checks
            if (only is None or check.code in only)
            and (evidence.error or not check.attempts or check.code in planned)
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
        notes=[*evidence.notes, *_zone_notes(evidence, reported)],
    )


def _judge_checks(evidence: Evidence, lab: Lab, hints: str) -> dict[str, CheckResult]:
    """The result of every check, by its code."""
    record = EvidenceIndex(evidence)
    done: dict[str, CheckResult] = {}
    for check in in_order_of_need(lab):
        done[check.code] = _judge_check(check, lab, record, done, hints)
    return done


def _zone_notes(evidence: Evidence, reported: list[CheckResult]) -> list[str]:
    """Remarks on a zone file that no failing check has told already."""
    if evidence.zone is None:
        return []
    from grader.kinds.zone.judge.remarks import left_over

    return left_over(evidence.zone, reported)


def in_order_of_need(lab: Lab) -> list[Check]:
    """The lab's checks, each after those it needs or is controlled by. The loader has refused cycles."""
    ordered: dict[str, Check] = {}

    def place(check: Check) -> None:
        for code in (*check.needs, *check.control):
            if code not in ordered:
                place(lab.check(code))
        ordered.setdefault(check.code, check)

    for check in lab.checks:
        place(check)
    return list(ordered.values())


def _judge_check(
    check: Check, lab: Lab, record: EvidenceIndex, done: dict[str, CheckResult], hints: str
) -> CheckResult:
    evidence = record.evidence
    if evidence.error:
        return _result(check, lab, record, hints, status="error", observed=evidence.error)
    blocker = next((done[code] for code in check.needs if done[code].status != "pass"), None)
    if blocker is not None:
        return _skipped(check, lab, record, hints, blocker)
    cases = list(record.cases(check.code))
    if not cases and not (check.expect.published or check.expect.running):
        return _result(check, lab, record, hints, status="manual")
    findings = _findings(check, cases, record)
    bad = [finding for finding in findings if finding.verdict is Verdict.BROKEN]
    if bad:
        return _failed(check, lab, record, hints, bad, cases)
    if check.control and not any(_way_open(lab.check(code), record) for code in check.control):
        return _skipped(check, lab, record, hints, done[check.control[0]])
    return _result(
        check,
        lab,
        record,
        hints,
        status="pass",
        observed=_all_met(check.expect, cases, findings),
        remarks=_passing_remarks(findings) if check.expect.program else [],
    )


def _passing_remarks(findings: list[Finding]) -> list[str]:
    """What there is to say of attempts that did all that they should."""
    return list(dict.fromkeys(f.observed for f in findings if f.verdict is Verdict.MET and f.observed))


def _findings(check: Check, cases: list[Case], record: EvidenceIndex) -> list[Finding]:
    tried = [case for case in cases if case.tried]
    findings = [
        finding for judgement in judgements(check.expect) for finding in judgement(check, tried, record)
    ]
    # A server that keeps its clients waiting must not pass for what nobody had the time to try.
    return findings + [broken(case, OUT_OF_TIME) for case in cases if not case.tried]


def _way_open(control: Check, record: EvidenceIndex) -> bool:
    """Whether at least one attempt of a control did all that it should.

    A server that lets nobody through shows nothing about whom it would let through; one that serves some of
    those whom it should does, and what it does wrong with the others is that other check's affair.
    """
    return any(
        all(finding.verdict is Verdict.MET for finding in _findings(control, [case], record))
        for case in record.cases(control.code)
    )


def _skipped(check: Check, lab: Lab, record: EvidenceIndex, hints: str, blocker: CheckResult) -> CheckResult:
    because = blocker.because or blocker.code
    return _result(
        check,
        lab,
        record,
        hints,
        status="skipped",
        because=because,
        observed=f"Not judged, because {because} failed.",
    )


def _failed(
    check: Check, lab: Lab, record: EvidenceIndex, hints: str, bad: list[Finding], cases: list[Case]
) -> CheckResult:
    attempts = list(dict.fromkeys(f.case.facts.id for f in bad if f.case is not None))
    observed = bad[0].observed
    if len(attempts) > 1:
        observed += f" The same or the like happened in {len(attempts)} of {len(cases)} attempts."
    pointers = list(dict.fromkeys(pointer for finding in bad for pointer in finding.evidence))
    remarks = _remarks(bad) if len(attempts) > 1 else [f.observed for f in bad[1:] if f.case is None]
    if record.evidence.zone is not None:
        from grader.kinds.zone.judge.remarks import attached

        found = attached(lab, check, record.zone_remarks, pointers)
        pointers = list(dict.fromkeys([*pointers, *(place for place, _ in found)]))
        remarks += [sentence for _, sentence in found]
    return _result(
        check,
        lab,
        record,
        hints,
        status="fail",
        observed=observed,
        evidence=pointers[:MOST_POINTERS],
        remarks=remarks,
    )


def _remarks(bad: list[Finding]) -> list[str]:
    """Which forms broke the expectation, each with the ways it did."""
    ways: dict[str, list[str]] = {}
    for finding in bad:
        if finding.case is not None:
            facts = finding.case.facts
            way = f"{facts.source} on {facts.listener}" if facts.listener else ""
            known = ways.setdefault(facts.title or facts.source, [])
            if way and way not in known:
                known.append(way)
    lines = [f"{title}: {', '.join(where)}" if where else title for title, where in ways.items()]
    if len(lines) > MOST_REMARKS:
        lines = [*lines[:MOST_REMARKS], f"and {len(lines) - MOST_REMARKS} more forms"]
    return lines


def _all_met(expect: Expect, cases: list[Case], findings: list[Finding]) -> str:
    told = list(dict.fromkeys(finding.observed for finding in findings if finding.observed))
    if told and (expect.signature is not None or not cases or expect.kept):
        return " ".join(told[:MOST_TOLD])
    tried = [case for case in cases if case.outcome.stage != "untried"]
    attempts = "1 attempt" if len(tried) == 1 else f"{len(tried)} attempts"
    if expect.arrives == "nowhere":
        refused = sum(not case.accepted for case in tried)
        taken = f"; {len(tried) - refused} taken, and none of them sent on" if refused < len(tried) else ""
        return f"{attempts}: {refused} refused{taken}."
    if expect.arrives is not None:
        return f"{attempts}, every message arrived."
    if expect.refused:
        return f"{attempts}, all refused in the session."
    return f"{attempts}, all as expected."


def _result(
    check: Check,
    lab: Lab,
    record: EvidenceIndex,
    hints: str,
    *,
    status: Status,
    because: str | None = None,
    observed: str = "",
    evidence: list[str] | None = None,
    remarks: list[str] | None = None,
) -> CheckResult:
    names = record.evidence.names
    wants_help = status == "fail"
    return CheckResult(
        code=f"{lab.id}/{check.code}",
        title=fill(check.title, names),
        status=status,
        points=check.points if status == "pass" else 0,
        max_points=check.points,
        because=because,
        expected=fill(check.expected or "", names),
        observed=observed,
        why=fill(check.why, names),
        next=fill(check.next, names) if wants_help else "",
        references=list(check.see),
        evidence=evidence or [],
        tags=list(check.tags),
        hints=_hints(check, names, hints) if wants_help else HintTexts(),
        remarks=remarks or [],
    )


def _hints(check: Check, names: dict[str, str], highest: str) -> HintTexts:
    if check.hints is None:
        return HintTexts()
    shown = HINT_TIERS.index(highest)
    return HintTexts(
        nudge=fill(check.hints.nudge, names) if shown >= 1 else None,
        pointer=fill(check.hints.pointer, names) if shown >= 2 else None,
        example=fill(check.hints.example, names) if shown >= 3 else None,
    )
