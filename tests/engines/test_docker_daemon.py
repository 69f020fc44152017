"""Finding Docker, over every way to it; and one clear sentence where it is not to be had."""

from __future__ import annotations

import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from grader.engines import mending
from grader.engines.base import Engine
from grader.engines.docker import images
from grader.engines.docker.daemon import CHOOSING, DOCKER_SOCKET, Unreachable, connect
from grader.engines.docker.engine import DockerEngine
from grader.model.errors import EngineError
from tests.conftest import PATIENCE
from tests.engines.plans import plan, run


def problem(monkeypatch: pytest.MonkeyPatch, address: str) -> tuple[str, str]:
    """What the engine says of a service at that address: what is wrong, and what fixes it."""
    monkeypatch.setenv("DOCKER_HOST", address)
    (found,) = DockerEngine().problems()
    assert "\n" not in found.what
    return found.what, found.fix


def test_a_service_that_is_not_running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    what, fix = problem(monkeypatch, f"unix://{path}")
    assert what == f"nothing listens on {path}: the Docker service is not running"
    assert fix == "unset DOCKER_HOST", "it is no service of this machine's that could be started"


def test_a_service_that_was_never_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    what, _ = problem(monkeypatch, f"unix://{tmp_path}/none.sock")
    assert "not running" in what


def test_a_socket_without_permission_names_the_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("root makes a socket that another user may not use")
    folder = Path("/tmp") / f"smtplab-{os.getpid()}"  # pytest's own folders are closed to others
    folder.mkdir()
    path = folder / "docker.sock"
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o600)
        server.listen()
        os.seteuid(65534)
        try:
            (found,) = DockerEngine().problems()
        finally:
            os.seteuid(0)
            path.unlink()
            folder.rmdir()
    assert found.what == f"the user nobody may not use Docker's socket {path}"
    assert found.fix == "sudo usermod --append --groups root nobody && newgrp root"


def test_a_silent_service_is_given_up_quickly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        began = time.monotonic()
        what, _ = problem(monkeypatch, f"unix://{path}")
    assert "does not answer" in what
    assert time.monotonic() - began < PATIENCE


def test_a_remote_service_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    what, fix = problem(monkeypatch, f"tcp://127.0.0.1:{port}")
    assert what == f"Docker at tcp://127.0.0.1:{port} does not answer (Connection refused)"
    assert fix == "unset DOCKER_HOST"


def test_a_setting_that_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    what, fix = problem(monkeypatch, "nonsense://x")
    assert "nonsense" in what
    assert fix == "unset DOCKER_HOST"


def mended(fix: str, environment: dict[str, str]) -> dict[str, str]:
    """The environment of a shell in which somebody typed what was printed."""
    done = subprocess.run(
        ["sh", "-c", f"{fix} >&2 && env -0"],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        check=True,
    )
    return dict(line.split("=", 1) for line in done.stdout.decode().split("\0") if line)


