"""What a typed answer may mean: the word, number or address in it, without what people put around.

``quiz-typed.js`` reads answers in the same way; its names are those of this file. Nothing here makes a wrong answer
right: each form is compared with what the bank knows, whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.kinds.quiz.judge.measures import measured_otherwise
from grader.kinds.quiz.judge.spelled import with_digits
from grader.kinds.quiz.judge.wrapping import unwrapped
from grader.kinds.quiz.questions import Fill, joined, plain

LONGEST = 300
"""Of a longer text only the text itself is compared."""

_PROMPT = re.compile(r"^(?:[cs]\+?: ?|\$ |<-+ |-+> |[a-z0-9_.-]+@[a-z0-9.-]+:[^ ]*[#$] )(.+)$")
"""What stands in front of a line that was copied: ``C:``, a shell's prompt."""
_NUMERO = "\u2116"
"""A sign that NFKC would make a word of: ``No``."""
_SURE = re.compile("(?<=[a-z0-9])[!?]+$")
_REPLY = re.compile(r"^[2-5][0-9][0-9][ -]([a-z].*)$")
_AROUND = re.compile(r"^(?:an?|the) |(?!^) ?[:;,=]$")
_NOUN = (
    r"(?:(?:user|host|domain|port|reply)(?: ?name| number| code)?|field|header|line|command|tag|label|word|mechanism"
    r"|extension|protocol|parameter|address|result|term|code|name|number|character|sign|option)"
)
_FRONT = re.compile(rf"^(?:(?:an?|the|one|single) )*(?:{_NOUN}(?: ?[:=] ?| is | )|)(?=.)")
_BEHIND = re.compile(rf"(?!^)(?: ?[:=])? {_NOUN}$")
_ASIDE = re.compile(r"^([^()]+?) ?\(([^()]*)\)$")
_CHOICE = re.compile(r"(?:^|[^a-z])(?:or|oder|and|und)(?:[^a-z]|$)|/")
_EITHER = re.compile(r" or | oder | - |[/,;:=]")
_ARGUMENT = re.compile(r":? ?<.*$")
_GAP = re.compile("_{4,}")
_ADDRESS = re.compile(r"(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9/]|\.[0-9a-z])")

_BESIDE = re.compile(
    r"(?:rfc ?[0-9]+|section [0-9.]+|(?:ip ?v|tls ?v?|ssl ?v?|version |v)[0-9](?:\.[0-9]+)*"
    r"|(?<![0-9.])[245]\.[0-9]{1,3}\.[0-9]{1,3}(?![0-9.]))(?![0-9])"
)
"""Numbers that name something else: ``RFC 7208``, ``IPv4``, the enhanced code behind a reply code."""
_REFUSED = re.compile(
    r"[,;(]? ?(?:and |but )?(?:not|never|instead of|rather than) (?:port |code |number )?[0-9]+\)?(?:,? but| rather)?"
)
"""``not 587``, beside the number that is meant."""
_ZEROS = re.compile(r"(?<![0-9.,])([0-9]+)[.,]0{1,2}(?![0-9.,])")
_REACHED = re.compile(r"^[^=]*[0-9][^=]*[-+*\u2212\u00d7][^=]*= ?([0-9]+ ?[a-z]*)$")
_NUMBER = re.compile("[0-9]+")
_APART = re.compile("(?<![a-z0-9])[0-9]+")
_SIGN = re.compile(r"(?:<=|\u2264) ?(?=[0-9])")
_LIMIT = re.compile(
    r"(?:not? more than|at most|up to|max(?:imum|\.)?(?: of)?) ?(?=[0-9])|(?<=[0-9]) (?:at most|max(?:imum|\.)?)$"
)
_ASKS_LIMIT = re.compile("at most|maxim|how many|limit|allowed")
_ASKS_ONE = re.compile(r"\b(?:port|code)\b", re.ASCII)
"""There is no most of what is told apart by its number alone."""
_ANOTHER_NUMBER = re.compile(
    r"^[^a-z0-9_]*[-\u2212\u2013][0-9]|!=|![ ]?[0-9]|[\u2260\u2264\u2265~]|[<>]=? ?[0-9]+ ?$|[0-9] ?\+"
    r"|\b(?:not|isn['\u2019]?t|never|no|non|neither|without|but|except|other than|(?:more|less|fewer|greater) than"
    r"|over|under|above|below|at least|min(?:imum|\.)?)"
    r"[ -](?:(?:an?|the|on|at|by|of|tcp|port|code|number|reply)[ -])*[0-9]"
    r"|[0-9] (?:each\b|per [a-z])|^[^<]*[0-9] ?[<>]$"
    r"|[0-9] (?:or|and) (?:more|less|so|above|below|up)\b|\bfrom (?:port )?[0-9]+ (?:on|up)"
    r"|[0-9] ?(?:is |are |was )?(?:not|isn['\u2019]?t|no)\b|\b(?:wrong|false|incorrect)\b",
    re.ASCII,
)
"""What says that the number beside it is not meant, or not it alone."""


