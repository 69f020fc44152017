"""Sets of addresses of one family, as exact ranges: what a network list covers, without looking at each address."""

from __future__ import annotations

import ipaddress
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

Version = Literal[4, 6]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_BITS: dict[int, int] = {4: 32, 6: 128}


class AddressSet(Struct, frozen=True):
    """A set of IPv4 or IPv6 addresses. ``ranges`` are first and last as numbers, in order, with gaps between them."""

    version: Version
    ranges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def everything(cls, version: Version) -> AddressSet:
        """All addresses of a family."""
        return cls(version, ((0, (1 << _BITS[version]) - 1),))

    @classmethod
    def of(cls, version: Version, networks: Iterable[Network | Address]) -> AddressSet:
        """The addresses in any of these networks, as far as they are of the family."""
        found = []
        for network in networks:
            if network.version != version:
                continue
            if isinstance(network, ipaddress.IPv4Address | ipaddress.IPv6Address):
                found.append((int(network), int(network)))
            else:
                found.append((int(network.network_address), int(network.broadcast_address)))
        return cls(version, _joined(found))

    @classmethod
    def union(cls, sets: Sequence[AddressSet]) -> AddressSet:
        """All of several sets of one family, of which there must be one at least."""
        if len(sets) == 1:
            return sets[0]
        return cls(sets[0].version, _joined(found for one in sets for found in one.ranges))

    def __bool__(self) -> bool:
        return bool(self.ranges)

    def __or__(self, other: AddressSet) -> AddressSet:
        return AddressSet(self.version, _joined([*self.ranges, *other.ranges]))

    def __and__(self, other: AddressSet) -> AddressSet:
        if len(other.ranges) > len(self.ranges):
            return other & self
        found = []
        for first, last in other.ranges:
            for low, high in self.ranges[self._touched(first, last)]:
                found.append((max(first, low), min(last, high)))
        return AddressSet(self.version, tuple(found))

    def __sub__(self, other: AddressSet) -> AddressSet:
        if len(other.ranges) == 1:  # as one term of thousands is: only what it touches is looked at
            first, last = other.ranges[0]
            touched = self._touched(first, last)
            left = []
            for low, high in self.ranges[touched]:
                left += [(low, first - 1)] if low < first else []
                left += [(last + 1, high)] if high > last else []
            ranges = (*self.ranges[: touched.start], *left, *self.ranges[touched.stop :])
            return AddressSet(self.version, ranges)
        gaps = []
        at = 0
        for first, last in other.ranges:
            if first > at:
                gaps.append((at, first - 1))
            at = last + 1
        end = (1 << _BITS[self.version]) - 1
        if at <= end:
            gaps.append((at, end))
        return self & AddressSet(self.version, tuple(gaps))

    def _touched(self, first: int, last: int) -> slice:
        """The ranges that have an address between these two."""
        start = bisect_left(self.ranges, first, key=lambda found: found[1])
        return slice(start, max(start, bisect_right(self.ranges, last, key=lambda found: found[0])))

    @property
    def size(self) -> int:
        """How many addresses there are."""
        return sum(last - first + 1 for first, last in self.ranges)

    @property
    def witness(self) -> Address:
        """One of them: the second of the first range, as the first is often a network's own; there must be one."""
        first, last = self.ranges[0]
        return self._address(min(first + 1, last))

    def networks(self) -> list[Network]:
        """The set as networks, the fewest that do."""
        found: list[Network] = []
        for first, last in self.ranges:
            found += ipaddress.summarize_address_range(self._address(first), self._address(last))
        return found

    def _address(self, number: int) -> Address:
        return ipaddress.IPv4Address(number) if self.version == 4 else ipaddress.IPv6Address(number)


def _joined(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    found: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], last))
        else:
            found.append((first, last))
    return tuple(found)
