"""Commands that mend what keeps an engine from running, as they work on this machine for this user."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

SYSTEMD = Path("/run/systemd/system")
"""There while systemd is what starts services, sd_booted(3)."""
APT_LISTS = Path("/var/lib/apt/lists")
STATUS = Path("/proc/self/status")
CAP_SYS_RESOURCE = 24


def sudo() -> str:
    """What stands before a command that only root may run; nothing for root, who may have no sudo."""
    return "" if os.geteuid() == 0 else "sudo "


def install(packages: str) -> str:
    """The command that installs packages of Debian's. A fresh container knows none before it has asked."""
    command = f"{sudo()}apt-get install -y {packages}"
    return command if any(APT_LISTS.glob("*_Packages*")) else f"{sudo()}apt-get update && {command}"


def install_docker() -> str:
    """The command that brings a service that speaks Docker's API."""
    return (
        "brew install --cask docker && open -a Docker" if sys.platform == "darwin" else install("docker.io")
    )


def start(service: str, *, again: bool = False) -> str:
    """The command that starts a service of the system, ``again`` even where it runs already."""
    act = "restart" if again else "start"
    if sys.platform == "darwin":
        return "open -a Docker"
    if SYSTEMD.is_dir():
        return f"{sudo()}systemctl {act} {service}"
    return f"{sudo()}service {service.removesuffix('.socket')} {act}"


def set_for_good(setting: str) -> str:
    """The command that makes a setting of the kernel hold now and after the next start, sysctl.d(5)."""
    return f"echo {setting} | {sudo()}tee /etc/sysctl.d/90-smtplab.conf && {sudo()}sysctl --system"


def more_files(number: int) -> str:
    """What lets this shell open so many files: ``ulimit`` raises no hard limit, and few may do it by prlimit(1)."""
    if os.geteuid() == 0 and not _may_raise_limits():
        return f"ulimit -n {number}, in a shell that has not been limited yet"
    return f"{sudo()}prlimit --pid $$ --nofile={number}:{number}"


def _may_raise_limits() -> bool:
    """Whether this process has CAP_SYS_RESOURCE, which root in a container often lacks (capabilities(7))."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", STATUS.read_text(encoding="ascii"), re.MULTILINE)
    return found is not None and bool(int(found[1], 16) >> CAP_SYS_RESOURCE & 1)
