"""What keeps the local engine from running here, each with the command that mends it. Quick; changes nothing."""

from __future__ import annotations

import os
import shutil
import sys

from grader.engines.base import Problem
from grader.engines.local import userns
from grader.model.errors import EngineError

PACKAGES = {"runc": "runc", "ip": "iproute2", "newuidmap": "uidmap", "mmdebstrap": "mmdebstrap"}
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])


def problems() -> list[Problem]:
    """See ``Engine.problems``."""
    if sys.platform != "linux":
        return [Problem("the local engine needs Linux", "smtplab check --engine docker")]
    return [*_programs(), *_namespaces(), *_ids()]


def _programs() -> list[Problem]:
    needed = {"runc", "ip"} if os.geteuid() == 0 else {"runc", "ip", "newuidmap"}
    packages = {PACKAGES[name] for name in needed if not shutil.which(name, path=PATH)}
    return _missing(packages)


def _missing(packages: set[str]) -> list[Problem]:
    if not packages:
        return []
    sudo = "" if os.geteuid() == 0 else "sudo "
    names = " ".join(sorted(packages))
    return [Problem(f"these packages are missing: {names}", f"{sudo}apt-get install -y {names}")]


def _namespaces() -> list[Problem]:
    return []


def _ids() -> list[Problem]:
    try:
        userns.ids()
    except EngineError:
        return [Problem("no ids are set aside for you in /etc/subuid and /etc/subgid", userns.grant_command())]
    return []


