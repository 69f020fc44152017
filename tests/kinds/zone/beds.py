"""Zones served over loopback for the tests of what receivers conclude."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from grader.formats.dns.masterfile import read_zone
from grader.kinds.zone.run.resolver import Resolver
from grader.world.dns.loopback import served, zones_of

HEAD = "$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 203.0.113.53\n"


@contextmanager
def world(**zones: str) -> Iterator[Resolver]:
    """A resolver in a world with these zones; an underscore in a keyword stands for a dot."""
    files = {}
    for keyword, text in zones.items():
        origin = keyword.replace("_", ".")
        files[origin] = read_zone((HEAD + text).encode(), origin)
        assert files[origin].faults == []
    with served(zones_of(files)) as server:
        yield Resolver(server.address, server.port)
