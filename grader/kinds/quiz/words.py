"""The words of a lab of the kind ``quiz``, with what they mean."""

from __future__ import annotations

from functools import cache

from grader.kinds.base import Words
from grader.kinds.quiz import bank
from grader.kinds.quiz.declare import Quiz
from grader.kinds.quiz.entries import sheets
from grader.kinds.quiz.questions import Base
from grader.labs.vocabulary import keys_of

KINDS = {
    "single": "options, of which one is right",
    "multiple": "options, of which several may be right",
    "order": "items to be put in order",
    "match": "pairs to be put together",
    "fill": "a word or a number to be written",
}
TOPICS = {
    "codes": "reply codes and enhanced status codes",
    "commands": "commands of SMTP and their order",
    "delivery": "how mail finds its way: DNS, queues, bounces",
    "headers": "header fields and MIME",
    "ports": "ports, and what is spoken there",
    "security": "TLS, logins, SPF, DKIM and DMARC",
}


@cache
def _topics() -> list[str]:
    return sorted({question.topic for question in bank.read_bank(bank.bundled(), sheets())})


def made() -> tuple[Words, ...]:
    """See ``grader.kinds.base.Author.vocabulary``."""
    return (
        Words("Keys of quiz", "in `quiz`", keys_of(Quiz)),
        Words(
            "Topics",
            "in `topics`: questions of smtplab's own bank",
            {topic: TOPICS.get(topic, f"questions on {topic}") for topic in _topics()},
            (("Quiz", "topics"),),
        ),
        Words("Kinds of question", "in `kind` of a question", KINDS),
        Words("Keys of a question", "in each question, whatever its kind", keys_of(Base)),
    )
