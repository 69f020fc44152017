"""check_host() of RFC 7208 for whole sets of clients at once: who gets which result, and by which term.

One client is a set of one address. For many, each term parts those whom it matches from the rest, so that the answer
is exact for ``ip4``, ``ip6``, ``a``, ``mx``, ``include`` and ``redirect``. Where a name depends on the client (macros
``i`` and ``p``, ``ptr``) the set is cut at addresses that may matter, and the rest goes as one of it goes.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grader.formats.address import split_address
from grader.formats.networks import Address, AddressSet, Network
from grader.formats.spf import SpfRecord, Term, domain_words, network_of, read_record
from grader.formats.spfmacros import expand, macro_fault, pieces, shortened
from grader.kinds.zone.declare import SpfResult
from grader.kinds.zone.facts import SpfLimit, SpfStep, SpfTrouble
from grader.kinds.zone.run.resolver import NoAnswer, Resolver

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

Path = tuple[SpfStep, ...]


@dataclass(frozen=True)
class SpfState:
    """Clients that nothing has matched so far, and what the way here has cost."""

    clients: AddressSet
    lookups: int = 0
    voids: int = 0


@dataclass(frozen=True)
class SpfVerdict:
    """What some clients get. ``domain`` is the one whose record decided, not counting includes.

    ``path`` leads to the term that decided; ``inner`` goes on into the record that was included, where one passed.
    ``undecided`` says that no term matched.
    """

    state: SpfState
    result: SpfResult
    domain: str
    path: Path = ()
    inner: Path = ()
    trouble: SpfTrouble | None = None
    limit: SpfLimit | None = None
    broken: Term | None = None
    about: str = ""
    undecided: bool = False


class _Ends(Exception):
    """An evaluation that ends in the middle of a term."""

    def __init__(self, trouble: SpfTrouble, *, limit: SpfLimit | None = None, about: str = "") -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.limit = limit
        self.about = about

    @property
    def result(self) -> SpfResult:
        """DNS may answer another time; all else is for good."""
        return "temperror" if self.trouble == "no-answer" else "permerror"

    def verdict(self, state: SpfState, domain: str, path: Path) -> SpfVerdict:
        """What it means for those whom it hits."""
        return SpfVerdict(
            state, self.result, domain, path, trouble=self.trouble, limit=self.limit, about=self.about
        )


@dataclass
class Evaluator:
    """Evaluates records for a sender. ``enforce`` says whether the limits hold.

    ``witnesses`` are the networks at which sets are cut where a name depends on the client, the narrowest first.
    ``asked`` and ``found_nothing`` tell what was asked, and ``letters`` which macros played a part.
    """

    resolver: Resolver
    sender: str
    helo: str
    enforce: bool = True
    witnesses: Sequence[AddressSet] = ()
    asked: list[Path] = field(default_factory=list)
    found_nothing: list[tuple[Path, str]] = field(default_factory=list)
    letters: set[str] = field(default_factory=set)

    def check(self, domain: str, states: Iterable[SpfState], path: Path = ()) -> list[SpfVerdict]:
        """What each client gets by the record of a domain."""
        states = list(states)
        try:
            records = self._records(domain)
        except NoAnswer:
            return [_Ends("no-answer", about=domain).verdict(state, domain, path) for state in states]
        if not records:
            return [SpfVerdict(state, "none", domain, path, about=domain) for state in states]
        if len(records) > 1:
            return [_Ends("several", about=domain).verdict(state, domain, path) for state in states]
        if broken := records[0].faults:
            here = (*path, _step(domain, broken[0]))
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
                return [_Ends("no-answer", about=domain).verdict(state, domain, path) for state in states]
            left: list[SpfState] = []
            for state in _merged(states):
                if _passed_over(term, state):
                    left.append(state)
                    continue
                for outcome in self._term(term, domain, state, (*path, _step(domain, term))):
                    if isinstance(outcome, SpfState):
                        left.append(outcome)
                    else:
                        verdicts.append(outcome)
            states = left
        redirect = record.modifier("redirect")
        for state in _merged(states):
            if redirect is None or record.all_at is not None:
                verdicts.append(SpfVerdict(state, "neutral", domain, path, undecided=True))
            else:
                verdicts += self._redirected(redirect, domain, state, (*path, _step(domain, redirect)))
        return verdicts

    def _term(self, term: Term, domain: str, state: SpfState, path: Path) -> Iterator[SpfState | SpfVerdict]:
        """Those whom a mechanism matches as verdicts, the others as states."""
        for part in self._parted(term, state):
            try:
                part = self._counted(term, part, path)
                if term.name == "include":
                    yield from self._included(term, domain, part, path)
                    continue
                matched, part = self._matched(term, domain, part, path)
            except _Ends as end:
                yield end.verdict(part, domain, path)
                continue
            if hit := part.clients & matched:
                yield SpfVerdict(replace(part, clients=hit), RESULTS[term.qualifier], domain, path)
            if rest := part.clients - matched:
                yield replace(part, clients=rest)

    def _included(
        self, term: Term, domain: str, state: SpfState, path: Path
    ) -> Iterator[SpfState | SpfVerdict]:
        """Whoever passes the other record is matched (section 5.2)."""
        target = self._target(term, domain, state)
        for verdict in self._other(target, state, path):
            if verdict.result == "pass":
                inner = verdict.inner or verdict.path
                yield replace(verdict, result=RESULTS[term.qualifier], domain=domain, path=path, inner=inner)
            elif verdict.result == "none":
                yield _Ends("missing", about=target).verdict(verdict.state, domain, path)
            elif verdict.result in ("permerror", "temperror"):
                yield verdict
            else:
                yield verdict.state

    def _redirected(self, term: Term, domain: str, state: SpfState, path: Path) -> Iterator[SpfVerdict]:
        """The other record decides (section 6.1)."""
        for part in self._parted(term, state):
            try:
                part = self._counted(term, part, path)
            except _Ends as end:
                yield end.verdict(part, domain, path)
                continue
            target = self._target(term, domain, part)
            for verdict in self._other(target, part, path):
                if verdict.result == "none":
                    yield _Ends("missing", about=target).verdict(verdict.state, domain, path)
                else:
                    yield verdict

    def _other(self, target: str, state: SpfState, path: Path) -> list[SpfVerdict]:
        """What another record makes of clients. One that is being read already would be read until a limit is met."""
        if not _is_name(target):
            return [SpfVerdict(state, "none", target, about=target)]
        if any(_same(step.domain, target) for step in path):
            return [_Ends("loop", about=target).verdict(state, target, path)]
        return self.check(target, [state], path)

    def _parted(self, term: Term, state: SpfState) -> Iterator[SpfState]:
        """The state in parts, for each of which the term means one thing."""
        letters = set(domain_words(term.domain)) if not term.is_modifier or term.name == "redirect" else set()
        self.letters |= letters
        if not (letters & {"i", "p"} or term.name == "ptr") or state.clients.size == 1:
            yield state
            return
        left = state.clients
        for witness in self.witnesses:
            if witness.version == left.version and (part := left & witness):
                yield replace(state, clients=part)
                left -= part
        if left:
            yield replace(state, clients=left)

    def _counted(self, term: Term, state: SpfState, path: Path) -> SpfState:
        """The state behind a term that asks DNS. Raises ``_Ends`` where there are too many of them."""
        if not term.asks:
            return state
        if state.lookups >= (MOST_LOOKUPS if self.enforce else LAST_LOOKUP):
            raise _Ends("limit", limit="lookups")
        self.asked.append(path)
        return replace(state, lookups=state.lookups + 1)

    def _matched(self, term: Term, domain: str, state: SpfState, path: Path) -> tuple[AddressSet, SpfState]:
        """The addresses that a mechanism matches, and the state with what it has cost. Raises ``_Ends``."""
        version = state.clients.version
        if term.name == "all":
            return state.clients, state
        if term.covered is not None:
            return (term.covered if term.covered.version == version else AddressSet(version)), state
        target = self._target(term, domain, state)
        if not _is_name(target):
            return AddressSet(version), state
        if term.name == "ptr":
            names = self._names_of(state.clients.witness)
            is_there = any(_within(name, target) for name in names)
            return (state.clients if is_there else AddressSet(version)), state
        if term.name == "exists":
            values, state = self._ask(target, "A", state, path)
            return (state.clients if values else AddressSet(version)), state
        hosts = [target]
        if term.name == "mx":
            exchanges, state = self._ask(target, "MX", state, path)
            if len(exchanges) > MOST_NAMES:
                raise _Ends("limit", limit="mx", about=target)
            hosts = [name for _, name in sorted(exchanges) if _is_name(name)]
        networks: list[Network] = []
        for host in hosts:
            values, state = self._ask(host, "A" if version == 4 else "AAAA", state, path)
            networks += [_network(value, term) for value in values]
        return AddressSet.of(version, networks), state

    def _ask(self, name: str, type_: str, state: SpfState, path: Path) -> tuple[list[Any], SpfState]:
        """What DNS says, and the state with a void look-up counted. Raises ``_Ends``."""
        try:
            values = list(self.resolver.ask(name, type_).values)
        except NoAnswer as error:
            raise _Ends("no-answer", about=name) from error
        if values:
            return values, state
        self.found_nothing.append((path, f"{name} {type_}"))
        if self.enforce and state.voids >= MOST_VOIDS:
            raise _Ends("limit", limit="voids", about=name)
        return values, replace(state, voids=state.voids + 1)

    def _records(self, domain: str) -> list[SpfRecord]:
        texts = (text.decode("latin-1") for text in self.resolver.texts(domain))
        return [record for text in texts if (record := read_record(text))]

    def _target(self, term: Term, domain: str, state: SpfState) -> str:
        """The name that a term is about (section 4.8)."""
        if not term.domain:
            return domain
        letters = set(domain_words(term.domain))
        return shortened(expand(term.domain, self._values(letters, domain, state.clients.witness)))

    def _values(self, letters: set[str], domain: str, client: Address) -> dict[str, str]:
        """What the macro letters stand for (section 7.2)."""
        local, sender_domain = split_address(self.sender)[:2]
        return {
            "s": self.sender,
            "l": local,
            "o": sender_domain,
            "d": domain,
            "i": _dotted(client),
            "p": self._validated(domain, client) if "p" in letters else "unknown",
            "v": "in-addr" if client.version == 4 else "ip6",
            "h": self.helo,
            "c": str(client),
            "r": "receiver.invalid",
            "t": str(int(time.time())),
        }

    def _validated(self, domain: str, client: Address) -> str:
        """The name for ``%{p}``: the domain itself before one in it before any other (section 7.3)."""
        names = self._names_of(client)
        within = [name for name in names if _within(name, domain)]
        return next((name for name in within if name == domain.lower()), (within or names or ["unknown"])[0])

    def _names_of(self, client: Address) -> list[str]:
        """Names that an address leads to and that lead back; those that DNS fails to tell are skipped (5.5)."""
        found = []
        try:
            names = self.resolver.ask(client.reverse_pointer, "PTR").values[:MOST_NAMES]
        except NoAnswer:
            return []
        for name in map(str, names):
            try:
                values = self.resolver.ask(name, "A" if client.version == 4 else "AAAA").values
            except NoAnswer:
                continue
            if str(client) in values:
                found.append(name.lower().rstrip("."))
        return found

    def explanation(self, verdict: SpfVerdict) -> str:
        """What the domain that failed a client explains to it (section 6.2); empty where it explains nothing."""
        try:
            (record,) = self._records(verdict.domain)
            term = record.modifier("exp")
            if term is None or verdict.result != "fail":
                return ""
            target = self._target(term, verdict.domain, verdict.state)
            (text,) = self.resolver.texts(target) if _is_name(target) else []
        except (NoAnswer, ValueError):
            return ""
        plain = text.decode("latin-1")
        if not plain.isascii() or macro_fault(plain, explaining=True):
            return ""
        letters = {piece.letter.lower() for piece in pieces(plain)}
        return expand(plain, self._values(letters, verdict.domain, verdict.state.clients.witness))


def _passed_over(term: Term, state: SpfState) -> bool:
    """Whether a term lists addresses, and none of the clients': nearly all terms of long records do."""
    covered = term.covered
    return covered is not None and (covered.version != state.clients.version or not covered & state.clients)


