"""Sets of addresses do what sets do."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from grader.formats.networks import AddressSet

WORLD = ipaddress.ip_network("192.0.2.0/28")
NETWORKS = st.lists(
    st.tuples(st.integers(0, 15), st.integers(28, 32)).map(
        lambda pair: ipaddress.ip_network(f"192.0.2.{pair[0]}/{pair[1]}", strict=False)
    ),
    max_size=5,
)


def members(found: AddressSet) -> set[int]:
    return {number for first, last in found.ranges for number in range(first, last + 1)}


def naive(networks: list[ipaddress.IPv4Network]) -> set[int]:
    return {int(address) for network in networks for address in network}


@given(NETWORKS, NETWORKS)
def test_they_are_sets(one: list[ipaddress.IPv4Network], other: list[ipaddress.IPv4Network]) -> None:
    a, b = AddressSet.of(4, one), AddressSet.of(4, other)
    assert members(a) == naive(one)
    assert members(a | b) == naive(one) | naive(other)
    assert members(a & b) == naive(one) & naive(other)
    assert members(a - b) == naive(one) - naive(other)
    assert (a.size, bool(a)) == (len(naive(one)), bool(naive(one)))
    assert AddressSet.of(4, a.networks()) == a
    assert not a or int(a.witness) in members(a)


def test_everybody() -> None:
    assert [str(network) for network in AddressSet.everything(6).networks()] == ["::/0"]
    assert AddressSet.everything(4).size == 2**32
    rest = AddressSet.everything(4) - AddressSet.of(4, [ipaddress.ip_network("128.0.0.0/1")])
    assert [str(network) for network in rest.networks()] == ["0.0.0.0/1"]
    assert not AddressSet.everything(4) - AddressSet.everything(4)
    assert not AddressSet.of(6, [WORLD])
