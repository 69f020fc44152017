"""The image's programs in a volume: the same files, read-only, and never a half of them."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest

from grader.engines.base import Engine
from grader.engines.docker import containers, images, labels, volumes
from grader.engines.docker.daemon import connect
from tests.engines.plans import plan, run

FILES = f"find {volumes.TREE} -printf '%p %y %m %U %G %s %l\\n' | sort | sha256sum"


def on(driver: str, **known: Any) -> dict[str, Any]:
    """An image as Docker tells of it, kept by that storage driver."""
    return {"Id": "sha256:0", "GraphDriver": {"Name": driver}, **known}


def test_where_the_kernel_keeps_images_no_volume_is_wanted_nor_asked_for() -> None:
    assert not volumes.wanted(on("overlay2"))
    assert not volumes.wanted({"Id": "sha256:0"})
    assert volumes.filled(None, on("overlay2")) is None  # type: ignore[arg-type]
    assert volumes.wanted(on("fuse-overlayfs"))


@pytest.fixture
def client(engine: Engine) -> Iterator[Any]:
    client = connect().client
    yield client
    client.close()


@pytest.fixture
def small(client: Any) -> Iterator[dict[str, Any]]:
    """An image with one file in its /usr, as if it were kept in user space; its volumes are removed behind."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        about = tarfile.TarInfo("usr/true")
        about.size, about.mode = 4, 0o2755
        tar.addfile(about, BytesIO(b"true"))
    name = f"smtplab/volume:{os.getpid()}"
    client.import_image_from_data(packed.getvalue(), *name.split(":"))
    image = on("fuse-overlayfs", Id=client.inspect_image(name)["Id"])
    yield image
    for volume in volumes._volumes(client, f"{volumes.IMAGE}={image['Id']}"):
        client.remove_volume(volume["Name"])
    client.remove_image(name)


@pytest.mark.engines("docker")
def test_a_volume_is_found_once_it_was_filled_to_its_end(client: Any, small: dict[str, Any]) -> None:
    client.create_volume(labels={volumes.IMAGE: small["Id"]})
    assert volumes.filled(client, small) is None
    name = volumes.fill(client, small)
    assert volumes.filled(client, small) == name
    assert client.containers(all=True, filters={"label": f"{labels.RUN}={name}"}) == []


@pytest.mark.engines("docker")
def test_a_volume_that_could_not_be_filled_is_removed(
    client: Any, small: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(client, "create_container", killed)
    with pytest.raises(KeyboardInterrupt):
        volumes.fill(client, small)
    assert volumes._volumes(client, f"{volumes.IMAGE}={small['Id']}") == []


@pytest.mark.engines("docker")
def test_old_volumes_that_serve_nobody_are_removed(
    client: Any, small: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    half = client.create_volume(labels={volumes.IMAGE: small["Id"]})["Name"]
    whole = volumes.fill(client, small)
    mine = volumes._volumes(client, f"{volumes.IMAGE}={small['Id']}")
    # Those of other tests, which run at the same time, are none of this one's business.
    monkeypatch.setattr(volumes, "_volumes", lambda *_: mine)
    assert volumes.remove_outdated(client, small["Id"]) == []
    monkeypatch.setattr(volumes, "_YOUNG", -1)
    assert volumes.remove_outdated(client, small["Id"]) == [f"volume {half}"]
    gone = volumes.remove_outdated(client, "sha256:1")
    assert sorted(gone) == [f"volume {whole}", f"volume {whole}-whole"]


@pytest.mark.engines("docker")
def test_the_student_s_host_has_every_file_as_the_image_has_it_and_can_change_none(engine: Engine) -> None:
    service = connect()
    started = images.ensure(service, lambda step: None)
    name = f"smtplab-files-{os.getpid()}"
    service.client.create_container(
        started.name, ["sh", "-c", FILES], name=name, labels=labels.of_this_process(name, 60)
    )
    try:
        service.client.start(name)
        service.client.wait(name)
        expected = service.client.logs(name).decode()
    finally:
        service.client.remove_container(name, force=True)
        service.client.close()
    with engine.machines(plan()) as machines:
        assert run(machines, "sh", "-c", FILES)[1] == expected
        code, said = run(machines, "touch", f"{volumes.TREE}/new")
        assert (code, "Read-only file system" in said) == (1, True)


@pytest.mark.engines("docker")
def test_both_machines_start_their_programs_from_the_volume(engine: Engine) -> None:
    service = connect()
    try:
        specs = containers.Specs(service, images.HostImage("image", "programs"), "run", plan())
        for made in (specs.host(), specs.world()):
            assert made["host_config"]["Binds"] == [f"programs:{volumes.TREE}:ro"]
    finally:
        service.client.close()


@pytest.mark.engines("docker")
def test_where_it_could_not_be_filled_no_submission_waits_for_another_try(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[object] = []
    monkeypatch.setattr(volumes, "filled", lambda *_: None)
    monkeypatch.setattr(volumes, "wanted", lambda *_: True)
    monkeypatch.setattr(volumes, "fill", lambda *told: tries.append(told))
    with engine.machines(plan()) as machines:
        assert run(machines, "hostname")[1] == "mail.example.com\n"
    assert tries == []
