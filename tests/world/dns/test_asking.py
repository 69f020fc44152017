"""Keys are asked of the world's nameserver over the wire."""

from __future__ import annotations

import asyncio
import socket

import pytest

from grader.model.dns import KeyAnswer, KeyRecord
from grader.model.errors import EngineError
from grader.model.plan import Zone
from grader.world.dns.asking import ask
from grader.world.dns.nameserver import Nameserver
from grader.world.dns.zones import Zones
from tests.world.bed import OWN

ADDRESS = OWN
KEY = "k._domainkey.example.com"
LONG = [b"p=" + b"M" * 250, b'\x00\xff"\\'] * 8
ZONE = Zone(
    "example.com",
    "$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 300\n",
    [
        KeyRecord(KEY, "TXT", LONG),
        KeyRecord("alias._domainkey.example.com", "CNAME", [KEY.encode()]),
        KeyRecord("*._domainkey.example.com", "TXT", [b"any"]),
    ],
)


def free_port() -> int:
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        return int(free.getsockname()[1])


def asked(*names: str) -> list[KeyAnswer]:
    async def run() -> list[KeyAnswer]:
        nameserver, port = Nameserver(Zones([ZONE]), lambda: 0.0), free_port()
        await nameserver.start(ADDRESS, port)
        try:
            return await ask(ADDRESS, names, port)
        finally:
            nameserver.stop()

    return asyncio.run(run())


def test_a_key_however_long_and_odd_comes_back_as_it_was_published() -> None:
    assert asked(KEY) == [KeyAnswer(KEY, "NOERROR", [], [LONG])]


def test_aliases_wildcards_and_what_is_not_there() -> None:
    alias, wild, none = asked("alias._domainkey.example.com", "x._domainkey.example.com", "x.example.com")
    assert (alias.aliases, alias.texts) == ([KEY], [LONG])
    assert wild.texts == [[b"any"]]
    assert (none.rcode, none.texts) == ("NXDOMAIN", [])


def test_a_nameserver_that_is_not_there() -> None:
    with pytest.raises(EngineError, match="does not answer"):
        asyncio.run(ask(ADDRESS, [KEY], free_port()))
