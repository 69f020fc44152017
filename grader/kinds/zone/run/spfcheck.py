"""check_host() of RFC 7208 for whole sets of clients at once: who gets which result, and by which term.

One client is a set of one address. For many, each term parts those whom it matches from the rest, so that the answer
is exact for ``ip4``, ``ip6``, ``a``, ``mx``, ``include`` and ``redirect``. Where a name depends on the client (macros
``i`` and ``p``, ``ptr``) the set is cut at the addresses that lead to names that there are, and the rest goes as one of
it goes.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from grader.formats.address import split_address
from grader.formats.networks import Address, AddressSet, Network
from grader.formats.spf import SpfRecord, Term, domain_words, network_of, read_record
from grader.formats.spfmacros import expand, shortened
from grader.kinds.zone.declare import SpfResult
from grader.kinds.zone.run.inverse import Owners, Saying, cuts, sayings
from grader.kinds.zone.run.names import best, dotted, is_name, same, within
from grader.kinds.zone.run.resolver import NoAnswer, Resolver
from grader.kinds.zone.run.spfstates import Ends, Path, SpfState, SpfVerdict, merged, step
from grader.kinds.zone.run.strangers import ADDRESSES

MOST_LOOKUPS = 10
"""Terms that may ask DNS (section 4.6.4)."""
MOST_VOIDS = 2
"""Look-ups that may find nothing (section 4.6.4)."""
MOST_NAMES = 10
"""Names of an MX, and names of an address, that are looked at (section 4.6.4)."""
LAST_LOOKUP = 60
"""Where counting ends for one who wants to know by how much the limits are exceeded."""

RESULTS: dict[str, SpfResult] = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
"""What a qualifier makes of a match (section 4.6.2)."""

SAID = frozenset("slodh")
"""Macro letters that do not depend on a client's address."""

REVERSE = "%{ir}.%{v}.arpa"
"""Where DNS has the names of a client."""


