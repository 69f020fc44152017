"""What confines Docker's containers: both by what the local engine uses, and on no network of Docker's."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker import APIClient

from grader.engines.docker import containers, images, labels
from grader.engines.docker.daemon import DockerService, connect
from grader.engines.docker.volumes import TREE
from grader.engines.local import syscalls
from grader.engines.machine import MASKED, READ_ONLY, seccomp_profile
from tests.conftest import NO_ENGINE, ready, usable
from tests.engines.plans import plan
from tests.hostile.remains import descendants

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def inspected() -> Iterator[dict[str, dict[str, Any]]]:
    """What Docker says of each container of a run, by its part in it."""
    if "docker" not in usable():
        pytest.skip(NO_ENGINE)
    client = connect().client
    try:
        with ready("docker").machines(plan()):
            found = client.containers(filters={"label": f"{labels.PID}={os.getpid()}"})
            yield {
                entry["Names"][0].rpartition("-")[2]: client.inspect_container(entry["Id"]) for entry in found
            }
    finally:
        client.close()


ROLES = ("world", "host")


@pytest.mark.parametrize("role", ROLES)
def test_both_may_make_the_same_system_calls_and_the_world_a_network_besides(
    inspected: dict[str, dict[str, Any]], role: str
) -> None:
    settings = inspected[role]["HostConfig"]
    (profile,) = (text for text in settings["SecurityOpt"] if text.startswith("seccomp="))
    made, usual = json.loads(profile.removeprefix("seccomp=")), json.loads(seccomp_profile())
    more = [rule for rule in made["syscalls"] if rule not in usual["syscalls"]]
    assert {**made, "syscalls": [rule for rule in made["syscalls"] if rule not in more]} == usual
    assert [(rule["names"], rule["args"][0]["value"]) for rule in more] == (
        [(["unshare"], syscalls.CLONE_NEWNET)] if role == "world" else []
    )
    assert "no-new-privileges" in settings["SecurityOpt"]
    assert not settings["Privileged"]


def test_podman_is_given_the_profile_as_a_file_that_it_can_read() -> None:
    here, elsewhere = (DockerService(APIClient(version="1.41"), True, here) for here in (True, False))
    told = containers.Specs(here, images.HostImage("image"), "run", plan()).host()["host_config"][
        "SecurityOpt"
    ]
    (path,) = (text.removeprefix("seccomp=") for text in told if text.startswith("seccomp="))
    assert Path(path).read_bytes() == seccomp_profile()
    assert containers.Specs(elsewhere, images.HostImage("image"), "run", plan()).host()["host_config"][
        "SecurityOpt"
    ] == ["no-new-privileges"]


@pytest.mark.parametrize("role", ROLES)
def test_every_container_sees_the_same_of_the_kernel(inspected: dict[str, dict[str, Any]], role: str) -> None:
    settings = inspected[role]["HostConfig"]
    assert (settings["MaskedPaths"], settings["ReadonlyPaths"]) == ([*MASKED], [*READ_ONLY])


@pytest.mark.parametrize("role", ROLES)
def test_no_container_has_a_network_or_a_folder_of_the_machine_s(
    inspected: dict[str, dict[str, Any]], role: str
) -> None:
    world = inspected["world"]["Id"]
    settings = inspected[role]["HostConfig"]
    assert settings["NetworkMode"] == ("none" if role == "world" else f"container:{world}")
    assert not settings["PidMode"]
    others = [mount for mount in inspected[role]["Mounts"] if mount["Type"] != "tmpfs"]
    assert [(mount["Type"], mount["Destination"], mount["RW"]) for mount in others] in (
        [],
        [("volume", TREE, False)],
    )
    assert len(settings["Binds"] or []) == len(others)
    assert not settings["Devices"]
    assert settings["IpcMode"] == "private"


def test_what_serves_the_host_s_peers_has_no_rights_on_the_network_and_owns_no_file(
    inspected: dict[str, dict[str, Any]],
) -> None:
    """It takes what a student's server says. What made the network waits beside it, and it may not touch that."""
    first = inspected["world"]["State"]["Pid"]
    served = [
        pid for pid in descendants(first) if _says(pid, "cmdline").startswith("python3\0-m\0grader.world")
    ]
    (status,) = (_says(pid, "status") for pid in served)
    rights = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Cap"))
    assert {name: int(bits, 16) for name, bits in rights.items()} == dict.fromkeys(
        rights, 1 << syscalls.CAP_NET_BIND_SERVICE
    )
    (users,) = (line.split()[1:] for line in status.splitlines() if line.startswith("Uid:"))
    assert "0" not in users
    network = Path(f"/proc/{served[0]}/ns/net").readlink()
    assert network != Path(f"/proc/{inspected['host']['State']['Pid']}/ns/net").readlink()


def _says(pid: int, name: str) -> str:
    """A file of a process's in /proc; empty where it has ended, as those do that only set things up."""
    try:
        return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return ""
