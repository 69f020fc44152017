"""Finding the service that speaks Docker's API, and saying in one sentence why it cannot be used."""

from __future__ import annotations

import errno
import os
import pwd
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.engines.base import Problem
from grader.model.errors import EngineError

if TYPE_CHECKING:
    from docker import APIClient

DOCKER_SOCKET = "/var/run/docker.sock"
QUICK = 2
"""Seconds within which a service must answer before it is called absent."""
PATIENT = 60
"""Seconds for one request of a run; starting a container on a busy machine takes some."""


class Unreachable(EngineError):
    """No service answers; ``problem`` says why, and what mends it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.what}; mend it with: {problem.mend}")
        self.problem = problem


def connect() -> APIClient:
    """A client of the first service that answers. Raises ``Unreachable`` about the first that should have.

    Asked in this order: ``DOCKER_HOST``, the current context of the docker command, Docker's own socket, Podman's.
    """
    first: Unreachable | None = None
    for address, settings in _addresses():
        try:
            return _client(address, settings)
        except Unreachable as error:
            first = first or error
    raise first or Unreachable(
        Problem("no service that speaks Docker's API was found here", "sudo apt-get install -y docker.io")
    )


def _addresses() -> Iterator[tuple[str, dict[str, Any]]]:
    from docker.context import ContextAPI
    from docker.errors import DockerException
    from docker.utils import kwargs_from_env

    try:
        if os.environ.get("DOCKER_HOST"):
            settings: dict[str, Any] = {**kwargs_from_env()}
            yield settings.pop("base_url"), settings
            return
        context = ContextAPI.get_current_context()
        if context.Name != "default" and context.Host:
            yield context.Host, {"tls": context.TLSConfig}
            return
    except (DockerException, OSError, ValueError) as error:
        mend = "unset DOCKER_HOST DOCKER_CONTEXT; docker context use default"
        raise Unreachable(Problem(f"Docker's settings cannot be used ({error})", mend)) from error
    runtime = os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")
    for path in (DOCKER_SOCKET, f"{runtime}/podman/podman.sock", "/run/podman/podman.sock"):
        if _is_there(path):
            yield f"unix://{path}", {}


def _is_there(path: str) -> bool:
    try:
        return stat.S_ISSOCK(Path(path).stat().st_mode)
    except PermissionError:
        return True
    except OSError:
        return False


def _client(address: str, settings: dict[str, Any]) -> APIClient:
    from docker import APIClient
    from docker.errors import DockerException
    from requests.exceptions import RequestException

    settings = {**settings, "use_ssh_client": True}
    try:
        client = APIClient(base_url=address, version="auto", timeout=QUICK, **settings)
    except (DockerException, RequestException, OSError, ValueError) as error:
        raise Unreachable(_problem(address, error)) from error
    client.timeout = PATIENT
    return client


def _problem(address: str, error: Exception) -> Problem:
    """Why nothing answers at this address."""
    path = re.sub(r"^(http\+)?unix:/*", "/", address)
    if path == address:
        return Problem(
            f"Docker at {address} does not answer ({_reason(error)})", f"docker --host {address} version"
        )
    user = pwd.getpwuid(os.geteuid()).pw_name
    if _errno(error) in (errno.EACCES, errno.EPERM):
        if "podman" in path:
            return Problem(f"the user {user} may not use {path}", "systemctl --user start podman.socket")
        join = f"sudo usermod --append --groups {_group(path)} {user} && newgrp {_group(path)}"
        return Problem(f"the user {user} may not use Docker's socket {path}", join)
    if _errno(error) in (errno.ECONNREFUSED, errno.ENOENT):
        return Problem(
            f"nothing listens on {path}: the Docker service is not running", "sudo systemctl start docker"
        )
    return Problem(
        f"the Docker service at {path} does not answer ({_reason(error)})", "sudo systemctl restart docker"
    )


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
        if isinstance(found, OSError) and found.errno:
            return found.errno
        waiting += [found.__cause__, found.__context__, *found.args]
    return None


def _reason(error: Exception) -> str:
    number = _errno(error)
    return os.strerror(number) if number else " ".join(str(error).split())[:200]


def is_podman(client: APIClient) -> bool:
    """Whether it is Podman that answers."""
    with told("tell its version"):
        parts: list[dict[str, Any]] = client.version().get("Components") or []
    return any("Podman" in part.get("Name", "") for part in parts)


@contextmanager
def told(what: str) -> Iterator[None]:
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
