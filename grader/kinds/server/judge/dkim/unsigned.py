"""Why a message was not signed, as far as the log and the settings tell."""

from __future__ import annotations

import re

from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.log import LogLine
from grader.kinds.traffic.sentences import quoted
from grader.model.finding import Finding, broken
from grader.model.pointer import Pointer

REASON = re.compile(r"not internal|not authenticated|no signing \w+ match|no macros match|no MTA name match")
"""What OpenDKIM logs, with ``LogWhy``, of a message that it does not sign (opendkim.conf(5))."""
NO_CONCERN = {True: re.compile("not internal"), False: re.compile("not authenticated")}
"""What is no reason where the author has logged in, and where not: both are said of whoever is neither."""
LOGS_WHY = re.compile(REASON.pattern + "|no signature data")
MILTER = "opendkim"
PORTS = {"25": "smtp", "587": "submission", "465": "submissions"}
OVERRIDE = re.compile(
    r"(?P<service>[^/\s]+)/inet/(?P<name>smtpd_milters|receive_override_options|milter_\w+) = ?(?P<value>.*)"
)
"""A line of ``postconf -P``. ``no_milters`` is one of the receive_override_options."""


def unsigned(case: TrafficCase, index: ServerIndex, sentence: str, places: list[Pointer]) -> Finding:
    """The finding of a message that arrived unsigned: with OpenDKIM's reason, or that it was never asked."""
    asked = [line for line in index.log.of(case.facts, case.session) if line.program.startswith(MILTER)]
    reason = next((line.index for line in asked if _is_reason(line, case)), None)
    if reason is not None:
        said = f"{sentence} The log says: {quoted(index.logged(reason))}"
        return broken(case, said, [Pointer("log", reason), *places])
    if not asked and any(_says_why(line) for line in index.log.lines):
        return broken(
            case, f"{sentence} {_not_asked(case, index)}", places, next=_where_it_is_asked(case, index)
        )
    return broken(case, sentence, places)


def _says_why(line: LogLine) -> bool:
    return line.program.startswith(MILTER) and LOGS_WHY.search(line.text) is not None


def _is_reason(line: LogLine, case: TrafficCase) -> bool:
    """Whether OpenDKIM says in a line why it did not sign this message."""
    return bool(REASON.search(line.text)) and not NO_CONCERN[case.facts.user is not None].search(line.text)


def _not_asked(case: TrafficCase, index: ServerIndex) -> str:
    """That no milter was asked about a message, and the setting of master.cf that keeps it from being asked."""
    said = (
        "OpenDKIM says why of every message that it does not sign, and of this one nothing: on port "
        f"{case.facts.listener} it was not asked."
    )
    override = _override(case, index)
    return f"{said} master.cf says for that service: {quoted(override)}" if override else said


def _where_it_is_asked(case: TrafficCase, index: ServerIndex) -> str | None:
    if _override(case, index):
        return (
            "In master.cf, take that setting out of the service, or name the milter there: what stands behind -o holds "
            "for this service alone, whatever main.cf says. `postconf -P` shows all of them."
        )
    return None


def _override(case: TrafficCase, index: ServerIndex) -> str:
    """The setting of the listener's service in master.cf that is about milters (``postconf -P``); empty where none."""
    port = case.facts.listener.partition("+")[0]
    services = (PORTS.get(port, port), port)
    for command in index.facts.commands:
        for line in command.output.splitlines():
            found = OVERRIDE.fullmatch(line.strip())
            if found and found["service"] in services:
                return f"{found['name']} = {found['value']}".strip()
    return ""
