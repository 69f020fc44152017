"""How long a submission can hold a worker: all that its waiting together may take is a number, and is kept to."""

from __future__ import annotations

import time

import pytest

from grader import labs
from grader.engines.base import Engine
from grader.kinds.program.plan import LIMITS
from grader.kinds.server.declare import ServerLab
from grader.kinds.server.facts import ServerFacts
from grader.kinds.server.plan import make
from grader.kinds.server.run.collecting import COLLECT_SECONDS
from grader.kinds.server.run.conduct import conduct
from grader.kinds.server.run.probing import SPARE_SECONDS
from grader.model.plan import Limits
from grader.model.submission import Submission

GOAL = 75.0
AROUND = 7.0
"""Seconds for starting the machines before, and for ending them and judging behind."""

SLOW = b"""\
import sys, time
def say(text):
    time.sleep(0.9)
    print(text, end="\\r\\n", flush=True)
say("220 mail.example.com ESMTP")
while line := sys.stdin.readline():
    verb = line[:4].upper()
    say({"RCPT": "550 5.7.1 no", "EHLO": "250 mail.example.com", "QUIT": "221 bye"}.get(verb, "250 ok"))
"""
MASTER = b"""\
smtp inet n n n - 0 spawn user=nobody argv=/usr/bin/python3 /etc/postfix/slow.py
"""


@pytest.mark.parametrize("limits", [Limits(), LIMITS], ids=["server", "program"])
def test_all_that_a_submission_can_make_the_grader_wait_for_is_below_the_goal(limits: Limits) -> None:
    assert limits.acting + COLLECT_SECONDS + AROUND <= GOAL
    # Else the engine would end the world while something is still asked of it, which is no submission's fault.
    assert limits.acting + SPARE_SECONDS + COLLECT_SECONDS + 20 <= limits.wall


@pytest.mark.engines("local")
def test_a_server_slower_than_there_is_time_is_left_when_the_time_is_over(engine: Engine) -> None:
    """Six seconds in place of nearly sixty; with each reply a little below one, nothing else would end it soon."""
    lab = labs.load(labs.find("open-relay"))
    assert isinstance(lab, ServerLab)
    main = b"compatibility_level = 3.9\nmyhostname = mail.example.com\n"
    handed_in = Submission({"main.cf": main, "master.cf": MASTER, "slow.py": SLOW}, frozenset())
    limits = Limits(acting=6.0)
    plan = make(lab, handed_in, labs.draw_variant(lab), student=None, only=None, limits=limits)
    with engine.machines(plan) as machines:
        began = time.monotonic()
        recorded = conduct(plan, lab, machines, bool)
        took = time.monotonic() - began
    assert took < limits.acting + SPARE_SECONDS + COLLECT_SECONDS
    assert "The time for this run was over before everything had been tried." in recorded.notes
    assert isinstance(recorded.facts, ServerFacts)
    assert 0 < len(recorded.facts.outcomes) < len(recorded.facts.attempts)
