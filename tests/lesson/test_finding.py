"""What people type is found: replies, log lines and examples, with slips; in the program and on the page alike."""

from __future__ import annotations

import json
import random

import msgspec
import pytest

from grader import labs
from grader.lesson import library
from grader.lesson.finding import Index, distance, normal
from grader.lesson.fulltext import documents
from tests.lesson.embedded import Scripts
from tests.tables import every

SOUGHT = documents(library(), [entry.lab for entry in labs.list_labs() if entry.lab])
INDEX = Index(SOUGHT)


@every(
    ("words", "ids"),
    [
        ("Relay access denied", {"reply-554", "reply-454", "cmd-rcpt"}),
        ("554 5.7.1 <bob@any.example>: Relay access denied", {"reply-554", "cmd-rcpt"}),
        ("relay acess denyed", {"reply-554"}),
        ("5.7.1", {"code-x.7.1"}),
        ("RFC 5321", {"rfc-5321"}),
        ("rfc5321", {"rfc-5321"}),
        ("spf dmarc", {"spf", "dmarc", "lab-spf-dmarc"}),
        ("lost connection after AUTH", {"log-warnings"}),
        ("Temporary lookup failure", {"reply-451"}),
        ("open-relay", {"open-relay", "lab-open-relay"}),
        ("alignmnet", {"alignment"}),
        ("greylisting", {"greylisting"}),
        ("spf=permerror too many DNS lookups", {"spf"}),
        ("dkim=fail (body hash did not verify)", {"dkim"}),
        ("what is an MX?", {"mx"}),
        ("What does 550 mean?", {"reply-550"}),
        ("how do I relayhost", {"smarthost"}),
        ("bad command startup -- throttling", {"log-faults"}),
        ('warning: cannot get RSA certificate from file "/x/y.pem": disabling TLS support', {"log-faults"}),
    ],
)
def test_what_a_server_says_is_found(words: str, ids: set[str]) -> None:
    assert ids <= {hit.id for hit in INDEX.find(words).hits[:6]}


def test_the_line_that_holds_the_words_is_shown() -> None:
    [hit] = [hit for hit in INDEX.find("lookup failure temporary").hits if hit.id == "reply-451"]
    assert "Temporary lookup failure" in hit.line


def test_every_reply_and_every_line_of_an_example_is_found_as_it_stands() -> None:
    lines = {
        line for one in SOUGHT for line in one.lines if len(normal(line).split()) > 2 and len(line) < 200
    }
    assert len(lines) > 600
    lost = []
    for line in random.Random(5).sample(sorted(lines), 120):
        holders = {one.id for one in SOUGHT if line in one.lines}
        if not holders & {hit.id for hit in INDEX.find(line).hits[:8]}:
            lost.append(line)
    assert lost == []


def test_words_that_stand_nowhere_are_said() -> None:
    found = INDEX.find("alignmnet xyzzyq")
    assert found.instead == [("alignmnet", "alignment"), ("xyzzyq", "")]
    assert found.hits[0].id == "alignment"
    assert INDEX.find("xyzzyq").hits == []
    assert INDEX.find("").hits == []


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("warning: hostname mail.pear.example does not resolve to address 192.0.2.1", []),
        ("lost connection after AUTH from unknown[1.2.3.4]", []),
        ("open /etc/postfix/sasl_passwd.db", []),
        ("Name service error for name=x.example type=MX", []),
        ("header.form", [("header.form", "header.from")]),
        ("5.7.99", [("5.7.99", "")]),
    ],
)
def test_of_somebodys_own_addresses_and_files_nothing_is_said(
    line: str, instead: list[tuple[str, str]]
) -> None:
    assert INDEX.find(line).instead == instead


def test_the_code_of_a_reply_of_several_lines_is_a_word() -> None:
    assert normal("550-5.7.26 No, 250-AUTH SHA-256-x 2025-01-02").split() == [
        *("550", "5.7.26", "no", "250", "auth", "sha-256-x", "2025-01-02"),
    ]
    assert {"reply-554"} <= {hit.id for hit in INDEX.find("554-5.7.1 Relay access denied").hits[:6]}


def test_where_nothing_has_all_words_those_come_that_have_most() -> None:
    found = INDEX.find("dkim selector starttls greylisting")
    assert found.partly
    assert found.hits


@pytest.mark.parametrize(
    ("one", "other", "far"),
    [
        ("abc", "abc", 0),
        ("abc", "acb", 1),
        ("abc", "abd", 1),
        ("abc", "ab", 1),
        ("abc", "xyz", 3),
        ("", "ab", 2),
    ],
)
def test_letters_changed_over_are_one_slip(one: str, other: str, far: int) -> None:
    assert distance(one, other, 2) == far


@pytest.mark.slow
def test_the_page_and_the_program_find_the_same() -> None:
    scripts = Scripts(["search-find"])
    scripts.run(
        "globalThis.searching = smtplab.searching(JSON.parse(dukpy.text)); null",
        text=msgspec.json.encode(SOUGHT).decode(),
    )
    draw = random.Random(7)
    words = sorted({word for one in SOUGHT for line in one.lines for word in line.split()})
    queries = [one.title for one in draw.sample(SOUGHT, 40)]
    queries += [" ".join(draw.sample(words, draw.randint(1, 4))) for _ in range(60)]
    queries += [_slip(draw, draw.choice(words)) for _ in range(60)]
    queries += [
        "",
        "  ",
        "RFC  5321",
        "<a@b> <",
        "ÜBER Ünïcode \ufeff x",
        "a" * 500,
        "x " * 200,
        "__proto__ constructor",
        "what is an MX?",
        "WHAT does the 550 Means ? ",
        "how to ",
        "where is x.example",
        "550-5.7.26 (550-x) 192.0.2.1 sasl_passwd.db header.form 5.7.99 250-AUTH",
    ]
    expected = [json.loads(msgspec.json.encode(INDEX.find(query))) for query in queries]
    answers = scripts.ask("searching.find(value)", queries)
    for query, want, got in zip(queries, expected, answers, strict=True):
        assert got == want, query


def _slip(draw: random.Random, word: str) -> str:
    at = draw.randrange(len(word))
    return word[:at] + draw.choice(["", "x", word[at : at + 1] * 2]) + word[at + 1 :]
