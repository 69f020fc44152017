"""The hunt in the lab authenticated-message sees what it is there to see, and blames nobody who is right."""

from __future__ import annotations

import re
from email.utils import formatdate
from random import Random

import pytest

from grader import labs
from grader.engines.base import Engine
from grader.model.submission import Submission
from tests.oracle.faults import Fault
from tests.oracle.programs import hunt, message, mutations
from tests.oracle.programs.addresses import Bad, mailboxes, unstructured
from tests.oracle.programs.dialogue import Entry, Transaction, asked, transactions
from tests.oracle.programs.letters import Letter, Writer
from tests.oracle.programs.run import observe
from tests.oracle.programs.secrets import told_of
from tests.oracle.programs.servers import draw
from tests.oracle.programs.verdict import faults_of

LAB = labs.find("authenticated-message")
LETTER = Letter(
    "erika@example.com", "Jürgen Weiß", ("a1@third.example",), (), ("b2@third.example",), "Grüße", ".one\n"
)
HEAD = (
    f"Date: {formatdate()}\r\nFrom: =?utf-8?q?J=C3=BCrgen?= =?utf-8?q?_Wei=C3=9F?= <erika@example.com>\r\n"
    "To: a1@third.example\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\r\nMessage-ID: <1.2@example.com>\r\n"
)


def sent(head: str = HEAD, body: str = "..one\r\n", parameters: str = "") -> Transaction:
    everybody = [*LETTER.recipients]
    text = f"{head}\r\n{body}".encode()
    return Transaction(LETTER.sender, parameters, True, everybody, text, taken=True)


def rules(transaction: Transaction) -> set[str]:
    return {told.rule for told in message.faults_of(transaction, LETTER)}


def test_a_number_draws_the_same_mutant_again_and_another_one_another() -> None:
    drawn = [hunt.mutant(LAB, "test", number)[:2] for number in range(8)]
    assert [hunt.mutant(LAB, "test", number)[:2] for number in range(8)] == drawn
    assert len({submission.digest for submission, _ in drawn}) == 8


def test_what_comes_instead_can_be_written() -> None:
    for edit in mutations.words()["edits"]:
        pattern = re.compile(edit["what"])
        for instead in edit["by"]:
            assert max(map(int, re.findall(r"\\(?:g<)?(\d)", instead)), default=0) <= pattern.groups, instead


def test_each_run_has_an_account_and_the_first_two_send_the_same_letter() -> None:
    runs = draw(Random("test"), Writer(Random("test")))
    assert len(runs) <= 40
    assert runs[0].letter == runs[1].letter
    recipients = [recipient for run in runs[1:] for recipient in run.letter.recipients]
    assert len(set(recipients)) == len(recipients)


def test_a_message_that_is_right_has_no_fault() -> None:
    assert rules(sent()) == set()


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("Subject: ", "X-Subject: ", "header"),
        ("=?utf-8?b?R3LDvMOfZQ==?=", "Grüße", "header"),
        ("=?utf-8?q?J=C3=BCrgen?= =?utf-8?q?_Wei=C3=9F?=", '"=?utf-8?q?J=C3=BCrgen_Wei=C3=9F?="', "header"),
        ("a1@third.example", "a2@third.example", "header"),
        ("-0000", "GMT", "header"),
        ("<1.2@example.com>", "1.2@example.com", "header"),
        ("\r\nSubject", "\nSubject", "lines"),
        ("Subject", f"X-Long: {'x' * 1000}\r\nSubject", "lines"),
        ("\r\n\r\n..one", "\r\n\r\n.one", "text"),
        ("\r\n\r\n", "\r\nContent-Type: text/html\r\n\r\n", "text"),
        ("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\nMIME-Version: 1.0\r\n\r\n", "text"),
    ],
)
def test_what_is_wrong_with_a_message_is_seen(old: str, new: str, rule: str) -> None:
    right = sent()
    assert right.text is not None
    right.text = right.text.replace(old.encode(), new.encode(), 1)
    assert rules(right) == {rule}


def test_names_and_encoded_words_are_read_as_the_rfcs_write_them() -> None:
    assert mailboxes('"Lang, E. \\"R\\"" <a@b.example>, c.d@e.example') == [
        ('Lang, E. "R"', "a@b.example"),
        ("", "c.d@e.example"),
    ]
    assert unstructured(" a =?utf-8?q?=C3=A4?= =?utf-8?q?b?= c") == " a äb c"
    with pytest.raises(Bad):
        mailboxes("Dr. Lang <a@b.example>")
    with pytest.raises(Bad):
        unstructured("=?utf-8?q?=C3?= =?utf-8?q?=A4?=")


def test_a_blind_copy_is_seen_in_base64_too_and_may_be_told_to_its_owner() -> None:
    blind = LETTER.bcc[0]
    assert not told_of(sent(), blind)
    hidden = sent(body="YSBjb3B5IGZvciBiMkB0aGlyZC5leGFtcGxl\r\n")
    assert told_of(hidden, blind)
    hidden.recipients = [blind]
    assert not told_of(hidden, blind)


def test_a_session_is_read_as_transactions() -> None:
    session = [
        Entry("command", b"MAIL FROM:<a@b.example> BODY=8BITMIME\r\n", "250 Ok", True, 1.0),
        Entry("command", b"RCPT TO:<c@d.example>\r\n", "250 Ok", True, 1.1),
        Entry("command", b"RCPT TO:<e@d.example>\r\n", "550 No", True, 1.2),
        Entry("text", b"x\r\n", "250 Taken", True, 1.3),
    ]
    (transaction,) = transactions(session)
    assert transaction.recipients == ["c@d.example"]
    assert transaction.taken
    assert [one.key[0] for one in asked([session])] == ["mail", "rcpt", "rcpt", "text"]


@pytest.mark.slow
@pytest.mark.engines("local")
@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        ("", "", set()),
        ("ssl.create_default_context()", "ssl._create_unverified_context()", {"impostor"}),
        ('"MAIL_CC", "MAIL_BCC"', '"MAIL_CC"', {"envelope"}),
        ("return 75 if passes(error) else 1", "return 0", {"status"}),
    ],
    ids=["solution", "unverified", "no-blind-copies", "content"],
)
def test_what_servers_hear_is_seen(old: str, new: str, broken: set[str], engine: Engine) -> None:
    lab = labs.load(LAB)
    variant = labs.draw_variant(lab, None, None)
    files = dict(labs.render_submission(LAB / "solution", variant).files)
    files["send"] = files["send"].decode().replace(old, new).encode() if old else files["send"]
    runs = observe(lab, Submission(files), variant, engine, Random("test"))
    assert {told.rule for told in faults_of(runs) if isinstance(told, Fault)} == broken
