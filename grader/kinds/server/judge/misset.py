"""What to do where a single setting explains a failure: a port that waits for something else, a list without its rule,
and values that Postfix cannot read, which its log quotes.
"""

from __future__ import annotations

import ipaddress
import re

from grader.formats.address import domain_of
from grader.kinds.server.judge.absent import awaited, for_absent
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.letout import holds
from grader.kinds.server.judge.settings import PostfixSettings
from grader.kinds.traffic.index import TrafficCase
from grader.model.latepattern import late_pattern

_PROXIED = ("smtpd_upstream_proxy_protocol", "postscreen_upstream_proxy_protocol")
_RELAY_LISTS = ("smtpd_relay_restrictions", "smtpd_recipient_restrictions")
_DECIDES = ("reject", "defer")
_RELAY_DENIED = late_pattern(r"Relay access denied")
_CLASSES = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains")
_BY_KEY = late_pattern(r"(?:hash|btree|lmdb|cdb|dbm|texthash):")
_NESTED = late_pattern(r"unreasonable macro call nesting: \"(\w{1,100})\"")
_NO_ROOM = "< 1.5*message size limit"
_LARGER = late_pattern(r"(\w*mailbox\w*_limit) is smaller than message_size_limit")
_MACRO = "macro processing error"
_DOLLAR = late_pattern(r"\$(?![\w({$])")
"""A dollar sign behind which no name comes; ``$$`` is one that is meant (postconf(5))."""
_NO_TABLE = late_pattern(
    r"expecting \"type:name\" form instead of \"([^\"]{1,100})\"|unsupported dictionary type: ([0-9A-Fa-f]{1,4})(?!\w)"
)
_BAD_MASK = late_pattern(r"bad (?:net/)?mask(?: value)?(?: in)? \"([0-9.]{7,15}/[0-9.]{1,15})\"")


