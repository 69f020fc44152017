"""Finding the service that speaks Docker's API, and saying in one sentence why it cannot be used."""

from __future__ import annotations

import errno
import json
import os
import pwd
import re
import shlex
import shutil
import socket
import ssl
import stat
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.engines import mending
from grader.engines.base import Problem
from grader.model.errors import EngineError

if TYPE_CHECKING:
    from docker import APIClient

DOCKER_SOCKET = "/var/run/docker.sock"
CHOOSING = ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
"""Variables by which somebody chooses another service."""
QUICK = 2
"""Seconds within which a service must answer before it is called absent."""
PATIENT = 60
"""Seconds for one request of a run; starting a container on a busy machine takes some."""


class Unreachable(EngineError):
    """No service answers; ``problem`` says why, and what fixes it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.what}; fix it with: {problem.fix}")
        self.problem = problem


@dataclass(frozen=True)
class DockerService:
    """A service that answers: its client, whether it is Podman, and whether it can read this machine's files."""

    client: APIClient
    podman: bool
    here: bool = False


def connect(patience: int = PATIENT) -> DockerService:
    """The first service that answers, each within ``patience`` seconds.

    Asked in this order: ``DOCKER_HOST``, the current context of the docker command, Docker's own socket, Podman's.
    Raises ``Unreachable`` about the first that should have answered.
    """
    first: Unreachable | None = None
    for address, settings in _addresses():
        try:
            return _service(address, settings, patience)
        except Unreachable as error:
            first = first or error
    raise first or Unreachable(
        Problem("no service that speaks Docker's API was found here", mending.install_docker())
    )


def _addresses() -> Iterator[tuple[str, dict[str, Any]]]:
    if chosen := _chosen():
        yield chosen
        return
    runtime = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    for path in (DOCKER_SOCKET, f"{runtime}/podman/podman.sock", "/run/podman/podman.sock"):
        if _is_there(path):
            yield f"unix://{path}", {}


