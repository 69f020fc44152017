"""The image's ``/usr`` as a volume, where Docker keeps images on a file system in user space.

With fuse-overlayfs (rootless services, Docker within a container) a process answers for every file that a program opens
when it starts, and a run starts some sixty: that takes a third of its time. A volume lies on the machine's own file
system. It is filled from the image once, and mounted read-only, as the image itself is for the student's host.
"""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from grader.engines.docker import labels
from grader.engines.docker.daemon import as_engine_error
from grader.model.errors import EngineError

if TYPE_CHECKING:
    from docker import APIClient

SLOW = ("fuse-overlayfs",)
"""Storage drivers of Docker's in user space."""

TREE = "/usr"
IMAGE = "smtplab.usr"
"""The label with the id of the image whose tree a volume holds."""
WHOLE = "smtplab.whole"
"""The label of an empty volume that stands for one that was filled to its end: labels of a volume cannot be changed."""

_FILL_SECONDS = 300
_YOUNG = 3600


def filled(client: APIClient, image: dict[str, Any]) -> str | None:
    """The name of a volume that holds the tree of an image, as Docker inspects it; ``None`` where there is none.

    Nor is one wanted where Docker's storage is the kernel's. Raises ``EngineError``.
    """
    if not wanted(image):
        return None
    kept = _volumes(client, f"{IMAGE}={image['Id']}")
    names = {volume["Name"] for volume in kept}
    told = (volume["Labels"].get(WHOLE) for volume in kept)
    return min((name for name in told if name in names), default=None)


def wanted(image: dict[str, Any]) -> bool:
    """Whether starting programs from this image takes so long that a volume is worth its room."""
    return (image.get("GraphDriver") or {}).get("Name") in SLOW


def fill(client: APIClient, image: dict[str, Any]) -> str:
    """Make a volume that holds the tree of an image; its name. Raises ``EngineError``: what is left is not ``filled``.

    Docker copies what an image has at a place into an empty volume that a container has there.
    """
    name = f"smtplab-usr-{uuid.uuid4().hex[:12]}"
    of_image = {IMAGE: image["Id"]}
    client.timeout, patient = _FILL_SECONDS, client.timeout
    try:
        with as_engine_error("copy the image's programs into a volume"):
            client.create_volume(name, labels=of_image)
            mounted = client.create_host_config(binds=[f"{name}:{TREE}"], network_mode="none")
            # Known by its labels, should this process be killed.
            mine = labels.of_this_process(name, _FILL_SECONDS)
            client.create_container(image["Id"], ["true"], name=name, labels=mine, host_config=mounted)
            client.remove_container(name)
            client.create_volume(f"{name}-whole", labels={**of_image, WHOLE: name})
    except BaseException:
        _remove(client, name)
        raise
    finally:
        client.timeout = patient
    return name


def remove_outdated(client: APIClient, image: str) -> list[str]:
    """Remove volumes of other images than the one of this id, and half-filled ones; their names.

    A young one may be another version's, or still being filled.
    """
    kept = _volumes(client, IMAGE)
    whole = {volume["Labels"].get(WHOLE) for volume in kept}
    removed = []
    for volume in kept:
        name, told = volume["Name"], volume["Labels"]
        useful = told[IMAGE] == image and (WHOLE in told or name in whole)
        if not useful and time.time() - _made(volume) > _YOUNG and _remove(client, name):
            removed.append(f"volume {name}")
    return removed


def _volumes(client: APIClient, label: str) -> list[dict[str, Any]]:
    with as_engine_error("list volumes"):
        # Docker says null where there is none.
        found: list[dict[str, Any]] = client.volumes(filters={"label": label})["Volumes"] or []
    return found


def _made(volume: dict[str, Any]) -> float:
    with suppress(KeyError, ValueError):
        return datetime.fromisoformat(volume["CreatedAt"].replace("Z", "+00:00")).timestamp()
    return 0.0


def _remove(client: APIClient, name: str) -> bool:
    """Remove a volume that no container has; whether it could be done."""
    try:
        with as_engine_error(f"remove the volume {name}"):
            client.remove_volume(name)
    except EngineError:
        return False
    return True
