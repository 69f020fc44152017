"""A program's runs from first to last, on machines that do what real ones do too rarely."""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from grader import labs
from grader.engines.base import MachineBroken, Machines, RequestFailed
from grader.formats import disguise
from grader.kinds.program.declare import ProgramLab
from grader.kinds.program.facts import ProgramFacts, ProgramPlan
from grader.kinds.program.plan import make
from grader.kinds.program.run.conduct import conduct
from grader.model.errors import EngineError
from grader.model.exposure import Exposure
from grader.model.protocol.host import ProgramEnd, ReadLog, RunPrograms, ServicesStarted, StartServices
from grader.model.protocol.world import Finish, StartWorld, Submitted, WorldRecord
from grader.model.submission_server import Authentication, Conversation, Transaction
from grader.model.traffic import Arrival, Line, Session
from tests.engines.fake import FakeChannel, Untaken, lost

LOADED = labs.load(labs.find("authenticated-message"))
assert isinstance(LOADED, ProgramLab)
LAB: ProgramLab = LOADED
VARIANT = labs.draw_variant(LAB)
SCRIPT = b"#!/bin/sh\n"
STARTED = ServicesStarted([], "/var/spool/postfix", "Postfix", [])
CONNECTED = Conversation(0)
LOGGED_IN = Conversation(0, authentications=[Authentication("PLAIN", encrypted=True, accepted=True, line=3)])
BEGUN = Conversation(0, transactions=[Transaction(3, 4, "a@b")])
ADDRESSED = Conversation(0, transactions=[Transaction(3, 4, "a@b", recipients=["c@d"])])
TAKEN = Conversation(0, transactions=[Transaction(3, 9, "a@b", recipients=["c@d"], taken=True, arrival=0)])


def end(run: str, **fields: Any) -> ProgramEnd:
    return ProgramEnd(**{
        "id": run, "code": 0, "output": f"{run} says\n", "seconds": 0.5, "late": False, "limit": 12.0,
        "left": False, "held_up": 0.0, "exposed": [], **fields,
    })  # fmt: skip


def host(**script: list[Any]) -> FakeChannel:
    """A host on which every run ends well, the last one first; ``script`` replaces answers, by operation."""
    answers: dict[str, list[Any]] = {
        "StartServices": [STARTED],
        "RunPrograms": [lambda asked: [end(run.id) for run in reversed(asked.runs)]],
        "ReadLog": [["1 logger[3]: hello"]],
    }
    assert script.keys() <= answers.keys()
    return FakeChannel(
        {kind: {**answers, **script}[kind.__name__] for kind in (StartServices, RunPrograms, ReadLog)}
    )


def world(recorded: WorldRecord | Exception | Untaken, start: object = None) -> FakeChannel:
    return FakeChannel({StartWorld: [start], Finish: [recorded]})


def session(text: str) -> Session:
    return Session(
        7, "?", "10.20.30.50", "203.0.113.9", "587", "quit", [Line(0, "S", "220 hi"), Line(1, "C", text)]
    )


def records(
    conversations: dict[str, list[Conversation]], arrivals: list[Arrival] | None = None
) -> WorldRecord:
    """What the world has seen of all runs: of those not named, nothing."""
    program = planned()
    submissions = {
        run.id: [Submitted(session(run.id), one) for one in conversations.get(run.id, [])]
        for run in program.runs
    }
    return WorldRecord([], [], ["noted"], submissions, arrivals or [])


@cache
def planned(program: bytes = SCRIPT, executable: frozenset[str] = frozenset({"send"})) -> ProgramPlan:
    return make(LAB, labs.Submission({"send": program}, executable), VARIANT, student=None, only=None)


class Seen(msgspec.Struct):
    facts: ProgramFacts
    notes: list[str]


def conducted(
    at: FakeChannel,
    around: FakeChannel,
    plan: ProgramPlan | None = None,
    overlap: Callable[[], object] = bool,
) -> Seen:
    recorded = conduct(plan or planned(), LAB, Machines(host=at, world=around), overlap)
    assert isinstance(recorded.facts, ProgramFacts)
    return Seen(recorded.facts, recorded.notes)


def the_runs(at: FakeChannel) -> RunPrograms:
    (asked,) = (asked for asked in at.asked if isinstance(asked, RunPrograms))
    return asked


def ids() -> list[str]:
    return [f"run-{number}" for number in range(1, len(planned().runs) + 1)]


# The order of things


def test_the_machines_come_up_the_runs_are_made_and_then_all_is_collected() -> None:
    at, around, seen = host(), world(records({})), []
    conducted(at, around, overlap=lambda: seen.append((at.ops[-1], around.ops[-1])))
    assert (at.ops, around.ops) == (["start", "programs", "log"], ["start", "finish"])
    assert seen == [("programs", "start")]


