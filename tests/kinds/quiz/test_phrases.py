"""Answers as people write them: what a fair teacher takes is taken, and nothing that is wrong."""

from __future__ import annotations

from grader.kinds.quiz.facts import Posed
from grader.kinds.quiz.judge.answers import UnreadableError, read_answer
from grader.kinds.quiz.judge.marking import mark
from grader.kinds.quiz.judge.spelled import with_digits
from grader.kinds.quiz.questions import (
    Expected,
    Fill,
    Match,
    MatchPair,
    Multiple,
    Option,
    OrderItems,
    Position,
    Single,
)  # fmt: skip
from tests.tables import every

COMMANDS = ("EHLO", "MAIL FROM", "RCPT TO", "DATA", "QUIT")
PAIRS = (("25", "relay"), ("587", "submission"), ("993", "IMAPS"))


def fill(*right: str, wrong: tuple[str, ...] = ()) -> Posed:
    answers = [Expected(text, "f", True) for text in right] + [Expected(text, "f") for text in wrong]
    return Posed(Fill(id="f", topic="t", difficulty=1, ask="?", see=["x"], wrong="w", answers=answers), [])


# Right are: order e c b d a; single b; several b d; match b c a.
POSED = {
    "order": Posed(
        OrderItems(id="o", topic="t", difficulty=1, ask="?", see=["x"], items=[Position(one, "f") for one in COMMANDS]),
        ["QUIT", "RCPT TO", "MAIL FROM", "DATA", "EHLO"],
    ),
    "single": Posed(
        Single(
            id="s", topic="t", difficulty=1, ask="?", see=["x"],
            options=[Option("25", "f", True), Option("587", "f"), Option("465", "f")],
        ),
        ["587", "25", "465"],
    ),
    "several": Posed(
        Multiple(
            id="m", topic="t", difficulty=1, ask="?", see=["x"],
            options=[*(Option(one, "f", True, "m") for one in ("SPF", "DKIM")), Option("TLS", "f"),
                     Option("SMTP", "f")],
        ),
        ["TLS", "SPF", "SMTP", "DKIM"],
    ),
    "match": Posed(
        Match(
            id="x", topic="t", difficulty=1, ask="?", see=["x"],
            pairs=[MatchPair(left, right, "f") for left, right in PAIRS],
        ),
        ["IMAPS", "relay", "submission"],
    ),
    "25": fill("25", wrong=("587",)),
    "220": fill("220"),
    "465": fill("465"),
    "10": fill("10"),
    "7": fill("7", wrong=("7 minutes",)),
}  # fmt: skip

