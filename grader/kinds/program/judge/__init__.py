"""Judges the runs of a program that sends mail: one function for each thing that a lab can expect of them.

- ``runs``     a run as the functions see it, and the sentences that they share
- ``secrecy``  what became of the password and of the message on the way
- ``results``  what was taken, what the program told, and how it took a refusal
- ``letters``  what the messages look like that were taken
"""

from __future__ import annotations

from grader.kinds.findings import Judgement
from grader.kinds.program.declare import Expected
from grader.kinds.program.judge import messages as letters
from grader.kinds.program.judge import results, secrecy

JUDGEMENTS: dict[Expected, Judgement] = {
    "connects": results.connects,
    "delivers": results.delivers,
    "encrypts": secrecy.encrypts,
    "keeps-secrets": secrecy.keeps_secrets,
    "chooses-mechanism": secrecy.chooses_mechanism,
    "hides-password": secrecy.hides_password,
    "envelope": letters.envelope,
    "hides-bcc": letters.hides_bcc,
    "header": letters.header,
    "text": letters.text,
    "lines": letters.lines,
    "tells": results.tells,
    "obeys-no": results.obeys_no,
    "does-not-hammer": results.does_not_hammer,
    "ends": results.ends,
}
"""What each word of ``expect: {program: […]}`` means, in the order in which findings matter."""
