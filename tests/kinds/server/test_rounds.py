"""Which attempts are made when, and which are made again."""

from __future__ import annotations

import pytest

from grader.kinds.server.run.rounds import DeadListeners, Rounds, asks_to_come_back
from grader.model.attempt import Attempt
from grader.model.traffic import Outcome, Reply
from tests.judge.builders import check, lab, outcome

DEMO = lab(
    check("starts", greets=True), check("office", arrives="outside"), check("stranger", arrives="nowhere")
)


def attempt(check: str, number: int = 1, port: int = 25, **fields: object) -> Attempt:
    return Attempt(
        id=f"{check}/{number}",
        check=check,
        title="",
        source="s",
        address="198.51.100.66",
        server="203.0.113.10",
        listener=str(port),
        port=port,
        tls="none",
        helo="h",
        token="t",
        **fields,  # type: ignore[arg-type]
    )


def greylisted(attempt_id: str) -> Outcome:
    reply = Reply("RCPT TO:<x>", 450, "450 4.2.0 come back later", 3, enhanced="4.2.0")
    return Outcome(attempt_id, "rcpt", session=1, replies=[reply])


def test_greetings_come_first_and_needless_attempts_last() -> None:
    attempts = [
        attempt("stranger", unless_arrived=["office/1"]),
        attempt("stranger", 2),
        attempt("office"),
        attempt("starts"),
    ]
    rounds = [[a.id for a in r] for r in Rounds(DEMO, attempts, {})]
    assert [r for r in rounds if r] == [["starts/1"], ["office/1", "stranger/2"], ["stranger/1"]]


def test_each_listener_is_tried_once_before_anything_waits_for_it() -> None:
    attempts = [
        attempt("starts"),
        attempt("office", port=465),
        attempt("office", 2, port=465),
        attempt("stranger", port=587),
    ]
    rounds = [[a.id for a in r] for r in Rounds(DEMO, attempts, {"starts/1": outcome("said", "starts/1")})]
    assert rounds[0] == ["starts/1", "office/1", "stranger/1"]


def test_greylisted_mail_is_sent_again_until_it_is_taken() -> None:
    outcomes: dict[str, Outcome] = {}
    made = []
    for attempts in Rounds(DEMO, [attempt("office")], outcomes):
        made += [a.id for a in attempts]
        outcomes["office/1"] = greylisted("office/1") if len(made) < 3 else outcome("accepted", "office/1")
    assert made == ["office/1"] * 3


def test_a_stranger_who_is_put_off_comes_back_and_one_who_is_refused_does_not() -> None:
    outcomes: dict[str, Outcome] = {}
    made = []
    for attempts in Rounds(DEMO, [attempt("stranger"), attempt("stranger", 2)], outcomes):
        made += [a.id for a in attempts]
        outcomes["stranger/1"] = (
            greylisted("stranger/1") if len(made) < 3 else outcome("rcpt", "stranger/1", code=554)
        )
        outcomes["stranger/2"] = outcome("rcpt", "stranger/2", code=554)
    assert made == ["stranger/1", "stranger/1", "stranger/1", "stranger/2"]


@pytest.mark.parametrize(
    ("code", "enhanced", "again"),
    [
        (450, "4.2.0", True),
        (451, "4.3.0", False),
        (450, "4.3.2", True),
        (454, "4.7.1", False),
        (421, None, True),
        (554, "5.7.1", False),
    ],
)
def test_only_a_passing_refusal_is_worth_another_try(code: int, enhanced: str | None, again: bool) -> None:
    told = Outcome("office/1", "rcpt", replies=[Reply("RCPT", code, "", 1, enhanced)])
    assert asks_to_come_back(told) is again


def test_a_server_without_its_milter_is_not_asked_again() -> None:
    text = "451 4.7.1 Service unavailable - try again later"
    told = Outcome("office/1", "mail", replies=[Reply("MAIL", 451, text, 1, "4.7.1")])
    assert not asks_to_come_back(told)