def test_what_is_recorded_is_in_the_order_of_the_runs_whatever_came_first() -> None:
    arrivals = [Arrival(0, "outside", "mail", [], b"of 2"), Arrival(1, "outside", "mail", [], b"of 1")]
    second = replace(TAKEN, transactions=[replace(TAKEN.transactions[0], arrival=1)])
    seen = conducted(host(), world(records({"run-2": [TAKEN], "run-1": [CONNECTED, second]}, arrivals)))
    assert [command.output for command in seen.facts.commands] == [f"{run} says\n" for run in ids()]
    assert [(run.id, run.command) for run in seen.facts.runs] == [(run, n) for n, run in enumerate(ids())]
    assert [(s.id, s.source, s.lines[1].text) for s in seen.facts.sessions] == [
        (0, "send", "run-1"),
        (1, "send", "run-1"),
        (2, "send", "run-2"),
    ]
    assert [(a.id, a.raw) for a in seen.facts.arrivals] == [(0, b"of 1"), (1, b"of 2")]
    owners = {
        attempt: run
        for attempt, run in seen.facts.run_of.items()
        if attempt in seen.facts.arrivals[0].attempts
    }
    assert set(owners.values()) == {"run-1"}
    first, other = seen.facts.runs[0].conversations, seen.facts.runs[1].conversations
    assert [(c.session, [t.arrival for t in c.transactions]) for c in [*first, *other]] == [
        (0, []),
        (1, [0]),
        (2, [1]),
    ]


@pytest.mark.parametrize(
    "dress",
    [
        lambda password: password,
        lambda password: password.encode().hex().upper(),
        lambda password: "".join(f"={octet:02X}" for octet in password.encode()),
        lambda password: base64.b64encode(password.encode()).decode().rstrip("="),
    ],
    ids=["plain", "hexadecimal", "marked", "base64"],
)
def test_a_password_in_a_message_is_not_kept_whatever_its_dress(dress: Callable[[str], str]) -> None:
    first = planned().runs[0]
    arrivals = [Arrival(0, "outside", "mail", [], f"Subject: {dress(first.password)}".encode())]
    seen = conducted(host(), world(records({first.id: [TAKEN]}, arrivals)))
    [arrival] = seen.facts.arrivals
    assert arrival.raw.startswith((b"Subject: REDACTED", b"Subject: VVVVV"))
    [shown] = [exposure for run in seen.facts.runs for exposure in run.exposed]
    assert (shown.where, shown.what[:10]) == (
        "message",
        "Subject: R" if b"RED" in arrival.raw else "Subject: <",
    )


@pytest.mark.parametrize(
    "printed",
    [
        lambda secret: secret.hex(":"),
        lambda secret: "\n".join(secret[at : at + 16].hex(" ") for at in range(0, len(secret), 16)),
        lambda secret: "\n".join(textwrap.wrap(base64.b64encode(b"as " + secret).decode(), 20)),
    ],
    ids=["colons", "dump", "wrapped"],
)
def test_a_password_that_is_printed_is_found_over_several_lines_too(printed: Callable[[bytes], str]) -> None:
    first = planned().runs[0]
    said = f"sending\n{printed(first.password.encode())}\ndone\n"

    def ends(asked: RunPrograms) -> list[ProgramEnd]:
        return [end(run.id, output=said if run.id == first.id else "") for run in asked.runs]

    seen = conducted(host(RunPrograms=[ends]), world(records({})))
    [shown] = [exposure for run in seen.facts.runs for exposure in run.exposed]
    assert shown.where == "output"
    [command] = [command for command in seen.facts.commands if command.output]
    assert not disguise.shows(command.output.encode(), first.password.encode())
    assert (command.output[:8], command.output[-5:]) == ("sending\n", "done\n")


# What the host is given


@pytest.mark.parametrize(
    ("program", "together", "some_wait"),
    [(SCRIPT, 4, True), (SCRIPT + b"echo x >/tmp/x", 1, False), (SCRIPT + b"ls /tmpfs", 4, True)],
)
def test_a_program_that_uses_shared_folders_is_run_alone(
    program: bytes, together: int, some_wait: bool
) -> None:
    at = host()
    seen = conducted(at, world(records({})), planned(program))
    asked = the_runs(at)
    assert asked.together == together
    assert any(run.waits for run in asked.runs) == some_wait
    assert any("/tmp" in note for note in seen.notes) == (together == 1)


@pytest.mark.parametrize(
    ("program", "executable", "mode"),
    [
        (SCRIPT, True, 0o700),
        (SCRIPT, False, 0o700),
        (b"\x7fELF", False, 0o700),
        (b"echo", False, 0o600),
        (b"echo", True, 0o700),
    ],
)
def test_what_is_meant_to_be_run_may_be_run(program: bytes, executable: bool, mode: int) -> None:
    at = host()
    conducted(at, world(records({})), planned(program, frozenset({"send"} if executable else ())))
    (file,) = the_runs(at).files
    assert (file.path, file.data, file.mode) == ("send", program, mode)