@pytest.mark.parametrize(
    ("variables", "config"),
    [
        ({"DOCKER_HOST": "tcp://127.0.0.1:1"}, None),
        ({"DOCKER_HOST": "foo"}, None),
        ({"DOCKER_HOST": "unix:///nobody.sock"}, None),
        (
            {"DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/nowhere"},
            None,
        ),
        ({"DOCKER_CONTEXT": "nowhere"}, "{}"),
        ({}, '{"currentContext": "nowhere"}'),
        ({}, "[]"),
    ],
)
def test_what_is_printed_mends_a_choice_that_leads_nowhere(
    variables: dict[str, str], config: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    chosen = {"DOCKER_CONFIG": str(tmp_path), **variables}
    for name in CHOOSING:
        monkeypatch.delenv(name, raising=False)
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    (found,) = DockerEngine().problems()
    assert "\n" not in found.what
    after = mended(found.fix, chosen)
    for name in CHOOSING:
        monkeypatch.delenv(name, raising=False)
        if name in after:
            monkeypatch.setenv(name, after[name])
    assert [left for left in DockerEngine().problems() if left.what == found.what] == []
    with suppress(Unreachable):
        assert connect().here, "a service of this machine, if there is one"


def test_a_service_is_started_as_this_machine_starts_services(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr(mending, "SYSTEMD", tmp_path)
    monkeypatch.setattr(mending, "APT_LISTS", tmp_path)
    assert mending.start("docker") == "sudo systemctl start docker"
    assert mending.install("runc") == "sudo apt-get update && sudo apt-get install -y runc"
    (tmp_path / "deb.debian.org_debian_dists_trixie_main_binary-amd64_Packages.lz4").touch()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(mending, "SYSTEMD", tmp_path / "none")
    assert mending.start("docker", again=True) == "service docker restart"
    assert mending.install("runc") == "apt-get install -y runc"


@contextmanager
def forwarded(context: ssl.SSLContext | None) -> Iterator[int]:
    """A TCP port, under TLS or not, that leads to this machine's Docker."""
    server = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def lead(client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as docker:
            docker.connect(DOCKER_SOCKET)
            try:
                with context.wrap_socket(client, server_side=True) if context else client as near:
                    back = threading.Thread(target=pump, args=(docker, near), daemon=True)
                    back.start()
                    pump(near, docker)
                    back.join(5)
            except OSError:
                client.close()

    def accept() -> None:
        try:
            while True:
                threading.Thread(target=lead, args=(server.accept()[0],), daemon=True).start()
        except OSError:
            return

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def certify(folder: Path) -> None:
    """An authority, and one certificate for both ends, as ``DOCKER_CERT_PATH`` wants them."""

    def issue(name: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey) -> bytes:
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=name == "authority", path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        )
        # OpenSSL's strict verification, which newer Pythons ask for, wants all three (RFC 5280 section 4.2.1).
        mine, its = (x509.SubjectKeyIdentifier.from_public_key(k.public_key()) for k in (key, signer))
        above = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(its)
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign",
             "encipher_only", "decipher_only"), False
        )  # fmt: skip
        signs = x509.KeyUsage(digital_signature=True, key_cert_sign=name == "authority", **usage)
        builder = builder.add_extension(mine, critical=False).add_extension(above, critical=False)
        builder = builder.add_extension(signs, critical=True)
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    (folder / "ca.pem").write_bytes(issue("authority", authority, authority))
    (folder / "cert.pem").write_bytes(issue("localhost", own, authority))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(own.private_bytes(serialization.Encoding.PEM, form, plain))


@pytest.mark.engines("docker")
@pytest.mark.parametrize("tls", [False, True], ids=["tcp", "tls"])
def test_a_run_over_the_network(
    engine: Engine, tls: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    context = None
    if tls:
        certify(tmp_path)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path))
    with forwarded(context) as port:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://localhost:{port}")
        with DockerEngine().machines(plan()) as machines:
            # Long answers show that nothing is lost between the socket and TLS.
            code, output = run(machines, "sh", "-c", "yes 0123456789 | head -c 900000")
    assert (code, len(output)) == (0, 900_000)


@pytest.mark.engines("docker")
def test_neither_registry_nor_mmdebstrap_is_told_in_one_sentence(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(images, "DEBIAN", "localhost:1/debian:trixie-slim")
    monkeypatch.setattr(images, "base_tag", lambda: "smtplab/base:none")
    monkeypatch.setattr(images, "host_tag", lambda: "smtplab/host:none")
    monkeypatch.setenv("SMTPLAB_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        EngineError, match=r"^no registry gives Docker .* sudo apt-get install -y mmdebstrap"
    ) as caught:
        engine.image(lambda step: None)
    assert "\n" not in str(caught.value)


def test_a_changed_program_is_another_image(monkeypatch: pytest.MonkeyPatch) -> None:
    before = images.host_tag()
    images.host_tag.cache_clear()
    monkeypatch.setattr(images, "_programs", lambda: iter([("guest/main.py", b"pass\n")]))
    try:
        assert images.host_tag() != before
    finally:
        images.host_tag.cache_clear()
    assert re.fullmatch(r"smtplab/host:[0-9a-f]{12}", before)


@pytest.mark.engines("docker")
def test_the_image_is_there_once_it_was_made(engine: Engine) -> None:
    steps: list[str] = []
    assert engine.image(steps.append).startswith("sha256:")
    assert steps == []
    client = connect().client
    try:
        assert images.is_there(client, images.host_tag())
        assert not images.is_there(client, "smtplab/host:none")
    finally:
        client.close()
