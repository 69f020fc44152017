"""Runs of a program judged: small evidence by hand, one fault at a time."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from grader.judge import judge
from grader.kinds.program.declare import (
    Program,
    ProgramCheck,
    ProgramExpect,
    ProgramLab,
    ProgramTry,
    RunMessage,
)
from grader.kinds.program.facts import Exposure, ProgramFacts, RunFacts, Wanted
from grader.model.evidence import Evidence
from grader.model.lab import SubmissionRules
from grader.model.result import CheckResult
from grader.model.submission_server import Authentication, Conversation, ServerBehaviour, Transaction
from grader.model.traffic import Arrival, AttemptFacts, Command, Line, Outcome, Session

WANTED = Wanted(
    sender="erika@example.com",
    from_name="Erika Lang",
    to=["a@x.example"],
    cc=["b@y.example"],
    bcc=["c@z.example"],
    subject="Minutes",
    body=b"Dear all,\n\n.\nErika\n",
)
EVERYBODY = ["a@x.example", "b@y.example", "c@z.example"]
HEADER = (
    "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
    'From: "Erika Lang" <erika@example.com>\r\n'
    "To: a@x.example\r\n"
    "Cc: b@y.example\r\n"
    "Subject: Minutes\r\n"
    "Message-ID: <1.2@example.com>\r\n"
)
BODY = "\r\nDear all,\r\n\r\n.\r\nErika\r\n"
LETTER = HEADER + BODY
LINES = [
    Line(0, "S", "220 mail.example.com ESMTP ready"),
    Line(1, "C", "AUTH PLAIN <credentials>"),
    Line(2, "S", "235 2.7.0 Authentication successful"),
    Line(3, "C", "MAIL FROM:<erika@example.com>"),
    Line(4, "S", "250 OK"),
    Line(5, "C", "."),
    Line(6, "S", "250 2.0.0 taken"),
]
TAKEN = Transaction(3, 6, "erika@example.com", "", EVERYBODY, [], True, 0)
LOGGED_IN = Authentication("PLAIN", encrypted=True, accepted=True, line=1)
GOOD = Conversation(0, tls="TLSv1.3", authentications=[LOGGED_IN], transactions=[TAKEN])


def judged(
    expected: str,
    *,
    letter: str | bytes = LETTER,
    conversations: list[Conversation] | None = None,
    sessions: list[list[Line]] | None = None,
    code: int = 0,
    output: str = "",
    wanted: Wanted = WANTED,
    first_line: str = "#!/bin/sh",
    behaviour: dict[str, Any] | None = None,
    others: list[Arrival] | None = None,
    **run: Any,
) -> CheckResult:
    """The result of a check that expects one thing of one run."""
    conversations = [GOOD] if conversations is None else conversations
    check = ProgramCheck(
        code="it", title="it", points=5, why="w", next="n",
        attempts=[ProgramTry(meets=["server"], sends=["plain"])],
        expect=ProgramExpect(program=[expected]),  # type: ignore[list-item]
    )  # fmt: skip
    server = ServerBehaviour(about="a server", **(behaviour or {}))
    lab = ProgramLab(
        id="demo", title="Demo", version="1", summary="s", checks=[check],
        submission=SubmissionRules(required=["send"]),
        program=Program(
            environment={}, servers={"server": server},
            messages={"plain": RunMessage(to=["a@x.example"], subject="s", body="b")},
        ),
    )  # fmt: skip
    raw = letter.encode() if isinstance(letter, str) else letter
    taken = any(t.taken for c in conversations for t in c.transactions)
    evidence = Evidence(
        lab=lab, student=None, variant="canonical", names={}, started="2026-11-23T10:00:01.000Z", duration=1.0,
        engine="local", image="",
        facts=ProgramFacts(
        attempts=[
            AttemptFacts(
                id="it/1", check="it", title="a server", source="plain", address="10.20.30.50", listener="587"
            )
        ],
        outcomes=[Outcome("it/1", "accepted", 0)],
        sessions=[
            Session(number, "send", "10.20.30.50", "203.0.113.9", "587", "quit", lines)
            for number, lines in enumerate(sessions or [LINES] * len(conversations))
        ],
        arrivals=[*([Arrival(0, "outside", "mail", ["it/1"], raw)] if taken else []), *(others or [])],
        commands=[Command(["./send"], code, output)],
        program="send", first_line=first_line, executable=True, run_of={"it/1": "run-1"},
        runs=[RunFacts("run-1", "server", "plain", wanted, 0, 1.0, conversations=conversations, **run)],
        ),
    )  # fmt: skip
    [result] = judge(evidence).checks
    return result


ALL = [
    "connects", "delivers", "encrypts", "chooses-mechanism", "envelope", "hides-bcc", "header", "text", "lines",
    "tells", "obeys-no", "does-not-hammer", "hides-password", "ends",
]  # fmt: skip


@pytest.mark.parametrize("expected", ALL)
def test_a_good_run_is_good(expected: str) -> None:
    assert judged(expected).status == "pass"


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


def test_a_message_that_was_not_taken_names_the_reply() -> None:
    lines = [*LINES[:4], Line(4, "S", "530 5.7.0 Authentication required")]
    result = judged("delivers", conversations=[replace(GOOD, transactions=[])], sessions=[lines], code=1)
    assert result.status == "fail"
    assert "“530 5.7.0 Authentication required” to “MAIL FROM:<erika@example.com>”" in result.observed


def test_a_password_in_the_clear_is_pointed_at() -> None:
    result = judged("encrypts", conversations=[replace(GOOD, tls=None, in_the_clear=1)])
    assert result.evidence[0] == "session:0:1"


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


def test_domains_are_compared_without_regard_to_case_and_recipients_may_be_named_in_several_transactions() -> (
    None
):
    parts = [replace(TAKEN, recipients=["a@X.example"]), replace(TAKEN, recipients=EVERYBODY[1:])]
    assert judged("envelope", conversations=[replace(GOOD, transactions=parts)]).status == "pass"


@pytest.mark.parametrize("field", ["Bcc: c@z.example", "X-Copies: C@z.example"])
def test_a_blind_copy_is_told_to_nobody(field: str) -> None:
    assert judged("hides-bcc", letter=f"{field}\r\n{LETTER}").status == "fail"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n", "", "Date is missing"),
        ("Mon, 23 Nov 2026 10:00:00 +0000", "2026-11-23 10:00", "is no date"),
        ("Mon, 23 Nov 2026 10:00", "Tue, 24 Nov 2026 10:00", "Date says 2026-11-24"),
        ("Message-ID: <1.2@example.com>\r\n", "", "no Message-ID"),
        ("<1.2@example.com>", "1.2@example.com", "Message-ID"),
        ("To: a@x.example", "To: z@x.example", "To names “z@x.example”"),
        ("Cc: b@y.example\r\n", "", "Cc names “nobody”"),
        ("Cc: b@y.example", "Cc: ", "Cc is no list of addresses"),
        ("<erika@example.com>", "<alice@example.com>", "From names “alice@example.com”"),
        ('"Erika Lang"', "Erika", "The author's name arrived as “Erika”"),
        ("Subject: Minutes", "Subject: Hours", "The subject arrived as “Hours”"),
    ],
)
def test_a_header_with_a_fault(old: str, new: str, said: str) -> None:
    assert old in LETTER
    result = judged("header", letter=LETTER.replace(old, new))
    assert result.status == "fail"
    assert said in result.observed


@pytest.mark.parametrize(
    "author",
    ["Erika Lang <erika@example.com>", "=?utf-8?q?Erika?= =?utf-8?q?_Lang?= <erika@example.com>",
     '"Erika Lang" <erika@EXAMPLE.com>', "Erika\r\n Lang <erika@example.com>"],
)  # fmt: skip
def test_a_name_may_be_written_in_many_ways(author: str) -> None:
    letter = LETTER.replace('"Erika Lang" <erika@example.com>', author)
    assert judged("header", letter=letter).status == "pass"


def test_a_message_id_of_another_message_is_no_id() -> None:
    other = Arrival(1, "outside", "mail", [], LETTER.encode())
    assert "same Message-ID" in judged("header", others=[other]).observed


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("\r\nDear all,\r\n\r\n", "The text ends before its line 3, “.”"),
        ("\r\nDear all,\r\n\r\n..\r\nErika\r\n", "Line 3 of the text arrived as “..” instead of “.”"),
        (BODY + "Bye\r\n", "Behind the text's end there is a line “Bye”"),
    ],
)
def test_a_text_that_arrives_otherwise(body: str, said: str) -> None:
    assert said in judged("text", letter=HEADER + body).observed


ODD = replace(WANTED, from_name="Jürgen Weiß", subject="Grüße: 5 € ☕", body="Kaffee ☕\n東京\n".encode())


@pytest.mark.parametrize("cte", ["base64", "quoted-printable", "8bit"])
@pytest.mark.parametrize("utf8", [False, True])
def test_characters_arrive_however_they_are_carried(cte: str, utf8: bool) -> None:
    mail = EmailMessage(policy=policy.SMTPUTF8 if utf8 else policy.SMTP)
    mail["From"] = f"{ODD.from_name} <erika@example.com>"
    mail["Subject"] = ODD.subject
    mail.set_content(ODD.body.decode(), cte=cte)
    parameters = "SMTPUTF8 BODY=8BITMIME" if utf8 else "BODY=8BITMIME"
    conversation = replace(GOOD, transactions=[replace(TAKEN, parameters=parameters)])
    result = judged("text", letter=bytes(mail), wanted=ODD, conversations=[conversation])
    assert (result.status, result.remarks) == ("pass", [])


def test_eight_bits_that_were_not_announced_are_remarked_on() -> None:
    letter = HEADER + "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" \
        "Content-Transfer-Encoding: 8bit\r\n\r\nKaffee ☕\r\n東京\r\n"  # fmt: skip
    wanted = replace(ODD, from_name="Erika Lang", subject="Minutes")
    assert "BODY=8BITMIME" in judged("text", letter=letter, wanted=wanted).remarks[0]


@pytest.mark.parametrize(
    "subject", ["Grüße: 5 € ☕", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "=?iso-8859-1?q?Gr=C3=BC=C3=9Fe:_5_?="]
)
def test_a_garbled_subject(subject: str) -> None:
    letter = LETTER.replace("Subject: Minutes", f"Subject: {subject}")
    assert judged("text", letter=letter, wanted=ODD).status == "fail"


@pytest.mark.parametrize(
    "letter", [LETTER.replace("\r\n", "\n"), LETTER + "x" * 999 + "\r\n", LETTER + "a\rb\r\n"]
)
def test_lines_with_a_fault(letter: str) -> None:
    assert judged("lines", letter=letter).status == "fail"


def test_commands_without_cr_are_pointed_at() -> None:
    result = judged("lines", conversations=[replace(GOOD, bare=[3])])
    assert result.evidence[0] == "session:0:3"


PARTLY = replace(GOOD, transactions=[replace(TAKEN, recipients=EVERYBODY[:2], refused=EVERYBODY[2:])])
NOTHING = replace(GOOD, transactions=[])


@pytest.mark.parametrize(
    ("conversations", "code", "good"),
    [
        ([GOOD], 0, True),
        ([GOOD], 1, False),
        ([NOTHING], 0, False),
        ([NOTHING], 1, True),
        ([PARTLY], 0, False),
        ([PARTLY], 1, True),
        ([NOTHING, GOOD], 0, True),
        ([], 0, False),
        ([], 1, True),
    ],
)
def test_the_exit_status_is_held_against_what_was_taken(
    conversations: list[Conversation], code: int, good: bool
) -> None:
    assert (judged("tells", conversations=conversations, code=code).status == "pass") == good


def refused(*said: tuple[str, str]) -> list[Line]:
    lines = [Line(0, "S", "220 ready")]
    for command, reply in said:
        lines += [Line(1, "C", command), Line(2, "S", reply)]
    return lines


@pytest.mark.parametrize(
    ("sessions", "good"),
    [
        ([refused(("AUTH PLAIN <credentials>", "535 no"), ("AUTH LOGIN", "535 no"))], True),
        ([refused(("AUTH PLAIN <credentials>", "535 no"))] * 2, False),
        ([refused(("RCPT TO:<a@x>", "550 no"), ("RCPT TO:<b@x>", "550 no"))], True),
        ([refused(("RCPT TO:<a@x>", "550 no"), ("RCPT TO:<a@x>", "550 no"))], False),
        ([refused(("MAIL FROM:<a@x>", "451 later"))] * 3, True),
    ],
)
def test_a_no_is_not_argued_with(sessions: list[list[Line]], good: bool) -> None:
    conversations = [replace(NOTHING, session=number) for number in range(len(sessions))]
    result = judged("obeys-no", conversations=conversations, sessions=sessions, code=1)
    assert (result.status == "pass") == good


def test_many_connections_are_hammering() -> None:
    conversations = [replace(NOTHING, session=number) for number in range(6)]
    assert judged("does-not-hammer", conversations=conversations).status == "fail"
    assert judged("does-not-hammer", conversations=conversations[:5]).status == "pass"


@pytest.mark.parametrize("where", ["process list", "output", "log", "file"])
def test_a_password_that_shows_is_quoted_with_its_place(where: Any) -> None:
    result = judged("hides-password", exposed=[Exposure(where, "curl -u erika:<password>")], output="x")
    assert result.status == "fail"
    assert "“curl -u erika:<password>”" in result.observed


def test_a_run_that_is_late_is_told_so() -> None:
    assert judged("ends", late=True, code=-9).status == "fail"


@given(
    raw=st.binary(max_size=400) | st.text(alphabet='FromTDatSubjec:<>@,"=?utf8bqQB \r\n()\\;.é', max_size=300)
)
def test_no_message_breaks_the_judge(raw: bytes | str) -> None:
    for expected in ("hides-bcc", "header", "text", "lines"):
        letter = raw if isinstance(raw, bytes) else raw.encode()
        assert judged(expected, letter=letter, wanted=ODD).status in ("pass", "fail")
