"""Who connects in one run: the declared sources with their names filled in, and those made for the submission."""

from __future__ import annotations

import ipaddress
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from msgspec import Struct
from msgspec.structs import replace

from grader.kinds.server.plan.lookalikes import TOKEN, around_addresses, around_names, rerouting_names
from grader.kinds.server.plan.mentions import Mentions, playable
from grader.kinds.server.plan.programs import host_names
from grader.labs.messages import draw_token
from grader.labs.variant import KeyedRandom
from grader.labs.world import (
    ANYWHERE,
    ANYWHERE_V6,
    MENTIONED_NAMES,
    MENTIONED_NETWORKS,
    OFFICE_ANYBODY,
    REROUTING_NAMES,
    LabWorld,
)
from grader.model.templates import fill

_TRIES = 64
_MOST_PARTS = 6
_NAMED = IPv4Address("198.18.7.1")
_REROUTED = IPv4Address("198.18.6.1")
"""Where the clients are that bear mentioned names: in the range for benchmarks (RFC 2544), which is nobody's."""
_OF_STRANGERS = "stranger.example"
_TOP_LEVEL = ("com", "net", "org")

_CROWDS = {
    "stranger": IPv4Address("198.19.0.1"),
    "stranger-lan": IPv4Address("198.19.8.1"),
    "stranger-v6": IPv6Address("2001:db8:bad:1::1"),
}
"""Where more strangers are, for a server that takes only so much from each of them. Of others they are next door."""
_LARGEST_CROWD = 250
_OTHER_ADDRESS = 256
"""From one address of a mentioned name to its next."""
_V6_STEP = 1 << 128 - 84
"""anvil counts a /84 as one client (``smtpd_client_ipv6_prefix_length``)."""


class PlayedClient(Struct, frozen=True):
    """Somebody who connects from ``address`` to ``server``. DNS calls the address ``name``, and leads the name back
    to it if ``forward``, also where the name has another address ``again``. A name that names somebody outside holds
    the ``token`` of that attempt."""

    source: str
    address: str
    server: str
    name: str
    helo: str
    forward: bool = True
    inside: bool = False
    again: bool = False
    token: str = ""


