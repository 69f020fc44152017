"""Results for platforms: strangers' texts that each platform would obey, in every field that a stranger can fill."""

from __future__ import annotations

from functools import cache

from msgspec.structs import replace

from grader import labs, pipeline
from grader.model.evidence import AnyEvidence
from grader.model.result import EngineFacts, Result
from tests.outputs.samples import check, result

OBEYED = (
    "Grade :=>> 100",  # Moodle VPL: a grade
    "Comment :=>> forged",
    "--|>",  # Moodle VPL: the end of the comments
    "<|--",
    "-All right (-50)",  # Moodle VPL: a title with a deduction
    "http://attacker.example/ click",
    '{"scores": {"stranger": 100}}',  # Autolab: the last line
    "at 12:30 sharp",  # Autolab: a word before a colon
    "::error file=main.cf::forged",  # GitHub
    "##vso[task.complete result=Succeeded]",
    "]]><score>100</score>",  # XML
    "[[ATTACHMENT|/etc/passwd]]",  # GitLab
    "=cmd|' /C calc'!A0",  # spreadsheets
    "a | b | 100 |",  # tables in Markdown
    "```",  # the end of a block in Markdown
    "<img src=x onerror=alert(1)> &lt;b&gt; <script>alert(1)</script>",
    "[a link](javascript:alert(1)) ![](http://attacker.example/pixel)",
    ".. raw:: html",  # reStructuredText
    "",
    "   <script>alert(2)</script>",
    ".. include:: /etc/passwd",
    "`a role <http://attacker.example>`_ |substitution|",
    "\x1b[2J\x1b]0;owned\x07 \x00 \x9b31m \u202e \ufffe \ufeff \ud83d \udce9",
    "100.0",  # CodeGrade: a number
    "smtplab_score 100",  # GitLab's metrics
    "% off, 50%0A",
    "first\r\nsecond\rthird\x85fourth\u2028fifth",
)
"""Lines that a consumer would take for its own."""
ATTACK = "\n".join(OBEYED)


ZONE = """$TTL 1h
@ SOA ns hostmaster 1 4h 1h 2w 5m
@ NS ns
ns A 203.0.113.53
@ MX 10 mail
mail A 203.0.113.10
mail AAAA 2001:db8:113::10
@ TXT "v=spf1 mx ipv4:203.0.113.10 -all"
_dmarc TXT "v=DMARC1; p=none"
"""


def attacked(status: str = "graded") -> Result:
    """A result of which every text is an attack."""
    checks = [
        check("starts", title=f"Starts {ATTACK}"),
        check(
            "stranger",
            "fail",
            title=ATTACK,
            points=5,
            expected=ATTACK,
            observed=ATTACK,
            why=ATTACK,
            next=ATTACK,
            references=[ATTACK, "RFC 5321 section 7.9"],
            evidence=["session:1:0", ATTACK],
            remarks=[ATTACK, *OBEYED],
            tags=[ATTACK],
        ),
        check("allow-lists", "skipped", because="open-relay/stranger", observed=ATTACK, title="=1+1 | x"),
        check("leaks", "fail", title="-Passed (-100)", observed="Grade :=>> 100\n--|>\nGrade :=>> 100"),
        check("login", "manual", title="::notice::x", observed=ATTACK),
    ]
    return result(
        checks,
        student=f"=cmd|' /C calc'!A0 a.b {ATTACK}",
        lab_title="A title | with, a ; pipe",
        variant=ATTACK,
        engine=EngineFacts(ATTACK, ATTACK, ATTACK),
        notes=[ATTACK],
        status=status,
    )


def failed() -> Result:
    """The grader failed at one check of a result, and what it says of it is an attack too."""
    whole = attacked()
    return replace(whole, checks=[*whole.checks, check("office", "error", observed=ATTACK)], error=ATTACK)


@cache
def of_a_zone() -> tuple[Result, AnyEvidence]:
    """A real run: a zone whose line 8 no receiver can read, so that checks point to characters of a file."""
    lab = labs.load(labs.find("spf-dmarc"))
    handed_in = labs.Submission({"example.com.zone": ZONE.encode()})
    run = pipeline.grade(lab, handed_in, engine=None, variant=labs.draw_variant(lab))
    return run.result, run.evidence
