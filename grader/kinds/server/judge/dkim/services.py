"""What ``expect.running`` asks for: whether services run, and the words with which one that does not has ended."""

from __future__ import annotations

import re

from grader.kinds.server.declare import ServerCheck
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.sentences import quoted
from grader.model.finding import Finding, broken, met
from grader.model.pointer import Pointer

SERVICES = {"opendkim": "OpenDKIM", "dovecot": "Dovecot"}
NO_SOCKET = re.compile(r"Unable to bind to port (\S+): (.+)")
"""What a milter's library logs where it cannot make its socket; what the milter itself says behind it names nothing."""
SOCKET = (
    "OpenDKIM cannot make the socket that `Socket` in opendkim.conf names. The folder has to be there before OpenDKIM "
    "starts, and its user, `UserID`, has to be allowed to write into it: /var/spool/postfix/opendkim and /run/opendkim "
    "are there for the user opendkim. A port must be free."
)


def running(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """The services ran when the first client came."""
    known = {facts.name: facts.running for facts in index.facts.services}
    findings = []
    for service in check.expect.running:
        name = SERVICES[service]
        if known.get(service):
            findings.append(met(None, f"{name} runs."))
            continue
        said = re.compile(rf"^\d+ {service}(?:\[\d+\])?: ")
        lines = [n for n, line in enumerate(index.facts.log) if said.match(line)]
        socket = next((n for n in reversed(lines) if NO_SOCKET.search(index.facts.log[n])), None)
        sentence, pointers = f"{name} does not run.", []
        if lines:
            last = lines[-1] if socket is None else socket
            sentence += f" Its last words: {quoted(index.logged(last))}"
            pointers = [Pointer("log", last)]
        findings.append(broken(None, sentence, pointers, next=None if socket is None else SOCKET))
    return findings
