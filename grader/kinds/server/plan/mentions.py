"""What a submission's text mentions: networks, names and mail addresses whose owners are worth playing.

This only chooses what to try. Whether a setting has any effect is never concluded from it, so a mention too many does
no harm, and how Postfix would read a file does not matter.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network

from msgspec import Struct

from grader.kinds.server.plan.patterns import (
    PatternText,
    acting_in,
    condition_in,
    joined,
    patterns_in,
    rerouting_in,
    samples,
)
from grader.kinds.server.plan.programs import Program, Programs, expressions, parts, programs, quoted, read
from grader.model.errors import SubmissionError
from grader.model.latepattern import late_pattern

Network = IPv4Network | IPv6Network

MOST = 40
"""Mentions of a kind that are tried."""
MOST_LOCALS = 12
MOST_FIELDS = 10
LIKELIEST_AUTHORS = ("Sender", "Reply-To")
MOST_PATTERNS = 12

_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)\s*=\s*(.*)$")
_PARAMETER = re.compile(r"\$(?:\{(\w+)\}|\((\w+)\)|(\w+))")
_LONGEST_LINE = 20_000
_LONGEST_VALUE = 500
_MOST_PARAMETERS = 50
"""Beyond these a line is taken as it stands: parameters that hold one another could grow without end."""

_IPV4 = re.compile(r"(?<![\w.:-])(\d{1,3}(?:\.\d{1,3}){3})(/\d{1,2})?(?![\w.-])")
_IPV4_BEGINNING = re.compile(r"(?:^\s*|(?<=\^))(\d{1,3}(?:\.\d{1,3}){0,2})\.?(?=\s|$|(?<=\.)\D)")
_BEGINNING = re.compile(r"\^?(?:\d{1,3}\\?\.){1,3}")
_IPV6 = re.compile(
    r"(?<![\w:.])\[?([0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{0,39}:[0-9A-Fa-f:.]{0,39})\]?(/\d{1,3})?(?![\w:])"
)
_ADDRESS = re.compile(
    r"(?<![\w.+=-])([\w.+=-]{1,64})@((?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})(?![\w-]|\.\w)"
)
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_NAME = re.compile(rf"(?<![\w/.+-])(\.?)((?:{_LABEL}\.)+[A-Za-z]{{2,24}})(?![\w-]|\.\w)")
_ALLOWED_WORD = re.compile(r"^([A-Za-z][A-Za-z0-9-]{0,62})\s+(?:OK|RELAY|PERMIT\w*|\d+)\b", re.IGNORECASE)
_ALLOWED_INLINE = late_pattern(
    r"(?<=[{,])\s*([A-Za-z][A-Za-z0-9-]{0,62})\s*=\s*(?:OK|RELAY|PERMIT\w*|\d+)\s*[,}]", re.IGNORECASE
)
_REFUSING = re.compile(r"^\S+\s+(?:REJECT|DISCARD|DEFER\w*|[45]\d\d)\b", re.IGNORECASE)
_LOCAL = re.compile(r"^([A-Za-z0-9][\w.+=-]{0,63})(?:\s*:\s*|\s+)(?=\S)")
"""The key of a line in an alias file (aliases(5)) or a table of addresses (virtual(5)) that is a bare local part."""
_ANYWHERE = re.compile(r"(?<![\w.+@-])([\w.+-]{1,64})@(?=[\s=,}]|$)")
"""A local part that stands for itself at any domain, ``abuse@`` (access(5))."""
_INLINE_LOCAL = re.compile(r"(?<=[{,])\s*([A-Za-z0-9][\w.+-]{0,63})\s*=\s*(?=[^,{}\s])")
_END_OF_NAMES = late_pattern(r"\.[A-Za-z]{2,24}")
"""What a program may look for at the end of a name, and is no whole name: ``.edu``."""
_QUOTED = late_pattern(r"""(["'])([\w.+-]{2,31})@?\1""")
_OF_THE_PROTOCOL = late_pattern(
    r"action|request|sender|recipient|size|instance|stress|\w+_(?:address|name|port|state|count|id|method|username|"
    r"sender|policy|domain|subject|issuer|fingerprint|protocol|cipher|keysize|context|level)|e?smtp|ehlo|helo|mail|"
    r"rcpt|data|rset|noop|quit|vrfy|expn|etrn|help|bdat|starttls|auth|connect|end-of-message|ok|dunno|reject|permit|"
    r"hold|discard|defer\w*|utf-8|ascii|strict|replace|pipelining|chunking|8bitmime|smtputf8|dsn|[rwab]b|"
    r"[\d.]+",
    re.IGNORECASE,
)
"""Words of the protocol by which Postfix asks such programs, and of their answers."""
_CONFIGURATION = re.compile(r"\.c(?:on)?f$")
_FILES = re.compile(
    r"\.(?:cf|db|lmdb|cdb|pem|crt|key|cidr|pcre|regexp|sock|conf|log|txt|proto|local|arpa)$", re.IGNORECASE
)
_SENDER_HEADERS = late_pattern(r"^[ \t]*SenderHeaders[ \t]+(?:csl:)?(.*)", re.IGNORECASE | re.MULTILINE)
_FIELD = late_pattern(
    r"(?!(?:from|to|cc|subject|date|message-id|received)\Z)[A-Za-z][A-Za-z0-9-]{0,40}", re.IGNORECASE
)
"""The name of a field that a letter does not have of itself."""
_UNPLAYABLE = (
    *map(ipaddress.ip_network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")),
    *map(ipaddress.ip_network, ("::/127", "fe80::/10", "ff00::/8", "::ffff:0:0/96")),
)
"""Networks in which nobody can be a client from elsewhere: this host, loopback, link-local, multicast, reserved."""


class Mentions(Struct, frozen=True):
    """What was found, in the order of the files. ``names`` may begin with a dot, which stands for any host below."""

    networks: list[str]
    names: list[str]
    addresses: list[str]
    locals: list[str] = []
    """Bare local parts on the left of a table: aliases, and whatever else has such keys."""
    anywhere: list[str] = []
    """Local parts that tables name without a domain, for whichever it is."""
    samples: list[PatternText] = []
    """Texts that the regular expressions in the files match."""
    rerouting: list[PatternText] = []
    """Those of expressions that send a letter elsewhere for what it holds."""
    acting: list[PatternText] = []
    """Those, and those of expressions that change what a letter holds."""
    author_fields: list[str] = []
    """Header fields that OpenDKIM may take for the author's, From aside (``SenderHeaders``, opendkim.conf(5))."""
    programs: Programs = Programs()
    """What programs among the files hold."""
    parts: list[PatternText] = []
    """Parts of the LAN's addresses and of the domain's names for which programs may look anywhere in a text."""

    @property
    def domains(self) -> list[str]:
        """The names without the dots that stand for their hosts, each once."""
        return list(dict.fromkeys(name.lstrip(".") for name in self.names))


def find_mentions(files: Mapping[str, bytes], own: Sequence[str], lan: str | None = None) -> Mentions:
    """What the files mention, save the names in ``own`` (the student's own domain and host) and ``localhost``.

    Machines of the office's network ``lan`` may be listed one by one: of too many, those that are next to each other
    are one network, and they are no strangers, who have to be tried.

    Lines that refuse something count last; a pattern's ``\\.`` is read as a dot. Raises ``SubmissionError`` where more
    is let in than can be tried: what is not tried must not pass for harmless.
    """
    found = programs(files)
    lines = list(_lines(files, found))
    plain = [line.replace("\\.", ".") for line in lines]
    allowing = _gather(line for line in plain if not _REFUSING.match(line))
    refusing = _gather(line for line in plain if _REFUSING.match(line))
    excluded = {"localhost", *(name.lower() for name in own)}
    kinds: list[list[str]] = []
    for what, first, then in zip(("networks", "names", "mail addresses"), allowing, refusing, strict=True):
        first = {entry: None for entry in first if entry.lstrip(".") not in excluded}
        office: list[str] = []
        if what == "networks" and lan is not None and len(first) > MOST:
            office = _parts_of(lan, first)
            first = {entry: None for entry in first if not _is_in(lan, entry)}
        if len(first) > MOST:
            raise SubmissionError(
                f"the files mention {len(first)} different {what}, and at most {MOST} can be tried: "
                "hand in only what this server needs"
            )
        rest = [entry for entry in then if entry not in first and entry.lstrip(".") not in excluded]
        kinds.append([*[*first, *rest][:MOST], *office])
    networks, names, addresses = kinds
    anywhere = list(dict.fromkeys(part for line in lines for part in _ANYWHERE.findall(line)))[:MOST_LOCALS]
    anywhere = list(dict.fromkeys([*anywhere, *_words_of_programs(found.values())]))
    tables = {name: data for name, data in files.items() if name not in found}
    return Mentions(
        networks,
        names,
        addresses,
        _locals(tables),
        anywhere,
        _samples(lines, expressions(found.values())),
        _acting(lines, rerouting_in),
        _acting(lines, acting_in),
        _author_fields(tables.values()),
        read(found.values()),
        parts(found.values(), own[0], lan) if own and lan else [],
    )


def _author_fields(files: Iterable[bytes]) -> list[str]:
    """What ``SenderHeaders`` names; of a list in a file of its own, the fields that are likeliest."""
    found: dict[str, None] = {}
    for data in files:
        for value in _SENDER_HEADERS.findall(data.decode("utf-8", "replace")):
            named = [word for word in re.split(r"[,\s]+", value.partition("#")[0]) if _FIELD.fullmatch(word)]
            found |= dict.fromkeys(named or (LIKELIEST_AUTHORS if "/" in value else ()))
    return list(found)[:MOST_FIELDS]


def _locals(files: Mapping[str, bytes]) -> list[str]:
    found: dict[str, None] = {}
    for name, data in sorted(files.items()):
        if b"\0" in data:
            continue
        for line in _logical(data.decode("utf-8", "replace")):
            if _CONFIGURATION.search(name):
                found |= dict.fromkeys(_INLINE_LOCAL.findall(line[:_LONGEST_LINE]))
            elif (key := _LOCAL.match(line)) is not None:
                found[key[1]] = None
    return [local for local in found if not local.replace(".", "").isdigit()][:MOST_LOCALS]


def _words_of_programs(found: Iterable[Program]) -> list[str]:
    """What programs that decide (SMTPD_POLICY_README) may compare a local part with: the words in quotation marks.

    Those with an at sign behind them come first. What no local part begins with stands within one, ``-bounces+``.
    """
    texts = ("\n".join([program.text, *(f'"{word}"' for word in program.assembled)]) for program in found)
    matches = [match for text in texts for match in _QUOTED.finditer(text)]
    words = dict.fromkeys(match[2] for match in sorted(matches, key=lambda match: "@" not in match[0]))
    told = [word for word in words if not _OF_THE_PROTOCOL.fullmatch(word)]
    whole = [word for word in told if word[0].isalnum()]
    parts = [f"x1{word}" for word in told if not word[0].isalnum() and any(map(str.isalnum, word))]
    return [*whole, *parts][:MOST_LOCALS]


def _samples(lines: Iterable[str], of_programs: Iterable[str]) -> list[PatternText]:
    """Of the patterns that let something in before those that refuse, and then of those in programs."""
    patterns: dict[str, None] = {}
    for line in sorted(lines, key=lambda line: _REFUSING.match(line) is not None):
        patterns |= dict.fromkeys(patterns_in(line))
    told = [*list(patterns)[:MOST_PATTERNS], *list(of_programs)[:MOST_PATTERNS]]
    found = (sample for pattern in told for sample in samples(pattern))
    return sorted(dict.fromkeys(found), key=lambda sample: sample.loose)


def _acting(lines: Iterable[str], patterns_of: Callable[[str], list[str]]) -> list[PatternText]:
    """What patterns match that do something with a letter. Between ``if`` and ``endif`` of a table both must match."""
    found: dict[tuple[str, str], None] = {}
    conditions: list[str] = []
    for line in lines:
        if (condition := condition_in(line)) is not None:
            conditions.append(condition)
        elif line.lower() == "endif":
            conditions = conditions[:-1]
        else:
            within = conditions[-1] if conditions else ""
            found |= dict.fromkeys((within, pattern) for pattern in patterns_of(line))
    return [
        joined(next(iter(samples(within)), None), sample)
        for within, pattern in list(found)[:MOST_PATTERNS]
        for sample in samples(pattern)
    ]


def _is_in(lan: str, network: str) -> bool:
    return _within(ipaddress.ip_network(network), ipaddress.ip_network(lan))


def _parts_of(lan: str, networks: Iterable[str]) -> list[str]:
    """The networks that lie in ``lan``, as few as they can be."""
    parts = [IPv4Network(network) for network in networks if _is_in(lan, network)]
    return [str(network) for network in ipaddress.collapse_addresses(parts)]


def _lines(files: Mapping[str, bytes], found: Mapping[str, Program]) -> Iterator[str]:
    """Logical lines without comments; ``$name`` in main.cf replaced. Of some programs the texts that they quote."""
    for name, data in sorted(files.items(), key=lambda item: (item[0] != "main.cf", item[0])):
        if b"\0" in data:
            continue
        if name in found:
            yield from (f'"{word}"' for word in found[name].assembled)
            yield from (f'"any{end}"' for end in filter(_END_OF_NAMES.fullmatch, quoted(found[name])))
        if name in found and found[name].dotted:
            yield from _quotations(found[name])
            continue
        logical = _logical(data.decode("utf-8", "replace"))
        values = _assignments(logical) if name == "main.cf" else {}
        values.setdefault("mydomain", values.get("myhostname", "").partition(".")[2])
        for line in dict.fromkeys(logical):
            yield _expanded(line, values)[:_LONGEST_LINE]


def _quotations(program: Program) -> Iterator[str]:
    """Each text of a program in its quotation marks, which tell it from the key of a table; beginnings of addresses
    without them."""
    for text in quoted(program):
        yield text if _BEGINNING.fullmatch(text) else f'"{text[:_LONGEST_LINE]}"'


def _logical(text: str) -> list[str]:
    """Lines joined with their continuations, which begin with white space (postconf(5))."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line[0].isspace() and lines and len(lines[-1]) < _LONGEST_LINE:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.strip())
    return lines


def _assignments(lines: Iterable[str]) -> dict[str, str]:
    return {match[1]: match[2] for line in lines if (match := _ASSIGNMENT.match(line))}


def _expanded(line: str, values: Mapping[str, str]) -> str:
    for _ in range(3):
        if not 0 < line.count("$") <= _MOST_PARAMETERS or len(line) > _LONGEST_LINE:
            break
        line = _PARAMETER.sub(
            lambda match: values.get(match[match.lastindex or 0], match[0])[:_LONGEST_VALUE], line
        )
    return line


def _gather(lines: Iterable[str]) -> tuple[dict[str, None], dict[str, None], dict[str, None]]:
    networks: dict[str, None] = {}
    names: dict[str, None] = {}
    addresses: dict[str, None] = {}
    for line in lines:
        networks |= dict.fromkeys(str(network) for network in _networks(line))
        for local, domain in _ADDRESS.findall(line):
            addresses[f"{local}@{domain.lower()}"] = None
            names[domain.lower()] = None
        for dot, name in _NAME.findall(_ADDRESS.sub(" ", line)):
            if not _FILES.search(name):
                names[dot + name.lower()] = None
        if (word := _ALLOWED_WORD.match(line)) is not None:
            names[word[1].lower()] = None
        if "inline:" in line:
            names |= dict.fromkeys(word.lower() for word in _ALLOWED_INLINE.findall(line[:_LONGEST_LINE]))
    return networks, names, addresses


def _networks(line: str) -> Iterator[Network]:
    found = [address + length for pattern in (_IPV4, _IPV6) for address, length in pattern.findall(line)]
    for beginning in _IPV4_BEGINNING.findall(line):
        octets = beginning.split(".")
        found.append(".".join([*octets, "0", "0", "0"][:4]) + f"/{8 * len(octets)}")
    for text in found:
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            continue
        if isinstance(network, IPv6Network) and (mapped := network.network_address.ipv4_mapped) is not None:
            network = ipaddress.ip_network(f"{mapped}/{max(0, network.prefixlen - 96)}", strict=False)
        if not any(_within(network, other) for other in _UNPLAYABLE):
            yield network


def _within(network: Network, other: Network) -> bool:
    if isinstance(network, IPv4Network):
        return isinstance(other, IPv4Network) and network.subnet_of(other)
    return isinstance(other, IPv6Network) and network.subnet_of(other)


def playable(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Whether a client from elsewhere can have this address."""
    return not any(address in network for network in _UNPLAYABLE)
