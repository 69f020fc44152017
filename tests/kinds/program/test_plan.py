"""Labs that run a program: the plan of their runs."""

from __future__ import annotations

from cryptography import x509

from grader import labs
from grader.kinds.program.declare import ProgramLab
from grader.kinds.program.facts import ProgramPlan
from grader.kinds.program.plan import make
from grader.model.submission_server import SubmissionServerSpec

FOLDER = labs.find("authenticated-message")
LOADED = labs.load(FOLDER)
assert isinstance(LOADED, ProgramLab)
LAB: ProgramLab = LOADED
VARIANT = labs.draw_variant(LAB)


def planned(text: bytes = b"#!/bin/sh\n", only: set[str] | None = None) -> ProgramPlan:
    handed_in = labs.Submission({"send": text}, frozenset({"send"}))
    return make(LAB, handed_in, VARIANT, student=None, only=only)


def test_a_pair_of_server_and_message_is_one_run_whichever_checks_look_at_it() -> None:
    program = planned()
    pairs = [(run.server, run.message) for run in program.runs]
    assert len(set(pairs)) == len(pairs)
    by_id = {run.id: run for run in program.runs}
    assert by_id[program.attempts["delivers/1"]] is by_id[program.attempts["encrypts/1"]]
    assert set(program.attempts.values()) == set(by_id)


def test_every_run_has_names_an_address_an_account_and_a_password_of_its_own() -> None:
    plan = program = planned()
    for values in (
        [server.name for server in plan.world.submission],
        [server.address for server in plan.world.submission],
        [run.account for run in program.runs],
        [run.password for run in program.runs],
        [run.wanted.sender for run in program.runs],
    ):
        assert len(set(values)) == len(program.runs)
    assert {run.password for run in program.runs} <= set(plan.secrets)


def test_nothing_in_the_environment_tells_which_server_it_is() -> None:
    plan = program = planned()
    names = {server.run: server.name for server in plan.world.submission}
    kinds = {word for run in program.runs for word in run.server.split("-")} - {"submission", "submissions"}
    for run in program.runs:
        assert run.environment["SMTP_HOST"] == names[run.id]
        assert not kinds & set(names[run.id].split("."))


def test_another_program_meets_other_names_and_the_same_one_the_same() -> None:
    names = [[server.name for server in planned(text).world.submission] for text in (b"#!a", b"#!b", b"#!a")]
    assert names[0] == names[2] != names[1]


def test_only_what_a_check_needs_is_run() -> None:
    program = planned(only={"implicit-tls"})
    assert {run.server for run in program.runs} == {"submission", "submissions"}


def test_servers_that_will_be_waited_for_begin_first() -> None:
    program = planned()
    waiting = [LAB.program.servers[run.server].silent for run in program.runs]
    assert [bool(silent) for silent in waiting] == sorted((bool(s) for s in waiting), reverse=True)


def certificate(server: SubmissionServerSpec) -> x509.Certificate:
    return x509.load_pem_x509_certificate(server.certificate)


def test_certificates_are_good_or_bad_as_declared() -> None:
    plan = planned()
    authority = x509.load_pem_x509_certificate(plan.world.ca)
    for server in plan.world.submission:
        if server.behaviour.tls == "stripped":
            continue
        shown = certificate(server)
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        fault = server.behaviour.certificate
        assert (names.get_values_for_type(x509.DNSName) == [server.name]) == (fault != "other-name")
        assert (shown.issuer == authority.subject) == (fault != "self-signed")
        assert (shown.not_valid_after_utc.year < 2025) == (fault == "expired")
