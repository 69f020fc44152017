"""Slips in main.cf (postconf(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from grader.formats.settings import MainSetting, Word, meant, postfix_parameters, read_main, restrictions
from grader.formats.settings.files import logical_lines, looks_like_parameter
from grader.formats.typography import BYTE_ORDER_MARK
from grader.kinds.server.facts import SettingsFile
from grader.kinds.server.judge.slip import Slip, place, unknown
from grader.model.latepattern import late_pattern

_OF_SERVICES = late_pattern(
    r"_(?:(?:initial_)?destination_[a-z_]+|delivery_slot_[a-z]+|minimum_delivery_slots|(?:extra_)?recipient_(?:refill_)?"
    r"(?:limit|delay)|transport_rate_delay|time_limit|service_name)\Z"
)
"""Parameters that each service has under its own name (postconf(5), "transport_…")."""
_LISTS = late_pattern(r"smtpd_(?:client|helo|sender|relay|recipient|data|end_of_data|etrn)_restrictions\Z")
_RESTRICTION = late_pattern(r"[a-z]+(?:_[a-z0-9]+)+\Z")
_COMMENT = late_pattern(r"\s(#.*)\Z", re.DOTALL)
_REFERRED = late_pattern(r"\$[({]?(\w+)|:(\w+)")
"""How a value names another parameter, or the parameters of a table (postconf(5), ldap_table(5))."""
_TURNED = late_pattern(r"\b(inet6?):(\d{1,5})@([\w.:\[\]-]{1,64})")
MOST_WORDS = 200
"""Words of a list of restrictions that are looked at."""
_ASSIGNS = late_pattern(r"([a-z][a-z0-9_]+)(=.*)?\Z", re.DOTALL)


def main_slips(file: SettingsFile, unused: frozenset[str] | None, services: Sequence[str]) -> Iterator[Slip]:
    """The slips of a main.cf. ``unused`` is what postconf(1) says that nothing uses, where it could say so."""
    settings = read_main(file.text.removeprefix(BYTE_ORDER_MARK))
    classes = {word.text for s in settings if s.name == "smtpd_restriction_classes" for word in s.words}
    yield from _without_sign(file)
    referred = {name for setting in settings for pair in _REFERRED.findall(setting.raw) for name in pair}
    last: dict[str, MainSetting] = {}
    for setting in settings:
        yield from _name(file, setting, settings, unused, services, classes | referred)
        yield from _value(file, setting)
        yield from _restrictions(file, setting, classes)
        yield from _sockets(file, setting)
        earlier = last.get(setting.name)
        if earlier is not None and earlier.value != setting.value:
            yield _again(file, earlier, setting)
        last[setting.name] = setting


def _without_sign(file: SettingsFile) -> Iterator[Slip]:
    """Lines that begin with a parameter and have no equals sign, at which Postfix stops reading."""
    for (number, line), *rest in logical_lines(file.text.removeprefix(BYTE_ORDER_MARK)):
        name, _, value = line.strip().partition(" ")
        if name in postfix_parameters() and "=" not in line + "".join(more for _, more in rest):
            yield Slip(
                file.name,
                number,
                f"{place(file.name, number)}: no equals sign stands between `{name}` and its value.",
                f"Write `{name} = {value.strip()}`.".replace(" `.", "`."),
                (name,),
                certain=True,
            )


def _name(
    file: SettingsFile,
    setting: MainSetting,
    settings: Sequence[MainSetting],
    unused: frozenset[str] | None,
    services: Sequence[str],
    classes: set[str],
) -> Iterator[Slip]:
    name, known = setting.name, postfix_parameters()
    if name in known or name in classes or not looks_like_parameter(name):
        return
    used = name not in unused if unused is not None else _is_of_a_service(name, services)
    if used:
        return
    near = meant(name, known)
    if any(other.name == near for other in settings):
        # What was meant is there: the misspelt one is left over from a trial.
        near = None
    yield unknown("Postfix", file.name, name, setting.line, near)


def _is_of_a_service(name: str, services: Sequence[str]) -> bool:
    found = _OF_SERVICES.search(name)
    return found is not None and (not services or name[: found.start()] in services)


def _again(file: SettingsFile, earlier: MainSetting, setting: MainSetting) -> Slip:
    return Slip(
        file.name,
        setting.line,
        f"{place(file.name, setting.line)}: `{setting.name}` is set again, and line {earlier.line + 1} counts no more.",
        f"Keep one of the lines {earlier.line + 1} and {setting.line + 1}.",
        (setting.name,),
        certain=True,
    )


def _sockets(file: SettingsFile, setting: MainSetting) -> Iterator[Slip]:
    """Ports that are written as OpenDKIM writes them (opendkim.conf(5), ``Socket``)."""
    if setting.name not in ("smtpd_milters", "non_smtpd_milters"):
        return
    for found in _TURNED.finditer(setting.value):
        yield Slip(
            file.name,
            setting.line,
            f"{place(file.name, setting.line)}: `{found[0]}` is how OpenDKIM writes a port; Postfix has the host "
            "first.",
            f"Write `{found[1]}:{found[3]}:{found[2]}`: in main.cf the host comes before the port (postconf(5)).",
            (f"{found[2]}@{found[3]}", setting.name),
            certain=True,
        )


def _value(file: SettingsFile, setting: MainSetting) -> Iterator[Slip]:
    """What is no part of a value to whoever wrote it, and is one to Postfix."""
    if setting.name not in postfix_parameters():
        return
    if (swallowed := _swallowed(setting)) is not None:
        yield Slip(
            file.name,
            swallowed.line,
            f"{place(file.name, swallowed.line)} begins with a blank, so that it goes on with line {setting.line + 1}, "
            f"and `{_assigned(swallowed)}` is a part of `{setting.name}`.",
            "Take the blank away: a parameter begins in the first column.",
            (_assigned(swallowed), setting.name),
            certain=True,
        )
    elif (comment := _COMMENT.search(setting.value)) is not None:
        yield Slip(
            file.name,
            setting.line,
            f"{place(file.name, setting.line)}: “{comment[1]}” is no comment but a part of the value of "
            f"`{setting.name}`.",
            "Put the comment on a line of its own: it has to begin the line.",
            # Of a list, Postfix names the word that it does not know.
            (setting.name, comment[1].split()[0]),
            certain=True,
        )
    elif len(setting.value) > 1 and setting.value[0] == setting.value[-1] and setting.value[0] in "\"'":
        yield Slip(
            file.name,
            setting.line,
            f"{place(file.name, setting.line)}: the quotation marks are a part of the value of `{setting.name}`.",
            f"Write the value without them: `{setting.name} = {setting.value[1:-1]}`.",
            (setting.name,),
        )


def _swallowed(setting: MainSetting) -> Word | None:
    """The parameter that a continuation line begins with, with its equals sign: it was to be one of its own."""
    before = setting.line
    for word, after in pairwise([*setting.words, Word("", -1, 0)]):
        sign = "=" in word.text or after.text.startswith("=")
        if word.line > before and sign and _assigned(word) in postfix_parameters():
            return word
        before = word.line
    return None


def _assigned(word: Word) -> str:
    found = _ASSIGNS.match(word.text)
    return found[1] if found else ""


def _restrictions(file: SettingsFile, setting: MainSetting, classes: set[str]) -> Iterator[Slip]:
    """Words of a list of restrictions that are none, and look like one."""
    if not _LISTS.match(setting.name):
        return
    known = restrictions() | classes
    for word in setting.words[:MOST_WORDS]:
        if not _RESTRICTION.match(word.text) or word.text in known or word.text in postfix_parameters():
            continue
        if (near := meant(word.text, known)) is not None:
            yield Slip(
                file.name,
                word.line,
                f"{place(file.name, word.line, word.column)}: Postfix has no restriction `{word.text}`; did you mean "
                f"`{near}`?",
                f"Write `{near}`.",
                (word.text, near),
            )
