"""Scripted sessions: read from ``sessions/*.txt``, and drawn by seed as walks over the commands.

A script begins with ``# title``; ``@ client listener switches`` may follow. Every other line is sent as it is: ``␤``
sends what stands on both sides in one packet, ``␀`` is a space at the end, ``␊`` a line feed alone, ``<n*text>``
repeats a text, ``<xNN>`` is an octet that is no UTF-8, NUL or CR, ``∅`` an empty line.
"""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import NamedTuple

from tests.lesson.simulator.phrases import MAIL_OPTIONS, OTHERS, PEOPLE, RCPT_OPTIONS, RESPONSES, SIGNS, TEXT

FOLDER = Path(__file__).parent / "sessions"
OCTET = re.compile("<x([89A-F][0-9A-F]|00|0D)>")
REPEATED = re.compile(r"<([0-9]+)\*([^>]*)>")


class Script(NamedTuple):
    """A session to be played: each step is a list of lines that are sent at once."""

    title: str
    client: str
    listener: str
    switches: frozenset[str]
    steps: list[list[str]]


def written() -> list[Script]:
    """The scripts of the folder."""
    return [script for path in sorted(FOLDER.glob("*.txt")) for script in _read(path)]


def _read(path: Path) -> list[Script]:
    scripts: list[Script] = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.startswith("# "):
            scripts.append(Script(f"{path.stem}: {line[2:]}", "stranger", "smtp", frozenset(), []))
        elif line.startswith("@ "):
            client, listener, *switches = line[2:].split()
            scripts[-1] = scripts[-1]._replace(client=client, listener=listener, switches=frozenset(switches))
        elif line and scripts:
            filled = REPEATED.sub(lambda found: found[2] * int(found[1]), line).replace("␀", " ")
            filled = OCTET.sub(lambda found: octet(int(found[1], 16)), filled.replace("␊", "\n"))
            scripts[-1].steps.append(["" if part == "∅" else part for part in filled.split("␤")])
    return scripts


def octet(number: int) -> str:
    """An octet as it stands in a line: such as are no UTF-8 by ``surrogateescape``."""
    return chr(0xDC00 + number if number > 0x7F else number)


SWITCHES: list[frozenset[str]] = [
    frozenset(),
    frozenset({"greylisting"}),
    frozenset({"full-mailbox"}),
    frozenset({"no-such-user"}),
    frozenset({"size-limit"}),
    frozenset({"helo-required"}),
    frozenset({"vrfy-off"}),
    frozenset({"strict-addresses"}),
    frozenset({"defer-relaying"}),
    frozenset({"broken-certificate"}),
    frozenset({"greylisting", "full-mailbox", "size-limit", "helo-required"}),
    frozenset({"no-such-user", "vrfy-off", "strict-addresses", "defer-relaying"}),
]
"""Sets of switches that the walks go through. Each costs the real server three listeners."""


def walks(seed: int, count: int, length: int = 14) -> list[Script]:
    """Scripts drawn by a seed: mostly what could come next, sometimes anything, sometimes a slip of the finger."""
    return [
        _walk(random.Random(f"{seed}/{number}"), f"walk {seed}/{number}", length) for number in range(count)
    ]


def _walk(draw: random.Random, title: str, length: int) -> Script:
    client = draw.choice(["stranger", "stranger", "office"])
    listener = draw.choice(["smtp", "smtp", "submission", "submissions"])
    switches = draw.choice(SWITCHES)
    steps: list[list[str]] = []
    plan = _expected(draw, listener)
    while len(steps) < length:
        if draw.random() < 0.6 and plan:
            line = plan.pop(0)
        elif draw.random() < 0.5:
            line = _transaction_line(draw)
        else:
            line = draw.choice([*OTHERS, *OTHERS, *RESPONSES, *TEXT])
        line = REPEATED.sub(lambda found: found[2] * int(found[1]), line)
        if draw.random() < 0.12:
            line = slip(draw, line)
        if steps and draw.random() < 0.06:
            steps[-1].append(line)
        else:
            steps.append([line])
    return Script(title, client, listener, switches, steps)


def _expected(draw: random.Random, listener: str) -> list[str]:
    """An orderly session."""
    lines = [draw.choice(["EHLO client.example", "EHLO client.example", "HELO client.example"])]
    if listener == "submission" or (listener == "smtp" and draw.random() < 0.2):
        lines += ["STARTTLS", "EHLO client.example"]
    if listener != "smtp" and draw.random() < 0.8:
        lines += draw.choice(
            [["AUTH PLAIN AGFsaWNlAGFsaWNlLXNlY3JldA=="], ["AUTH LOGIN", "YWxpY2U=", "YWxpY2Utc2VjcmV0"]]
        )
    for _ in range(3):
        sender = draw.choice(["alice@example.com", "", "someone@third.example", draw.choice(PEOPLE)])
        lines.append(
            f"MAIL FROM:<{sender}>" + (f" {draw.choice(MAIL_OPTIONS)}" if draw.random() < 0.3 else "")
        )
        for _ in range(draw.randint(1, 3)):
            lines.append(f"RCPT TO:<{draw.choice(PEOPLE[:8] + PEOPLE)}>")
        lines += draw.choice([["DATA", *draw.sample(TEXT, 3), "."], ["BDAT 7 LAST", "Hello"], ["RSET"]])
    return lines


def _transaction_line(draw: random.Random) -> str:
    if draw.random() < 0.5:
        verb, options = (
            draw.choice(["MAIL FROM:", "mail from:", "MAIL FROM: ", "MAIL FROM::", "MAIL FROM: :"]),
            MAIL_OPTIONS,
        )
    else:
        verb, options = (
            draw.choice(["RCPT TO:", "Rcpt To:", "RCPT TO: ", "RCPT TO::", "RCPT TO:;"]),
            RCPT_OPTIONS,
        )
    who = draw.choice(PEOPLE)
    bracketed = f"<{who}>" if draw.random() < 0.85 else who
    chosen = draw.sample(options, draw.choice([0, 0, 1, 1, 2]))
    return " ".join([verb + bracketed, *chosen])


def slip(draw: random.Random, line: str) -> str:
    """A line with a slip of the finger in it."""
    place = draw.randint(0, len(line))
    sign = draw.choice('<>@:;,."\\()[]%!|+-= \tabZ9é\0\n')
    return draw.choice(
        [
            line[:place] + line[place + 1 :],
            line[:place] + sign + line[place:],
            line.swapcase(),
            f"{line} ",
            f" {line}",
        ]
    )


def rubbish(seed: int, count: int) -> list[Script]:
    """Scripts whose addresses are signs in any order."""
    draw = random.Random(f"rubbish {seed}")
    scripts = []
    for number in range(count):
        steps = [["EHLO x"], ["MAIL FROM:<a@b>"]]
        for _ in range(10):
            address = "".join(draw.choice(SIGNS) for _ in range(draw.randint(1, 7)))
            form = draw.choice(
                ["RCPT TO:<{}>", "RCPT TO:<{}>", "RCPT TO:{}", "VRFY <{}>", "MAIL FROM:<a@b> ENVID={}"]
            )
            steps.append([form.format(address)])
        scripts.append(Script(f"rubbish {seed}/{number}", "stranger", "smtp", draw.choice(SWITCHES), steps))
    return scripts
