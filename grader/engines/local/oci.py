"""The student's host as a bundle of the OCI runtime specification (config.json), which runc starts."""

from __future__ import annotations

from msgspec import Raw, Struct, field, json

from grader.engines.guest.files import WRITABLE
from grader.engines.machine import (
    CAPABILITIES,
    DESCRIPTORS,
    LIBRARY,
    MASKED,
    READ_ONLY,
    START_GUEST,
    etc_files,
)
from grader.model.plan import MachinePlan


class _Camel(Struct, rename="camel"):
    pass


class _Mount(_Camel):
    destination: str
    type: str
    source: str
    options: list[str]


class _Rlimit(_Camel):
    type: str
    hard: int
    soft: int


class _User(_Camel):
    uid: int = 0
    gid: int = 0


class _Process(_Camel):
    args: list[str]
    env: list[str]
    capabilities: dict[str, list[str]]
    rlimits: list[_Rlimit]
    user: _User = field(default_factory=_User)
    cwd: str = "/"
    terminal: bool = False
    no_new_privileges: bool = True


class _Root(_Camel):
    path: str
    readonly: bool = True


class _Linux(_Camel):
    namespaces: list[dict[str, str]]
    masked_paths: list[str]
    readonly_paths: list[str]
    seccomp: Raw


class _Config(_Camel):
    oci_version: str
    hostname: str
    root: _Root
    process: _Process
    mounts: list[_Mount]
    linux: _Linux


def config(plan: MachinePlan, *, folder: str, seccomp: bytes, metered: bool) -> bytes:
    """The config.json of the plan's host.

    ``folder`` holds ``rootfs``, ``disk`` (an empty tree for each of the agent's ``WRITABLE``, which share its
    ``Limits.disk`` bytes), ``etc`` and ``library`` (the agent's files, in ``guest``). ``seccomp`` is the profile, as
    JSON. ``metered`` says that control groups limit memory and processes; where they do not, rlimits do as far as they
    can.
    """
    mounts = [
        _Mount("/proc", "proc", "proc", ["nosuid", "noexec", "nodev"]),
        _Mount("/dev", "tmpfs", "tmpfs", ["nosuid", "noexec", "mode=755", "size=65536"]),
        *(_bind(f"{folder}/disk{path}", path, "rw", "nodev") for path in WRITABLE),
        *(_bind(f"{folder}/etc/{name}", f"/etc/{name}", "ro") for name in etc_files(plan)),
        _bind(f"{folder}/library", LIBRARY, "ro"),
    ]
    capabilities = [f"CAP_{name}" for name in CAPABILITIES]
    process = _Process(
        args=_within([] if metered else ["-v", str(plan.limits.memory // 1024)]),
        env=["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/root", "TZ=UTC"],
        capabilities={"bounding": capabilities, "effective": capabilities, "permitted": capabilities},
        rlimits=_rlimits(plan, metered=metered),
    )
    linux = _Linux(
        # The network namespace is the one that runc is started in.
        namespaces=[{"type": kind} for kind in ("pid", "mount", "ipc", "uts")],
        masked_paths=list(MASKED),
        readonly_paths=list(READ_ONLY),
        seccomp=Raw(seccomp),
    )
    return json.encode(_Config("1.0.2", plan.host.name, _Root(f"{folder}/rootfs"), process, mounts, linux))


def _within(limit: list[str]) -> list[str]:
    """The agent's command line. ``RLIMIT_AS`` is set in the host, for runc itself would not live with it."""
    agent = ["/usr/bin/python3", "-I", "-S", "-B", "-c", START_GUEST]
    return ["/bin/sh", "-c", f'ulimit {" ".join(limit)} && exec "$@"', "sh", *agent] if limit else agent


def _bind(source: str, destination: str, *options: str) -> _Mount:
    return _Mount(destination, "bind", source, ["bind", "nosuid", *options])


def _rlimits(plan: MachinePlan, *, metered: bool) -> list[_Rlimit]:
    limits = {"CORE": 0, "NOFILE": DESCRIPTORS, "FSIZE": plan.limits.disk}
    if not metered:
        limits["NPROC"] = plan.limits.processes
    return [_Rlimit(f"RLIMIT_{name}", value, value) for name, value in limits.items()]
