"""What may befall a program: small random changes, each a pure function of a source of randomness.

An operator changes the files and says what it did, or returns ``""`` where there is nothing of its kind. What cannot be
read as a program any more is drawn again: that it does not run needs no hunt.
"""

from __future__ import annotations

import re
import subprocess
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

Files = dict[str, str]
Operator = Callable[[Random, Files], str]

_NAME = re.compile(r"\b[a-z][a-z_]{4,}\b")
_NUMBER = re.compile(r"(?<![\w.\"'{#&-])\d{1,3}(?![\w.\"'-])")


@cache
def words() -> dict[str, Any]:
    """What ``words.yaml`` holds."""
    loaded: dict[str, Any] = yaml.safe_load(
        Path(__file__).with_name("words.yaml").read_text(encoding="utf-8")
    )
    return loaded


def language(text: str) -> str:
    """Of a program, by its first line or what it looks like: ``python``, ``perl``, ``shell``; or empty."""
    first = text.partition("\n")[0]
    for name, sign in (("python", "python"), ("perl", "perl"), ("shell", "sh")):
        if first.startswith("#!") and first.endswith((sign, f"{sign}3")):
            return name
    if "use strict" in text:
        return "perl"
    return "python" if "import " in text else ""


def edit(random: Random, files: Files) -> str:
    """Write something else in one place, as somebody might have."""
    fitting = [
        (name, number)
        for name, text in sorted(files.items())
        for number, known in enumerate(words()["edits"])
        if re.search(known["what"], text)
    ]
    # Each kind of edit as often as the others, however often it fits.
    name, number = random.choice(fitting)
    known = words()["edits"][number]
    found = random.choice(list(re.finditer(known["what"], files[name])))
    new = found.expand(random.choice(known["by"]))
    files[name] = files[name][: found.start()] + new + files[name][found.end() :]
    return f"{name}: {found[0]!r} became {new!r}" if new != found[0] else ""


def _line(random: Random, files: Files) -> tuple[str, list[str], int]:
    name = random.choice(sorted(files))
    lines = files[name].split("\n")
    return name, lines, random.randrange(1, len(lines))


def delete_line(random: Random, files: Files) -> str:
    """Leave a line out."""
    name, lines, place = _line(random, files)
    gone = lines.pop(place)
    files[name] = "\n".join(lines)
    return f"{name}: without {gone.strip()!r}" if gone.strip() and gone.strip()[0] != "#" else ""


def double_line(random: Random, files: Files) -> str:
    """Write a line twice."""
    name, lines, place = _line(random, files)
    lines.insert(place, lines[place])
    files[name] = "\n".join(lines)
    return f"{name}: twice {lines[place].strip()!r}" if lines[place].strip() else ""


def swap_lines(random: Random, files: Files) -> str:
    """Have two neighbours change places."""
    name, lines, place = _line(random, files)
    if place + 1 >= len(lines) or not lines[place].strip() or not lines[place + 1].strip():
        return ""
    lines[place], lines[place + 1] = lines[place + 1], lines[place]
    files[name] = "\n".join(lines)
    return f"{name}: {lines[place].strip()!r} before {lines[place + 1].strip()!r}"


def add_statement(random: Random, files: Files) -> str:
    """Put in a line that many programs have, at the beginning or behind some other."""
    name, lines, _ = _line(random, files)
    known = language(files[name])
    if not known:
        return ""
    statement = random.choice(words()["statements"][known])
    begins = [
        i for i, line in enumerate(lines) if i and line[:1].isalpha() and not line.startswith(("use ", "END"))
    ]
    place = random.choice(begins[:12] or [1])
    lines.insert(place, statement)
    files[name] = "\n".join(lines)
    return f"{name}, line {place + 1}: {statement}"


def change_number(random: Random, files: Files) -> str:
    """Another number."""
    name = random.choice(sorted(files))
    found = list(_NUMBER.finditer(files[name]))
    if not found:
        return ""
    chosen = random.choice(found)
    old = int(chosen[0])
    new = random.choice((old + 1, max(0, old - 1), old * 10, 0, old * 2))
    files[name] = files[name][: chosen.start()] + str(new) + files[name][chosen.end() :]
    around = files[name][max(0, chosen.start() - 20) : chosen.start() + 20].replace("\n", " ")
    return f"{name}: {old} became {new} in {around!r}" if old != new else ""


OPPOSITES = (
    (r"\bif (?!not\b)", "if not "), (r"\bif not ", "if "), (r" == ", " != "), (r" or ", " and "),
    (r"\|\|", "&&"), (r"&&", "||"), (r" unless ", " if "), (r"\[ -z", "[ -n"),
)  # fmt: skip


def turn_condition(random: Random, files: Files) -> str:
    """The opposite of a condition."""
    name = random.choice(sorted(files))
    places = [(found, new) for pattern, new in OPPOSITES for found in re.finditer(pattern, files[name])]
    if not places:
        return ""
    found, new = random.choice(places)
    around = files[name][max(0, found.start() - 10) : found.end() + 30].replace("\n", " ")
    files[name] = files[name][: found.start()] + new + files[name][found.end() :]
    return f"{name}: {found[0]!r} became {new!r} in {around!r}"


def rename(random: Random, files: Files) -> str:
    """Another name for something that the program names itself; harmless, where it is."""
    name = random.choice(sorted(files))
    text = files[name]
    made = re.findall(r"(?m)^\s*(?:def |sub |my \$)?([a-z][a-z_]{3,})(?= = |\(\)? \{|\(.*\):)", text)
    if not made:
        return ""
    chosen = random.choice(sorted(set(made)))
    files[name] = re.sub(rf"(?<![\w.\"'-]){chosen}(?![\w\"'-]|=)", f"{chosen}_of_ours", text)
    return f"{name}: {chosen} is called {chosen}_of_ours"


OPERATORS: tuple[tuple[Operator, int], ...] = (
    (edit, 30),
    (add_statement, 5),
    (delete_line, 4),
    (double_line, 2),
    (swap_lines, 2),
    (change_number, 2),
    (turn_condition, 2),
    (rename, 1),
)


def reads_as_program(files: Files) -> bool:
    """Whether each file that is a program may be one, as far as that can be said without running it."""
    for name, text in files.items():
        kind = language(text)
        if kind == "python":
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    compile(text, name, "exec")
            except (SyntaxError, ValueError):
                return False
        elif kind == "shell":
            checked = subprocess.run(["bash", "-n"], input=text.encode(), capture_output=True, check=False)
            if checked.returncode:
                return False
    return True


def mutate(random: Random, given: dict[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    """The files with one or two changes, and what each did."""
    operators, weights = zip(*OPERATORS, strict=True)
    files = {name: data.decode() for name, data in given.items()}
    wanted = random.choices((1, 2), (5, 2))[0]
    said: list[str] = []
    while len(said) < wanted:
        (operator,) = random.choices(operators, weights)
        changed = dict(files)
        did = operator(random, changed)
        if did and changed != files and reads_as_program(changed):
            files = changed
            said.append(did)
    return {name: text.encode() for name, text in files.items()}, said
