"""What keeps the local engine from running here, each with the command that fixes it. Quick; changes nothing."""

from __future__ import annotations

import os
import resource
import shutil
import sys
from pathlib import Path

from grader.engines import image, mending
from grader.engines.base import Problem
from grader.engines.local import rootfs, userns
from grader.engines.machine import DESCRIPTORS
from grader.model.errors import EngineError

RUN = {"runc": "runc"}
BUILD = {"mmdebstrap": "mmdebstrap", "tar": "tar"}
MAP = {"newuidmap": "uidmap", "newgidmap": "uidmap"}
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where Debian keeps administrators' programs, which an ordinary user's PATH leaves out."""

SWITCHES = (
    ("user/max_user_namespaces", "0", "user.max_user_namespaces=15000", "no user namespaces are allowed"),
    (
        "kernel/unprivileged_userns_clone",
        "0",
        "kernel.unprivileged_userns_clone=1",
        "Debian's kernel keeps user namespaces to root",
    ),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "kernel.apparmor_restrict_unprivileged_userns=0",
        "Ubuntu's AppArmor keeps user namespaces to root",
    ),
)


def problems(*, thorough: bool = False) -> list[Problem]:
    """See ``Engine.problems``."""
    if sys.platform != "linux":
        return [Problem("the local engine needs Linux", "smtplab check --engine docker")]
    found = [*_programs(), *_switches(), *_ids(), *_kernel(), *_cache(), *_descriptors()]
    # Somebody who has unpacked an image has made namespaces before: the trial would only cost time.
    return found if found or (rootfs.ready() and not thorough) else _trial()


def _trial() -> list[Problem]:
    """Make the namespaces once: containers forbid it in ways that no setting tells."""
    failed = userns.trial()
    if not failed:
        return []
    return [
        Problem(
            f"this machine lets nobody make namespaces ({failed})",
            "leave the container, or start it with 'docker run --privileged'",
        )
    ]


def _programs() -> list[Problem]:
    needed = dict(RUN)
    if os.geteuid() != 0:
        needed |= MAP
    if not rootfs.ready():
        needed |= BUILD
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
    packages = {package for name, package in needed.items() if not shutil.which(name, path=path)}
    if "mmdebstrap" in needed and not Path(image.KEYRING).exists():
        packages.add("debian-archive-keyring")
    if not packages:
        return []
    names = " ".join(sorted(packages))
    what = f"{'a package is' if len(packages) == 1 else 'packages are'} missing ({names})"
    return [Problem(what, mending.install(names))]


def _switches() -> list[Problem]:
    """Settings of the kernel that forbid user namespaces; only the first of them binds root too."""
    found = []
    for name, bad, setting, what in SWITCHES[:1] if os.geteuid() == 0 else SWITCHES:
        try:
            value = Path("/proc/sys", name).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if value == bad:
            found.append(Problem(what, mending.set_for_good(setting)))
    return found


def _ids() -> list[Problem]:
    try:
        userns.ids()
    except EngineError:
        return [
            Problem("no ids are set aside for you in /etc/subuid and /etc/subgid", userns.grant_command())
        ]
    return []


def _cache() -> list[Problem]:
    """What keeps an image from being built that is not there yet."""
    problem = None if rootfs.ready() else image.problem()
    return [problem] if problem else []


def _descriptors() -> list[Problem]:
    """That fewer files may be opened than the student's host is promised."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        return [
            Problem(
                f"a process may open no more than {hard} files here, and a mail server is given {DESCRIPTORS}",
                mending.more_files(DESCRIPTORS),
            )
        ]
    return []


def _kernel() -> list[Problem]:
    if not Path("/proc/net/if_inet6").exists():
        return [
            Problem(
                "IPv6 is switched off in the kernel",
                "remove ipv6.disable=1 from its command line, and reboot",
            )
        ]
    if not hasattr(os, "pidfd_open") or not Path("/proc/self/ns/user").exists():
        return [Problem("the kernel has no user namespaces", "boot a kernel with CONFIG_USER_NS")]
    return []
