"""Judges the runs of a program that sends mail: one function for each thing that a lab can expect of them.

- ``runs``     a run as the functions see it, and the sentences that they share
- ``secrecy``  what became of the password and of the message on the way
- ``results``  what was taken, and what the program told
- ``tries``    how it took a refusal
- ``recipients`` who gets the messages that were taken, and who reads of it
- ``messages`` what the messages look like that were taken
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from grader.kinds.program.declare import Expected, ProgramCheck, ProgramLab
from grader.kinds.program.facts import ProgramEvidence
from grader.kinds.program.judge import messages, recipients, results, secrecy, tries
from grader.kinds.program.judge.runs import Judgement, ProgramIndex, runs
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.judging import TrafficJudge
from grader.model.finding import Finding, Judged, Verdict

JUDGEMENTS: dict[Expected, Judgement] = {
    "connects": results.connects,
    "delivers": results.delivers,
    "encrypts": secrecy.encrypts,
    "keeps-secrets": secrecy.keeps_secrets,
    "chooses-mechanism": secrecy.chooses_mechanism,
    "hides-password": secrecy.hides_password,
    "envelope": recipients.envelope,
    "hides-bcc": recipients.hides_bcc,
    "header": messages.header,
    "text": messages.text,
    "whole": messages.whole,
    "lines": messages.lines,
    "tells": results.tells,
    "obeys-no": tries.obeys_no,
    "does-not-hammer": tries.does_not_hammer,
    "ends": results.ends,
}
"""What each word of ``expect: {program: […]}`` means, in the order in which findings matter."""

ABOUT_MAIL: frozenset[Expected] = frozenset(
    ("delivers", "chooses-mechanism", "envelope", "hides-bcc", "header", "text", "whole", "lines")
)
"""What nothing is known of until a server took the message. The rest is told by how far a run came."""

EVIDENCE = ProgramEvidence

HELD_UP = (
    "The machine had far too much to do: it let the program wait for a processor for so long that this may be why the "
    "program gave up. Grade again when the machine has less to do."
)


class ProgramJudge(TrafficJudge[ProgramCheck, ProgramIndex]):
    """Judges one evidence document of a program's runs."""

    too_slow = HELD_UP

    def judgements(self, check: ProgramCheck) -> list[Judgement]:
        """See ``TrafficJudge``."""
        return [judgement for name, judgement in JUDGEMENTS.items() if name in check.expect.program]

    def undecided(self, check: ProgramCheck, case: TrafficCase) -> bool:
        """See ``TrafficJudge``; a machine that was too busy to let it run is nothing that a program could help."""
        about_mail = ABOUT_MAIL.intersection(check.expect.program)
        held_up = about_mail and any(run.held_up for run in runs([case], self.index))
        return super().undecided(check, case) or bool(held_up)

    def passed(self, check: ProgramCheck, cases: list[TrafficCase], findings: list[Finding]) -> Judged:
        """See ``TrafficJudge``; what there is to say of runs that did all that they should are remarks."""
        said = dict.fromkeys(f.observed for f in findings if f.verdict is Verdict.MET and f.observed)
        return replace(super().passed(check, cases, findings), remarks=list(said))


def judge(evidence: ProgramEvidence, lab: ProgramLab, *, hints: str) -> ProgramJudge:
    """See ``grader.kinds.base.Judging``."""
    return ProgramJudge(ProgramIndex(evidence, evidence.facts))


def checks(evidence: ProgramEvidence, lab: ProgramLab) -> Sequence[ProgramCheck]:
    """See ``grader.kinds.base.Judging``."""
    return lab.checks


def prepare(lab: ProgramLab) -> None:
    """See ``grader.kinds.base.Judging``."""
