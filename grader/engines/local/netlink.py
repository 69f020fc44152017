"""Sets up network interfaces by rtnetlink(7): what ip(8) does, without the start of a program for each namespace."""

from __future__ import annotations

import array
import fcntl
import ipaddress
import os
import socket
import struct

_NEW_LINK, _SET_LINK, _NEW_ADDRESS, _NEW_ROUTE, _ERROR = 16, 19, 20, 24, 2
_REQUEST, _ACKNOWLEDGE, _REPLACE, _EXCLUSIVE, _CREATE = 0x1, 0x4, 0x100, 0x200, 0x400
_UP = 1

_INFO = struct.Struct("=BxHiII")
"""struct ifinfomsg: family, type, index, flags, and which flags are changed."""
_HEADER = struct.Struct("=IHHII")
"""struct nlmsghdr: length, type, flags, number, and who asks."""

# Attributes, by the names in rtnetlink(7) and linux/if_link.h.
_IFLA_IFNAME, _IFLA_LINKINFO, _IFLA_AF_SPEC, _IFLA_NET_NS_FD = 3, 18, 26, 28
_INFO_KIND, _INFO_DATA, _VETH_PEER = 1, 2, 1
_ADDR_GEN_MODE, _NO_ADDRESS_OF_ITS_OWN = 8, b"\x01"
_IFA_ADDRESS, _IFA_LOCAL, _NO_DUPLICATE_DETECTION = 1, 2, 0x2
_RTA_DST, _RTA_OIF, _MAIN_TABLE, _BY_BOOT, _UNICAST, _ON_LINK, _ANYWHERE = 1, 4, 254, 3, 1, 253, 0

_ETHTOOL, _GET_LINK = 0x8946, 0xA
"""SIOCETHTOOL and ETHTOOL_GLINK (linux/sockios.h, linux/ethtool.h)."""

AT_ONCE = 50
"""Requests that are sent before answers are read: a socket has room for some hundred of these."""

LOOPBACK = 1
"""The index of the interface ``lo`` in each network namespace."""


class Netlink:
    """A socket to the network namespace in which it is made, wherever its process goes from there."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._asked: list[tuple[bytes, str]] = []

    def close(self) -> None:
        """Close it."""
        self._socket.close()

    def add_pair(self, name: str, index: int, other: int) -> None:
        """Two interfaces of this name and index, joined by a cable: one here, one in the namespace of a descriptor."""
        named = _attribute(_IFLA_IFNAME, name.encode() + b"\0")
        away = _attribute(_IFLA_NET_NS_FD, struct.pack("=I", other))
        peer = _attribute(_VETH_PEER, _INFO.pack(0, 0, index, 0, 0) + named + away)
        kind = _attribute(_INFO_KIND, b"veth") + _attribute(_INFO_DATA, peer)
        body = _INFO.pack(0, 0, index, 0, 0) + named + _attribute(_IFLA_LINKINFO, kind)
        self._ask(_NEW_LINK, _CREATE | _EXCLUSIVE, body, f"add the interface {name}")

    def bring_up(self, index: int) -> None:
        """Bring an interface up; it gets no address but those that it is given."""
        mode = _attribute(_ADDR_GEN_MODE, _NO_ADDRESS_OF_ITS_OWN)
        spec = b"" if index == LOOPBACK else _attribute(_IFLA_AF_SPEC, _attribute(socket.AF_INET6, mode))
        self._ask(_SET_LINK, 0, _INFO.pack(0, 0, index, 0, 0) + spec, f"set interface {index}")
        self._ask(_SET_LINK, 0, _INFO.pack(0, 0, index, _UP, _UP), f"bring up interface {index}")

    def add_address(self, address: str, index: int) -> None:
        """Give an interface an address with its prefix length."""
        given = ipaddress.ip_interface(address)
        family, flags = _family(given.version), _NO_DUPLICATE_DETECTION if given.version == 6 else 0
        own = _attribute(_IFA_LOCAL, given.packed) + _attribute(_IFA_ADDRESS, given.packed)
        body = struct.pack("=BBBBI", family, given.network.prefixlen, flags, 0, index) + own
        self._ask(_NEW_ADDRESS, _CREATE | _EXCLUSIVE, body, f"add the address {address}")

    def add_route(self, destination: str, index: int) -> None:
        """Make a network reachable on the link of an interface."""
        to = ipaddress.ip_network(destination)
        scope = _ON_LINK if to.version == 4 else _ANYWHERE
        family, length = _family(to.version), to.prefixlen
        body = struct.pack("=8BI", family, length, 0, 0, _MAIN_TABLE, _BY_BOOT, scope, _UNICAST, 0)
        body += _attribute(_RTA_DST, to.network_address.packed) + _attribute(
            _RTA_OIF, struct.pack("=i", index)
        )
        self._ask(_NEW_ROUTE, _CREATE | _REPLACE, body, f"add the route to {destination}")

    def _ask(self, kind: int, flags: int, body: bytes, what: str) -> None:
        length, number = _HEADER.size + len(body), len(self._asked)
        head = _HEADER.pack(length, kind, flags | _REQUEST | _ACKNOWLEDGE, number, 0)
        self._asked.append((_padded(head + body), what))

    def carry_out(self) -> None:
        """Have all that was asked for done, in its order. Raises ``OSError`` for the first thing that could not be."""
        asked, self._asked = self._asked, []
        for begin in range(0, len(asked), AT_ONCE):
            some = asked[begin : begin + AT_ONCE]
            self._socket.sendall(b"".join(message for message, _ in some))
            codes = self._codes(len(some))
            for number in (number for number in sorted(codes) if codes[number]):
                code, what = codes[number], asked[number][1]
                raise OSError(code, f"cannot {what}: {os.strerror(code)}")

    def see_link(self, name: str) -> None:
        """Have the kernel see at once that there is a cable at an interface; else that takes it a moment.

        What is sent meanwhile is lost. Asking for the link (ETHTOOL_GLINK) brings its knowledge up to date.
        """
        asked = array.array("I", [_GET_LINK, 0])
        fcntl.ioctl(self._socket, _ETHTOOL, struct.pack("16sP16x", name.encode(), asked.buffer_info()[0]))

    def _codes(self, count: int) -> dict[int, int]:
        """The error of each of so many requests, by its number; 0 for none."""
        codes: dict[int, int] = {}
        while len(codes) < count:
            answers = self._socket.recv(1 << 16)
            while answers:
                length, kind, _, number, _ = _HEADER.unpack_from(answers)
                if kind == _ERROR:
                    codes[number] = -struct.unpack_from("=i", answers, _HEADER.size)[0]
                answers = answers[_aligned(length) :]
        return codes


def _family(version: int) -> int:
    return socket.AF_INET6 if version == 6 else socket.AF_INET


def _attribute(kind: int, value: bytes) -> bytes:
    """struct rtattr, filled up to four octets."""
    return _padded(struct.pack("=HH", 4 + len(value), kind) + value)


def _padded(data: bytes) -> bytes:
    return data + bytes(_aligned(len(data)) - len(data))


def _aligned(length: int) -> int:
    return (length + 3) & ~3
