"""What to do where a message left the server that should not have: the setting that let it out."""

from __future__ import annotations

import ipaddress
import re

from grader.formats.address import domain_of, split_address
from grader.kinds.server.judge.deciders import deciding
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.settings import PostfixSettings, Setting
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.sentences import quoted
from grader.model.traffic import Arrival

_MISMATCH = re.compile(r"reject(?:_known|_authenticated)?_sender_login_mismatch")
_TRUSTED = ("permit_mynetworks", "permit_sasl_authenticated")
_REFUSES = ("reject", "defer")
_REWRITE = (
    "luser_relay",
    "virtual_alias_maps",
    "recipient_canonical_maps",
    "canonical_maps",
    "alias_maps",
    "content_filter",
    "smtpd_milters",
)
"""What leads one address to another (ADDRESS_REWRITING_README), what is rarer first."""
_ROUTING = "%!@"
"""Signs of a route within a local part, which Postfix follows by itself (postconf(5), ``allow_percent_hack``)."""
_REROUTES = re.compile(r"(?:NOQUEUE: )?(?:redirect|bcc|filter): ")
_GOOD = re.compile(r"\bpermit_(?:mynetworks|sasl_authenticated)\b[\s,]*")
_PERMITS = re.compile(r"permit(?:_sasl_authenticated)?")


def for_what_left(case: TrafficCase, index: ServerIndex) -> str | None:
    """What to do about a message that was sent on; ``None`` where no more is known than the lab says."""
    settings = index.settings
    return (
        _owner(case, settings)
        or _rerouted(case, index)
        or _by_qmqp(case, settings)
        or _relayed(case, settings)
        or _led_out(case, index, settings)
    )


