"""A submission that lets everybody in, and plans made of it."""

from __future__ import annotations

import msgspec

from grader import labs
from grader.formats.dns.masterfile import read_zone
from grader.kinds.server.declare import Expect, ServerCheck, ServerLab, Try
from grader.kinds.server.facts import ServerPlan
from grader.kinds.server.plan import make
from grader.model.attempt import Attempt, Mail
from grader.model.submission import Submission

OPEN = b"""\
myhostname = mail.example.com
mynetworks = 127.0.0.0/8 10.20.30.0/24 10.0.0.0/8 203.0.113.10 2001:db8:5::/48
relay_domains = friend.org lists.example.com partner.example
"""
MAPS = {"senders": b"boss@friend.org OK\n.pal.net OK\n"}
WHEN = 1_795_000_000.0


def check(code: str, *attempts: Try, **more: object) -> ServerCheck:
    fields = {
        "expect": Expect(arrives="nowhere"),
        "why": "w",
        "next": "n",
        "points": 1,
        "title": code,
        **more,
    }
    return ServerCheck(code=code, attempts=[*attempts], **fields)  # type: ignore[arg-type]


def with_checks(lab: ServerLab, *checks: ServerCheck) -> ServerLab:
    return msgspec.structs.replace(lab, checks=[*checks])


def planned(
    lab: ServerLab, files: dict[str, bytes] | None = None, student: str | None = None, **more: object
) -> ServerPlan:
    submitted = Submission(files or {"main.cf": OPEN, **MAPS})
    return make(lab, submitted, labs.draw_variant(lab, student), when=WHEN, **more)  # type: ignore[arg-type]


def attempts(lab: ServerLab, *tries: Try, **more: object) -> list[Attempt]:
    return planned(with_checks(lab, check("relay", *tries, **more))).attempts


TO_OUTSIDE = Mail(to=["{token}@{outside}"])


def answers(plan: ServerPlan) -> dict[tuple[str, str], list[str]]:
    """All records of the world, by name and type."""
    found: dict[tuple[str, str], list[str]] = {}
    for zone in plan.world.zones:
        file = read_zone(zone.text.encode(), zone.origin)
        assert file.faults == []
        for record in file.records:
            found.setdefault((record.owner, record.type), []).append(record.data)
    return found
