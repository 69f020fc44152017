"""The images in Docker: the student's host as the recipe makes it, and a thin layer over it with the grader's programs.

``smtplab/base:<digest>`` follows the recipe, ``smtplab/host:<digest>`` adds the agent and the world's program. Both
digests are of content, so that an image is made once and a changed program never runs in an old one.
"""

from __future__ import annotations

import io
import platform
import re
import shutil
import tarfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from grader.engines import image
from grader.engines.base import Progress
from grader.engines.docker import volumes
from grader.engines.docker.daemon import DockerService, as_engine_error
from grader.engines.machine import LIBRARY, guest_files
from grader.model.errors import EngineError

if TYPE_CHECKING:
    from docker import APIClient

BASE = "smtplab/base"
HOST = "smtplab/host"
DEBIAN = "debian:trixie-slim"

_PACKAGE = Path(__file__).resolve().parents[2]
_DIGITS = 12
_ASK_REGISTRY = 8
_YOUNG = 3600

UNFINISHED = "smtplab.layer"
"""The label of a layer, by which what a killed build left without a name is known."""

# /etc/mailname follows the container's own /etc/hostname, which Docker writes for each run.
_LAYER = f"""\
FROM {{base}}
LABEL {UNFINISHED}=1
COPY smtplab {LIBRARY}
RUN ln -sf hostname /etc/mailname && python3 -m compileall -q {LIBRARY}
"""


def base_tag() -> str:
    """The name of the image that follows the recipe."""
    return f"{BASE}:{image.digest().removeprefix('sha256:')[:_DIGITS]}"


@cache
def host_tag() -> str:
    """The name of the image that both machines are started from."""
    import hashlib

    total = hashlib.sha256(f"{image.digest()}{_LAYER}".encode())
    for name, data in _programs():
        total.update(f"{name} {len(data)}\n".encode() + data)
    return f"{HOST}:{total.hexdigest()[:_DIGITS]}"


class HostImage(Struct, frozen=True):
    """What both machines are started from: an image, by its name, and the volume with its ``/usr``, if there is one."""

    name: str
    usr: str | None = None


def find(service: DockerService) -> HostImage | None:
    """What to start from, where it was made. Raises ``EngineError``."""
    found = _inspected(service.client, host_tag())
    return HostImage(host_tag(), volumes.filled(service.client, found)) if found else None


def ensure(service: DockerService, progress: Progress) -> HostImage:
    """What to start from, made unless it is there. Raises ``EngineError``."""
    tag, client = host_tag(), service.client
    found = _inspected(client, tag)
    if found is None:
        found = _made(service, tag, progress)
    usr = volumes.filled(client, found)
    if usr is None and volumes.wanted(found):
        with image.lock("docker", progress):
            progress("copying the image's programs to where they start sooner")
            usr = volumes.filled(client, found) or _filled(client, found)
    return HostImage(tag, usr)


def _filled(client: APIClient, found: dict[str, Any]) -> str | None:
    # Without it, a run only takes longer.
    with suppress(EngineError):
        return volumes.fill(client, found)
    return None


def _made(service: DockerService, tag: str, progress: Progress) -> dict[str, Any]:
    """What Docker tells of the layer with the grader's programs, which is made unless another process was quicker."""
    client = service.client
    with image.lock("docker", progress):
        if (found := _inspected(client, tag)) is not None:
            return found
        if not is_there(client, base_tag()):
            _make_base(service, progress)
        progress("adding the grader's programs to the image")
        # By its id: Podman would ask a registry for the name.
        layer = _LAYER.format(base=_inspect(client, base_tag())["Id"]).encode()
        context = archive([("Dockerfile", layer), *((f"smtplab/{name}", data) for name, data in _programs())])
        _build(client, context, tag, progress, network="none")
        return _inspect(client, tag)


def _inspect(client: APIClient, name: str) -> dict[str, Any]:
    with as_engine_error(f"look for the image {name}"):
        found: dict[str, Any] = client.inspect_image(name)  # type: ignore[no-untyped-call]
    return found


def _inspected(client: APIClient, name: str) -> dict[str, Any] | None:
    """What Docker tells of an image; ``None`` where it has none of this name."""
    from docker.errors import ImageNotFound

    try:
        return _inspect(client, name)
    except EngineError as error:
        if isinstance(error.__cause__, ImageNotFound):
            return None
        raise


def is_there(client: APIClient, name: str) -> bool:
    """Whether Docker has this image. Raises ``EngineError``."""
    return _inspected(client, name) is not None


def remove_outdated(client: APIClient) -> list[str]:
    """Remove layers with programs of other versions that no container uses, half-built ones, and volumes; their names.

    A young one may be another version's, which is about to start containers from it, or still being built.
    """
    from docker.errors import APIError

    current = _inspected(client, host_tag())
    removed = volumes.remove_outdated(client, current["Id"] if current else "")
    with as_engine_error("list images"):
        found: list[dict[str, Any]] = client.images()
    outdated = [
        (entry, tag)
        for entry in found
        for tag in entry.get("RepoTags") or []
        if f"{HOST}:" in tag and host_tag() not in tag
    ]
    for entry, tag in [*outdated, *((entry, entry["Id"]) for entry in half_built(client))]:
        if entry["Created"] < time.time() - _YOUNG:
            try:
                client.remove_image(tag)
            except APIError:
                continue  # in use
            removed.append(f"image {tag}")
    return removed


