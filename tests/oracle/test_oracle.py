"""The oracle sees what it is there to see, draws the same mutants again, and blames nobody who is right."""

from __future__ import annotations

from random import Random

import pytest

from grader import labs
from grader.engines.base import Engine
from grader.model.result import CheckResult, EngineFacts, Result
from grader.model.submission import Submission
from tests.oracle import evaluator, mail, zone_records, zones
from tests.oracle.arrivals import observe
from tests.oracle.faults import Disagreement, Doubt, Fault
from tests.oracle.holding import compared, wrong_fails, wrong_passes
from tests.oracle.postfix import Configuration

SERVER = labs.find("open-relay")
ZONE = labs.find("spf-dmarc")


def solution() -> Configuration:
    lab = labs.load(SERVER)
    rendered = labs.render_submission(SERVER / "solution", labs.draw_variant(lab, None, None))
    return Configuration.read(rendered.files)


def test_a_number_draws_the_same_mutant_again_and_another_one_another() -> None:
    drawn = [mail.mutant(SERVER, "test", number)[:2] for number in range(8)]
    assert [mail.mutant(SERVER, "test", number)[:2] for number in range(8)] == drawn
    assert len({submission.digest for submission, _ in drawn}) == 8


def test_a_number_draws_the_same_zone_again_and_another_one_another() -> None:
    drawn = [zones.mutant(ZONE, "test", number)[:2] for number in range(8)]
    assert [zones.mutant(ZONE, "test", number)[:2] for number in range(8)] == drawn
    assert len({submission.digest for submission, _ in drawn}) == 8


def test_a_configuration_that_is_read_and_written_is_the_same() -> None:
    config = solution()
    assert Configuration.read(config.files()) == config
    assert [service.fields[0] for service in config.listeners()] == ["smtp", "submission", "submissions"]


def test_a_zone_that_is_read_and_written_is_the_same() -> None:
    lab = labs.load(ZONE)
    rendered = labs.render_submission(ZONE / "solution", labs.draw_variant(lab, None, None))
    records = zone_records.read(rendered.files["example.com.zone"].decode())
    assert {record.type for record in records} == {"SOA", "NS", "A", "AAAA", "MX", "TXT"}
    assert zone_records.read(zone_records.write(records)) == records


def test_a_rule_broken_without_a_check_lost_is_a_wrong_pass() -> None:
    seen = [Fault("relay", "somebody"), Fault("clear", "AUTH")]
    assert list(wrong_passes(seen, {"stranger": "fail"}, mail.CHECKS)) == [
        Disagreement("pass", "clear: AUTH")
    ]


def test_a_check_lost_without_a_rule_broken_is_a_wrong_fail() -> None:
    (told,) = wrong_fails([Fault("relay", "somebody")], {"stranger", "office"}, mail.CHECKS)
    assert told.wrong == "fail"
    assert told.what.startswith("office ")


def test_nothing_is_said_of_a_loss_that_the_oracle_doubts() -> None:
    check = CheckResult(code="open-relay/office", title="", status="fail", points=0, max_points=1)
    result = Result(
        lab="open-relay", lab_version="1", student=None, variant="canonical", status="graded", score=0, max_score=1,
        started="", duration=0.0, checks=[check], engine=EngineFacts("local", "", ""),
    )  # fmt: skip
    told = list(compared([], result, mail.CHECKS, "nothing", doubts=[Doubt("office", "odd")]))
    assert not any(isinstance(line, Disagreement) for line in told)
    assert any(isinstance(line, Disagreement) for line in compared([], result, mail.CHECKS, "nothing"))


@pytest.mark.slow
@pytest.mark.engines("local")
@pytest.mark.parametrize(
    ("settings", "rules"),
    [
        ({}, []),
        (
            {
                "mynetworks": "127.0.0.0/8 10.20.0.0/15",
                "smtpd_sender_login_maps": "static:{alice,bob}",
            },
            [{"relay", "backscatter"}, {"borrowed"}],
        ),
        ({"local_recipient_maps": ""}, [{"unknown", "backscatter"}]),
    ],
    ids=["solution", "wide-and-everybody-owns", "everybody-exists"],
)
def test_what_arrives_is_seen(settings: dict[str, str], rules: list[set[str]], engine: Engine) -> None:
    """Of each setting one of the rules that it breaks, and no other."""
    config = solution()
    for name, value in settings.items():
        config.set(name, value)
    lab = labs.load(SERVER)
    variant = labs.draw_variant(lab, None, None)
    seen = observe(lab, Submission(config.files()), variant, engine, Random("test"))
    found = {fault.rule for fault in seen.faults}
    assert found <= set().union(*rules)
    assert all(found & broken for broken in rules)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "result"),
    [("-all", "-all", "fail"), ("-all", "+all", "pass"), ("include:_spf", "exists:nothing", "fail")],
)
def test_the_receiver_reads_the_zone_over_dns(old: str, new: str, result: str) -> None:
    if reason := evaluator.missing():
        pytest.skip(reason)
    from grader import kinds
    from grader.kinds.zone.plan import ZonePlan
    from grader.model.plan import Zone
    from grader.world.dns.loopback import served
    from grader.world.dns.zones import Zones

    lab = labs.load(ZONE)
    variant = labs.draw_variant(lab, None, None)
    rendered = labs.render_submission(ZONE / "solution", variant)
    plan = kinds.plan(lab.kind).make(lab, rendered, variant, student=None, only=None)
    assert isinstance(plan, ZonePlan)
    text = (
        plan.content.decode()
        .replace(f"newsletter.example {old}", f"newsletter.example {new}")
        .replace(old, new, 0)
    )
    others = [Zone(origin, other) for origin, other in plan.others.items()]
    stranger = evaluator.Message("198.51.100.66", "c.third.example", "x@example.com", "x@example.com")
    receiver = evaluator.Evaluator()
    try:
        with served(Zones([Zone(plan.origin, text), *others])) as server:
            seen = receiver.judge(stranger, server.port)
    finally:
        receiver.close()
    assert seen.spf == result
    assert seen.disposition == ("none" if result == "pass" else "quarantine")