def of_a_port(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """A port greets nobody who comes to it as clients do; ``None`` where no setting says why."""
    if case.outcome.stage != "greeting":
        return None
    listener, server = case.facts.listener, case.facts.server
    port = listener.partition("+")[0]
    for name in _PROXIED:
        setting = settings.on(name, listener, server)
        if setting.value:
            return (
                f"{setting.shown} has port {port} wait for a PROXY header before it greets. Only a load balancer sends "
                "one, and here there is none: mail programs and other servers wait for the greeting, in vain. Delete "
                "the setting."
            )
    wrapped = settings.on("smtpd_tls_wrappermode", listener, server)
    if port == "465" and wrapped.value != "yes":
        return (
            "On port 465 a mail program begins with TLS, and your server begins with a greeting in the clear: "
            "below the service of 465 in master.cf (`submissions` or `smtps`), `-o smtpd_tls_wrappermode=yes` is "
            "missing."
        )
    return None


def of_a_login(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """Who has logged in is refused as a stranger: no list permits them before it comes to its end."""
    reply = case.last_reply
    if reply is None or not case.outcome.authenticated or not _RELAY_DENIED.search(reply.text):
        return None
    found = [settings.on(name, case.facts.listener, case.facts.server) for name in _RELAY_LISTS]
    setting = next((s for s in found if any(word.startswith(_DECIDES) for word in s.words)), None)
    if setting is None:
        return None
    words = setting.words
    end = next((n for n, word in enumerate(words) if word.startswith(_DECIDES)), len(words))
    if "permit_sasl_authenticated" in words[:end]:
        return None
    late = "permit_sasl_authenticated" in words
    return (
        f"{setting.shown} refuses at `{words[end]}`, and `permit_sasl_authenticated`, which lets those pass who have "
        f"logged in, {'stands behind it, where nobody comes any more' if late else 'is missing'}. Put it before "
        f"`{words[end]}`."
    )


def of_a_domain(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """Mail for users is refused as mail for others: no class of domains (ADDRESS_CLASS_README) names theirs."""
    reply = case.last_reply
    if reply is None or not case.for_users_alone or not _RELAY_DENIED.search(reply.text):
        return None
    domain = domain_of(case.facts.recipients[0])
    found = [settings.on(name, case.facts.listener, case.facts.server) for name in _CLASSES]
    shown = " or ".join(one.shown for one in found if one.value)
    if not shown or any(":" in one.value or "/" in one.value or domain in one.words for one in found):
        return None
    return (
        f"Postfix does not know that {domain} is its own: {shown} does not name it. Write `mydestination = "
        f"$myhostname, {domain}, localhost` for users of the system."
    )


def of_the_office(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """Somebody in the office is refused as a stranger, since the list of trusted networks does not hold them."""
    reply = case.last_reply
    if reply is None or not case.facts.inside or case.facts.user or not _RELAY_DENIED.search(reply.text):
        return None
    networks = settings.on("mynetworks", case.facts.listener, case.facts.server)
    if not networks.value or any(holds(word, case.facts.address) for word in networks.words):
        return None
    if (table := next((word for word in networks.words if _BY_KEY.match(word)), None)) is not None:
        return (
            f"{networks.shown}: in `{table}` Postfix looks up a client's whole address, and no network by its length. "
            "Name the network in the list itself, or in a table `cidr:`."
        )
    if any(":/" in word or word.startswith(("/", "!")) for word in networks.words):
        return None
    return (
        f"{networks.shown} does not hold {case.facts.address}, so that `permit_mynetworks` does not let it pass. Name "
        "the whole network of the office, and no larger one."
    )


def of_line_ends(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """A false end of a message was believed because this client is excluded from what forbids that."""
    forbids = settings.on("smtpd_forbid_bare_newline", case.facts.listener, case.facts.server)
    excluded = settings.on("smtpd_forbid_bare_newline_exclusions", case.facts.listener, case.facts.server)
    word = next((word for word in excluded.words if holds(word, case.facts.address)), None)
    if word is None or forbids.value == "no":
        return None
    return (
        f"{excluded.shown} excludes {case.facts.address} from what stops this: `{word}` holds it. Delete the line: "
        "the default excludes `$mynetworks`, which is enough for an old printer in the office."
    )


def in_the_log(text: str, index: ServerIndex) -> str | None:
    """What to do about a value that Postfix cannot read, which this line of its log quotes."""
    nested = (found[1] for line in index.facts.log if (found := _NESTED.search(line)))
    if _MACRO in text and (name := next(nested, None)) is not None:
        return (
            f"`{name}` comes to itself again: of the parameters that its value names with a `$`, one names it in turn. "
            "Write one of them out, or give what both need a name of its own."
        )
    if _NO_ROOM in text:
        limit = index.settings.on("message_size_limit", "")
        return (
            f"{limit.shown}: Postfix takes mail only while one and a half times as much is free on its disk, and this "
            "server's is smaller. Write a smaller limit; most have 10 to 50 MB."
        )
    if (smaller := _LARGER.search(text)) is not None:
        limit = index.settings.on("message_size_limit", "")
        return (
            f"{limit.shown} allows messages that are larger than a mailbox may be (`{smaller[1]}`, 51200000 octets "
            f"where nothing else is set), and nothing is delivered: write `{smaller[1]} = 0`, or a smaller limit."
        )
    if _MACRO in text:
        return (
            "In main.cf and master.cf a `$` begins the name of a parameter, `$name` or `${name}`, and here none comes "
            f"behind it{_line_with_dollar(index)}. Where a `$` is meant, as at the end of a pattern, write `$$`; in a "
            "file of its own, which `regexp:` or `pcre:` names, a pattern needs one alone."
        )
    if (found := _NO_TABLE.search(text)) is not None and (said := found[1] or found[2]):
        if found[1] and not _is_v6(found[1]):
            return None
        example = _bracketed(said) if found[1] else "[2001:db8::1]/128"
        return (
            f"Postfix takes `{said}` for the type of a table (`type:name`): an IPv6 address stands in brackets, with "
            f"the length behind them, `{example}`."
        )
    if (mask := _BAD_MASK.search(text)) is not None:
        return (
            f"`{mask[1]}` is no network as Postfix writes them: behind the slash stands the number of bits. Write "
            f"{_with_bits(mask[1])}."
        )
    return None


def at_the_start(index: ServerIndex) -> str | None:
    """What to do where the server greets nobody, by the line of its log that tells why; ``None`` where none does."""
    line = index.decisive_log
    told = in_the_log(index.logged(line), index) if line is not None else None
    if told is not None:
        return told
    nobody = awaited(index)
    return for_absent(nobody[1]) if nobody is not None else None


def _line_with_dollar(index: ServerIndex) -> str:
    for file in index.facts.settings:
        for number, line in enumerate(file.text.split("\n"), 1):
            if not line.lstrip().startswith("#") and _DOLLAR.search(line.replace("$$", "")):
                return f" ({file.name}, line {number})"
    return ""


def _is_v6(text: str) -> bool:
    return re.fullmatch(r"[0-9A-Fa-f:]*:[0-9A-Fa-f:]*(?:/\d{1,3})?", text) is not None


def _bracketed(text: str) -> str:
    address, slash, length = text.partition("/")
    return f"[{address}]{slash}{length}"


def _with_bits(text: str) -> str:
    try:
        return f"`{ipaddress.ip_network(text, strict=False).with_prefixlen}`"
    except ValueError:
        return "`10.20.30.0/24`, say, for 256 addresses"