def _step(domain: str, term: Term) -> SpfStep:
    return SpfStep(domain, term.text, term.start, term.end)


def _merged(states: Iterable[SpfState]) -> list[SpfState]:
    """States of one cost as one, so that there are never more than the costs that there can be."""
    states = list(states)
    if len(states) < 2:
        return states
    found: dict[tuple[int, int], list[SpfState]] = {}
    for state in states:
        found.setdefault((state.lookups, state.voids), []).append(state)
    return [
        replace(alike[0], clients=AddressSet.union([state.clients for state in alike]))
        for alike in found.values()
    ]


def _network(value: object, term: Term) -> Network:
    """The network that an address and a prefix length make (section 5.6)."""
    address = ipaddress.ip_address(str(value))
    return network_of(address, term.prefix4 if address.version == 4 else term.prefix6)


def _dotted(client: Address) -> str:
    """The address for ``%{i}``: IPv6 as nibbles with dots between them (section 7.3)."""
    if client.version == 4:
        return str(client)
    return ".".join(client.exploded.replace(":", "")).upper()


def _is_name(name: str) -> bool:
    """Whether DNS can be asked for a name at all (section 4.3)."""
    labels = name.removesuffix(".").split(".")
    return all(0 < len(label) < 64 for label in labels)


def _same(one: str, other: str) -> bool:
    return one.lower().rstrip(".") == other.lower().rstrip(".")


def _within(name: str, domain: str) -> bool:
    """Whether a name is a domain or lies in it."""
    name, domain = name.lower().rstrip("."), domain.lower().rstrip(".")
    return name == domain or name.endswith(f".{domain}")