def half_built(client: APIClient) -> list[dict[str, Any]]:
    """Layers without a name: a build was killed before its end, or is under way."""
    with as_engine_error("list images"):
        found: list[dict[str, Any]] = client.images(filters={"dangling": True, "label": UNFINISHED})
    return found


def _programs() -> Iterator[tuple[str, bytes]]:
    """The agent, and as much of the grader as the world's program imports."""
    for name, data in guest_files().items():
        yield f"guest/{name}", data
    rooms = ("model/**/*.py", "formats/*.py", "formats/dns/**/*.py", "display/*text.py", "world/**/*.py")
    packages = [_PACKAGE / "__init__.py", _PACKAGE / "display/__init__.py"]
    for path in sorted([*packages, *(path for room in rooms for path in _PACKAGE.glob(room))]):
        yield f"grader/{path.relative_to(_PACKAGE).as_posix()}", path.read_bytes()


def _make_base(service: DockerService, progress: Progress) -> None:
    """Import the local engine's image where it is built, else build by Dockerfile where a registry answers."""
    client, same = service.client, _same_machine(service)
    if same and (image.folder() / "root.tar").exists():
        return _import(client, progress)
    progress(f"asking for {DEBIAN}")
    refusal = _refusal(service)
    if refusal is None:
        progress("building the image of the student's host, once: this takes some minutes")
        return _build(client, _recipe(), base_tag(), progress, dockerfile="image/Dockerfile")
    if same and shutil.which("mmdebstrap"):
        return _import(client, progress)
    raise EngineError(
        f"no registry gives Docker the image {DEBIAN} ({refusal}), and mmdebstrap, which would do without, is missing: "
        f"docker pull {DEBIAN}, or sudo apt-get install -y mmdebstrap debian-archive-keyring"
    )


def _same_machine(service: DockerService) -> bool:
    """Whether programs built for this machine run on Docker's."""
    with as_engine_error("tell its architecture"):
        theirs: str = service.client.version()["Arch"]
    ours = platform.machine().lower()
    return theirs == {"x86_64": "amd64", "aarch64": "arm64"}.get(ours, ours)


def _refusal(service: DockerService) -> str | None:
    """Why Docker cannot get the image to build from; ``None`` when it has it or can."""
    client = service.client
    if is_there(client, DEBIAN):
        return None
    from docker.errors import NotFound

    client.timeout, patient = _ASK_REGISTRY, client.timeout
    try:
        with as_engine_error("ask the registry"):
            client.inspect_distribution(DEBIAN)  # type: ignore[no-untyped-call]
    except EngineError as error:
        # Podman does not know the question; only the attempt will tell.
        return None if isinstance(error.__cause__, NotFound) and service.podman else str(error.__cause__)
    finally:
        client.timeout = patient
    return None


def _import(client: APIClient, progress: Progress) -> None:
    from grader.engines import bootstrap  # nothing that every run should wait for

    tar = bootstrap.root_tar(progress)
    progress("giving Docker the image")
    repository, _, tag = base_tag().partition(":")
    with as_engine_error("import the image"):
        said = str(client.import_image_from_file(str(tar)))
        made = re.search(r'"status":\s*"(?:sha256:)?([0-9a-f]{64})"', said)
        if not made:
            raise EngineError(f"Docker could not import the image: {' '.join(said.split())[-300:]}")
        # Podman overlooks a tag that is given with the import.
        client.tag(made[1], repository, tag)


def _recipe() -> io.BytesIO:
    folder = image.recipe()
    files = [
        (path.relative_to(folder.parent).as_posix(), path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    files.append(("certificates/ca.crt", image.certificate()))
    return archive((name, path.read_bytes()) for name, path in files)


def archive(files: Iterable[tuple[str, bytes]]) -> io.BytesIO:
    """An archive that is the same whenever and by whomever it is made."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as stream_tar:
        for name, data in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o644
            stream_tar.addfile(entry, io.BytesIO(data))
        end = stream_tar.offset + 2 * tarfile.BLOCKSIZE
    # Podman stops reading at the end mark, and now and then complains of the padding that follows.
    stream.truncate(end)
    stream.seek(0)
    return stream


def _build(
    client: APIClient,
    context: io.BytesIO,
    tag: str,
    progress: Progress,
    *,
    dockerfile: str = "Dockerfile",
    network: str | None = None,
) -> None:
    with as_engine_error("build the image"):
        steps = client.build(
            fileobj=context,
            custom_context=True,
            dockerfile=dockerfile,
            tag=tag,
            rm=True,
            forcerm=True,
            decode=True,
            network_mode=network,
            timeout=600,
        )
        last = ""
        for step in steps:
            last = str(step.get("stream", "")).strip() or last
            if error := step.get("error"):
                raise EngineError(f"Docker could not build the image: {' '.join(f'{error}: {last}'.split())}")
            if found := re.match(r"Step \d+/\d+ : (\S+)|(?:Setting up (\S+))", str(step.get("stream", ""))):
                progress(f"building the image: {found[1] or found[2]}")