def _owner(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """Somebody logged in and sent under an address that is not theirs."""
    if case.facts.user is None:
        return None
    setting = settings.on("smtpd_sender_restrictions", case.facts.listener, case.facts.server)
    words = setting.words
    place = next((n for n, word in enumerate(words) if _MISMATCH.fullmatch(word)), None)
    if place is None:
        return _unasked(setting)
    before = next((word for word in words[:place] if _PERMITS.fullmatch(word)), None)
    if before is not None:
        return (
            f"The rule is there and is never asked: in {setting.shown} `{before}` stands before `{words[place]}` and "
            "ends the list for everybody who has logged in. Put `reject_authenticated_sender_login_mismatch` at the "
            "beginning of the list: it asks nobody else, so that the office still writes as it likes."
        )
    earlier = [word for word in words[:place] if word.startswith("check_")]
    if earlier:
        return (
            f"The rule is there, and what stands before it in {setting.shown} may end the list: an `OK` of "
            f"`{earlier[0]}` lets whoever has logged in pass, whatever the sender. Put `{words[place]}` first."
        )
    maps = settings.on("smtpd_sender_login_maps", case.facts.listener, case.facts.server)
    if not maps.value:
        return None
    if words[place] == "reject_known_sender_login_mismatch":
        return (
            f"`{words[place]}` in {setting.shown} refuses what the table of owners gives to somebody else, and lets "
            f"pass what it gives to nobody: {case.facts.sender} has no owner there, or {case.facts.user}. Write "
            "`reject_authenticated_sender_login_mismatch`, which refuses both."
        )
    ends = (
        "A pattern needs both its ends, `/^…$/`, and a backslash before each dot."
        if _is_pattern(maps)
        else "Give each address to its owner alone."
    )
    return (
        f"The rule is asked, and the table of owners gives {case.facts.sender} to {case.facts.user}: {maps.shown}. "
        f"{ends}"
    )


def _unasked(setting: Setting) -> str | None:
    """No rule about owners is asked here. Where an override is the reason, main.cf may hold one all the same."""
    if not setting.where.startswith("master.cf"):
        return None
    return (
        f"Here main.cf does not hold: {setting.shown} stands in its place, and asks for no owner. Put "
        "`reject_authenticated_sender_login_mismatch` at the beginning of it, or take the override out and let main.cf "
        "ask, and see that `smtpd_sender_login_maps` names the owners."
    )


def _rerouted(case: TrafficCase, index: ServerIndex) -> str | None:
    """A table sent the message on for what stands in it or in its envelope, as Postfix notes (access(5),
    header_checks(5))."""
    arrived = case.relayed()
    return None if not arrived or case.addressed_to(arrived[0]) else _by_table(case, index)


def led_astray(case: TrafficCase, index: ServerIndex) -> tuple[Arrival, str] | None:
    """A user's letter that a table handed to somebody's mail server (``FILTER``), and what to do about it."""
    arrived = (a for a in case.arrivals if a.place == "outside" and a.sender and case.addressed_to(a))
    if not case.for_users_alone or (arrival := next(arrived, None)) is None:
        return None
    advice = _by_table(case, index)
    return None if advice is None else (arrival, advice)


def _by_table(case: TrafficCase, index: ServerIndex) -> str | None:
    token = case.facts.token.casefold()
    # A session may hand over several messages: without a queue id a line is this one's if it names it.
    about = index.log.of(case.facts, case.session)
    lines = [line for line in about if line.queue or token in line.text.casefold()]
    if (line := next((line for line in lines if _REROUTES.match(line.text)), None)) is None:
        return None
    return (
        f"A table of yours sent the message where a stranger's own words say: {quoted(index.logged(line.index))} Take "
        "its `REDIRECT`, `BCC` or `FILTER` out, or write out the address to which it leads, without `$1`. Tables of "
        "fields and lines stand in `header_checks`, `body_checks` and their like, those of senders, names and "
        "recipients in a list of restrictions."
    )


def _by_qmqp(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """Mail was handed over by QMQP, in which nobody says EHLO: that server asks for the client's address alone."""
    setting = settings.on("qmqpd_authorized_clients", case.facts.listener, case.facts.server)
    said = case.session.lines if case.session is not None else []
    if not setting.value or any(line.text[:4].upper() in ("EHLO", "HELO") for line in said):
        return None
    return (
        f"Port {case.facts.listener.partition('+')[0]} speaks QMQP, where {setting.shown} alone says who may send to "
        "anybody. Name the office there and nobody else, or take `qmqpd` out of master.cf: nobody here needs it."
    )


def _relayed(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """Mail was passed on: by an override for this listener, or because its domain is relayed for everybody."""
    if case.outcome.authenticated:
        return None
    domains = {split_address(recipient).domain.lower() for recipient in case.facts.recipients}
    relayed = settings.on("relay_domains", case.facts.listener, case.facts.server)
    for word in relayed.words:
        name = word.lower().lstrip(".")
        if name in domains or any(domain.endswith(f".{name}") for domain in domains):
            below = "" if name in domains else " and all names below it (`parent_domain_matches_subdomains`)"
            return (
                f"{relayed.shown} has your server take mail for {word}{below} from everybody and send it on, as a "
                f"backup does. You are asked to do so for nobody: take {word} out."
            )
    recipients = settings.on("smtpd_recipient_restrictions", case.facts.listener, case.facts.server)
    for name in ("smtpd_relay_restrictions", "smtpd_recipient_restrictions", "mynetworks"):
        setting = settings.on(name, case.facts.listener, case.facts.server)
        decides = setting.value or name != "smtpd_relay_restrictions" or not recipients.value
        if decides and setting.where.startswith("master.cf") and _opens(setting, case.facts.address):
            return (
                f"On this listener the list of main.cf does not hold: {setting.shown} stands in its place, and lets in "
                "whom nobody knows. Take the override out of master.cf, or let it say the same as main.cf; a port that "
                "nobody needs is best not opened."
            )
    return _permitted(case, settings)


def _permitted(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """Mail went where it was asked to go: what the list that decides permits before its end, beside the good rules."""
    arrived = case.relayed()
    networks = settings.on("mynetworks", case.facts.listener, case.facts.server)
    if not arrived or not case.addressed_to(arrived[0]):
        return None
    if _opens(networks, case.facts.address):
        return _trusted(networks, case.facts.address)
    if not (lists := deciding(case.facts.listener, case.facts.server, settings)):
        return None
    setting, end = lists[0]
    rules = _GOOD.sub("", setting.value[: end.start()]).strip(" ,")
    if not any(word.startswith(("check_", "permit_")) for word in rules.replace(",", " ").split()):
        return _relay_table(case, settings)
    silent = (
        " A policy server that does not answer lets pass whom its `default_action` says."
        if "check_policy_service" in rules
        else ""
    )
    return (
        f"{setting.shown} permits more than the office and who has logged in: before `{end[0]}` stands `{rules}`. Whom "
        f"that lets pass may send to anybody.{silent} Take it out, or put it behind the end, where it can only refuse."
    )


def _trusted(networks: Setting, address: str) -> str | None:
    """The network by which a client from elsewhere is trusted; ``None`` where parts of others are taken out."""
    if any(word.startswith("!") for word in networks.words):
        return None
    word = next(word for word in networks.words if holds(word, address))
    return (
        f"{networks.shown} trusts everybody in `{word}`, and {address}, who is not of the office, is there. Name the "
        "office and the server itself, and nobody else."
    )


def _relay_table(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """What names domains to relay for is a table, in which anything may stand."""
    relayed = settings.on("relay_domains", case.facts.listener, case.facts.server)
    if not any(sign in relayed.value for sign in ":/"):
        return None
    return (
        f"Nobody but the office and who has logged in is permitted by the list, and {relayed.shown} has your server "
        "take mail for the domains of that table from everybody and send it on. You are asked to do so for nobody: "
        "`relay_domains =`."
    )


def _led_out(case: TrafficCase, index: ServerIndex, settings: PostfixSettings) -> str | None:
    """A recipient of a domain of the server's own became one outside: the restrictions had no say in it."""
    arrived = case.relayed()
    asked = next(
        (r for r in case.facts.recipients if case.facts.token in r), "".join(case.facts.recipients[:1])
    )
    if not arrived or not asked or case.addressed_to(arrived[0]):
        return None
    became = ", ".join(arrived[0].recipients)
    names = index.evidence.names
    maps = settings.on("virtual_alias_maps", case.facts.listener, case.facts.server)
    plain = not any(sign in split_address(asked).local for sign in _ROUTING)
    if domain_of(asked) in {names.get("domain"), names.get("host")} and _is_pattern(maps):
        return (
            f"A pattern turned {asked}, which looks like an address of yours, into {became}, for whoever writes to it: "
            f"{maps.shown}. A pattern must not make the recipient's domain out of what a stranger wrote: write out the "
            "addresses to which aliases lead, or take the pattern out."
        )
    # Checks of header fields send mail elsewhere too, and routes in an address are followed by Postfix itself.
    if not plain or any(
        settings.on(name, case.facts.listener).value for name in ("header_checks", "body_checks")
    ):
        return None
    found = (settings.on(name, case.facts.listener, case.facts.server) for name in _REWRITE)
    shown = [one.shown for one in found if one.value and not one.value.endswith(":/etc/aliases")]
    if not shown:
        return None
    return (
        f"The restrictions let {asked} in because its domain is one of your own; then it became {became}, and left. "
        f"What leads addresses of yours elsewhere stands here: {', '.join(shown)}. Take out of it what lets a stranger "
        "choose where your server sends mail: a pattern, a catch-all, a program that reads the message."
    )


def _is_pattern(maps: Setting) -> bool:
    return "regexp:" in maps.value or "pcre:" in maps.value


def _opens(setting: Setting, address: str) -> bool:
    """Whether a list may let in a client beside those whom it should: by its networks, or before it refuses."""
    if setting.name != "mynetworks":
        rest = [word for word in setting.words if word not in _TRUSTED]
        return not rest or not rest[0].startswith(_REFUSES)
    return any(holds(word, address) for word in setting.words)


def holds(word: str, address: str) -> bool:
    """Whether a network, as lists of Postfix name it, holds an address."""
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(
            word.replace("[", "").replace("]", ""), False
        )
    except ValueError:
        return False
