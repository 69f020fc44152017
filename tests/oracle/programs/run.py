"""Runs a program among the oracle's own servers, on the student's host, and returns what was said and done."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

from msgspec.structs import replace

from grader import kinds
from grader.engines.base import Engine
from grader.kinds.program.facts import ProgramPlan
from grader.labs.certificates import authority
from grader.model.errors import EngineError
from grader.model.lab import Lab
from grader.model.plan import Zone
from grader.model.protocol.host import ReadLog, RunCommand, StartServices
from grader.model.protocol.world import StartWorld
from grader.model.submission import Submission
from grader.model.variant import Variant
from tests.oracle.programs.certificates import Issuer
from tests.oracle.programs.letters import Writer
from tests.oracle.programs.servers import Run, draw

INSIDE = "tests.oracle.programs.inside"
PACKAGES = ("tests", "tests.oracle", "tests.oracle.programs", INSIDE)
SOURCES = ("server", "watcher", "course")
"""What runs on the host; the last of them begins it."""
BOOT = """\
import json, sys, types
given = json.load(sys.stdin)
for name, text in given["sources"]:
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
module.main(given)
"""
RUN_SECONDS = 14.0
"""After which a run is ended: later than the handout says, since a busy machine is nobody's fault."""
COURSE_SECONDS = 240.0
MEMORY = 4 * 1024**3
"""Octets: without control groups it is addresses that are limited, and each thread of the servers reserves many."""
TOGETHER = 4
_SHARED = re.compile(rb"/tmp\b|/dev/shm\b|/run/lock\b")
"""Folders that everybody shares: whoever names one is run alone, or its runs would meet each other's files there."""
_HEAD = "$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 300\n@ IN NS ns\nns IN A {nameserver}\n"


@dataclass(frozen=True)
class Made:
    """A run that was made. ``code`` is ``None`` where it did not end in time; ``shown`` where its secrets showed."""

    run: Run
    code: int | None
    began: float
    ended: float
    output: str
    shown: list[tuple[str, str]]
    sessions: list[list[dict[str, Any]]]


def secret_forms(user: str, password: str) -> list[bytes]:
    """How a password looks plain, in base64 wherever it begins there, and in hexadecimal digits."""
    plain = password.encode()
    forms = {plain, plain.strip(), binascii.hexlify(plain), binascii.hexlify(plain).upper()}
    for login in (plain, f"\0{user}\0{password}".encode()):
        for shift in range(3):
            encoded = base64.b64encode(b"x" * shift + login)
            # Digits at both ends hold neighbours' bits as well.
            inner = encoded.rstrip(b"=")[(0, 2, 3)[shift] : -1]
            forms |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return sorted(form for form in forms if len(form) >= 8)


def observe(lab: Lab, submission: Submission, variant: Variant, engine: Engine, random: Random) -> list[Made]:
    """Run the submission at servers drawn by ``random``. Raises ``EngineError`` where the engine fails."""
    runs = draw(random, Writer(random))
    plan = kinds.plan(lab.kind).make(lab, submission, variant, student=None, only=None)
    assert isinstance(plan, ProgramPlan)
    head = _HEAD.format(nameserver=variant.names["nameserver"])
    names = "".join(f"{run.host}. IN A {_address(number)}\n" for number, run in enumerate(runs))
    plan = replace(
        plan,
        runs=[],
        attempts={},
        limits=replace(plan.limits, acting=COURSE_SECONDS, wall=COURSE_SECONDS + 60, memory=MEMORY),
        world=replace(plan.world, submission=[], zones=[Zone("example.com", head + names)]),
    )
    engine.image(lambda step: None)
    with engine.machines(plan) as machines:
        machines.world.call(StartWorld(plan.world), timeout=30)
        machines.host.call(StartServices([], "/", 20.0), timeout=25)
        asked = RunCommand(["python3", "-I", "-c", BOOT], COURSE_SECONDS, json.dumps(_task(submission, runs)))
        told = machines.host.call(asked, timeout=COURSE_SECONDS + 10)
        log = "\n".join(machines.host.call(ReadLog(), timeout=10)).encode()
    try:
        seen = json.loads(zlib.decompress(base64.b64decode(told.output, validate=True)))
    except (ValueError, zlib.error) as error:
        raise EngineError(f"the oracle's servers broke down ({told.code}): {told.output[-2000:]}") from error
    ends = {end["name"]: end for end in seen["runs"]}
    return [
        _made(run, ends[str(number)], seen["sessions"][str(number)], log)
        for number, run in enumerate(runs)
        if str(number) in ends
    ]


def _made(run: Run, end: dict[str, Any], sessions: list[list[dict[str, Any]]], log: bytes) -> Made:
    shown = [(where, what) for where, what in end["shown"]]
    if any(form in log for form in secret_forms(run.user, run.password)):
        shown.append(("log", "the system's log"))
    return Made(run, end["code"], end["began"], end["ended"], end["output"], shown, sessions)


def _source(name: str) -> str:
    return (Path(__file__).with_name("inside") / f"{name}.py").read_text()


def _address(number: int) -> str:
    return f"127.0.1.{number + 10}"


def _task(submission: Submission, runs: list[Run]) -> dict[str, Any]:
    """What is to be done on the host, as its JSON."""
    ca = authority()
    issuer = Issuer(ca.certificate, ca.key)
    servers, programs = [], []
    for number, run in enumerate(runs):
        server = run.server
        pair = ("", "") if server.tls == "stripped" else issuer.pair(run.host, server.certificate)
        servers.append(
            {
                **asdict(server), "run": str(number), "name": run.host, "address": _address(number),
                "honest": server.honest, "certificate": pair[0], "key": pair[1], "user": run.user,
                "password": run.password,
            }
        )  # fmt: skip
        programs.append(_program(str(number), f"runner{number + 1:02d}", run))
    return {
        "sources": [*((package, "") for package in PACKAGES), *((f"{INSIDE}.{n}", _source(n)) for n in SOURCES)],
        "servers": servers,
        "runs": programs,
        "files": [
            {
                "path": name, "data": base64.b64encode(data).decode(),
                "mode": 0o700 if name in submission.executable or data.startswith(b"#!") else 0o600,
            }
            for name, data in submission.files.items()
        ],
        "seconds": RUN_SECONDS,
        "together": 1 if any(_SHARED.search(data) for data in submission.files.values()) else TOGETHER,
    }  # fmt: skip


def _program(name: str, account: str, run: Run) -> dict[str, Any]:
    letter = run.letter
    return {
        "name": name,
        "account": account,
        "waits": bool(run.server.silent),
        "forms": [base64.b64encode(form).decode() for form in secret_forms(run.user, run.password)],
        "body": base64.b64encode(letter.body.encode()).decode(),
        "environment": {
            "SMTP_HOST": run.host,
            "SMTP_PORT": str(run.server.port),
            "SMTP_USER": run.user,
            "SMTP_PASSWORD": run.password,
            "SMTP_TIMEOUT": str(run.patience),
            "MAIL_FROM": letter.sender,
            "MAIL_FROM_NAME": letter.name,
            "MAIL_TO": ",".join(letter.to),
            "MAIL_CC": ",".join(letter.cc),
            "MAIL_BCC": ",".join(letter.bcc),
            "MAIL_SUBJECT": letter.subject,
            "MAIL_BODY_FILE": f"/home/{account}/{letter.file}",
        },
    }
