"""Who decides about relaying: the lists that Postfix asks, and programs of which a run cannot tell what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grader.kinds.server.facts import UntoldProgram
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.settings import SERVICES, PostfixSettings, Setting
from grader.kinds.traffic.index import TrafficCase
from grader.model.diagnostic import FilePlace, Span
from grader.model.finding import Judged
from grader.model.latepattern import late_pattern

END = late_pattern(r"\b(?:reject|defer)(?:_unauth_destination)?(?=[\s,]|\Z)|\bpermit_auth_destination\b")
"""What ends a list for mail to other people's domains, if nothing before it did (postconf(5))."""
_LISTS = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
_POLICY = late_pattern(r"\bcheck_policy_service[\s,{]+([^\s,}]+)")
_TABLE = late_pattern(r"\b(?:tcp|socketmap):([^\s,}]+)")
_DEEPEST = 3
"""Restriction classes in restriction classes (RESTRICTION_CLASS_README) that are looked into."""

UNTOLD = (
    "{name} may let somebody through, and to whom it says yes cannot be tried out: {words} (line {line}). "
    "{where} None of all who were tried got through."
)
_ASKED = "Postfix asks it before it refuses strangers: {shown}."
_LISTENS = "It listens on port {port} itself."
UNTOLD_REMARK = (
    "A person has to judge this: read the program. Asked behind `reject_unauth_destination`, a program can only "
    "refuse, and nobody has to read it."
)


def deciding(listener: str, server: str, settings: PostfixSettings) -> list[tuple[Setting, re.Match[str]]]:
    """The lists that keep strangers' mail for other people out on a listener, each with its end.

    Both are asked, so that only whom both permit may relay. None where Postfix's own default is the list, as it is from
    compatibility level 1 on (COMPATIBILITY_README).
    """
    relay, recipient = (settings.on(name, listener, server) for name in _LISTS)
    level = settings.on("compatibility_level", listener).value
    if not relay.where and level not in ("", "0"):
        return []
    found = ((one, END.search(one.value)) for one in (relay, recipient) if one.value)
    return [(setting, end) for setting, end in found if end is not None]


def untold(cases: list[TrafficCase], index: ServerIndex) -> Judged | None:
    """What is made of programs that may have let somebody through who was not tried; ``None`` where there are none."""
    for program in index.facts.untold:
        where = _listens(program, index) or _asked(program, cases, index.settings)
        if where is not None:
            place = FilePlace(program.name, Span(program.line - 1, 0, 0))
            said = UNTOLD.format(
                name=program.name, words=f"`{program.words}`", line=program.line, where=where
            )
            return Judged("manual", said, remarks=[UNTOLD_REMARK], place=place)
    return None


def _asked(program: UntoldProgram, cases: list[TrafficCase], settings: PostfixSettings) -> str | None:
    """The setting by which Postfix asks a program while it may still say yes."""
    for listener, server in dict.fromkeys((case.facts.listener, case.facts.server) for case in cases):
        lists = deciding(listener, server, settings)
        asking = [setting for setting, end in lists if _names(program, _rules(setting, end, settings))]
        if asking and len(asking) == len(lists):
            return _ASKED.format(shown=asking[0].shown)
    for setting in settings.all_main():
        if any(_is(program, endpoint) for endpoint in _TABLE.findall(setting.value)):
            return _ASKED.format(shown=setting.shown)
    return None


def _names(program: UntoldProgram, rules: str) -> bool:
    return any(_is(program, endpoint) for endpoint in _POLICY.findall(rules))


def _rules(setting: Setting, end: re.Match[str], settings: PostfixSettings) -> str:
    """What stands before the end of a list, with what its restriction classes stand for."""
    return " ".join(_with_classes(setting.value[: end.start()], settings, _DEEPEST))


def _with_classes(rules: str, settings: PostfixSettings, depth: int) -> Iterator[str]:
    yield rules
    classes = settings.on("smtpd_restriction_classes", "").words
    for name in classes if depth else ():
        if re.search(rf"(?<![\w/]){re.escape(name)}(?!\w)", rules):
            yield from _with_classes(settings.on(name, "").value, settings, depth - 1)


def _is(program: UntoldProgram, endpoint: str) -> bool:
    """Whether a program answers at an endpoint: ``unix:private/NAME``, ``inet:HOST:PORT`` or ``HOST:PORT``."""
    name = re.split(r"[/:]", endpoint.partition("@")[0])[-1]
    answers = {service.rpartition(":")[2] for service in program.services}
    return not answers or name in answers or endpoint.rpartition(":")[2] in answers


def _listens(program: UntoldProgram, index: ServerIndex) -> str | None:
    """Where clients speak to the program itself."""
    ports = {name: port for port, names in SERVICES.items() for name in names}
    reached = {attempt.listener.partition("+")[0] for attempt in index.facts.attempts}
    for service in program.services:
        name = service.rpartition(":")[2]
        if (port := ports.get(name, name)) in reached and not service.startswith(
            ("127.", "[::1]", "localhost:")
        ):
            return _LISTENS.format(port=port)
    return None
