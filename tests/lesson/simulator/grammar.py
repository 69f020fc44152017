"""Dialogues drawn from the grammar of RFC 5321 and its extensions, with what people and programs get wrong of it.

``scripts.walks`` puts known phrases together; here every word is made anew: paths with routes, quotes, literals and
comments, parameters with values in every form, logins, and messages whose lines are hard to tell from their end.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping, Sequence

from tests.lesson.simulator.scripts import SWITCHES, Script, slip
from tests.lesson.simulator.vocabulary import (
    ATEXT,
    COMMANDS,
    DOMAINS,
    GOOD_LOGIN,
    GROUPS,
    HEADERS,
    MAIL_VALUES,
    QUADS,
    QUOTED,
    RCPT_VALUES,
    TEXT_LINES,
    UNKNOWN,
    USERS,
)


class Grammar:
    """Draws pieces of dialogues; the same ``draw`` gives the same pieces."""

    def __init__(self, draw: random.Random) -> None:
        self.draw = draw

    def any_case(self, word: str) -> str:
        """A word in letters of any case."""
        return "".join(self.draw.choice((char.upper(), char.lower(), char)) for char in word)

    def atom(self) -> str:
        """RFC 5321 section 4.1.2."""
        return "".join(self.draw.choice(ATEXT) for _ in range(self.draw.randint(1, 5)))

    def quoted(self) -> str:
        """A string in quotation marks, with what needs them and what does not."""
        return f'"{"".join(self.draw.choices(QUOTED, k=self.draw.randint(0, 5)))}"'

    def local(self) -> str:
        """A local part."""
        draw = self.draw
        match draw.randint(0, 9):
            case 0 | 1:
                return self.quoted()
            case 2:
                return ".".join(self.atom() for _ in range(draw.randint(1, 3)))
            case 3:
                return f"{self.quoted()}.{self.atom()}"
            case 4:
                sign = draw.choice("%@")
                return draw.choice([f"bob{sign}{self.domain()}", f"{self.domain()}!bob"])
            case 5:
                return "x" * draw.choice([63, 64, 65, 255, 256, 300])
        return draw.choice(USERS)

    def groups(self) -> str:
        """An IPv6 address, or something like one."""
        if self.draw.random() < 0.6:
            return self.draw.choice(GROUPS)
        digits = "0123456789abcdefABCDEF"
        return ":".join(
            "".join(self.draw.choices(digits, k=self.draw.randint(0, 4)))
            for _ in range(self.draw.randint(2, 9))
        )

    def literal(self) -> str:
        """An address literal (RFC 5321 section 4.1.3)."""
        draw = self.draw
        tag = self.any_case("IPv6:")
        inside = draw.choice(
            [
                *(draw.choice(QUADS), tag + self.groups(), tag + self.groups(), self.groups()),
                *(f"x-tag:{self.atom()}", tag + draw.choice(QUADS), self.atom(), "IPv6: ::1"),
            ]
        )
        return draw.choice([*["[{}]"] * 8, "[{}", "{}]", "[[{}]]", "[{}].", "[{}].com", "a[{}]"]).format(
            inside
        )

    def domain(self) -> str:
        """A domain, a literal, or a bare address."""
        kind = self.draw.random()
        return (
            self.draw.choice(DOMAINS)
            if kind < 0.6
            else self.literal()
            if kind < 0.9
            else self.draw.choice(QUADS)
        )

    def mailbox(self) -> str:
        """A mailbox, sometimes without a domain or with a route in front of it."""
        box = self.local() if self.draw.random() < 0.08 else f"{self.local()}@{self.domain()}"
        if self.draw.random() < 0.15:
            host, other = self.draw.sample(DOMAINS[:12], 2)
            form = self.draw.choice(
                ["@{0}:{2}", "@{0},@{1}:{2}", "@{0}{2}", "@:{2}", ":{2}", "{2}:", "a:{2};"]
            )
            box = form.format(host, other, box)
        return box

    def path(self) -> str:
        """A path, mostly in angle brackets."""
        odd = ["{}", "<<{}>>", "<{}", "{}>", "< {}>", "<{} >", "Bob <{}>", '"Bob" <{}>', "<{}> Bob", "<{}>x"]
        odd += ["<{}>,<bob@example.com>", "(c)<{}>", "<{}>(c)", "<>{}", "'{}'", '"<{}>"']
        return self.draw.choice([*["<{}>"] * len(odd), *odd]).format(self.mailbox())

    def parameter(self, values: Mapping[str, Sequence[str | None]]) -> str:
        """A parameter of MAIL or RCPT."""
        name = self.draw.choice([*values, *values, self.draw.choice(UNKNOWN)])
        value = self.draw.choice(values.get(name, [None, "", "1"]))
        sign = self.draw.choice([*["="] * 12, "==", " =", " = ", "= "])
        return self.any_case(name) + ("" if value is None else f"{sign}{value}")

    def envelope(self, verb: str) -> str:
        """MAIL or RCPT."""
        draw, mail = self.draw, verb == "MAIL"
        good = ["<alice@example.com>", "<someone@third.example>", "<>" if mail else "<bob@example.com>"]
        path = draw.choice(good) if draw.random() < (0.5 if mail else 0.2) else self.path()
        key = "FROM" if mail else "TO"
        parts = [self.any_case(verb), draw.choice([*[" "] * 12, "  ", "\t", "", "\v"]), self.any_case(key)]
        parts += [draw.choice([*[":"] * 12, ": ", " :", ":\t", "", "::", ":;"]), path]
        for _ in range(draw.choice([0, 0, 0, 1, 1, 2, 3])):
            between = draw.choice([*[" "] * 12, "", "  ", "\t"])
            parts.append(between + self.parameter(MAIL_VALUES if mail else RCPT_VALUES))
        return "".join(parts)

    def login(self) -> list[str]:
        """AUTH and what follows it."""
        draw = self.draw
        mechanism = self.any_case(
            draw.choice(["PLAIN", "LOGIN", "PLAIN", "LOGIN", "CRAM-MD5", "EXTERNAL", ""])
        )
        users = ["alice", "Alice", "alice@example.com", "alice@elsewhere.example", "nosuch", "", "al ice"]
        user = draw.choice([*users, "alice+x", "alice@", "ali\0ce", "jörg", "a" * 70, "%alice", '"alice"'])
        password = draw.choice(
            ["alice-secret", "alice-secret", "", "wrong", "alice-secret ", "alice-secret\0x"]
        )
        behalf = draw.choice(["", "", "", "alice", "bob", "alice@example.com", "\t"])
        answers = [encoded(f"{behalf}\0{user}\0{password}"), encoded(user), encoded(password)]
        first = draw.choice(
            ["", " =", " *", f" {self.damaged(answers[0])}", f" {self.damaged(answers[1])}", " a b"]
        )
        rest = [
            draw.choice([*map(self.damaged, answers), "*", "", " ", "RSET"])
            for _ in range(draw.randint(0, 2))
        ]
        return [f"AUTH {mechanism}{first}", *rest]

    def damaged(self, text: str) -> str:
        """Base64 as it is, or not quite."""
        odd = [f"{text}=", text[:-1], text.rstrip("="), f"{text} ", f"={text}", f"{text}AAAA", f"!{text}"]
        return self.draw.choice([*[text] * 8, *odd])

    def message(self) -> list[str]:
        """Lines of a message up to the dot behind it."""
        lines = [
            *self.draw.choice(HEADERS),
            *self.draw.choices(TEXT_LINES, k=self.draw.randint(0, 5)),
            self.draw.choice([*["."] * 10, ".\r", "..", ". "]),
        ]
        return lines if lines[-1] == "." else [*lines, "."]

    def command(self) -> str:
        """Any command with any argument."""
        draw = self.draw
        box, path, domain = self.mailbox(), self.path(), self.domain()
        long = "x" * draw.choice([100, 510, 512, 1000, 2040, 2042, 2043, 2044, 2050])
        argument = draw.choice(
            [
                *("", "", " ", f" {box}", f" {path}", f" {domain}", " x y", f" {long}", ' "x"', " <"),
                *(" FROM:<a@b>", "\tx", " SMTPUTF8", f" {box} SMTPUTF8", "\0x", " é", " \\"),
            ]
        )
        return self.any_case(draw.choice(COMMANDS)) + argument

    def hello(self) -> str:
        """EHLO or HELO."""
        return self.draw.choice(
            [
                *["EHLO client.example"] * 4,
                *(
                    "HELO client.example",
                    f"EHLO {self.domain()}",
                    f"HELO {self.domain()}",
                    f"EHLO {self.literal()}",
                ),
            ]
        )

    def transaction(self) -> list[str]:
        """MAIL, recipients, and a message or none."""
        draw = self.draw
        lines = [self.envelope("MAIL")]
        lines += ["MAIL FROM:<alice@example.com>"] * (draw.random() < 0.5)
        lines += [self.envelope("RCPT") for _ in range(draw.randint(1, 4))]
        lines += [f"VRFY {self.path()}{draw.choice(['', ' SMTPUTF8', ' x'])}"] * (draw.random() < 0.2)
        lines += ["RCPT TO:<alice@example.com>"] * (draw.random() < 0.5)
        kind = draw.random()
        if kind < 0.4:
            return [*lines, "DATA", *self.message()]
        if kind < 0.6:
            sizes = [
                "3",
                "5 LAST",
                "0 LAST",
                "7",
                "0",
                "5 last",
                "5 LAST x",
                "-1",
                "1500",
                "9" * 20,
                "+3",
                "03",
            ]
            return [*lines, f"BDAT {draw.choice(sizes)}", draw.choice(["abc", "x", "", "héé"])]
        return [*lines, draw.choice(["RSET", "RSET", "RSET x", "NOOP", self.command()])]


def encoded(text: str) -> str:
    """Base64 of a text."""
    return base64.b64encode(text.encode()).decode()


def dialogues(seed: str, count: int, first: int = 0) -> list[Script]:
    """Scripts drawn by a seed."""
    return [dialogue(seed, number) for number in range(first, first + count)]


def dialogue(seed: str, number: int) -> Script:
    """One of them."""
    draw = random.Random(f"grammar {seed}/{number}")
    grammar = Grammar(draw)
    listener = draw.choice(["smtp", "smtp", "submission", "submissions"])
    lines = [grammar.hello()]
    if listener == "submission" or draw.random() < 0.15:
        lines += ["STARTTLS", grammar.hello()]
    if listener != "smtp":
        lines += [GOOD_LOGIN] if draw.random() < 0.6 else grammar.login()
    elif draw.random() < 0.1:
        lines += grammar.login()
    for _ in range(3):
        lines += grammar.transaction()
    steps: list[list[str]] = []
    for line in lines:
        steps += [[grammar.command()]] * (draw.random() < 0.12)
        said = slip(draw, line) if draw.random() < 0.06 else line
        if steps and draw.random() < 0.05:
            steps[-1].append(said)
        else:
            steps.append([said])
    client = draw.choice(["stranger", "stranger", "office"])
    switches = draw.choice([frozenset(), draw.choice(SWITCHES)])
    return Script(f"grammar {seed}/{number}", client, listener, switches, steps)