class Clients:
    """The clients behind each source that a lab can name, made when they are asked for."""

    def __init__(
        self,
        world: LabWorld,
        names: Mapping[str, str],
        mentions: Mentions,
        random: KeyedRandom,
        most_of_each: int | None = None,
        *,
        spares_office: bool = True,
    ) -> None:
        self._world = world
        self._names = names
        self._mentions = mentions
        self._random = random
        self._most_of_each = most_of_each
        self._spares_office = spares_office
        self._made: Counter[tuple[str, int]] = Counter()
        self._known: dict[str, list[PlayedClient]] = {}
        self._networks: dict[str, IPv4Network | IPv6Network] = {}
        """What the files mention, by the sources made for it."""
        peers = (address for peer in world.peers for address in peer.addresses)
        clients = (source.address for source in world.sources.values())
        self._taken = {fill(text, names) for text in (*peers, *clients)}
        self._machines = self._known_machines()
        own = ("host_v4", "host_v6", "host_lan", "nameserver")
        self._own = {ipaddress.ip_address(names[name]) for name in own}
        self._lan = IPv4Network(names["lan"])
        self._desks = {ipaddress.ip_address(names[name]) for name in ("office", "printer")}

    def _known_machines(self) -> dict[str, str]:
        """The addresses to which DNS leads the names of other people's mail servers and clients."""
        found = {fill(s.name, self._names): s.address for s in self._world.sources.values() if s.forward}
        found |= {fill(peer.name, self._names): peer.addresses[0] for peer in self._world.peers}
        own = self._names["domain"]
        return {
            name: fill(address, self._names)
            for name, address in found.items()
            if name and name != own and not name.endswith(f".{own}")
        }

    @cached_property
    def unheard(self) -> str:
        """A domain that no file can name: whoever lists what the lab's world is made of has listed nobody else."""
        words = self._world.words.last
        first = self._random.word(words, "unheard", "first")
        second = self._random.word(words, "unheard", "second", but=[first])
        return f"{first}-{second}.{self._random.word(_TOP_LEVEL, 'unheard', 'top')}"

    def of(self, source: str) -> list[PlayedClient]:
        """The clients of a source; none where a source made from mentions finds nothing mentioned."""
        if source not in self._known:
            self._known[source] = list(self._make(source))
        return self._known[source]

    def next(self, client: PlayedClient, port: int) -> PlayedClient:
        """Who makes this client's next attempt: the client, or somebody beside it once there were ``most_of_each``.

        A limit for each client and minute (anvil(8)) puts off whoever comes after, whatever they ask for, and refuses
        nobody: spammers have many addresses, and an office many machines. By default it spares those whom
        ``mynetworks`` trusts.
        """
        if self._most_of_each is None or (client.inside and self._spares_office):
            return client
        number = min(self._made[client.address, port] // self._most_of_each, _LARGEST_CROWD)
        self._made[client.address, port] += 1
        if number == 0:
            return client
        key = f"{client.source} {client.address} {number}"
        if key not in self._known:
            self._known[key] = [self._beside(client, number)]
        return self._known[key][0]

    def _beside(self, client: PlayedClient, number: int) -> PlayedClient:
        """Another machine of the client's, or the client. It has a name of its own, unless a name is what they claim.

        Whoever is known for a network is in that network.
        """
        if client.inside:
            return self._colleague(client, number)
        first = _CROWDS.get(client.source)
        address: IPv4Address | IPv6Address | None
        if first is not None:
            address = ipaddress.ip_address(int(first) + number * (_V6_STEP if first.version == 6 else 1))
        else:
            address = self._next_door(client, number)
        if address is None:
            return client
        if client.source.startswith((MENTIONED_NAMES, REROUTING_NAMES)) or not client.forward:
            return replace(client, address=str(address), again=True)
        return replace(self._unnamed(client.source, str(address)), server=client.server)

    def _colleague(self, client: PlayedClient, number: int) -> PlayedClient:
        """Another machine of the office, or the client where there are no more, or it is no machine of the LAN."""
        theirs = ipaddress.ip_address(client.address)
        if theirs not in self._lan:
            return client
        taken = {*self._own, *self._desks, *(ipaddress.ip_address(known.address) for known in self.all())}
        free = [address for address in self._lan.hosts() if address not in taken]
        if not free:
            return client
        address = str(
            free[self._random.number(len(free), "colleague", client.source, client.address, str(number))]
        )
        name = self._room(address)
        return replace(client, address=address, name=name, helo=name)

    def _room(self, address: str) -> str:
        """What the office calls a machine of its own."""
        return f"room{address.rpartition('.')[2]}.{self._names['domain']}"

    def _next_door(self, client: PlayedClient, number: int) -> IPv4Address | IPv6Address | None:
        theirs = ipaddress.ip_address(client.address)
        if theirs.version == 6:
            network = self._networks.get(client.source)
            other = theirs + number * _V6_STEP
            return other if network is None or other in network else None
        if client.source.startswith((MENTIONED_NAMES, REROUTING_NAMES)):
            return theirs + number * _OTHER_ADDRESS
        network = self._networks.get(client.source) or ipaddress.ip_network(f"{theirs}/24", strict=False)
        first, last = int(network.network_address), int(network.broadcast_address)
        around = (
            (*range(int(theirs) + 1, last + 1), *range(first, int(theirs)))
            if last - first < 256
            else range(int(theirs) + 1, min(int(theirs) + 2 * _LARGEST_CROWD, last) + 1)
        )
        free = (a for a in map(IPv4Address, around) if self._foreign(a) and str(a) not in self._taken)
        return next(itertools.islice(free, number - 1, None), None)

    def all(self) -> Iterator[PlayedClient]:
        """Every client that was asked for."""
        for clients in self._known.values():
            yield from clients

    def _make(self, source: str) -> Iterable[PlayedClient]:
        match source:
            case "anywhere":
                return [self._unnamed(ANYWHERE, str(self._draw("0.0.0.0/0", public=True)))]
            case "anywhere-v6":
                return [self._unnamed(ANYWHERE_V6, str(self._draw("2a00::/12", public=True)))]
            case "mentioned-networks":
                return self._in_networks()
            case "mentioned-names":
                return self._with_names()
            case "rerouting-names":
                return self._rerouting()
            case "office-anybody":
                return self._in_office()
            case _:
                return [self._declared(source)]

    def _declared(self, source: str) -> PlayedClient:
        declared = self._world.sources[source]
        name = fill(declared.name, self._names)
        return PlayedClient(
            source=source,
            address=fill(declared.address, self._names),
            server=fill(declared.to, self._names),
            name=name,
            helo=fill(declared.helo, self._names) or name,
            forward=declared.forward,
            inside=declared.inside,
        )

    def _unnamed(self, source: str, address: str) -> PlayedClient:
        """A client whose provider names it after its address, as most do."""
        label = address.replace(".", "-").replace("::", "-").replace(":", "-").strip("-")
        domain = self.unheard if source in (ANYWHERE, ANYWHERE_V6) else _OF_STRANGERS
        name = f"client-{label}.{domain}"
        return PlayedClient(source, address, self._server(address), name, name)

    def _server(self, address: str) -> str:
        return self._names["host_v6" if ":" in address else "host_v4"]

    def _in_networks(self) -> Iterator[PlayedClient]:
        for text in self._mentions.networks:
            address = self._draw(text)
            if address is not None:
                network = ipaddress.ip_network(text)
                label = text if network.num_addresses > 1 else str(address)
                source = f"{MENTIONED_NETWORKS}: {label}"
                self._networks |= dict.fromkeys((source, f"{source}, by the LAN"), network)
                client = self._unnamed(source, str(address))
                yield client
                if address.is_private and address.version == 4:
                    yield replace(client, source=f"{source}, by the LAN", server=self._names["host_lan"])
        open_ = [*self._mentions.samples, *(part for part in self._mentions.parts if part.text[0].isdigit())]
        if open_:
            for text in around_addresses(self._names["lan"], open_):
                if self._foreign(ipaddress.ip_address(text)):
                    yield self._unnamed(f"{MENTIONED_NETWORKS}: {text}", text)

    def _in_office(self) -> Iterator[PlayedClient]:
        """One machine in each part of the LAN that the files tell from the rest of it, and one in that rest."""
        networks = [ipaddress.ip_network(text) for text in self._mentions.networks]
        parts = [n for n in networks if isinstance(n, IPv4Network) and self._is_part(n)]
        taken = {*self._own, *self._desks}
        hosts = [address for address in self._lan.hosts() if address not in taken]
        rest = [address for address in hosts if not any(address in part for part in parts)]
        told = parts[: _MOST_PARTS - 1]
        groups = [rest, *([address for address in hosts if address in part] for part in told)]
        if self._mentions.samples:
            # A pattern may tell addresses by the number of their digits.
            groups += [[a for a in hosts if len(str(a).rpartition(".")[2]) == digits] for digits in (1, 2, 3)]
        for number, group in enumerate(groups):
            if group:
                address = group[self._random.number(len(group), "office", str(number))]
                name = self._room(str(address))
                source = f"{OFFICE_ANYBODY}: {address}"
                yield PlayedClient(source, str(address), self._names["host_lan"], name, name, inside=True)

    def _is_part(self, network: IPv4Network) -> bool:
        return (
            network.subnet_of(self._lan) and network != self._lan and network.network_address not in self._own
        )

    def _draw(self, text: str, *, public: bool = False) -> IPv4Address | IPv6Address | None:
        """An address in the network that somebody else can have; ``None`` where all are the office's or the host's."""
        network = ipaddress.ip_network(text)
        if isinstance(network, IPv4Network) and network.subnet_of(self._lan):
            return None
        for attempt in range(_TRIES):
            address = network[self._random.number(network.num_addresses, "address", text, str(attempt))]
            if self._foreign(address) and (address.is_global or not public):
                return address
        return None

    def _foreign(self, address: IPv4Address | IPv6Address) -> bool:
        # The ends of a /24 could be taken for the broadcast addresses of the networks that the host is on.
        usable = address.version == 6 or address.packed[-1] not in (0, 255)
        return usable and playable(address) and address not in self._lan and address not in self._own

    def _with_names(self) -> Iterator[PlayedClient]:
        own = self._names["domain"]
        names = list(self._mentions.names)
        if self._mentions.samples:
            theirs = (own, self._names["host"], self._names["office_host"])
            names += [n for n in around_names(theirs, self._mentions.samples) if n not in names]
        names += [n for n in around_names((), self._mentions.parts) if n not in names]
        names += host_names(self._mentions.programs, _OF_STRANGERS)
        for number, mentioned in enumerate(names):
            name = f"client{mentioned}" if mentioned.startswith(".") else mentioned
            # Somebody's machine that is known by that name is who may come under it; DNS leads it to no other.
            address = self._machines.get(name) or str(_NAMED + number)
            # Everybody can name an address of theirs after anything; only the owner of a domain can name it back.
            forward = name != own and not name.endswith(f".{own}")
            yield PlayedClient(
                f"{MENTIONED_NAMES}: {mentioned}", address, self._server(address), name, name, forward
            )

    def _rerouting(self) -> Iterator[PlayedClient]:
        """Clients whose names name somebody outside, where a pattern looks for that."""
        for number, form in enumerate(rerouting_names(self._names, self._mentions.rerouting)):
            token = draw_token(self._random.draw("rerouting", form), self._world.words).replace(".", "")
            name, address = form.replace(TOKEN, token), str(_REROUTED + number)
            source = f"{REROUTING_NAMES}: {name}"
            yield PlayedClient(source, address, self._server(address), name, name, token=token)
