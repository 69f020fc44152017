"""What is known of the student's host before anything that is handed in has been looked at."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from grader.model.plan import HostSpec, Limits, MachinePlan, WorldSpec

if TYPE_CHECKING:
    from grader.kinds.server.declare import ServerLab
    from grader.model.variant import Variant


def ahead(lab: ServerLab, variant: Variant) -> MachinePlan:
    """See ``grader.kinds.base.AheadPlanner``."""
    return MachinePlan(
        lab=lab.id,
        lab_version=lab.version,
        student=None,
        variant=variant.id,
        host=bare_host(lab, variant.names),
        world=WorldSpec([], [], variant.names["nameserver"], zones=[], peers=[], ca=b""),
        limits=Limits(),
    )


def bare_host(lab: ServerLab, names: dict[str, str]) -> HostSpec:
    """The host without files, and without the way to whoever will connect."""
    lan = ipaddress.ip_network(names["lan"])
    return HostSpec(
        name=names["host"],
        addresses=[
            f"{names['host_v4']}/24",
            f"{names['host_v6']}/64",
            f"{names['host_lan']}/{lan.prefixlen}",
        ],
        routes=[],
        nameserver=names["nameserver"],
        files=[],
        services=list(lab.host.services),
    )