def test_a_port_that_greets_nobody_is_not_waited_for_again() -> None:
    attempts = [
        attempt("starts", port=465),
        attempt("starts", 2, port=25),
        attempt("office", port=465),
        attempt("office", 2),
    ]
    outcomes = {"starts/1": Outcome("starts/1", "connect"), "starts/2": outcome("said", "starts/2")}
    dead = DeadListeners(attempts, outcomes)
    assert [dead.spare(a) for a in attempts[2:]] == [True, False]
    assert outcomes["office/1"] == Outcome("office/1", "connect")


def test_a_port_that_refuses_one_client_or_waits_for_a_proxy_is_not_dead() -> None:
    attempts = [attempt("starts"), attempt("office"), attempt("office", 2, preamble="PROXY UNKNOWN")]
    refused = Outcome("starts/1", "greeting", replies=[Reply("", 554, "554 no", 0)])
    assert not DeadListeners(attempts, {"starts/1": refused}).spare(attempts[1])
    assert not DeadListeners(attempts, {"starts/1": Outcome("starts/1", "greeting")}).spare(attempts[2])


def test_what_needs_a_server_that_greets_is_not_tried_without_one() -> None:
    demo = lab(
        check("starts", greets=True),
        check("office", arrives="outside", needs=["starts"]),
        check(arrives="nowhere"),
    )
    outcomes: dict[str, Outcome] = {}
    made = []
    for attempts in Rounds(demo, [attempt("starts"), attempt("office"), attempt("stranger")], outcomes):
        made += [a.id for a in attempts]
        outcomes["starts/1"] = Outcome("starts/1", "greeting")
    assert made == ["starts/1", "stranger/1"]


def answers(text: str, enhanced: str | None, stage: str = "data") -> Outcome:
    reply = Reply(".", int(text[:3]), text, 3, enhanced=enhanced)
    return Outcome("office/1", stage, session=1, replies=[reply])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "enhanced"),
    [("451 4.7.0 resource unavailable", "4.7.0"), ("454 4.7.0 Temporary authentication failure", "4.7.0")],
)
def test_a_milters_trouble_is_not_come_back_to(text: str, enhanced: str) -> None:
    assert not asks_to_come_back(answers(text, enhanced))


def test_a_server_that_refuses_its_first_client_is_tried_all_the_same() -> None:
    attempts = [attempt("starts"), attempt("office")]
    needs = lab(check("starts", greets=True), check("office", arrives="outside", needs=["starts"]))
    outcomes: dict[str, Outcome] = {}
    made = []
    for some in Rounds(needs, attempts, outcomes):
        for one in some:
            made.append(one.id)
            said = answers("421 mail.example.com Service unavailable - try again later", None, "greeting")
            outcomes[one.id] = Outcome(one.id, said.stage, session=1, replies=said.replies)
    assert "office/1" in made


def test_sessions_of_the_first_round_are_filled_and_who_was_made_there_is_in_no_later_round() -> None:
    attempts = [
        attempt("starts", recipients=["x@b.example"]),
        *(attempt("stranger", number, recipients=["x@b.example"]) for number in range(1, 11)),
        attempt("stranger", 11, port=465, recipients=["x@b.example"]),
        attempt("stranger", 12, recipients=["x@b.example"], unless_arrived=["office/1"]),
    ]
    outcomes: dict[str, Outcome] = {}
    rounds = Rounds(DEMO, attempts, outcomes)
    assert [a.id for a in rounds.besides] == [f"stranger/{number}" for number in range(1, 9)]
    made = []
    for some in rounds:
        made.append([a.id for a in some])
        outcomes.update({a.id: outcome("rcpt", a.id) for a in some})
        if len(made) == 1:
            outcomes.update({f"stranger/{n}": outcome("rcpt", f"stranger/{n}") for n in range(1, 4)})
            outcomes["stranger/4"] = greylisted("stranger/4")
    assert made == [
        ["starts/1", "stranger/11"],
        ["stranger/4"],
        [f"stranger/{number}" for number in range(5, 11)],
        ["stranger/12"],
    ]
