"""The labs' authority, whose key everybody has, vouches for the labs' own names and for no real one."""

from __future__ import annotations

import ssl

import pytest

from grader.labs.certificates import authority, fresh


def handshake(name: str, tmp_path: object) -> str:
    """Why a client that trusts the authority refuses a server of that name; empty where it takes it."""
    pair = fresh(authority(), [name])
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    path = f"{tmp_path}/pair.pem"
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(pair.certificate + authority().certificate + pair.key)
    server.load_cert_chain(path)
    client = ssl.create_default_context(cadata=authority().certificate.decode())
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(down, up, server_hostname=name),
        server.wrap_bio(up, down, server_side=True),
    ]
    try:
        for _ in range(4):
            for end in ends:
                try:
                    end.do_handshake()
                except ssl.SSLWantReadError:
                    continue
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    return ""


@pytest.mark.parametrize("name", ["mail.example.com", "mx.elsewhere.example", "a.b.example.net", "example"])
def test_the_labs_names_are_vouched_for(name: str, tmp_path: object) -> None:
    assert handshake(name, tmp_path) == ""


@pytest.mark.parametrize(
    "name", ["www.debian.org", "mail.example.com.evil.test", "notexample.com", "localhost"]
)
def test_no_real_name_is(name: str, tmp_path: object) -> None:
    assert handshake(name, tmp_path) == "permitted subtree violation"
