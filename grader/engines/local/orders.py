"""What the grader tells the supervisor of a run, and the descriptors by which they speak."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass

import msgspec

from grader.engines.local import bytecode
from grader.engines.machine import seccomp_profile
from grader.model.plan import MachinePlan

MOST_DOORS = 8
LENGTH = struct.Struct("!QB")
"""Before a plan: its length in bytes, and how many doors of control groups come along."""


@dataclass(frozen=True)
class Ends:
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
        return [getattr(self, name) for name in self.__dataclass_fields__]


class StartOrder(msgspec.Struct):
    """What the supervisor is told: a plan as far as it concerns it, the agent's files, and the seccomp profile.

    Files come along as their content: the grader may read what its processes in a user namespace may not.
    """

    plan: MachinePlan
    guest: dict[str, bytes]
    seccomp: bytes


def written(plan: MachinePlan, doors: int) -> bytes:
    """The order for a run, as ``supervise`` reads it; ``doors`` is how many of them are sent with it."""
    # Without what was handed in, the attempts and the secrets: nothing of that is the supervisor's business.
    bare = MachinePlan(
        lab=plan.lab,
        lab_version=plan.lab_version,
        student=plan.student,
        variant=plan.variant,
        host=msgspec.structs.replace(plan.host, files=[]),
        world=msgspec.structs.replace(plan.world, zones=[], submission=[]),
        limits=plan.limits,
    )
    data = msgspec.msgpack.encode(StartOrder(bare, bytecode.agent(), seccomp_profile()))
    return LENGTH.pack(len(data), doors) + data


def received(orders: int) -> tuple[StartOrder, list[int]] | None:
    """The order, and the doors of the run's control groups; ``None`` where the grader has changed its mind."""
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
    return msgspec.msgpack.decode(data, type=StartOrder), list(doors)
