"""Slips of the pen in what was handed in: where they stand, and which failure comes of them.

The student's own tools say some of this, without a place or without what was meant. Here the files themselves are read;
what Postfix has said of its settings decides whether a name that it may not know is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from grader.formats.settings import meant, opendkim_parameters, read_opendkim
from grader.formats.typography import BYTE_ORDER_MARK, OddCharacter, odd_characters
from grader.kinds.server.declare import ServerCheck
from grader.kinds.server.facts import ServerFacts, SettingsFile
from grader.kinds.server.judge.slip import Slip, in_words, place, unknown
from grader.kinds.server.judge.slipsmain import main_slips
from grader.kinds.server.judge.slipsmaster import master_slips
from grader.model.finding import Judged
from grader.model.latepattern import late_pattern
from grader.model.traffic import Command

MOST = 12
"""Slips that are told; more of them have one cause."""
MOST_TOLD_BY_TOOLS = 4
_WARNING = late_pattern(r"^(\w+): warning: (.*)$", re.MULTILINE)
_TURNED = late_pattern(r"(inet6?):([A-Za-z0-9.-]{1,64}|\[[0-9A-Fa-f:.]{2,45}\]):(\d{1,5})\b")
_UNUSED = late_pattern(r"(?:^|/)main\.cf: unused parameter: ([^=\s]+)=")
_OURS = late_pattern(
    r"unused parameter: |undefined parameter: |overriding earlier entry: |\bowned? or writable\b"
)
"""Warnings about what is read here, too, and about what smtplab itself has done."""
_SETTINGS_OF_DOVECOT = late_pattern(
    r"^\d+ (doveconf|dovecot)(?:\[\d+\])?: ((?:.*: )?(?:Fatal|Error): .*(?:setting|configuration).*)$"
)


def find_slips(facts: ServerFacts) -> list[Slip]:
    """Every slip in the settings, in the order of the files; none in evidence that does not hold them."""
    files = {file.path.rpartition("/")[2]: file for file in facts.settings}
    unused = _unused(facts.commands)
    services = _services(files.get("master.cf"))
    found: list[Slip] = []
    for file in facts.settings:
        # Whoever writes a thousand of them gets the first few, for the price of a few.
        found += islice(_characters(file), MOST)
        if file.path.endswith("/main.cf"):
            found += islice(main_slips(file, unused, services), MOST)
        elif file.path.endswith("/master.cf"):
            found += islice(master_slips(file, files.get("main.cf")), MOST)
        elif "/opendkim" in file.path and file.path.endswith(".conf"):
            found += islice(_of_opendkim(file), MOST)
    return list({slip.sentence: slip for slip in found}.values())[:MOST]


def cause(check: ServerCheck, judged: Judged, slips: Iterable[Slip]) -> tuple[Slip | None, bool]:
    """The slip that a failure comes of, and whether that is sure.

    It is sure where the server's own words in the observation name the slip. Where they do not, it is likely if the
    check's own advice is about the parameter that was meant.
    """
    for slip in slips:
        if slip.named_by(judged.observed):
            return slip, True
    texts = [judged.next or "", check.next]
    if check.hints is not None:
        texts += [check.hints.pointer, check.hints.example]
    likely = (slip for slip in slips if slip.certain and any(map(slip.within, texts)))
    return next(likely, None), False


def told_by_tools(facts: ServerFacts) -> list[str]:
    """Warnings of the server's own tools about its settings, beyond those that ``find_slips`` understands."""
    told = [
        f"{tool} warns: “{text}”"
        for command in facts.commands
        for tool, text in _WARNING.findall(command.output)
        if not _OURS.search(text)
    ]
    told += [
        f"{found[1]} says: “{found[2]}”"
        for line in facts.log
        if (found := _SETTINGS_OF_DOVECOT.match(line)) is not None
    ]
    return list(dict.fromkeys(told))[:MOST_TOLD_BY_TOOLS]


def _unused(commands: Iterable[Command]) -> frozenset[str] | None:
    """The parameters of main.cf that nothing uses, as postconf(1) says; ``None`` where it came to no end."""
    asked = [command for command in commands if "-nx" in command.argv and command.code == 0]
    if not asked:
        return None
    return frozenset(name for command in asked for name in _UNUSED.findall(command.output))


def _services(master: SettingsFile | None) -> list[str]:
    """The services of a master.cf, by which parameters of their own are called (postconf(5))."""
    lines = master.text.split("\n") if master else []
    return [
        line.split(None, 1)[0] for line in lines if line.strip() and not line.startswith((" ", "\t", "#"))
    ]


def _characters(file: SettingsFile) -> Iterator[Slip]:
    """Characters that are not what they look like, the first of each line; comments may hold any."""
    if file.text.startswith(BYTE_ORDER_MARK):
        yield Slip(
            file.name,
            0,
            f"{file.name} begins with a byte order mark (U+FEFF), which nobody sees and {_reader(file)} takes for a "
            "part of the first word.",
            f"Save {file.name} as UTF-8 without a byte order mark.",
            certain=True,
        )
    for number, line in enumerate(file.text.removeprefix(BYTE_ORDER_MARK).split("\n")):
        odd = None if line.lstrip().startswith("#") else next(odd_characters(line), None)
        if odd is not None:
            yield Slip(
                file.name,
                number,
                f"{place(file.name, number, odd.column)}: {odd.said}.",
                _mended(file, odd),
                in_words(line, odd.column),
                certain=True,
            )


def _mended(file: SettingsFile, odd: OddCharacter) -> str:
    if not odd.plain:
        return "Delete the line and type it again."
    if odd.plain in "\"'" and file.path.endswith("/main.cf"):
        return "Take the quotation marks out: in main.cf values have none."
    plain = "blank" if odd.plain == " " else f"`{odd.plain}`"
    return f"Write a plain {plain} there: word processors and web pages make another character of it."


def _reader(file: SettingsFile) -> str:
    return "OpenDKIM" if "/opendkim/" in file.path else "Postfix"


def _of_opendkim(file: SettingsFile) -> Iterator[Slip]:
    known = opendkim_parameters()
    lines = file.text.removeprefix(BYTE_ORDER_MARK).split("\n")
    for word in read_opendkim(file.text.removeprefix(BYTE_ORDER_MARK)):
        value = lines[word.line].strip()[len(word.text) :].strip()
        if word.text.lower() not in known:
            yield unknown("OpenDKIM", file.name, word.text, word.line, meant(word.text, known.values()))
        elif word.text.lower() == "socket" and (turned := _TURNED.match(value)) is not None:
            yield Slip(
                file.name,
                word.line,
                f"{place(file.name, word.line)}: `{turned[0]}` is how Postfix writes a port; OpenDKIM has the port "
                "first.",
                f"Write `{turned[1]}:{turned[3]}@{turned[2]}`: in opendkim.conf the port comes before the host.",
                ("smfi_opensocket", word.text),
                certain=True,
            )
        elif value.startswith("="):
            yield Slip(
                file.name,
                word.line,
                f"{place(file.name, word.line)}: `{word.text}` has an equals sign, which OpenDKIM takes for the value.",
                f"Take the sign out: in opendkim.conf a blank stands between name and value, as in `{word.text} "
                f"{value.lstrip('= ')}`.",
                (word.text,),
                certain=True,
            )