class Evaluator(Struct):
    """Evaluates records for a sender. ``enforce`` says whether the limits hold.

    ``owners`` are the names at which sets are cut where a name depends on the client. ``asked`` and ``found_nothing``
    tell what was asked, and ``spoken`` which terms depend on what the client says, each with the domain of its record.
    """

    resolver: Resolver
    sender: str
    helo: str
    enforce: bool = True
    owners: Owners | None = None
    asked: list[Path] = []
    found_nothing: list[tuple[Path, str]] = []
    spoken: dict[tuple[str, str], None] = {}
    _cuts: dict[tuple[str, str, int], list[AddressSet]] = {}

    def check(self, domain: str, states: Iterable[SpfState], path: Path = ()) -> list[SpfVerdict]:
        """What each client gets by the record of a domain."""
        states = list(states)
        try:
            records = self.records(domain)
        except NoAnswer:
            return [Ends("no-answer", about=domain).verdict(state, domain, path) for state in states]
        if not records:
            return [SpfVerdict(state, "none", domain, path, about=domain) for state in states]
        if len(records) > 1:
            return [Ends("several", about=domain).verdict(state, domain, path) for state in states]
        if broken := records[0].faults:
            here = (*path, step(domain, broken[0]))
            return [
                SpfVerdict(state, "permerror", domain, here, trouble="syntax", broken=broken[0])
                for state in states
            ]
        return self._evaluated(domain, records[0], states, path)

    def _evaluated(
        self, domain: str, record: SpfRecord, states: list[SpfState], path: Path
    ) -> list[SpfVerdict]:
        verdicts: list[SpfVerdict] = []
        for term in record.directives:
            if self.resolver.deadline.over:
                return [Ends("no-answer", about=domain).verdict(state, domain, path) for state in states]
            left: list[SpfState] = []
            for state in merged(states):
                if _passed_over(term, state):
                    left.append(state)
                    continue
                for outcome in self._term(term, domain, state, (*path, step(domain, term))):
                    if isinstance(outcome, SpfState):
                        left.append(outcome)
                    else:
                        verdicts.append(outcome)
            states = left
        redirect = record.modifier("redirect")
        for state in merged(states):
            if redirect is None or record.all_at is not None:
                verdicts.append(SpfVerdict(state, "neutral", domain, path, undecided=True))
            else:
                verdicts += self._redirected(redirect, domain, state, (*path, step(domain, redirect)))
        return verdicts

    def _term(self, term: Term, domain: str, state: SpfState, path: Path) -> Iterator[SpfState | SpfVerdict]:
        """Those whom a mechanism matches as verdicts, the others as states."""
        for part in self._parted(term, domain, state):
            try:
                part = self._counted(term, part, path)
                if term.name == "include":
                    yield from self._included(term, domain, part, path)
                    continue
                matched, part = self._matched(term, domain, part, path)
            except Ends as end:
                yield end.verdict(part, domain, path)
                continue
            if hit := part.clients & matched:
                yield SpfVerdict(replace(part, clients=hit), RESULTS[term.qualifier], domain, path)
            if rest := part.clients - matched:
                yield replace(part, clients=rest)

    def _included(
        self, term: Term, domain: str, state: SpfState, path: Path
    ) -> Iterator[SpfState | SpfVerdict]:
        """Whoever passes the other record is matched (section 5.2). Raises ``Ends``."""
        target, state = self._target(term, domain, state, path)
        for verdict in self._other(target, state, path):
            if verdict.result == "pass":
                inner = verdict.inner or verdict.path
                yield replace(verdict, result=RESULTS[term.qualifier], domain=domain, path=path, inner=inner)
            elif verdict.result == "none":
                yield Ends("missing", about=target).verdict(verdict.state, domain, path)
            elif verdict.result in ("permerror", "temperror"):
                yield verdict
            else:
                yield verdict.state

    def _redirected(self, term: Term, domain: str, state: SpfState, path: Path) -> Iterator[SpfVerdict]:
        """The other record decides (section 6.1)."""
        for part in self._parted(term, domain, state):
            try:
                part = self._counted(term, part, path)
                target, part = self._target(term, domain, part, path)
            except Ends as end:
                yield end.verdict(part, domain, path)
                continue
            for verdict in self._other(target, part, path):
                if verdict.result == "none":
                    yield Ends("missing", about=target).verdict(verdict.state, domain, path)
                else:
                    yield verdict

    def _other(self, target: str, state: SpfState, path: Path) -> list[SpfVerdict]:
        """What another record makes of clients. One that is being read already would be read until a limit is met."""
        if not is_name(target):
            return [SpfVerdict(state, "none", target, about=target)]
        if any(same(passed.domain, target) for passed in path):
            return [Ends("loop", about=target).verdict(state, target, path)]
        return self.check(target, [state], path)

    def _parted(self, term: Term, domain: str, state: SpfState) -> Iterator[SpfState]:
        """The state in parts, for each of which the term means one thing."""
        letters = set(domain_words(term.domain)) if not term.is_modifier or term.name == "redirect" else set()
        if letters & {"s", "l", "h"}:
            self.spoken[term.domain, domain] = None
        left = state.clients
        if self.owners is not None and left.size > 1:
            specs = [term.domain] if "i" in letters else []
            specs += [REVERSE] if "p" in letters or term.name == "ptr" else []
            found = self.owners.named(left.version) if REVERSE in specs else []
            for clients in chain(found, *(self._at_names(spec, domain, left) for spec in specs)):
                if part := left & clients:
                    yield replace(state, clients=part)
                    left -= part
        if left:
            yield replace(state, clients=left)

    def _at_names(self, spec: str, domain: str, clients: AddressSet) -> list[AddressSet]:
        """Where the clients that a domain-spec depends on lead to names that exist."""
        key = spec, domain, clients.version
        if self.owners is not None and key not in self._cuts:
            values = self._values(domain, clients.witness, [])
            self._cuts[key] = cuts(spec, values, clients.version, self.owners)
        return self._cuts.get(key, [])

    def sayings(self) -> list[Saying]:
        """What a client could say so that it matters, by the names that there are; of what is alike, the first."""
        if self.owners is None:
            return []
        sender_domain = split_address(self.sender).domain
        found: dict[object, Saying] = {}
        for spec, domain in self.spoken:
            for saying in sayings(spec, {"d": domain, "o": sender_domain}, self.owners):
                found.setdefault(self._led_to(saying, self.owners), saying)
        return list(found.values())

    def _led_to(self, saying: Saying, owners: Owners) -> object:
        """What the terms find that depend on what a client says; where they depend on its address too, what it says."""
        sender = split_address(self.sender)
        said = replace(
            self, sender=f"{saying.local or sender.local}@{sender.domain}", helo=saying.helo or self.helo
        )
        answers: list[object] = []
        for spec, domain in self.spoken:
            if not set(domain_words(spec)) <= SAID:
                return saying
            name = expand(spec, said._values(domain, ADDRESSES[0], []))
            answers.append(owners.alike.answer(shortened(name)))
        return tuple(answers)

    def _counted(self, term: Term, state: SpfState, path: Path) -> SpfState:
        """The state behind a term that asks DNS. Raises ``Ends`` where there are too many of them."""
        if not term.asks:
            return state
        if state.lookups >= (MOST_LOOKUPS if self.enforce else LAST_LOOKUP):
            raise Ends("limit", limit="lookups")
        self.asked.append(path)
        return replace(state, lookups=state.lookups + 1)

    def _matched(self, term: Term, domain: str, state: SpfState, path: Path) -> tuple[AddressSet, SpfState]:
        """The addresses that a mechanism matches, and the state with what it has cost. Raises ``Ends``."""
        version = state.clients.version
        if term.name == "all":
            return state.clients, state
        if term.covered is not None:
            return (term.covered if term.covered.version == version else AddressSet(version)), state
        target, state = self._target(term, domain, state, path)
        if not is_name(target):
            return AddressSet(version), state
        if term.name == "ptr":
            names, state = self._names_of(state, path)
            is_there = any(within(name, target) for name in names)
            return (state.clients if is_there else AddressSet(version)), state
        if term.name == "exists":
            values, state = self._ask(target, "A", state, path)
            return (state.clients if values else AddressSet(version)), state
        hosts = [target]
        if term.name == "mx":
            exchanges, state = self._ask(target, "MX", state, path)
            if len(exchanges) > MOST_NAMES:
                raise Ends("limit", limit="mx", about=target)
            # The null MX names the root (RFC 7505), which is looked up like any name, and has no address.
            hosts = [name for _, name in sorted(exchanges) if not name or is_name(name)]
        networks: list[Network] = []
        for host in hosts:
            values, state = self._ask(host, "A" if version == 4 else "AAAA", state, path)
            networks += [_network(value, term) for value in values]
        return AddressSet.of(version, networks), state

    def _ask(self, name: str, type_: str, state: SpfState, path: Path) -> tuple[list[Any], SpfState]:
        """What DNS says, and the state with a void look-up counted. Raises ``Ends``."""
        try:
            return self._looked_up(name, type_, state, path)
        except NoAnswer as error:
            raise Ends("no-answer", about=name) from error

    def _looked_up(self, name: str, type_: str, state: SpfState, path: Path) -> tuple[list[Any], SpfState]:
        """What DNS says, and the state with a void look-up counted. Raises ``Ends`` and ``NoAnswer``."""
        values = list(self.resolver.ask(name, type_).values)
        if values:
            return values, state
        self.found_nothing.append((path, f"{name or '.'} {type_}"))
        if self.enforce and state.voids >= MOST_VOIDS:
            raise Ends("limit", limit="voids", about=name)
        return values, replace(state, voids=state.voids + 1)

    def records(self, domain: str) -> list[SpfRecord]:
        """The SPF records of a domain. Raises ``NoAnswer``."""
        texts = (text.decode("latin-1") for text in self.resolver.texts(domain))
        return [record for text in texts if (record := read_record(text))]

    def _target(self, term: Term, domain: str, state: SpfState, path: Path) -> tuple[str, SpfState]:
        """The name that a term is about (section 4.8), and the state with what it has cost. Raises ``Ends``."""
        if not term.domain:
            return domain, state
        name, state = self.expanded(term.domain, domain, state, path)
        return shortened(name), state

    def expanded(self, text: str, domain: str, state: SpfState, path: Path = ()) -> tuple[str, SpfState]:
        """A text with its macros expanded, and the state with what that has cost. Raises ``Ends`` if limits hold."""
        names: list[str] = []
        if "p" in domain_words(text):
            names, state = self._names_of(state, path)
        return expand(text, self._values(domain, state.clients.witness, names)), state

    def _values(self, domain: str, client: Address, names: list[str]) -> dict[str, str]:
        """What the macro letters stand for (section 7.2). ``names`` are the client's, where ``p`` is among them."""
        sender = split_address(self.sender)
        return {
            "s": self.sender,
            "l": sender.local,
            "o": sender.domain,
            "d": domain,
            "i": dotted(client),
            "p": best(names, domain),
            "v": "in-addr" if client.version == 4 else "ip6",
            "h": self.helo,
            "c": str(client),
            "r": "receiver.invalid",
            "t": str(int(time.time())),
        }

    def _names_of(self, state: SpfState, path: Path) -> tuple[list[str], SpfState]:
        """Names that an address leads to and that lead back; those that DNS fails to tell are skipped (5.5).

        A look-up that finds nothing is no failure of DNS: it is void like those of other terms, as section 4.6.4 counts
        terms "for which DNS queries return" nothing and leaves out none. Raises ``Ends``.
        """
        client = state.clients.witness
        type_ = "A" if client.version == 4 else "AAAA"
        found = []
        names: list[Any] = self.owners.hosts.get(str(client), []) if self.owners else []
        try:
            if not names:
                names, state = self._looked_up(client.reverse_pointer, "PTR", state, path)
        except NoAnswer:
            return [], state
        for name in map(str, names[:MOST_NAMES]):
            try:
                values, state = self._looked_up(name, type_, state, path)
            except NoAnswer:
                continue
            if str(client) in values:
                found.append(name.lower().rstrip("."))
        return found, state


def _passed_over(term: Term, state: SpfState) -> bool:
    """Whether a term lists addresses, and none of the clients': nearly all terms of long records do."""
    covered = term.covered
    return covered is not None and (covered.version != state.clients.version or not covered & state.clients)


def _network(value: object, term: Term) -> Network:
    """The network that an address and a prefix length make (section 5.6)."""
    address = ipaddress.ip_address(str(value))
    return network_of(address, term.prefix4 if address.version == 4 else term.prefix6)
