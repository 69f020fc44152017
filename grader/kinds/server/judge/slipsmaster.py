"""Slips in master.cf (master(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.formats.settings import Option, meant, postfix_parameters, read_main, read_master
from grader.formats.settings.files import looks_like_parameter, stray_words
from grader.formats.typography import BYTE_ORDER_MARK
from grader.kinds.server.facts import SettingsFile
from grader.kinds.server.judge.slip import Slip, place, unknown

_OUTDENTED = re.compile(r"-o\s*(\S*)")
_VARIABLE = re.compile(r"\$[({]?(\w+)")


def master_slips(file: SettingsFile, main: SettingsFile | None) -> Iterator[Slip]:
    """The slips of a master.cf. ``main`` is the main.cf beside it, whose settings may refer to parameters set here."""
    text = file.text.removeprefix(BYTE_ORDER_MARK)
    options = read_master(text)
    values = "\n".join([option.value for option in options] + ([main.text] if main else []))
    referred = set(_VARIABLE.findall(values))
    classes = {
        word.text
        for setting in (read_main(main.text) if main else ())
        if setting.name == "smtpd_restriction_classes"
        for word in setting.words
    }
    lines = text.split("\n")
    known_here = referred | classes
    for option in options:
        yield from _option(file, option, options, known_here, lines[option.line])
    for option, word in stray_words(text):
        yield Slip(
            file.name,
            word.line,
            f"{place(file.name, word.line)} (service {option.service}): a blank ends the value of "
            f"`-o {option.name}=…`, and `{word.text}` is no part of it.",
            f"Write the value without blanks, or the whole in braces: `-o {{ {option.name} = {option.value} "
            f"{word.text} }}`.",
            (option.name,),
            certain=True,
        )
    for number, line in enumerate(lines):
        if (found := _OUTDENTED.match(line)) is not None:
            yield Slip(
                file.name,
                number,
                f"{place(file.name, number)}: `-o` begins the line, so that it is a service of its own and no option "
                "of the one before.",
                "Put two blanks before it: a line that begins with a blank goes on with the one before.",
                tuple(filter(None, (found[1],))),
                certain=True,
            )


def _option(
    file: SettingsFile, option: Option, options: list[Option], known_here: set[str], line: str
) -> Iterator[Slip]:
    where = f" (service {option.service})"
    if not option.value and looks_like_parameter(option.name) and f"{option.name}=" not in line:
        yield Slip(
            file.name,
            option.line,
            f"{place(file.name, option.line)}{where}: around the equals sign of `-o {option.name}=…` no blanks may "
            "stand: they end the option.",
            f"Write `-o {option.name}=VALUE` in one piece; a value with blanks goes into braces, "
            f"`-o {{ {option.name} = VALUE }}`.",
            (option.name,),
            certain=True,
        )
        return
    known = postfix_parameters()
    if option.name in known or option.name in known_here or not looks_like_parameter(option.name):
        return
    near = meant(option.name, known)
    if any(other.service == option.service and other.name == near for other in options):
        near = None
    yield unknown("Postfix", file.name, option.name, option.line, near, where=where)
