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
from grader.kinds.server.judge import expectations
from grader.kinds.server.judge.accounts import excuse, vanished
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.sentences import taken_and_vanished
from grader.kinds.server.judge.slip import LINE_OF
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.judging import TrafficJudge, attempts
from grader.kinds.traffic.sentences import quoted
from grader.model.diagnostic import FilePlace, Span
from grader.model.errors import UsageError
from grader.model.finding import JUDGES_NOTHING, Finding, Judged
from grader.model.pointer import Pointer
from grader.model.result import CheckResult
from grader.model.templates import fill

if TYPE_CHECKING:
    from grader.kinds.server.judge.slip import Slip

__all__ = ["EVIDENCE", "ServerJudge", "checks", "judge", "prepare"]

EVIDENCE = ServerEvidence
MOST_PORTS_TOLD = 10
MOST_TOLD = 4
"""Different ways in which an expectation was met that are told."""

ENDED = "Postfix ended while it was probed, and some attempts had no answer: what it would have answered, nobody knows."

SILENT = (
    "{many} had no answer, however long the client waited, while the server took other mail: that is no refusal "
    "(RFC 5321 section 4.5.3.2 lets clients wait for minutes)."
)
SILENT_REMARK = "A person has to judge this: nothing was sent on meanwhile, and nothing was refused either."
IN_TROUBLE = (
    "{many} met a server in trouble, to the end of the run: {said} Such a server refuses nobody, it only asks to come "
    "back later, and what it would answer then, nobody knows."
)
MEND_TROUBLE = "Mend what the server's reply and its log name, then grade again: it must be able to serve."
TROUBLED = (
    "{many} met a trouble of the server's own, to the end of the run, while it served others: {said} Nobody got "
    "through, and that is what counts. But senders whom you want to refuse are only asked to come back, and what your "
    "restrictions would say to them was never to be seen: mend it, and grade again."
)
PUT_OFF = (
    "{many} were put off, again and again to the end of the run: {said} That is no refusal: senders come back for days "
    "(RFC 5321 section 4.5.4.1), and here something else than Postfix decides, which may let them through later."
)
PUT_OFF_REMARK = (
    "A person has to judge this: nothing was sent on meanwhile. A restriction of Postfix's own, or a reply that begins "
    "with 5, would show that the answer is no."
)
SHUT = (
    "{many} were made at ports that took the connection and greeted nobody to the end of the run, however long the "
    "client waited and however often it came: {ports}. A program of yours listens there, and may greet others later."
)
SHUT_REMARK = (
    "A person has to judge this: nothing was sent on meanwhile. A port that is closed would show it."
)
STARVED = (
    "{many} had no answer, and at the end the server did not even take mail that it had taken before: it or the "
    "machine had far too much to do. Grade again when the machine has less to do."
)


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
            return self._too_many_ports()
        cases = list(self.index.cases(check.code))
        absent = bool(cases) and not any(case.reached_server for case in cases)
        silence_tells = check.expect.greets or check.expect.kept
        # A control shows that the way was open once, which says nothing of the time after the end.
        if (
            judged.status == "pass"
            and self.index.facts.ended
            and not silence_tells
            and self._unanswered(cases)
        ):
            return Judged("fail", ENDED)
        if judged.status == "pass" and not silence_tells and (left := self._unanswered_to_the_end(cases)):
            return left
        if judged.status == "pass" and check.expect.keeps_out:
            judged = (
                self._put_off_to_the_end(cases)
                or self._shut_to_the_end(cases)
                or self._with_troubles(check, cases, judged)
            )
        if judged.status == "pass" and absent and not (check.control or silence_tells):
            return self._turned_away(check, cases) or Judged("error", JUDGES_NOTHING)
        if judged.status == "pass" and check.expect.arrives in UNWANTED:
            return self._after_looking_for(cases) or judged
        return judged

    def _unanswered_to_the_end(self, cases: list[TrafficCase]) -> Judged | None:
        """What is made of attempts that had no answer even when they were made again; ``None`` where all had one.

        A sender waits for minutes and comes back for days (RFC 5321 sections 4.5.3.2 and 4.5.4.1): silence, a
        connection that breaks and a server in trouble refuse nothing. Where it served others meanwhile, only silence
        is left in doubt: a restriction that Postfix cannot work with (451 4.3.5) lets nobody through, and what is
        wanted and fails of it tells so.
        """
        left = [case for case in cases if case.facts.id in self._left_unanswered]
        troubled = [case for case in left if case.last_reply is not None and case.last_reply.code >= 400]
        silent = [case for case in left if case.session is not None and case.session.end == "timeout"]
        many = f"{len(left)} of {attempts(cases)}"
        if not left or (self.index.facts.serving and not silent):
            return None
        if self.index.facts.serving:
            return Judged("manual", SILENT.format(many=many), silent[0].pointers(), [SILENT_REMARK])
        if troubled:
            said = quoted(troubled[0].last_reply.text) if troubled[0].last_reply else ""
            return Judged(
                "fail", IN_TROUBLE.format(many=many, said=said), troubled[0].pointers(), next=MEND_TROUBLE
            )
        judged = Judged("error", STARVED.format(many=many), left[0].pointers())
        # Who takes no mail because a program behind it died, or is missing, as a check before has told, is not starved.
        told = expectations.trouble(left[0], self.index) or self._missing
        first = self._troubled.get(told) if told is not None else None
        return judged if first is None else replace(judged, status="fail", because=first)

    def _put_off_to_the_end(self, cases: list[TrafficCase]) -> Judged | None:
        """What is made of a temporary refusal that outlasted the run, where a program may have given it.

        With ``soft_bounce`` each refusal is one, and says nothing of what is to come.
        """
        put_off = set(self.index.facts.put_off)
        left = [c for c in cases if c.facts.id in put_off and self._setting("soft_bounce", c) != "yes"]
        if not left:
            return None
        said = quoted(left[0].last_reply.text) if left[0].last_reply else ""
        many = f"{len(left)} of {attempts(cases)}"
        return Judged("manual", PUT_OFF.format(many=many, said=said), left[0].pointers(), [PUT_OFF_REMARK])

    def _shut_to_the_end(self, cases: list[TrafficCase]) -> Judged | None:
        """What is made of ports at which a program of the student's greeted nobody."""
        shut = set(self.index.facts.shut)
        left = [case for case in cases if case.facts.id in shut]
        if not left:
            return None
        ports = ", ".join(dict.fromkeys(case.facts.listener.partition("+")[0] for case in left))
        many = f"{len(left)} of {attempts(cases)}"
        return Judged("manual", SHUT.format(many=many, ports=ports), left[0].pointers(), [SHUT_REMARK])

    def _setting(self, name: str, case: TrafficCase) -> str:
        return self.index.settings.on(name, case.facts.listener, case.facts.server).value

    def _with_troubles(self, check: ServerCheck, cases: list[TrafficCase], judged: Judged) -> Judged:
        """A pass, with a remark where a trouble of the server's alone kept some out; its log's words are told once."""
        met = [
            case
            for case in cases
            # 421 is what a client hears, too, who asks for too much.
            if case.last_reply is not None and case.last_reply.code in (451, 452) and not case.accepted
            if expectations.in_trouble(case, self.index)
        ]
        if not met:
            return judged
        line = self.index.troubles(met[0])[0]
        if self._remarked.setdefault(self.index.logged(line), check.code) != check.code:
            return judged
        many, said = f"{len(met)} of {attempts(cases)}", quoted(self.index.logged(line))
        remark = TROUBLED.format(many=many, said=f"the server's log says {said}.")
        pointers = [*judged.pointers, Pointer("log", line), *met[0].pointers()]
        return replace(judged, remarks=[*judged.remarks, remark], pointers=pointers)

    @cached_property
    def _missing(self) -> str | None:
        """The service of Postfix's own that others asked in vain, if there is one."""
        from grader.kinds.server.judge.absent import ASKED, absent

        nobody = absent(self.index, ASKED)
        return nobody[1] if nobody is not None else None

    @cached_property
    def _left_unanswered(self) -> set[str]:
        return set(self.index.facts.unanswered)

    def _only_trouble(self, bad: list[Finding]) -> str | None:
        """What the server's log names as the cause of everything that failed; ``None`` where there are several."""
        told = {
            expectations.trouble(finding.case, self.index) if isinstance(finding.case, TrafficCase) else None
            for finding in bad
        }
        return told.pop() if len(told) == 1 else None

    def _turned_away(self, check: ServerCheck, cases: list[TrafficCase]) -> Judged | None:
        """Nobody was greeted, for a trouble of the server's own: that is no fault of the lab's."""
        troubled = next((case for case in cases if expectations.in_trouble(case, self.index)), None)
        if troubled is None:
            return None
        return self.failed(check, cases, [expectations.not_taken(troubled, self.index)])

    def _too_many_ports(self) -> Judged:
        """What listens and was not tried is not shown to be harmless."""
        ports = ", ".join(map(str, self.index.facts.untried[:MOST_PORTS_TOLD]))
        more = " and others" if len(self.index.facts.untried) > MOST_PORTS_TOLD else ""
        return Judged(
            "fail",
            f"The server listens on further ports on which nothing could be tried: {ports}{more}. They are too many, "
            "or were opened after the others.",
            next="Take what opens them out of master.cf: a mail server needs three ports.",
        )

    def _after_looking_for(self, cases: list[TrafficCase]) -> Judged | None:
        """Nobody but a person can say what to make of mail that was taken and is found nowhere."""
        lost = [case for case in cases if vanished(case, self.index)]
        if not lost:
            return None
        told = [taken_and_vanished(case, self.index) for case in lost]
        pointers = list(dict.fromkeys(pointer for _, found in told for pointer in found))
        more = f" So did {len(lost) - 1} more." if len(lost) > 1 else ""
        remark = (
            "A person has to judge this: nothing was sent on meanwhile, and it may have been kept for later."
        )
        return Judged("manual", told[0][0] + more, pointers, [remark])

    @staticmethod
    def _unanswered(cases: list[TrafficCase]) -> bool:
        """Whether something was neither taken nor refused: the last that was said was no refusal, if anything was."""
        replies = [case.last_reply for case in cases if not case.accepted]
        return any(reply is None or reply.code < 400 for reply in replies)

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
