"""What had no answer is tried once more, beside mail that was taken."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from grader.kinds.server.declare import ServerCheck
from grader.kinds.server.run.lasttry import LEAST_SECONDS, MOST_SECONDS, LastTry, left_open, make_last_try
from grader.model.attempt import Attempt
from grader.model.traffic import Line, Outcome, Reply, Session
from tests.judge.builders import check, lab
from tests.kinds.server.machines import attempt
from tests.tables import every

OFFICE = check("office", arrives="outside")
STRANGER = check("stranger", arrives="nowhere", control=["office"])
SESSIONS = {
    end: Session(number, "s", "a", "b", "25", end, [Line(0.0, "S", "220"), Line(1.0, "*", "none")])
    for number, end in enumerate(["timeout", "closed", "reset", "refused", "quit"])
}
BY_NUMBER = {session.id: session for session in SESSIONS.values()}


def silent(attempt_id: str, stage: str = "mail", end: str = "timeout") -> Outcome:
    return Outcome(attempt_id, stage, session=SESSIONS[end].id, last_line=1)  # type: ignore[arg-type]


def said(attempt_id: str, text: str, end: str = "quit") -> Outcome:
    words = text.split(" ")
    reply = Reply("RCPT TO:<x>", int(words[0]), text, 0, enhanced=words[1])
    return Outcome(attempt_id, "rcpt", session=SESSIONS[end].id, replies=[reply])


def taken(attempt_id: str) -> Outcome:
    return Outcome(attempt_id, "accepted", session=SESSIONS["quit"].id)


def tried(
    outcomes: Sequence[Outcome],
    *rounds: Sequence[Outcome],
    attempts: Sequence[Attempt] = (),
    checks: Sequence[ServerCheck] = (OFFICE, STRANGER),
    left: float = 20.0,
    dead_ports: tuple[int, ...] = (),
) -> tuple[LastTry, list[list[str]], list[float]]:
    """The last try, what was asked in each round, and for how long; each of ``rounds`` answers one."""
    asked: list[list[str]] = []
    patience: list[float] = []
    answers = iter(rounds)

    def try_(attempts: list[Attempt], seconds: float) -> list[Outcome]:
        asked.append([a.id for a in attempts])
        patience.append(seconds)
        return list(next(answers))

    every = attempts or [attempt("office"), attempt("stranger"), attempt("stranger", 2)]
    found = {outcome.attempt: outcome for outcome in outcomes}
    return make_last_try(lab(*checks), every, found, BY_NUMBER, try_, left, dead_ports), asked, patience


def test_where_everything_was_answered_nobody_asks_again() -> None:
    answered = [taken("office/1"), said("stranger/1", "554 5.7.1 no"), said("stranger/2", "450 4.7.1 later")]
    assert tried(answered) == (LastTry(), [], [])


def test_what_had_no_answer_is_tried_again_beside_what_was_taken() -> None:
    first = [taken("office/1"), silent("stranger/1"), said("stranger/2", "554 5.7.1 no")]
    then = [taken("office/1"), said("stranger/1", "554 5.7.1 no")]
    last, asked, _ = tried(first, then)
    assert asked == [["office/1", "stranger/1"]]
    assert last == LastTry([], True, {"stranger/1": then[1]})


def test_a_relay_that_was_only_starved_is_found_open() -> None:
    first = [taken("office/1"), said("stranger/1", "452 4.3.1 no room"), silent("stranger/2")]
    last, _, _ = tried(first, [taken("office/1"), taken("stranger/1"), silent("stranger/2")])
    assert last == LastTry(["stranger/2"], True, {"stranger/1": taken("stranger/1")})


def test_a_server_that_no_longer_takes_what_it_took_has_left_all_that_open() -> None:
    first = [taken("office/1"), silent("stranger/1"), silent("stranger/2", "greeting")]
    last, _, _ = tried(first, [silent("office/1"), silent("stranger/1"), silent("stranger/2", "greeting")])
    assert (last.unanswered, last.serving) == (["stranger/1", "stranger/2"], False)
    assert last.outcomes == {}, "what the control came to the first time stays"


def test_what_nobody_had_the_time_to_make_again_stays_open() -> None:
    last, _, _ = tried([taken("office/1"), silent("stranger/1")], [])
    assert (last.unanswered, last.serving) == (["stranger/1"], False)


def test_a_listener_that_greets_nobody_is_asked_once_and_counts_as_dead() -> None:
    attempts = [attempt("office"), *(attempt("stranger", number, port=465) for number in (1, 2, 3))]
    dead = [silent(f"stranger/{number}", "greeting") for number in (1, 2, 3)]
    last, asked, _ = tried([taken("office/1"), *dead], [taken("office/1"), dead[0]], attempts=attempts)
    assert asked == [["office/1", "stranger/1"]]
    assert last == LastTry([], True)


def test_a_port_of_which_it_is_known_that_it_is_dead_is_not_asked_again() -> None:
    attempts = [attempt("office"), attempt("stranger", port=587), attempt("stranger", 2, port=2525)]
    first = [taken("office/1"), silent("stranger/1", "greeting"), silent("stranger/2", "greeting")]
    _, asked, _ = tried(first, [], attempts=attempts, dead_ports=(25, 587))
    assert asked == [["office/1", "stranger/2"]]


def test_a_port_that_turns_everybody_away_for_want_of_a_proxy_header_is_not_asked_again() -> None:
    attempts = [attempt("office"), attempt("stranger", port=2500), attempt("stranger", 2, port=2500)]
    reply = Reply("", 421, "421 4.3.0 no header", 0, enhanced="4.3.0")
    first = [Outcome(f"stranger/{number}", "greeting", session=1, replies=[reply]) for number in (1, 2)]
    assert tried([taken("office/1"), *first], attempts=attempts) == (LastTry(), [], [])
    without_a_word = [silent(f"stranger/{number}", "greeting", "closed") for number in (1, 2)]
    assert tried([taken("office/1"), *without_a_word], attempts=attempts) == (LastTry(), [], [])


def test_a_listener_that_was_taken_for_dead_and_greets_is_tried_whole() -> None:
    attempts = [attempt("office"), *(attempt("stranger", number, port=465) for number in (1, 2, 3))]
    dead = [silent(f"stranger/{number}", "greeting") for number in (1, 2, 3)]
    then = [taken("office/1"), said("stranger/1", "554 5.7.1 no")]
    late = [taken("stranger/2"), said("stranger/3", "554 5.7.1 no")]
    last, asked, _ = tried([taken("office/1"), *dead], then, late, attempts=attempts)
    assert asked == [["office/1", "stranger/1"], ["stranger/2", "stranger/3"]]
    assert (last.unanswered, last.serving) == ([], True)
    assert last.outcomes["stranger/2"].stage == "accepted"


def test_where_nobody_was_ever_greeted_checks_with_controls_need_no_second_try() -> None:
    first = [silent(one, "greeting") for one in ("office/1", "stranger/1", "stranger/2")]
    assert tried(first) == (LastTry(), [], [])
    alone = check("stranger", arrives="nowhere")
    last, asked, _ = tried(first, [], checks=[OFFICE, alone])
    assert (asked, last.serving) == ([["stranger/1"]], False)


def test_wanted_mail_that_had_no_answer_in_time_is_tried_again_and_shows_the_way() -> None:
    """A server may take seconds over each recipient. Only then is known what it does with strangers, too."""
    first = [silent("office/1", "rcpt"), silent("stranger/1"), said("stranger/2", "554 5.7.1 no")]
    last, asked, _ = tried(first, [taken("office/1"), taken("stranger/1")])
    assert asked == [["office/1", "stranger/1"]]
    assert last == LastTry([], True, {"office/1": taken("office/1"), "stranger/1": taken("stranger/1")})


def test_wanted_mail_that_was_refused_or_hung_up_on_is_not_tried_again() -> None:
    first = [
        silent("office/1", "rcpt", "closed"),
        said("stranger/1", "554 5.7.1 no"),
        said("stranger/2", "554 5.7.1 no"),
    ]
    assert tried(first) == (LastTry(), [], [])


def test_what_a_port_makes_of_a_proxy_header_says_nothing_of_its_patience_with_others() -> None:
    """Postfix answers commands before its greeting with 554 and hangs up, though it only lets its clients wait."""
    attempts = [
        attempt("office"),
        attempt("stranger", port=2525),
        attempt("stranger", 2, port=2525, preamble="PROXY x"),
    ]
    reply = Reply("", 554, "554 5.5.0 Error: SMTP protocol synchronization", 0, enhanced="5.5.0")
    turned_away = Outcome("stranger/2", "greeting", session=1, replies=[reply])
    first = [taken("office/1"), silent("stranger/1", "greeting"), turned_away]
    last, asked, _ = tried(first, [taken("office/1"), taken("stranger/1")], attempts=attempts)
    assert (asked, last.outcomes) == ([["office/1", "stranger/1"]], {"stranger/1": taken("stranger/1")})


def test_what_was_tried_with_a_service_stopped_is_left_alone() -> None:
    attempts = [attempt("office"), attempt("stranger", stopped=["dovecot"])]
    assert tried([taken("office/1"), silent("stranger/1")], attempts=attempts) == (LastTry(), [], [])


@pytest.mark.parametrize(("left", "seconds"), [(0.0, LEAST_SECONDS), (10.0, 10.0), (50.0, MOST_SECONDS)])
def test_it_takes_what_is_left_of_the_time_within_bounds(left: float, seconds: float) -> None:
    _, _, patience = tried([taken("office/1"), silent("stranger/1")], [], left=left)
    assert patience == [seconds]


@every(
    ("outcome", "is_open"),
    [
        (silent("a"), True),
        (silent("a", "greeting", "closed"), True),
        (silent("a", "rcpt", "reset"), True),
        (silent("a", "connect", "refused"), False),
        (said("a", "451 4.3.0 lookup failure"), True),
        (said("a", "451 4.7.0 milter"), True),
        (said("a", "430 4.7.0 STARTTLS first"), False),
        (said("a", "450 4.3.2 come back"), False),
        (said("a", "421 4.7.0 too many errors", "closed"), False),
        (said("a", "250 2.1.0 ok", "closed"), False),
        (Outcome("a", "untried"), False),
        (taken("a"), False),
        (None, False),
    ],
)
def test_no_answer_is_told_from_an_answer(outcome: Outcome | None, is_open: bool) -> None:
    assert left_open(attempt(), outcome, BY_NUMBER) is is_open


def test_an_answer_before_the_end_of_the_session_is_one_whatever_came_of_the_end() -> None:
    """Who has asked for AUTH and was not offered it may wait in vain for the answer to QUIT."""
    ended = Session(9, "s", "a", "b", "25", "timeout", [Line(float(n), "S", "250 x") for n in range(4)])
    outcome = Outcome("a", "auth", session=9, replies=[Reply("EHLO x", 250, "250 x", 0)], last_line=1)
    assert not left_open(attempt(), outcome, {9: ended})


def test_a_dialogue_that_broke_off_in_silence_is_open_whatever_was_answered_before() -> None:
    asked = attempt(say=["VRFY a", "VRFY b"])
    outcome = Outcome(
        "a", "preface", session=0, replies=[Reply("VRFY a", 502, "502 5.5.1 no", 0)], last_line=1
    )
    assert left_open(asked, outcome, BY_NUMBER)


def test_whoever_speaks_of_a_proxy_to_tls_is_hung_up_on_for_that() -> None:
    assert not left_open(attempt(preamble="PROXY x"), silent("a", "greeting", "reset"), BY_NUMBER)