def _chosen() -> tuple[str, dict[str, Any]] | None:
    """The service that the user chose by ``DOCKER_HOST`` or by a context of the docker command."""
    settings = _settings()
    if not (os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT") or settings.exists()):
        return None  # without loading the library, which takes its time
    if not _is_object(settings, otherwise=True):  # What is no JSON at all, the library takes for nothing.
        raise Unreachable(Problem(f"{settings} cannot be read: it holds no object of JSON", _unchosen()))
    from docker.context import ContextAPI
    from docker.errors import DockerException
    from docker.utils import kwargs_from_env

    try:
        if os.environ.get("DOCKER_HOST"):
            given: dict[str, Any] = {**kwargs_from_env()}
            return given.pop("base_url"), given
        name = os.environ.get("DOCKER_CONTEXT") or None
        context = ContextAPI.get_context(name)
        if context is None:
            raise ValueError(f"there is no context {name or 'of the name in ' + str(settings)}")
        if context.Name != "default" and context.Host:
            return context.Host, {"tls": context.TLSConfig}
    except (DockerException, OSError, ValueError) as error:
        raise Unreachable(
            Problem(f"Docker's settings cannot be used ({_reason(error)})", _unchosen())
        ) from error
    return None


def _settings() -> Path:
    """Where the docker command keeps what its user chose."""
    return Path(os.environ.get("DOCKER_CONFIG", "~/.docker")).expanduser() / "config.json"


def _unchosen() -> str:
    """The command that takes back the choice of a service, so that those of this machine are asked."""
    if os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT"):
        return f"unset {' '.join(name for name in CHOOSING if os.environ.get(name))}"
    if shutil.which("docker") and _is_object(_settings(), otherwise=False):
        return "docker context use default"
    settings = shlex.quote(str(_settings()))
    return f"mv {settings} {settings}.aside"


def _is_object(path: Path, *, otherwise: bool) -> bool:
    """Whether a file holds an object of JSON; ``otherwise`` where it holds no JSON, or is not there."""
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except (OSError, ValueError, RecursionError):
        return otherwise


def _is_there(path: str) -> bool:
    try:
        return stat.S_ISSOCK(Path(path).stat().st_mode)
    except PermissionError:
        return True
    except OSError:
        return False


def _path(address: str) -> str | None:
    """The socket's path, if the address is one's."""
    return re.sub(r"^(http\+)?unix:/*", "/", address) if "unix:" in address else None


def _knock(path: str, address: str, patience: int) -> None:
    """Raise ``Unreachable`` where nobody listens; the library takes longer to be loaded and is vague about it."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(patience)
        try:
            client.connect(path)
        except OSError as error:
            raise Unreachable(_problem(address, error)) from error


def _service(address: str, settings: dict[str, Any], patience: int) -> DockerService:
    if path := _path(address):
        _knock(path, address, patience)
    from docker import APIClient
    from docker.constants import MINIMUM_DOCKER_API_VERSION
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    def client(version: str) -> APIClient:
        made = APIClient(base_url=address, version=version, timeout=PATIENT, use_ssh_client=True, **settings)
        # Else REQUESTS_CA_BUNDLE, where it is set, would replace the authority of Docker's certificate.
        made.trust_env = False
        return made

    try:
        with closing(client(MINIMUM_DOCKER_API_VERSION)) as first:
            # Podman takes half a second to tell its version, and none to answer this.
            about = first.get(f"{first.base_url}/_ping", timeout=patience).headers
        here = _path(address) is not None and sys.platform == "linux"
        return DockerService(client(about["Api-Version"]), "Libpod" in about.get("Server", ""), here)
    except (DockerException, RequestException, OSError, ValueError, KeyError) as error:
        raise Unreachable(_problem(address, error)) from error


def _problem(address: str, error: Exception) -> Problem:
    """Why nothing answers at this address."""
    path = _path(address)
    if "paramiko" in str(error):
        what = f"Docker at {address} needs the Python package paramiko"
        return Problem(what, f"{sys.executable} -m pip install paramiko")
    if path is None:
        return Problem(f"Docker at {address} does not answer ({_reason(error)})", _unchosen())
    user = pwd.getpwuid(os.geteuid()).pw_name
    if _errno(error) in (errno.EACCES, errno.EPERM):
        if "podman" in path:
            return Problem(f"the user {user} may not use {path}", "systemctl --user start podman.socket")
        join = f"{mending.sudo()}usermod --append --groups {_group(path)} {user} && newgrp {_group(path)}"
        return Problem(f"the user {user} may not use Docker's socket {path}", join)
    if _errno(error) in (errno.ECONNREFUSED, errno.ENOENT):
        what = f"nothing listens on {path}: the Docker service is not running"
        return Problem(what, mending.start("docker") if path == DOCKER_SOCKET else _unchosen())
    what = f"the Docker service at {path} does not answer ({_reason(error)})"
    return Problem(what, mending.start("docker", again=True) if path == DOCKER_SOCKET else _unchosen())


def _group(path: str) -> str:
    import grp

    try:
        return grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        return "docker"


def _errno(error: BaseException | None) -> int | None:
    """The system's own reason, however deeply the libraries wrapped it."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        found = waiting.pop()
        if not isinstance(found, BaseException) or id(found) in seen:
            continue
        seen.add(id(found))
        # TLS counts its errors in the same field, by numbers of its own.
        if isinstance(found, OSError) and not isinstance(found, ssl.SSLError) and found.errno:
            return found.errno
        waiting += [found.__cause__, found.__context__, *found.args]
    return None


def _reason(error: Exception) -> str:
    number = _errno(error)
    return os.strerror(number) if number else " ".join(str(error).split())[:200]


def limits_problem(service: DockerService) -> Problem | None:
    """That memory and processes cannot be limited, as without rights on control groups of version 1; else ``None``."""
    client = service.client
    with as_engine_error("tell what it can limit"):
        if service.podman:
            # What Podman says to Docker's own question is not so.
            about = client.get(f"{client.base_url}/v4.0.0/libpod/info", timeout=PATIENT).json()["host"]
            held = not about["security"]["rootless"] or about["cgroupVersion"] == "v2"
        else:
            info: dict[str, Any] = client.info()
            held = info.get("MemoryLimit", True) and info.get("PidsLimit", True)
    name, unit = ("Podman", "podman.socket") if service.podman else ("Docker", "docker")
    what = f"{name} as an ordinary user cannot limit memory and processes on this machine (control groups version 1)"
    return None if held else Problem(what, f"unset DOCKER_HOST; {mending.start(unit)}")


@contextmanager
def as_engine_error(what: str) -> Iterator[None]:
    """Turn the client's errors into an ``EngineError`` that says what could not be done."""
    from docker.errors import APIError, DockerException
    from requests.exceptions import RequestException

    try:
        yield
    except APIError as error:
        text = error.explanation if isinstance(error.explanation, str) else str(error)
        raise EngineError(f"Docker could not {what}: {' '.join(text.split())}") from error
    except (DockerException, RequestException) as error:
        raise EngineError(f"Docker could not {what}: {_reason(error)}") from error