TAKEN = {
    "order": [
        "e c b d a",
        "e,c,b,d,a",
        "ecbda",
        "E C B D A",
        "e.c.b.d.a",
        "e. c. b. d. a.",
        "e-c-b-d-a",
        "e>c>b>d>a",
        "first e, then c, then b, then d, then a",
        "first e, then c, b, d and finally a",
        "First e, second c, third b, fourth d, fifth a",
        "1st e, 2nd c, 3rd b, 4th d, 5th a",
        "e, then c, next b, after that d, last a",
        "e|c|b|d|a",
        "(e)(c)(b)(d)(a)",
        "e\nc\nb\nd\na",
        "e then c then b then d then a",
        "e before c before b before d before a",
        "e; c; b; d; a",
        "EHLO, MAIL FROM, RCPT TO, DATA, QUIT",
        "First EHLO, then MAIL FROM, then RCPT TO, then DATA, and finally QUIT",
        "1) EHLO 2) MAIL FROM 3) RCPT TO 4) DATA 5) QUIT",
        "e followed by c followed by b followed by d followed by a",
        "ehlo -> mail from -> rcpt to -> data -> quit",
        "e → c → b → d → a",
        "The order is e, c, b, d, a",
        "e c b d a (in that order)",
        "E.C.B.D.A.",
        "[e, c, b, d, a]",
        "e, c, b, d, and a",
        "e  c  b  d  a",
        "e/c/b/d/a",
        "e... c... b... d... a",
        "first: e, second: c, third: b, fourth: d, fifth: a",
        "5 a, 4 d, 3 b, 2 c, 1 e",
        "fifth a, first e, second c, third b, fourth d",
        "e c b d a.",
        "answer: e c b d a",
        "e=1, c=2, b=3, d=4, a=5",
        "a5 b3 c2 d4 e1",
    ],
    "25": [
        "25",
        "port 25",
        "25/tcp",
        "25th",
        "twenty-five",
        "twenty five",
        "Twenty-Five",
        "port twenty-five",
        "25.",
        "TCP 25",
        "25 (SMTP)",
        "the 25",
        "№ 25",
        "#25",
        "Port: 25",
        "it is 25",
        "the port is 25",
        "25 tcp",
        "smtp (25)",
    ],
    "220": [
        "220",
        "two hundred and twenty",
        "two hundred twenty",
        "two-twenty",
        "two two zero",
        "220 ready",
        "code 220",
    ],
    "10": [
        "10",
        "ten",
        "Ten.",
        "10 lookups",
        "ten lookups",
        "at most ten",
        "max 10",
        "a maximum of 10",
        "ten terms",
        "10 terms",
    ],
    "7": ["7", "seven", "7 s", "7 seconds", "seven seconds", "7s", "7 sec"],
    "465": ["four hundred and sixty-five", "four hundred sixty five", "four-six-five", "465 (SMTPS)"],
    "single": [
        "b",
        "B)",
        "25",
        "b) 25",
        "(b)",
        "Answer b",
        "option B",
        "b.",
        "the answer is b",
        "b is right",
        "It's b",
        "twenty-five",
    ],
    "several": [
        "b d",
        "bd",
        "b, d",
        "b and d",
        "b & d",
        "both b and d",
        "SPF and DKIM",
        "SPF, DKIM",
        "b.d",
        "b + d",
        "b d.",
        "only b and d",
        "(b)(d)",
        "b;d",
        "B/D",
        "b, d are right",
        "b) SPF, d) DKIM",
    ],
    "match": [
        "b c a",
        "bca",
        "25=b, 587=c, 993=a",
        "25: b; 587: c; 993: a",
        "25-b 587-c 993-a",
        "b.c.a",
        "25 b, 587 c, 993 a",
        "25→relay, 587→submission, 993→IMAPS",
        "25 is b, 587 is c, 993 is a",
        "25 relay, 587 submission, 993 IMAPS",
        "relay: 25, submission: 587, IMAPS: 993",
    ],
}
REFUSED = {
    "25": [
        "twenty-six",
        "not twenty-five",
        "twenty-five or five hundred eighty-seven",
        "25 or 587",
        "two thousand five hundred",
        "-25",
        "2.5",
        "25000",
        "twenty",
        "fifty-two",
        "25 26",
        "25,587",
        "twenty-five hundred",
        "over 25",
        "all but twenty-five",
        "0x25",
        "2 5 6",
        "thousand twenty-five",
        "no 25",
        "a hundred and twenty-five",
    ],
    "7": ["7 minutes", "seven minutes", "seventy", "seventeen", "seventh", "7:00", "0.7", "less than seven"],
    "10": [
        "more than ten",
        "tenth of 8",
        "ten to twenty",
        "not ten",
        "10 to 20",
        "one hundred",
        "1",
        "zero",
        "ten thousand",
    ],
    "order": [
        "first a, then d, then b, then c, then e",
        "a.d.b.c.e",
        "last e, then c, then b, then d, then a",
        "e after c after b after d after a",
        "e c b a d",
        "first c, then e, then b, then d, then a",
    ],
    "single": [
        "a",
        "not b",
        "b or c",
        "a b",
        "all but b",
        "b?c",
        "neither b nor c",
        "587",
        "everything except b",
        "a.b",
    ],
    "several": [
        "b",
        "not b and d",
        "all but b and d",
        "a b c d",
        "a.c",
        "everything except b and d",
        "b or d?x",
    ],
}


def is_right(posed: Posed, text: str) -> bool:
    try:
        given = read_answer(posed, text)
    except UnreadableError:
        return False
    return given is not None and mark(posed.question, given).right


@every(("name", "text"), [(name, text) for name, texts in TAKEN.items() for text in texts])
def test_what_a_fair_teacher_takes_is_taken(name: str, text: str) -> None:
    assert is_right(POSED[name], text)


@every(("name", "text"), [(name, text) for name, texts in REFUSED.items() for text in texts])
def test_what_is_wrong_is_never_taken(name: str, text: str) -> None:
    assert not is_right(POSED[name], text)


def test_a_choice_with_and_in_it_is_one() -> None:
    options = [Option("SPF and DKIM", "f", True, "m"), Option("TLS", "f", True, "m"), Option("SPF", "f")]
    question = Multiple(id="m", topic="t", difficulty=1, ask="?", see=["x"], options=options)
    posed = Posed(question, [option.text for option in options])
    for text in ("SPF and DKIM, TLS", "SPF and DKIM; TLS", "a and b"):
        assert is_right(posed, text)


@every(
    ("text", "digits"),
    [
        ("nine hundred and ninety-three", "993"), ("five fifteen", "515"), ("two thousand five hundred", "2500"),
        ("twenty twenty", "twenty twenty"), ("often", "often"), ("twenty-fifth", "twenty-fifth"),
        ("the empty one", "the empty one"),
        ("one", "1"), ("ten to twenty", "10 to 20"), ("hundred hundred", "hundred hundred"),
        ("twenty zero", "twenty zero"),
    ],
)  # fmt: skip
def test_numbers_in_words(text: str, digits: str) -> None:
    assert with_digits(text) == digits
