"""Judges a run of the student's mail server: facts -> findings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from msgspec.structs import replace

from grader.kinds.server.declare import OTHERS, OTHERS_CLEAR, UNWANTED, ServerCheck, ServerLab
from grader.kinds.server.facts import ServerEvidence
from grader.kinds.server.functions import functions
from grader.kinds.server.judge import expectations, leftopen, troubles
from grader.kinds.server.judge.accounts import excuse
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.slip import LINE_OF
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.judging import TrafficJudge, attempts
from grader.kinds.traffic.sentences import quoted
from grader.model.diagnostic import FilePlace, Span
from grader.model.errors import UsageError
from grader.model.finding import JUDGES_NOTHING, Finding, Judged
from grader.model.result import CheckResult
from grader.model.templates import fill

if TYPE_CHECKING:
    from grader.kinds.server.judge.slip import Slip

__all__ = ["EVIDENCE", "ServerJudge", "checks", "judge", "prepare"]

EVIDENCE = ServerEvidence
MOST_TOLD = 4
"""Different ways in which an expectation was met that are told."""


class ServerJudge(TrafficJudge[ServerCheck, ServerIndex]):
    """Judges one evidence document of a server."""

    # A server may let its clients wait by design.
    untried_fails = False

    def __init__(self, index: ServerIndex) -> None:
        super().__init__(index)
        self._troubled: dict[str, str] = {}
        """The first check that failed of a trouble inside the server alone, by the trouble."""
        self._remarked: dict[str, str] = {}
        """The first check that passed because of one, in part, by the same."""

    def undecided(self, check: ServerCheck, case: TrafficCase) -> bool:
        """See ``TrafficJudge``. Mail that is waited for may have been on its way, too, with nothing to hold it."""
        if super().undecided(check, case):
            return True
        waiting = case.waiting() if self.index.facts.out_of_time and check.expect.awaits else []
        return bool(waiting) and all(entry.in_motion for entry in waiting)

    def failed(self, check: ServerCheck, cases: list[TrafficCase], bad: list[Finding]) -> Judged:
        """See ``TrafficJudge``; the first attempt that failed may know better than the lab what to do next.

        Where a single trouble inside the server broke all of it, and broke a check before, that one tells of it.
        """
        judged = super().failed(check, cases, bad)
        if self._missing is not None and judged.next is not None and f"`{self._missing}`" in judged.next:
            self._troubled.setdefault(self._missing, check.code)
        if (trouble := self._only_trouble(bad)) is not None:
            first = self._troubled.setdefault(trouble, check.code)
            if first != check.code:
                return replace(judged, because=first)
        case = next((finding.case for finding in bad if finding.case is not None), None)
        if isinstance(case, TrafficCase) and case.session is not None and judged.next is None:
            from grader.kinds.server.judge.advice import advice, overridden, silent

            logged = any(pointer.kind == "log" for pointer in judged.pointers)
            told = (None if logged else silent(check, case, self.index)) or advice(check, case, self.index)
            general = fill(check.next, self.index.evidence.names)
            if told is None and (more := overridden(general, case, self.index.settings)):
                told = general + more
            judged = replace(judged, next=told)
        return self._slip_first(check, replace(judged, place=self._place(judged)))

    def _place(self, judged: Judged) -> FilePlace | None:
        """The line of a settings file that the server's own words name, or that of the setting which decided."""
        settings = self.index.settings
        for file, line in LINE_OF.findall(judged.observed):
            if (place := settings.place_of(file, int(line) - 1)) is not None:
                return place
        return settings.place_in(f"{judged.observed}\n{judged.next or ''}")

    def _slip_first(self, check: ServerCheck, judged: Judged) -> Judged:
        """Where a failure comes of a slip of the pen, that is said before what came of it."""
        from grader.kinds.server.judge.slips import cause

        slip, sure = cause(check, judged, self.slips)
        if slip is None:
            return judged
        next_ = judged.next if judged.next is not None else fill(check.next, self.index.evidence.names)
        return replace(
            judged,
            observed=f"{slip.sentence} {judged.observed}",
            next=f"{slip.remedy} Then grade again." if sure else f"{slip.remedy} If that is not all: {next_}",
            place=FilePlace(slip.file, Span(slip.line, 0, 0))
            if sure or judged.place is None
            else judged.place,
        )

    @cached_property
    def slips(self) -> list[Slip]:
        """Slips of the pen in the settings that were handed in."""
        from grader.kinds.server.judge.slips import find_slips

        return find_slips(self.index.facts)

    def notes(self, results: Sequence[CheckResult]) -> list[str]:
        """See ``TrafficJudge``: slips that no failure comes of, and what the student's own tools warned of."""
        from grader.kinds.server.judge.slips import told_by_tools

        said = "\n".join(result.observed for result in results)
        told = {(slip.file, slip.words) for slip in self.slips if slip.sentence in said}
        mine = [s.sentence for s in self.slips if s.certain and (s.file, s.words) not in told]
        return [*mine, *told_by_tools(self.index.facts)]

    def judge(self, check: ServerCheck) -> Judged:
        """See ``TrafficJudge``. A server that greeted nobody refused nobody either: that shows nothing by itself.

        Whoever is put off by the greeting keeps the message, though: Postfix without its milter says no more than that.
        """
        judged = super().judge(check)
        if judged.status == "pass" and self.index.facts.untried and _tries_others(check):
            return leftopen.too_many_ports(self.index)
        open_ = check.expect.arrives == "nowhere" and self.index.facts.inner
        if judged.status == "pass" and open_ and _tries_others(check):
            return leftopen.inner_ports(self.index)
        cases = list(self.index.cases(check.code))
        absent = bool(cases) and not any(case.reached_server for case in cases)
        silence_tells = check.expect.greets or check.expect.kept
        # A control shows that the way was open once, which says nothing of the time after the end.
        if (
            judged.status == "pass"
            and self.index.facts.ended
            and not silence_tells
            and leftopen.unanswered(cases)
        ):
            return Judged("fail", leftopen.ENDED)
        if judged.status == "pass" and not silence_tells and (left := self._unanswered_to_the_end(cases)):
            return left
        if judged.status == "pass" and check.expect.keeps_out:
            judged = (
                leftopen.put_off_to_the_end(cases, self.index)
                or leftopen.shut_to_the_end(cases, self.index)
                or self._with_troubles(check, cases, judged)
            )
        if judged.status == "pass" and absent and not (check.control or silence_tells):
            return self._turned_away(check, cases) or Judged("error", JUDGES_NOTHING)
        if judged.status == "pass" and check.expect.arrives in UNWANTED:
            judged = leftopen.found_nowhere(cases, self.index) or judged
        if judged.status == "pass" and check.expect.legible and self.index.facts.untold:
            from grader.kinds.server.judge.deciders import untold

            return untold(cases, self.index) or judged
        return judged

    def _unanswered_to_the_end(self, cases: list[TrafficCase]) -> Judged | None:
        """As ``leftopen`` has it; a trouble that a check before has told of is no want of time."""
        judged = leftopen.unanswered_to_the_end(cases, self.index)
        if judged is None or judged.status != "error":
            return judged
        # Who takes no mail because a program behind it died, or is missing, as a check before has told, is not starved.
        left = leftopen.left_unanswered(cases, self.index)
        told = troubles.trouble(left[0], self.index) or self._missing
        first = self._troubled.get(told) if told is not None else None
        return judged if first is None else replace(judged, status="fail", because=first)

    def _with_troubles(self, check: ServerCheck, cases: list[TrafficCase], judged: Judged) -> Judged:
        """A pass, with a remark where a trouble of the server's alone kept some out; its log's words are told once."""
        found = leftopen.troubled_remark(cases, self.index)
        if found is None or self._remarked.setdefault(found[0], check.code) != check.code:
            return judged
        _, remark, pointers = found
        return replace(judged, remarks=[*judged.remarks, remark], pointers=[*judged.pointers, *pointers])

    @cached_property
    def _missing(self) -> str | None:
        """The service of Postfix's own that others asked in vain, if there is one."""
        from grader.kinds.server.judge.absent import awaited

        nobody = awaited(self.index)
        return nobody[1] if nobody is not None else None

    def _only_trouble(self, bad: list[Finding]) -> str | None:
        """What the server's log names as the cause of everything that failed; ``None`` where there are several."""
        told = {
            troubles.trouble(finding.case, self.index) if isinstance(finding.case, TrafficCase) else None
            for finding in bad
        }
        return told.pop() if len(told) == 1 else None

    def _turned_away(self, check: ServerCheck, cases: list[TrafficCase]) -> Judged | None:
        """Nobody was greeted, for a trouble of the server's own: that is no fault of the lab's."""
        troubled = next((case for case in cases if troubles.in_trouble(case, self.index)), None)
        if troubled is None:
            return None
        return self.failed(check, cases, [expectations.not_taken(troubled, self.index)])

    def judgements(self, check: ServerCheck) -> list[expectations.Judgement]:
        """See ``TrafficJudge``."""
        expect = check.expect
        chosen = expectations.judgements(expect)
        if expect.running or expect.published or expect.signature is not None or expect.kept:
            from grader.kinds.server.judge.dkim.expectations import judgements_of_signing

            chosen += judgements_of_signing(expect)
        if expect.function is not None:
            if expect.function not in (known := functions()):
                raise UsageError(
                    f"there is no judge function {expect.function!r} here: install the package that brings it"
                )
            chosen.append(known[expect.function])
        return chosen

    def proves(self, check: ServerCheck, case: TrafficCase) -> bool:
        """See ``TrafficJudge``: one whose address is trusted shows nothing about logins, mail to users no way out."""
        return not ((check.expect.authenticates and case.facts.inside) or self._stays_here(check, case))

    def _stays_here(self, check: ServerCheck, case: TrafficCase) -> bool:
        return check.expect.arrives == "outside" and case.for_users_alone

    def _excuses(self, cases: list[TrafficCase]) -> list[str]:
        """What the server's own log says of mail that was taken and is found nowhere: its word, and no more."""
        lines = [line for case in cases if (line := excuse(case, self.index)) is not None]
        if not lines:
            return []
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        said = quoted(self.index.logged(lines[0].index))
        return [f"That what was taken did not stay here is known from the server's log alone{more}: {said}"]

    def passed(self, check: ServerCheck, cases: list[TrafficCase], findings: list[Finding]) -> Judged:
        """See ``TrafficJudge``."""
        expect = check.expect
        told = list(dict.fromkeys(finding.observed for finding in findings if finding.observed))
        if told and (expect.signature is not None or not cases or expect.kept):
            return Judged("pass", " ".join(told[:MOST_TOLD]))
        if expect.arrives in UNWANTED:
            tried = [case for case in cases if case.outcome.stage != "untried"]
            refused = sum(not case.accepted for case in tried)
            taken = (
                f"; {len(tried) - refused} taken, and none of them sent on" if refused < len(tried) else ""
            )
            return Judged(
                "pass", f"{attempts(cases)}: {refused} refused{taken}.", remarks=self._excuses(tried)
            )
        if expect.arrives is not None:
            return Judged("pass", f"{attempts(cases)}, every message arrived.")
        if expect.refused:
            return Judged("pass", f"{attempts(cases)}, all refused in the session.")
        return super().passed(check, cases, findings)


def _tries_others(check: ServerCheck) -> bool:
    return any({OTHERS, OTHERS_CLEAR} & set(map(str, entry.on)) for entry in check.attempts)


def judge(evidence: ServerEvidence, lab: ServerLab, *, hints: str) -> ServerJudge:
    """See ``grader.kinds.base.Judging``."""
    return ServerJudge(ServerIndex(evidence, evidence.facts))


def checks(evidence: ServerEvidence, lab: ServerLab) -> Sequence[ServerCheck]:
    """See ``grader.kinds.base.Judging``."""
    return lab.checks


def prepare(lab: ServerLab) -> None:
    """See ``grader.kinds.base.Judging``. Few labs are about signatures, whose libraries take long to load."""
    import_module("grader.kinds.server.judge.slips")
    if lab.submission.publishes:
        import_module("grader.kinds.server.judge.dkim.expectations")