def forms(question: Fill, text: str) -> Iterator[str]:
    """What a text may mean, the nearest first: as it stands; without article and sign; with digits for words."""
    typed = plain(text, exact=question.exact)
    yield typed
    if len(text) > LONGEST:
        return
    if question.exact:
        yield with_digits(typed)
        yield only_number(question, with_digits(typed.lower()))
        return
    yield _AROUND.sub("", typed)
    yield with_digits(typed)
    yield from _unwrapped(question, text)


def _unwrapped(question: Fill, text: str) -> Iterator[str]:
    whole = joined(text.replace(_NUMERO, " ")).lower()
    bare = _bare(whole)
    yield plain(bare)
    yield _only_address(question, whole)
    # With a dot at its end as well, which may be the answer.
    yield from _in_gap(question, [plain(whole), whole, plain(bare), bare])
    if "command" in question.ask.lower():
        yield plain(_ARGUMENT.sub("", bare))
    named = plain(bare)
    yield named.replace("-", " ") if re.search("[a-z]-[a-z]", named) else ""
    if reply := _REPLY.match(named):
        yield plain(reply[1])
    yield _named(named)
    yield only_number(question, with_digits(bare))
    aside = _ASIDE.match(bare)
    if aside and not _CHOICE.search(aside[2]) and not _known_wrong(question, aside[2]):
        yield plain(aside[1])
        yield _named(plain(aside[1]))
    yield _any_of(question, bare)


def _bare(text: str) -> str:
    """Without LaTeX, Markdown, brackets and a prompt around it, and without a sign of doubt or of joy behind it."""
    text = _SURE.sub("", text)
    text = unwrapped(text)
    return unwrapped(found[1]) if (found := _PROMPT.match(text)) else text


def _named(text: str) -> str:
    """Without a word for what it is: ``the Subject field``, ``tag p=``, ``user alice``."""
    for _ in range(2):
        text = _BEHIND.sub("", plain(_FRONT.sub("", text)))
    return _AROUND.sub("", plain(text))


def _known_wrong(question: Fill, text: str) -> bool:
    return any(plain(answer.text) == plain(text) for answer in question.answers if not answer.right)


def _any_of(question: Fill, text: str) -> str:
    """The first of several answers, all of which are right."""
    parts = [plain(part) for part in _EITHER.split(text)]
    right = {plain(answer.text) for answer in question.answers if answer.right}
    return parts[0] if len(parts) > 1 and right.issuperset(parts) else ""


def _in_gap(question: Fill, texts: list[str]) -> Iterator[str]:
    """What was put into the gap of a line that was typed with the words around it: ``inet_interfaces = all``."""
    lines = [*question.quote.split("\n"), *re.findall("`([^`]*)`", question.ask)]
    split = [[_tight(side.lower()) for side in _GAP.split(line)] for line in lines]
    around = [(sides[0].rstrip(" "), sides[1]) for sides in split if len(sides) == 2]
    for answer in question.answers:
        inner = _tight(plain(answer.text))
        for text in map(_tight, texts):
            for front, behind in _cuts(text, inner):
                if any(before.endswith(front) and after.startswith(behind) for before, after in around):
                    yield plain(answer.text)


def _cuts(text: str, inner: str) -> Iterator[tuple[str, str]]:
    """What stands in front of and behind each place of ``inner`` in a text."""
    at = text.find(inner)
    while at >= 0:
        yield text[:at].rstrip(" "), text[at + len(inner) :]
        at = text.find(inner, at + 1)


def _tight(text: str) -> str:
    """Without blanks around an equals sign, and with one blank where there are several."""
    return re.sub(" *= *", "=", re.sub("[ \t]+", " ", text))


def _only_address(question: Fill, text: str) -> str:
    """The address in a text that holds a single one, where an address is asked for."""
    if not any(_ADDRESS.fullmatch(answer.text) for answer in question.answers if answer.right):
        return ""
    found = set(_ADDRESS.findall(text))
    return found.pop() if len(found) == 1 and not re.search(r"\b(?:not|no|but|or)\b", text, re.ASCII) else ""


def only_number(question: Fill, text: str) -> str:
    """The number in a text that holds a single one and means it: ``port 25`` and ``25/tcp`` mean 25, not ``25 %``."""
    text = _BESIDE.sub("", text)
    less = _REFUSED.sub(" ", text)
    text = less if _NUMBER.search(less) else text
    text = _REACHED.sub(r"\1", _ZEROS.sub(r"\1", text).rstrip(". "))
    asked = question.ask.lower()
    if _ASKS_LIMIT.search(asked):
        text = _SIGN.sub("", text)
    if not _ASKS_ONE.search(asked):
        text = _LIMIT.sub("", text)
    elif _LIMIT.search(text):
        return ""
    found = set(_APART.findall(text) or _NUMBER.findall(text))
    if len(found) != 1 or _ANOTHER_NUMBER.search(text):
        return ""
    [number] = found
    return "" if measured_otherwise(question, text, number) else number
