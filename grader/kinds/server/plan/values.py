"""What the names stand for that stand for many: whatever a submission mentions, and what looks like its patterns."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Mapping

from grader.kinds.server.plan.lookalikes import (
    around_names,
    domains,
    fields,
    is_path,
    matched_fields,
    matched_lines,
    nobodies,
    recipients,
    rerouting_names,
    rerouting_senders,
    senders,
    text_lines,
)
from grader.kinds.server.plan.mentions import Mentions
from grader.kinds.server.plan.patterns import HOLE
from grader.kinds.server.plan.programs import OF_PROGRAMS
from grader.labs.messages import person
from grader.labs.variant import KeyedRandom
from grader.labs.world import MANIFOLD_NAMES, WordLists

MOST_TOGETHER = 16
"""Attempts of a text that uses several such names: each value is in one, as far as that goes, and then pairs are."""


class ManifoldValues:
    """The values of manifold names in one run. ``names`` are those of the variant, ``words`` the world's."""

    def __init__(
        self, names: Mapping[str, str], words: WordLists, mentions: Mentions, random: KeyedRandom
    ) -> None:
        self._names = names
        self._words = words
        self._mentions = mentions
        self._random = random
        self._own = {names["domain"], names["host"]}

    def sets(self, used: Iterable[str], user: str | None) -> list[dict[str, str]]:
        """One set of values for each attempt to make of a text that uses these names; others than ours are left out.

        ``user`` is whoever logs in, if the attempt does.
        """
        names = sorted(MANIFOLD_NAMES.keys() & used)
        values = [self._of(name, user) for name in names]
        if len(names) < 2:
            return [dict(zip(names, chosen, strict=True)) for chosen in itertools.product(*values)]
        return [dict(zip(names, chosen, strict=True)) for chosen in _together(values)]

    def _of(self, name: str, user: str | None) -> list[str]:
        names, mentions = self._names, self._mentions
        samples = mentions.samples
        if name in OF_PROGRAMS:
            return OF_PROGRAMS[name](mentions.programs)
        match name:
            case "mentioned":
                return mentions.domains
            case "mentioned_address":
                return self._mentioned_addresses()
            case "mentioned_author":
                known = {f"{names[user]}@{names['domain']}".lower() for user in ("alice", "bob")}
                own = [a for a in mentions.addresses if a.rpartition("@")[2] == names["domain"]]
                return [address for address in own if address.lower() not in known]
            case "mentioned_reader":
                return [a for a in mentions.addresses if a.rpartition("@")[2] not in self._own]
            case "mentioned_sender":
                me = (user or names["alice"]).removesuffix("!")
                mine = {f"{me}@{names[key]}".lower() for key in ("domain", "host")}
                return [address for address in self._mentioned_addresses() if address.lower() not in mine]
            case "mentioned_recipient":
                return self._mentioned_recipients()
            case "alias":
                parted = [address.rpartition("@") for address in mentions.addresses]
                return list(
                    dict.fromkeys(
                        [*mentions.locals, *(a for a, _, host in parted if host == names["domain"])]
                    )
                )
            case "author_fields":
                who = f"{person(self._random.draw('author'), self._words)}@{names['third']}"
                found = [f"{field}: <{who}>" for field in mentions.author_fields]
                return ["\n".join(found)] if found else []
            case "lookalike_name":
                return around_names((names["domain"], names["host"]), samples) if samples else []
            case "lookalike_field":
                return fields(names, mentions.rerouting)
            case "lookalike_line":
                return text_lines(names, mentions.rerouting)
            case "rerouting_sender":
                return rerouting_senders(names, mentions.rerouting)
            case "rerouting_name":
                return rerouting_names(names, mentions.rerouting)
            case "lookalike_nobody":
                return nobodies(names, samples)
            case "matched_field":
                return matched_fields(mentions.acting)
            case "matched_line":
                return matched_lines(mentions.acting)
            case "lookalike_recipient":
                return recipients(names, samples) if samples else []
            case _:
                me = (user or names["alice"]).removesuffix("!")
                return senders(me, names, samples, by_parts=mentions.programs.brought)

    def _mentioned_addresses(self) -> list[str]:
        matched = domains(self._names["domain"], self._mentions.samples)
        made_up = [
            f"{person(self._random.draw('mentioned', domain), self._words)}@{domain}"
            for domain in dict.fromkeys([*self._mentions.domains, *matched])
        ]
        third = self._names["third"]
        return [*self._mentions.addresses, *made_up, *(f"{part}@{third}" for part in self._parts())]

    def _parts(self) -> list[str]:
        """Local parts that tables and patterns name for whichever domain."""
        ends = [sample.text for sample in self._mentions.samples if not sample.ends]
        open_ = [text.removesuffix("@") for text in ends if text.endswith("@") and HOLE not in text]
        return list(dict.fromkeys([*self._mentions.anywhere, *(text for text in open_ if is_path(text))]))

    def _mentioned_recipients(self) -> list[str]:
        """Somebody at each foreign name and host that is mentioned, and each foreign address itself."""
        names = self._names
        found = [f"{{token}}@{domain}" for domain in foreign_domains(self._mentions, names["domain"])]
        found += [a for a in self._mentions.addresses if a.rpartition("@")[2] not in self._own]
        found += [f"{part}@{names['outside']}" for part in self._parts()]
        for text in self._mentions.networks:
            network = ipaddress.ip_network(text)
            if network.num_addresses == 1:
                address = network.network_address
                found.append(f"{{token}}@[{'IPv6:' if address.version == 6 else ''}{address}]")
        return found


def _together(values: list[list[str]]) -> list[tuple[str, ...]]:
    if not all(values):
        return []
    longest = max(map(len, values))
    first = (tuple(some[turn % len(some)] for some in values) for turn in range(longest))
    chosen = dict.fromkeys(itertools.chain(first, itertools.product(*values)))
    return list(itertools.islice(chosen, MOST_TOGETHER))


def foreign_domains(mentions: Mentions, own: str) -> list[str]:
    """The names that are mentioned, as domains to which somebody could write; a leading dot stands for a host below.

    With them those that patterns match, below ``own`` not.
    """
    named = (f"deep{name}" if name.startswith(".") else name for name in mentions.names)
    return list(dict.fromkeys([*named, *domains(own, mentions.samples)]))
