"""No name that authors give to who connects is read by students."""

from __future__ import annotations

from grader.engines.guest.files import WRITABLE
from grader.kinds.server.places import INSTALLABLE
from grader.labs.world import read_world
from grader.model.sources import CALLED, MADE, client_called, source_called


def test_each_source_of_the_world_has_words() -> None:
    world = read_world()
    assert CALLED.keys() == world.sources.keys()
    assert not [name for name in world.sources if "-" in name and name in source_called(name)]
    assert not [name for name in MADE if name in source_called(f"{name}: mx.example.net")]


def test_a_client_is_told_with_its_address_once() -> None:
    assert client_called("private-10", "10.200.7.66") == "a machine elsewhere in 10.0.0.0/8 (10.200.7.66)"
    assert client_called("mentioned-networks: 192.0.2.7", "192.0.2.7") == "somebody (192.0.2.7)"
    assert (
        client_called("mentioned-networks: 192.0.2.0/24", "192.0.2.7")
        == "somebody in 192.0.2.0/24 (192.0.2.7)"
    )
    assert source_called("mentioned-names: mx.example.net") == "a client that DNS calls mx.example.net"


def test_an_author_may_install_where_a_host_can_be_written_to() -> None:
    assert INSTALLABLE == WRITABLE
