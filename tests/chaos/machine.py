"""What a grader can leave on a machine beside processes: mounts, control groups, containers, temporary files."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.engines.docker import labels
from grader.engines.docker.daemon import connect
from grader.engines.local import cgroups, removal
from tests.chaos.family import Family, Process, began

if TYPE_CHECKING:
    from docker import APIClient


CONTAINERS = ("world", "host")
"""The containers of a run, as their names end."""


@dataclass(frozen=True)
class Container:
    """A container of a grader's, and its first process on this machine."""

    role: str
    process: Process


def running(family: Family) -> list[Container]:
    """The containers of a family that run now."""
    with closing(connect().client) as client:
        found = []
        for entry in _of(client, family):
            with suppress(Exception):  # It may be gone by now.
                pid = client.inspect_container(entry["Id"])["State"]["Pid"]
                role = entry["Names"][0].rpartition("-")[2]
                if pid:
                    found.append(Container(role, Process(pid, began(pid), role)))
        return found


def containers_left(family: Family) -> list[str]:
    """Containers of a family, running or not; a line for each."""
    with closing(connect().client) as client:
        return [f"container {entry['Names']}: {entry['Status']}" for entry in _of(client, family)]


def _of(client: APIClient, family: Family) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.containers(all=True, filters={"label": labels.RUN})
    return [entry for entry in found if int(entry["Labels"][labels.PID]) in family.graders]


def groups_left(family: Family) -> list[str]:
    """Control groups that processes of a family made; a line for each."""
    return [
        f"control group {folder}"
        for folder in [*cgroups.ROOT.glob(f"{cgroups.PREFIX}*"), *cgroups.ROOT.glob(f"*/{cgroups.PREFIX}*")]
        if int(folder.name.removeprefix(cgroups.PREFIX).partition("-")[0]) in family.pids
    ]


def mounts() -> set[str]:
    """The mount points of this mount namespace, without Docker's, which come and go with others' containers."""
    lines = removal.MOUNTS.read_text(errors="replace").splitlines()
    points = {line.split(" ")[4] for line in lines}
    return {point for point in points if not point.startswith(("/run/docker/", "/var/lib/docker/"))}


def files_left(scratch: Path, out: Path) -> list[str]:
    """Temporary files, and what was half-made beside results; a line for each."""
    left = [f"temporary file {path}" for path in scratch.iterdir()] if scratch.exists() else []
    hidden = (path for path in out.glob("**/.*") if not path.name.startswith(".smtplab"))
    return left + [f"half-made {path}" for path in hidden]