def test_each_run_has_its_own_secrets_and_the_message_to_send() -> None:
    at = host()
    conducted(at, world(records({})))
    for spec, run in zip(the_runs(at).runs, planned().runs, strict=True):
        assert (spec.id, spec.account, spec.argv) == (run.id, run.account, ["./send"])
        assert run.password.encode() in spec.secrets
        assert spec.texts == {run.body_file: run.wanted.body}


# How far a run came


@pytest.mark.parametrize(
    ("conversations", "stage", "session"),
    [
        ([], "connect", None),
        ([CONNECTED], "greeting", 0),
        ([LOGGED_IN], "auth", 0),
        ([BEGUN], "mail", 0),
        ([ADDRESSED], "rcpt", 0),
        ([TAKEN], "accepted", 0),
        ([CONNECTED, TAKEN, LOGGED_IN], "accepted", 1),
        ([ADDRESSED, ADDRESSED], "rcpt", 0),
    ],
)
def test_an_outcome_tells_of_the_session_that_came_farthest(
    conversations: list[Conversation], stage: str, session: int | None
) -> None:
    arrivals = [Arrival(0, "outside", "mail", [], b"x")]
    seen = conducted(host(), world(records({"run-1": conversations}, arrivals)))
    (attempt, *_) = (a for a, run in seen.facts.run_of.items() if run == "run-1")
    (outcome,) = (one for one in seen.facts.outcomes if one.attempt == attempt)
    assert (outcome.stage, outcome.session) == (stage, session)
    assert outcome.authenticated == (LOGGED_IN in conversations)
    assert outcome.last_line == (0 if session is None else 1)


# Late runs, and faults


def test_a_run_that_was_late_says_so_and_what_it_showed_is_kept() -> None:
    shown = [Exposure("process list", "curl -u a:<password>")]
    late = [lambda asked: [end(run.id, code=-9, late=True, seconds=8.1, exposed=shown) for run in asked.runs]]
    seen = conducted(host(RunPrograms=late), world(records({})))
    assert {(run.late, run.seconds, run.exposed[0].what) for run in seen.facts.runs} == {
        (True, 8.1, "curl -u a:<password>")
    }
    assert {command.code for command in seen.facts.commands} == {-9}
    assert "The time was over before every run had been made." not in seen.notes


def test_runs_that_had_to_be_quicker_than_planned_say_so() -> None:
    hurried = [
        lambda asked: [end(run.id, limit=1.5) if run.id == "run-3" else end(run.id) for run in asked.runs]
    ]
    seen = conducted(host(RunPrograms=hurried), world(records({})))
    assert {run.id: run.limit for run in seen.facts.runs}["run-3"] == 1.5
    assert "So many runs did not end in time that 1 later one was given less of it." in seen.notes


def test_runs_that_found_no_time_have_no_outcome_and_that_is_noted() -> None:
    seen = conducted(host(RunPrograms=[[end("run-2")]]), world(records({})))
    assert [run.id for run in seen.facts.runs] == ["run-2"]
    assert {seen.facts.run_of[outcome.attempt] for outcome in seen.facts.outcomes} == {"run-2"}
    assert "The time was over before every run had been made." in seen.notes


FAULTS = [lost(), Untaken(), RequestFailed("no")]


@pytest.mark.parametrize("entry", FAULTS, ids=["lost", "untaken", "refused"])
def test_a_host_that_fails_while_the_program_runs_is_evidence_and_the_world_is_heard(entry: object) -> None:
    seen = conducted(host(RunPrograms=[entry]), world(records({"run-1": [CONNECTED]})))
    assert (seen.facts.outcomes, len(seen.facts.sessions)) == ([], 1)
    assert any(note.startswith("The runs on the workstation ended early: ") for note in seen.notes)
    assert "noted" in seen.notes


@pytest.mark.parametrize("entry", FAULTS, ids=["lost", "untaken", "refused"])
def test_a_host_that_fails_after_the_runs_costs_its_log_alone(entry: object) -> None:
    seen = conducted(host(ReadLog=[entry]), world(records({})))
    assert (len(seen.facts.commands), seen.facts.log) == (len(ids()), [])
    assert any(note.startswith("The runs on the workstation ended early: ") for note in seen.notes)


@pytest.mark.parametrize("entry", FAULTS, ids=["lost", "untaken", "refused"])
def test_a_host_that_fails_before_anything_of_the_student_s_ran_is_the_grader_s_error(entry: object) -> None:
    with pytest.raises(EngineError):
        conducted(host(StartServices=[entry]), world(records({})))


def test_a_host_that_cannot_watch_programs_is_the_grader_s_error() -> None:
    with pytest.raises(EngineError, match="forbids ptrace"):
        conducted(host(RunPrograms=[MachineBroken("this kernel forbids ptrace")]), world(records({})))


@pytest.mark.parametrize("entry", FAULTS, ids=["lost", "untaken", "refused"])
def test_whatever_the_world_fails_at_is_the_grader_s_error(entry: Any) -> None:
    with pytest.raises(EngineError):
        conducted(host(), world(entry))
    with pytest.raises(EngineError):
        conducted(host(), world(records({}), start=entry))
