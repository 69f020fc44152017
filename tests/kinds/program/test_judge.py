"""Runs of a program judged: small evidence by hand, one fault at a time."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from msgspec.structs import replace

from grader.model.exposure import Exposure
from grader.model.submission_server import Conversation, Transaction
from grader.model.traffic import Line
from tests.kinds.program.runs import (
    EVERYBODY,
    GOOD,
    HEADER,
    LETTER,
    LINES,
    LOGGED_IN,
    NOTHING,
    TAKEN,
    WANTED,
    judged,
)
from tests.tables import every

ALL = [
    "connects", "delivers", "encrypts", "chooses-mechanism", "envelope", "hides-bcc", "header", "text", "whole",
    "lines", "tells", "obeys-no", "does-not-hammer", "hides-password", "ends",
]  # fmt: skip


@every("expected", ALL)
def test_a_good_run_is_good(expected: str) -> None:
    assert judged(expected).status == "pass"


@pytest.mark.parametrize(
    ("first_line", "code", "output", "said"),
    [
        ("#!/usr/bin/pyton3", 126, "./send: No such file or directory\n", "asks for “/usr/bin/pyton3”"),
        ("#!/usr/bin/env pyton3", 127, "env: 'pyton3': No such file or directory\n", "asks for “pyton3”"),
        ("#!/usr/bin/env -S pyton3", 127, "env: 'pyton3': No such file or directory\n", "asks for “pyton3”"),
        ("#!/bin/sh", 127, "./send: line 2: key: No such file or directory\n", "exit status 127"),
    ],
)
def test_an_interpreter_that_is_not_there_is_named(
    first_line: str, code: int, output: str, said: str
) -> None:
    result = judged("connects", conversations=[], first_line=first_line, code=code, output=output)
    assert said in result.observed


@pytest.mark.parametrize(
    ("first_line", "code", "said"),
    [
        ("#!/bin/sh\r", 126, "The lines of send end with CR LF"),
        ("\ufeff#!/bin/sh", 126, "a byte order mark"),
        ("echo hello", 126, "its first line must be like #!/bin/sh"),
        ("#!/bin/sh", 0, "never connected"),
    ],
)
def test_a_program_that_never_connects_hears_why(first_line: str, code: int, said: str) -> None:
    result = judged("connects", conversations=[], first_line=first_line, code=code, output="./send: odd\n")
    assert result.status == "fail"
    assert said in result.observed
    assert result.evidence == ["command:0"]


@pytest.mark.parametrize("conversations", [[], [NOTHING]])
def test_who_sends_in_the_background_hears_that_it_ended_too_early(conversations: list[Conversation]) -> None:
    said = "It left processes running, which were ended with it"
    lines = [LINES[:1]] * len(conversations)
    early = judged("delivers", conversations=conversations, sessions=lines, left=True)
    assert said in early.observed
    assert said not in judged("delivers", conversations=conversations, sessions=lines).observed


def test_a_message_that_was_not_taken_names_the_reply() -> None:
    lines = [*LINES[:4], Line(4, "S", "530 5.7.0 Authentication required")]
    result = judged("delivers", conversations=[replace(GOOD, transactions=[])], sessions=[lines], code=1)
    assert result.status == "fail"
    assert "“530 5.7.0 Authentication required” to “MAIL FROM:<erika@example.com>”" in result.observed


def test_a_password_in_the_clear_is_pointed_at() -> None:
    result = judged("encrypts", conversations=[replace(GOOD, tls=None, in_the_clear=1)])
    assert result.evidence[0] == "session:0:1"


def test_what_travels_under_tls_is_in_order() -> None:
    """One session may be given up before anything was said, and another be encrypted."""
    shy = replace(GOOD, tls=None, authentications=[], transactions=[])
    assert judged("encrypts", conversations=[shy, replace(GOOD, session=1)]).status == "pass"


@pytest.mark.parametrize("command", ["VRFY a@x.example", "RCPT TO:<A@X.example>", "EXPN a@x.example"])
def test_whoever_gets_a_message_is_not_named_before_tls(command: str) -> None:
    lines = [
        LINES[0],
        Line(0, "C", command),
        Line(0, "S", "252 maybe"),
        Line(0, "*", "TLS handshake: TLSv1.3"),
        *LINES[1:],
    ]
    taken = replace(TAKEN, line=6, last_line=9)
    spoken = replace(GOOD, transactions=[taken], authentications=[replace(LOGGED_IN, line=4)])
    result = judged("encrypts", conversations=[replace(spoken, encrypted=3)], sessions=[lines])
    assert result.status == "fail"
    assert f"told in the clear that a@x.example gets a message: “{command}”" in result.observed
    behind = [*lines[3:4], *lines[:3], *lines[4:]]
    assert (
        judged("encrypts", conversations=[replace(spoken, encrypted=0)], sessions=[behind]).status == "pass"
    )
    assert judged("encrypts", conversations=[spoken], sessions=[lines]).status == "pass"


def test_a_message_in_the_clear_counts_as_well() -> None:
    result = judged("encrypts", conversations=[replace(GOOD, tls=None, authentications=[])])
    assert "send its message in the clear" in result.observed


@pytest.mark.parametrize("certificate", ["other-name", "self-signed", "expired"])
def test_a_wrong_server_gets_nothing(certificate: str) -> None:
    behaviour = {"certificate": certificate}
    assert judged("keeps-secrets", behaviour=behaviour).status == "fail"
    shy = replace(GOOD, authentications=[], transactions=[])
    assert judged("keeps-secrets", behaviour=behaviour, conversations=[shy]).status == "pass"
    assert judged("keeps-secrets", behaviour=behaviour, conversations=[]).status == "pass"


def test_login_is_remarked_on_where_plain_was_to_be_had() -> None:
    login = replace(GOOD, authentications=[replace(LOGGED_IN, mechanism="LOGIN")])
    assert "AUTH LOGIN" in judged("chooses-mechanism", conversations=[login]).remarks[0]
    alone = judged("chooses-mechanism", conversations=[login], behaviour={"mechanisms": ["LOGIN"]})
    assert (alone.status, alone.remarks) == ("pass", [])


def test_a_mechanism_that_is_not_offered_is_not_tried() -> None:
    guess = replace(LOGGED_IN, mechanism="CRAM-MD5", accepted=False)
    result = judged("chooses-mechanism", conversations=[replace(GOOD, authentications=[guess, LOGGED_IN])])
    assert (result.status, "tried CRAM-MD5 all the same" in result.observed) == ("fail", True)
    refused = replace(LOGGED_IN, mechanism="LOGIN", accepted=False)
    both = [replace(GOOD, authentications=[refused, LOGGED_IN])]
    assert judged("chooses-mechanism", conversations=both).status == "pass"
    alone = judged("chooses-mechanism", conversations=both, behaviour={"mechanisms": ["PLAIN"]})
    assert alone.status == "fail"


def test_who_fails_at_replies_in_pieces_alone_hears_that_it_is_they() -> None:
    told = judged("delivers", conversations=[NOTHING], code=1, behaviour={"pieces": True}, unhindered=[GOOD])
    assert told.observed.startswith(
        "Here each reply has several lines and arrives in pieces; where it has one"
    )
    alone = judged("delivers", conversations=[NOTHING], code=1, behaviour={"pieces": True})
    assert "in pieces" not in alone.observed


def test_a_text_that_never_ended_tells_what_was_waited_for() -> None:
    broken_off = replace(NOTHING, unfinished=6)
    said = judged("delivers", conversations=[broken_off], code=1).observed
    assert "a line with a dot alone never came" in said
    said = judged("delivers", conversations=[replace(broken_off, lone_dot=True)], code=1).observed
    assert "the line before it ended with LF alone" in said


@pytest.mark.parametrize(
    ("transaction", "said"),
    [
        (replace(TAKEN, recipients=EVERYBODY[:2]), "c@z.example (for a blind copy)"),
        (replace(TAKEN, recipients=[*EVERYBODY, "d@w.example"]), "“d@w.example”, which nobody asked for"),
        (replace(TAKEN, sender=""), "The envelope's sender is “”"),
        (replace(TAKEN, sender="Erika@example.com"), "should be “erika@example.com”"),
    ],
)
def test_the_envelope_is_what_was_asked_for(transaction: Transaction, said: str) -> None:
    result = judged("envelope", conversations=[replace(GOOD, transactions=[transaction])])
    assert result.status == "fail"
    assert said in result.observed


def test_nobody_gets_the_message_twice() -> None:
    twice = [TAKEN, replace(TAKEN, recipients=EVERYBODY[1:2])]
    result = judged("envelope", conversations=[replace(GOOD, transactions=twice)])
    assert result.status == "fail"
    assert "b@y.example more than once" in result.observed
    assert "name only those again who were put off" in result.next


PICKY = {"answers": {"rcpt": "550 5.1.1 No such user here"}, "recipient": 1}


@pytest.mark.parametrize("expected", ["envelope", "hides-bcc", "header", "text", "whole", "lines"])
def test_a_server_that_refuses_may_get_nothing_and_what_it_gets_keeps_all_rules(expected: str) -> None:
    assert judged(expected, behaviour=PICKY, conversations=[NOTHING]).status == "pass"
    assert judged(expected, conversations=[NOTHING]).status == "fail"
    some = replace(GOOD, transactions=[replace(TAKEN, recipients=EVERYBODY[1:], refused=EVERYBODY[:1])])
    assert judged(expected, behaviour=PICKY, conversations=[some]).status == "pass"
    odd = LETTER.replace("To: a@x.example", "To: a@x.example, c@z.example").replace("\r\nErika", "\nEricka")
    assert (judged(expected, behaviour=PICKY, conversations=[some], letter=odd).status == "pass") == (
        expected == "envelope"
    )


def test_domains_are_compared_without_regard_to_case_and_recipients_may_be_named_in_several_transactions() -> (
    None
):
    parts = [replace(TAKEN, recipients=["a@X.example"]), replace(TAKEN, recipients=EVERYBODY[1:])]
    assert judged("envelope", conversations=[replace(GOOD, transactions=parts)]).status == "pass"


@pytest.mark.parametrize("field", ["Bcc: c@z.example", "X-Copies: C@z.example"])
def test_a_blind_copy_is_told_to_nobody(field: str) -> None:
    assert judged("hides-bcc", letter=f"{field}\r\n{LETTER}").status == "fail"


@pytest.mark.parametrize(
    "letter",
    [
        LETTER.replace("Dear all", "Dear all (and c@z.example)"),
        LETTER.replace("Subject: Minutes", "Subject: =?utf-8?b?YyBjQHouZXhhbXBsZQ==?="),
        LETTER.replace("Cc: b@y.example", "Cc: b@y.example (\r\n c@z.example)"),
        HEADER + "MIME-Version: 1.0\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        "Y0B6LmV4YW1wbGU=\r\n",
    ],
)
def test_a_blind_copy_is_found_in_whatever_dress(letter: str) -> None:
    assert judged("hides-bcc", letter=letter).status == "fail"


SOMEBODY = replace(WANTED, bcc=["carla.hofer8496@z.example"])
LONG = replace(TAKEN, recipients=[*EVERYBODY[:2], *SOMEBODY.bcc])


@pytest.mark.parametrize(
    "field",
    [
        f"X-All: {base64.b64encode(b'a@x.example,carla.hofer8496@z.example').decode()}",
        f"References: <{b'carla.hofer8496@z.example'.hex()}@example.com>",
        "List-Unsubscribe: <https://x.example/?a=carla.hofer8496%40z.example>",
        "Sender: erika+carla.hofer8496=z.example@example.com",
        "X-Seen-By: Carla.Hofer8496",
    ],
)
def test_a_blind_copy_is_found_where_programs_alone_read_it_and_by_its_local_part(field: str) -> None:
    taken = [replace(GOOD, transactions=[LONG])]
    told = judged("hides-bcc", letter=f"{field}\r\n{LETTER}", wanted=SOMEBODY, conversations=taken)
    assert (told.status, "carla.hofer8496@z.example gets a blind copy" in told.observed) == ("fail", True)
    assert judged("hides-bcc", wanted=SOMEBODY, conversations=taken).status == "pass"


def test_a_local_part_that_somebody_else_has_too_tells_of_nobody() -> None:
    same = replace(SOMEBODY, to=["carla.hofer8496@x.example"])
    letter = LETTER.replace("a@x.example", "carla.hofer8496@x.example")
    taken = replace(LONG, recipients=[*same.to, *same.cc, *same.bcc])
    conversations = [replace(GOOD, transactions=[taken])]
    assert judged("hides-bcc", letter=letter, wanted=same, conversations=conversations).status == "pass"


def test_blind_copies_may_be_told_to_those_who_get_them_or_left_empty() -> None:
    own = replace(TAKEN, recipients=EVERYBODY[2:])
    told = judged(
        "hides-bcc", letter=f"Bcc: c@z.example\r\n{LETTER}", conversations=[replace(GOOD, transactions=[own])]
    )
    assert told.status == "pass"
    for expected in ("hides-bcc", "header"):
        assert judged(expected, letter=f"Bcc: \r\n{LETTER}").status == "pass"


@pytest.mark.parametrize("where", ["process list", "output", "log", "file", "message"])
def test_a_password_that_shows_is_quoted_with_its_place(where: Any) -> None:
    result = judged("hides-password", exposed=[Exposure(where, "curl -u erika:<password>")], output="x")
    assert result.status == "fail"
    assert "“curl -u erika:<password>”" in result.observed


@pytest.mark.parametrize(("seconds", "good"), [(1.0, True), (9.5, True), (10.0, False), (11.0, False)])
def test_who_sits_through_all_of_the_silence_is_late(seconds: float, good: bool) -> None:
    """Though it ended before it was killed. What the lab of these tests gives a run are ten seconds."""
    silent = [Line(5.0, "S", "220 ready"), Line(5.0 + 1000 * seconds, "*", "The client hung up.")]
    conversation = replace(NOTHING, hung_up=1)
    result = judged("ends", conversations=[conversation], sessions=[silent], code=1)
    assert (result.status == "pass") == good, result.observed


def silence(begins: float, seconds: float) -> list[Line]:
    """A session that begins at a second, and whose server says nothing for so many."""
    return [
        Line(1000 * begins, "S", "220 ready"),
        Line(1000 * (begins + seconds), "*", "The client hung up."),
    ]


@pytest.mark.parametrize(
    ("silences", "good"),
    [
        # Nine seconds in all; thirteen; five, of sessions side by side.
        ([(0, 1), (2, 1), (4, 1), (6, 1), (8, 1)], True),
        ([(0, 1), (3, 1), (6, 1), (9, 1), (12, 1)], False),
        ([(0, 4), (0, 4), (0.5, 4), (1, 4)], True),
    ],
)
def test_several_silences_and_the_pauses_between_them_count_together(
    silences: list[tuple[float, float]], good: bool
) -> None:
    conversations = [replace(NOTHING, session=number, hung_up=1) for number in range(len(silences))]
    sessions = [silence(*one) for one in silences]
    result = judged("ends", conversations=conversations, sessions=sessions, code=1)
    assert (result.status == "pass") == good, result.observed


def test_a_run_that_is_late_is_told_so() -> None:
    assert judged("ends", late=True, code=-9).status == "fail"


STARTTLS = [
    Line(0, "S", "220 mail.example.com ESMTP ready"),
    Line(1, "C", "EHLO desk"),
    Line(2, "S", "250-mail.example.com"),
    Line(2, "S", "250 STARTTLS"),
    Line(3, "C", "STARTTLS"),
    Line(4, "S", "220 Ready to start TLS"),
    Line(5, "*", "TLS handshake failed"),
]


def test_who_begins_tls_in_the_midst_of_a_reply_is_told_how_replies_end() -> None:
    broke = replace(NOTHING, tls=None, problem="the client broke the connection", authentications=[])
    said = "OSError: [SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1000)"
    observed = judged("delivers", conversations=[broke], sessions=[STARTTLS], code=1, output=said).observed
    assert "the rest of an earlier reply" in observed
    at_once = judged("delivers", conversations=[broke], sessions=[STARTTLS[-1:]], code=1, output=said)
    assert "the rest of an earlier reply" not in at_once.observed
    other = judged("delivers", conversations=[broke], sessions=[STARTTLS], code=1, output="no such name")
    assert "the rest of an earlier reply" not in other.observed


def test_who_stops_where_nothing_was_refused_is_told_the_last_reply() -> None:
    result = judged("delivers", conversations=[NOTHING], sessions=[LINES[:5]], code=1)
    assert (
        "No reply refused anything: the last was “250 OK”, to “MAIL FROM:<erika@example.com>”."
        in result.observed
    )
    assert "No reply" not in judged("delivers", conversations=[NOTHING], sessions=[LINES[:1]]).observed


@pytest.mark.parametrize(
    ("held_up", "seconds", "conversation", "status"),
    [
        (2.5, 9.0, NOTHING, "error"),
        (0.5, 9.0, NOTHING, "fail"),
        # Stopped in the midst, sooner than it was to wait.
        (2.5, 4.0, NOTHING, "fail"),
        (2.5, 9.0, GOOD, "pass"),
    ],
)
def test_who_gives_up_on_a_machine_without_time_for_it_loses_nothing(
    held_up: float, seconds: float, conversation: Conversation, status: str
) -> None:
    result = judged(
        "delivers",
        conversations=[conversation],
        sessions=[LINES[:5]],
        code=1,
        held_up=held_up,
        seconds=seconds,
    )
    assert result.status == status
    assert ("Grade again" in result.observed) == (status == "error")
    shy = [Line(0, "*", "TLS handshake failed"), Line(5000, "*", "The client hung up.")]
    waits = judged(
        "delivers", conversations=[NOTHING], sessions=[shy], code=1, held_up=held_up, seconds=seconds
    )
    assert waits.status == "fail"
    pretends = judged(
        "delivers", conversations=[conversation], sessions=[LINES[:5]], held_up=held_up, seconds=seconds
    )
    assert pretends.status != "error"
    no = [*LINES[:4], Line(4, "S", "550 no")]
    assert judged("tells", conversations=[conversation], code=1, held_up=held_up).status != "error"
    refused = judged(
        "delivers", conversations=[NOTHING], sessions=[no], code=1, held_up=held_up, seconds=seconds
    )
    assert refused.status == "fail"


def test_who_says_no_ehlo_after_starttls_is_told_that_the_session_begins_anew() -> None:
    silent = replace(NOTHING, tls="TLSv1.3", problem=None, authentications=[])
    lines = [*STARTTLS[:-1], Line(5, "*", "TLS handshake: TLSv1.3")]
    observed = judged("delivers", conversations=[silent], sessions=[lines], code=1).observed
    assert "the session begins anew, with EHLO (RFC 3207 section 4.2)" in observed


def test_the_line_that_names_who_gets_a_blind_copy_is_shown() -> None:
    result = judged("hides-bcc", letter=f"X-Note: nothing\r\nBcc: <c@z.example>\r\n{LETTER}")
    assert result.evidence == ["message:0:1"]
