"""What the grader tells the supervisor of a run, and the descriptors by which they speak."""

import os
import socket
import struct

import msgspec
from msgspec import Struct

from grader.engines.local import bytecode
from grader.engines.machine import seccomp_profile
from grader.model.plan import MachinePlan

MOST_DOORS = 8
LENGTH = struct.Struct("!QB")
"""Before a plan: its length in bytes, and how many doors of control groups come along."""


class Ends(Struct, frozen=True):
    """The descriptors that the run's processes have of the pipes to the grader."""

    world_requests: int
    world_answers: int
    host_requests: int
    host_answers: int
    complaints: int
    status: int
    orders: int

    @property
    def all(self) -> list[int]:
        """Every one of them."""
        return [getattr(self, name) for name in self.__struct_fields__]


class StartOrder(Struct):
    """What the supervisor is told: a plan as far as it concerns it, the agent's files, and the seccomp profile.

    Files come along as their content: the grader may read what its processes in a user namespace may not. ``waits``
    says that the machines are built for a run that is to come: its plan follows then, and brings the addresses.
    """

    plan: MachinePlan
    guest: dict[str, bytes]
    seccomp: bytes
    waits: bool


# Made here, and not by each supervisor of a class anew, which are forks: that takes longer than to read an order.
_ORDER = msgspec.msgpack.Decoder(StartOrder)
_PLAN = msgspec.msgpack.Decoder(MachinePlan)


def written(plan: MachinePlan, doors: int, *, waits: bool = False) -> bytes:
    """A ``StartOrder``, as ``supervise`` reads it; ``doors`` is how many of them are sent with it."""
    order = StartOrder(_bare(plan), bytecode.agent(), seccomp_profile(), waits)
    data = msgspec.msgpack.encode(order)
    return LENGTH.pack(len(data), doors) + data


def written_for_run(plan: MachinePlan) -> bytes:
    """The plan of a run for which machines wait, likewise."""
    data = msgspec.msgpack.encode(_bare(plan))
    return LENGTH.pack(len(data), 0) + data


def _bare(plan: MachinePlan) -> MachinePlan:
    # Without what was handed in, the attempts and the secrets: nothing of that is the supervisor's business.
    return MachinePlan(
        lab=plan.lab,
        lab_version=plan.lab_version,
        student=plan.student,
        variant=plan.variant,
        host=msgspec.structs.replace(plan.host, files=[]),
        world=msgspec.structs.replace(plan.world, zones=[], submission=[]),
        limits=plan.limits,
    )


def received(orders: int) -> tuple[StartOrder, list[int]] | None:
    """The order, and the doors of the run's control groups; ``None`` where the grader has changed its mind."""
    told = _received(orders)
    return told and (_ORDER.decode(told[0]), told[1])


def received_for_run(orders: int) -> MachinePlan | None:
    """The plan of the run for which the machines wait, likewise."""
    told = _received(orders)
    return told and _PLAN.decode(told[0])


def _received(orders: int) -> tuple[bytes, list[int]] | None:
    with socket.socket(fileno=os.dup(orders)) as channel:
        head, doors, _, _ = socket.recv_fds(channel, LENGTH.size, MOST_DOORS)
        while 0 < len(head) < LENGTH.size:
            head += channel.recv(LENGTH.size - len(head))
        if not head:
            return None
        length, _ = LENGTH.unpack(head)
        data = bytearray()
        while len(data) < length and (chunk := channel.recv(length - len(data))):
            data += chunk
    return bytes(data), list(doors)
