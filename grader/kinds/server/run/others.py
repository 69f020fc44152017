"""The listeners that no lab names: where the host says that it listens, and what is tried there.

A port beyond 25, 465 and 587 may be anything: SMTP in the clear, in TLS from the first byte, behind a PROXY header,
QMQP, or no mail at all. Every way is tried, and what greets nobody is known after one attempt.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from grader.kinds.server.declare import OTHERS_CLEAR
from grader.kinds.server.facts import Socket
from grader.kinds.server.run.copies import copied
from grader.model.attempt import Attempt, Tls

MOST_SOCKETS = 100
MOST_OTHERS = 16
"""Further ports that are tried. A submission has few; one that opens hundreds must not hold up the grader."""
NAMED = (25, 465, 587)
"""The ports that labs name."""

PORTS = 65_536
"""Numbers of ports (RFC 9293 section 3.1), of which 0 is none."""

_LISTENING = "0A"
_WAYS: tuple[tuple[str, Tls], ...] = (("", "none"), ("+starttls", "starttls"), ("+tls", "implicit"))


def sockets(tables: str) -> list[Socket]:
    """The listening sockets beyond loopback in the tables of ``ReadSockets``, in order of port and address.

    The text comes from the student's host: what does not look like an entry is passed over.
    """
    found: dict[Socket, None] = {}
    for line in tables.splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[3] == _LISTENING and (socket := _socket(fields[1])) is not None:
            found[socket] = None
    return sorted(found, key=lambda socket: (socket.port, socket.address))[:MOST_SOCKETS]


def _socket(text: str) -> Socket | None:
    """An ``address:port`` in hexadecimal; the address in words of the machine's byte order."""
    words, _, port = text.partition(":")
    try:
        data = b"".join(bytes.fromhex(words[at : at + 8])[::-1] for at in range(0, len(words), 8))
        address = ipaddress.ip_address(data)
        number = int(port, 16)
    except ValueError:
        return None
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return None if address.is_loopback or not 0 < number < PORTS else Socket(str(address), number)


def further(found: Iterable[Socket], server: str, known: Iterable[int]) -> list[int]:
    """The ports beside those ``known`` on which an address of the host listens."""
    any_address = "::" if ":" in server else "0.0.0.0"  # noqa: S104 (nothing is bound)
    # An IPv6 socket for all addresses takes IPv4 too unless told otherwise (IPV6_V6ONLY); the attempt shows whether.
    at = {server, any_address, "::"}
    ports = {socket.port for socket in found if socket.address in at}
    return sorted(ports - set(known))[:MOST_OTHERS]


def left_out(found: Iterable[Socket], tried: Iterable[int]) -> list[int]:
    """The ports of the host on which nothing was tried, whatever their address."""
    return sorted({socket.port for socket in found} - set(tried) - set(NAMED))


def attempts_at_others(
    templates: list[Attempt], found: list[Socket], planned: list[Attempt], unspoken: Iterable[int] = ()
) -> list[Attempt]:
    """The attempts to make on the ports that nobody named, in each way in which a port may be spoken to.

    The ``unspoken`` ones are named and greeted nobody in the way that is usual there: 465 without TLS, for one.
    """
    known = ({attempt.port for attempt in planned} | set(NAMED)) - set(unspoken)
    tokens = {attempt.token for attempt in planned}
    made: list[Attempt] = []
    for template in templates:
        for port in further(found, template.server, known):
            for suffix, tls in _ways(template):
                plain = "+clear" if port in NAMED else ""
                made.append(_at(template, port, f"{port}{suffix or plain}", tls, tokens))
    return made


def _ways(template: Attempt) -> Iterator[tuple[str, Tls]]:
    for suffix, tls in _WAYS:
        if tls == "none" or not (template.not_smtp or template.listener == OTHERS_CLEAR):
            yield suffix, tls


def _at(template: Attempt, port: int, listener: str, tls: Tls, tokens: set[str]) -> Attempt:
    """The attempt at one listener."""
    return replace(copied(template, listener, tokens), listener=listener, port=port, tls=tls)
