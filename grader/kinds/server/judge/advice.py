"""What to do next, by what became of an attempt; the lab's own words serve where nothing more is known.

An advice leads to the cause: the setting that decided, where it is set, and the server's own words about its trouble.
It never opens to everybody what another check wants closed.
"""

from __future__ import annotations

import ipaddress
import re

from grader.formats.address import domain_of, split_address
from grader.kinds.server.declare import UNWANTED, ServerCheck
from grader.kinds.server.judge.accounts import given_up
from grader.kinds.server.judge.expectations import OWN_TROUBLE
from grader.kinds.server.judge.index import MILTER_TROUBLE, ServerIndex
from grader.kinds.server.judge.settings import PostfixSettings, Setting
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.sentences import quoted

_ACCESS_DENIED = re.compile(
    r"(Client host|Helo command|Sender address|Recipient address) rejected: Access denied"
)
_LISTS = {
    "Client host": "smtpd_client_restrictions",
    "Helo command": "smtpd_helo_restrictions",
    "Sender address": "smtpd_sender_restrictions",
    "Recipient address": "smtpd_recipient_restrictions",
}
_OTHER_LISTS = (*_LISTS.values(), "smtpd_relay_restrictions", "smtpd_data_restrictions")
_RULES = {
    "Client host": ("check_client", "check_reverse_client", "reject_unknown_client"),
    "Helo command": ("check_helo",),
    "Sender address": ("check_sender",),
    "Recipient address": ("check_recipient",),
}
_UNKNOWN_USER = re.compile(r"User unknown in (?:local|virtual|relay)")
_NOT_OWNED = re.compile(r"<([^<>]*)>: Sender address rejected: not owned by user (\S+)")
_NO_RESTRICTION = re.compile(r"(?:unknown smtpd restriction:|support for restriction) [\"`]?(\w+)")
_NO_ANSWER = re.compile(
    r"connect to (?:\S+ )?((?:\S+:)?\d+|private/\S+|/\S+): (Connection refused|No such file)"
)
_NO_MILTER = re.compile(r"connect to Milter service (\S+): ")
_TLS_OUT = re.compile(
    r"TLS is required|Server certificate not|certificate verification failed", re.IGNORECASE
)
_MISMATCH = re.compile(r"reject(?:_known|_authenticated)?_sender_login_mismatch")
_TRUSTED = ("permit_mynetworks", "permit_sasl_authenticated")
_REFUSES = ("reject", "defer")
_PERMITS = re.compile(r"permit(?:_sasl_authenticated)?")


def advice(check: ServerCheck, case: TrafficCase, index: ServerIndex) -> str | None:
    """What to do next about a failed attempt; ``None`` where no more is known than the lab says."""
    settings = index.settings
    if check.expect.alike:
        return _forbidden(case, settings)
    if case.accepted:
        if check.expect.arrives in UNWANTED:
            return _owner(case, settings) or _relayed(case, settings) or _unpacked(case, index, settings)
        if check.expect.refused:
            return _backscatter(case, settings)
        return _on_the_way(case, index)
    reply = case.last_reply
    if reply is None:
        return _not_reached(check, case, settings)
    if (told := _trouble(check, case, index, settings)) is not None:
        return told
    if (denied := _ACCESS_DENIED.search(reply.text)) is not None:
        return _denied(case, _list_of(denied[1], case, settings), denied[1])
    if _UNKNOWN_USER.search(reply.text) and not case.for_users_alone and check.expect.arrives == "outside":
        return _taken_for_own(case, settings)
    if (owned := _NOT_OWNED.search(reply.text)) is not None:
        return _not_owned(owned[1], owned[2], settings.on("smtpd_sender_login_maps", case.facts.listener))
    if reply.enhanced == "5.3.4":
        limit = settings.on("message_size_limit", case.facts.listener, case.facts.server)
        return (
            f"The server refuses messages for their size: {limit.shown}. A message of 64 KiB must pass everywhere "
            "(RFC 5321 section 4.5.3.1.7), and real ones bring pictures: delete the line, and the default of "
            "10240000 octets holds."
        )
    return None


def _trouble(
    check: ServerCheck, case: TrafficCase, index: ServerIndex, settings: PostfixSettings
) -> str | None:
    """The server has trouble of its own: its log, which the report quotes, says which."""
    reply = case.last_reply
    lines = index.troubles(case) if reply is not None and OWN_TROUBLE.match(reply.text) else []
    if not lines:
        return None
    text = index.logged(lines[0])
    # What a lab about milters, or this one, says of them is better than what could be said here.
    if text.startswith("opendkim:") and "opendkim.conf" in check.next:
        return None
    if MILTER_TROUBLE.search(index.facts.log[lines[0]]):
        return None if "milter" in check.next.lower() else _milter(text, case, settings)
    if (found := _NO_RESTRICTION.search(text)) is not None:
        return (
            f"This Postfix knows no restriction `{found[1]}`: it is misspelt, or from a version long gone. Take it out "
            "of the list; `reject_unauth_destination` is what refuses mail for other people's domains."
        )
    if (silent := _NO_ANSWER.search(text)) is not None:
        return (
            f"A setting of yours asks a program at {silent[1]}, and none is there: start it (a service in master.cf), "
            f"or take what names `{silent[1]}` out of the list. `postconf -n` and `postconf -P` show in which line."
        )
    return _as_the_log_says(text)


def _forbidden(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """VRFY is answered although ``smtpd_forbidden_commands`` names it, which Postfix asks of unknown words alone."""
    setting = settings.on("smtpd_forbidden_commands", case.facts.listener, case.facts.server)
    if "VRFY" not in map(str.upper, setting.words) or not any(s.startswith("VRFY") for s in case.facts.say):
        return None
    return (
        f"Postfix asks {setting.shown} about words that are no command of its own; VRFY it knows, and answers. Set "
        "`disable_vrfy_command = yes`, which is made for it."
    )


def _as_the_log_says(text: str) -> str:
    return f"Mend what the server's log names: {quoted(text)} The client was only told to come back later."


def _milter(text: str, case: TrafficCase, settings: PostfixSettings) -> str:
    """Postfix cannot ask a filter without which it takes no mail, in a lab that wants none."""
    if (absent := _NO_MILTER.search(text)) is None:
        return _as_the_log_says(text)
    setting = settings.on("smtpd_milters", case.facts.listener, case.facts.server)
    return (
        f"{setting.shown} has Postfix ask a mail filter (milter) at {absent[1]} about each session, and none answers "
        "there. This task wants no filter: delete the setting. Where a filter is wanted, it has to run before Postfix "
        "can take mail."
    )


def _list_of(what: str, case: TrafficCase, settings: PostfixSettings) -> Setting:
    """The list that refused: the one that is named after it, or another one with a rule about the same thing."""
    own = settings.on(_LISTS[what], case.facts.listener, case.facts.server)
    rules = _RULES[what]
    others = (settings.on(name, case.facts.listener, case.facts.server) for name in _OTHER_LISTS)
    if own.value:
        return own
    return next((found for found in others if any(word.startswith(rules) for word in found.words)), own)


def _taken_for_own(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """The server believes that other people's domain is its own, so that it knows nobody there."""
    domain = next((domain_of(r) for r in case.facts.recipients if case.facts.token in r), "")
    names = ("mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains")
    found = [settings.on(name, case.facts.listener, case.facts.server) for name in names]
    setting = next((s for s in found if domain in map(str.lower, s.words)), None)
    where = (
        setting.shown if setting else "`mydestination`, `virtual_alias_domains` or `virtual_mailbox_domains`"
    )
    return (
        f"Your server takes {domain} for a domain of its own, and looks for the recipient here: {where}. Take other "
        "people's domains out of it: mail for them belongs to the servers that DNS names."
    )


def _denied(case: TrafficCase, setting: Setting, what: str) -> str | None:
    """A list of restrictions refused by a bare ``reject`` or by a map."""
    if not setting.value:
        return None
    return (
        f"“{what} rejected: Access denied” comes from the list {setting.shown}, which port {case.facts.listener} asks "
        "before all later ones: whom nothing there permits is refused at its `reject`, or by a map that it names. "
        "Every list is asked, and a `permit` in another one does not help. Take the `reject` out of it: who may "
        "relay is decided in `smtpd_relay_restrictions` alone."
    )


def _not_owned(sender: str, user: str, setting: Setting) -> str:
    return (
        f"{user} has logged in, and to the table of owners {sender} is not {user}'s: {setting.shown}. On its left "
        f"stands the address, on its right the login name exactly as it was given to AUTH, here `{user}`, without "
        f"a domain: `{sender} {user}`."
    )


def _owner(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """Somebody logged in and sent under an address that is not theirs."""
    if case.facts.user is None:
        return None
    setting = settings.on("smtpd_sender_restrictions", case.facts.listener, case.facts.server)
    words = setting.words
    place = next((n for n, word in enumerate(words) if _MISMATCH.fullmatch(word)), None)
    if place is None:
        return None
    before = next((word for word in words[:place] if _PERMITS.fullmatch(word)), None)
    if before is not None:
        return (
            f"The rule is there and is never asked: in {setting.shown} `{before}` stands before `{words[place]}` and "
            "ends the list for everybody who has logged in. Put `reject_authenticated_sender_login_mismatch` at the "
            "beginning of the list: it asks nobody else, so that the office still writes as it likes."
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
        if "regexp:" in maps.value or "pcre:" in maps.value
        else "Give each address to its owner alone."
    )
    return (
        f"The rule is asked, and the table of owners gives {case.facts.sender} to {case.facts.user}: {maps.shown}. "
        f"{ends}"
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
    for name in ("smtpd_relay_restrictions", "smtpd_recipient_restrictions", "mynetworks"):
        setting = settings.on(name, case.facts.listener, case.facts.server)
        if setting.where.startswith("master.cf") and _opens(setting, case.facts.address):
            return (
                f"On this listener the list of main.cf does not hold: {setting.shown} stands in its place, and lets in "
                "whom nobody knows. Take the override out of master.cf, or let it say the same as main.cf; a port that "
                "nobody needs is best not opened."
            )
    return None


def _unpacked(case: TrafficCase, index: ServerIndex, settings: PostfixSettings) -> str | None:
    """A local recipient became one outside by a pattern of aliases."""
    names = index.evidence.names
    here = {names.get("domain"), names.get("host")}
    maps = settings.on("virtual_alias_maps", case.facts.listener, case.facts.server)
    local = next((r for r in case.facts.recipients if split_address(r).domain.lower() in here), None)
    arrived = case.relayed()
    if local is None or not arrived or not ("regexp:" in maps.value or "pcre:" in maps.value):
        return None
    return (
        f"A pattern turned {local}, which looks like an address of yours, into {', '.join(arrived[0].recipients)}, for "
        f"whoever writes to it: {maps.shown}. A pattern must not make the recipient's domain out of what a stranger "
        "wrote: write out the addresses to which aliases lead, or take the pattern out."
    )


def _opens(setting: Setting, address: str) -> bool:
    """Whether a list may let in a client beside those whom it should: by its networks, or before it refuses."""
    if setting.name != "mynetworks":
        rest = [word for word in setting.words if word not in _TRUSTED]
        return not rest or not rest[0].startswith(_REFUSES)
    return any(_holds(word, address) for word in setting.words)


def _holds(word: str, address: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(
            word.replace("[", "").replace("]", ""), False
        )
    except ValueError:
        return False


def _backscatter(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """Mail for nobody was taken at a domain of aliases."""
    aliased = settings.on("virtual_alias_domains", case.facts.listener, case.facts.server)
    domains = {split_address(recipient).domain.lower() for recipient in case.facts.recipients}
    if not (found := next((word for word in aliased.words if word.lower() in domains), None)):
        return None
    maps = settings.on("virtual_alias_maps", case.facts.listener, case.facts.server)
    return (
        f"{aliased.shown} has your server take mail for {found}, and {maps.shown} has an answer for every address "
        "there, so that nobody asks whether the user exists. Write a line for each address that there is, and none "
        "for all."
    )


def _on_the_way(case: TrafficCase, index: ServerIndex) -> str | None:
    """The server took the message, and it did not arrive."""
    waiting = case.waiting()
    if not waiting and (line := given_up(case, index)) is not None and not case.for_users_alone:
        return (
            f"The message was taken and then given up: {quoted(index.logged(line.index))} Look at what decides about "
            "the way out: `relayhost`, `transport_maps`, `default_transport`, `disable_dns_lookups`, `smtp_…` settings."
        )
    if not waiting:
        return None
    reason = waiting[0].reason
    if not reason:
        return _not_moving(waiting[0].queue)
    if _TLS_OUT.search(reason):
        return (
            "The office or the login is fine: the way out is blocked. `smtp_tls_security_level` (the client's side, "
            "`smtp_` without d) demands what other people's servers do not offer. Set `smtp_tls_security_level = may` "
            "in main.cf, and look for an `-o` at the services `smtp` and `relay` of master.cf (RFC 3207 section 4)."
        )
    return (
        f"The message was taken and could not be sent on: {quoted(reason)} Look at what decides about the way out: "
        "`relayhost`, `transport_maps`, `default_transport`, `smtp_…` settings, and the service `smtp unix` of "
        "master.cf."
    )


def _not_moving(queue: str) -> str | None:
    """What to do about mail in a queue for which the server gives no reason."""
    if queue != "hold":
        return None
    return (
        "Look for what puts mail on hold: `HOLD` in a table of restrictions or of header_checks, a milter's "
        "quarantine. `postqueue -p` marks such mail with `!`, and `postsuper -H` lets it go."
    )


def silent(check: ServerCheck, case: TrafficCase, index: ServerIndex) -> str | None:
    """What to do where nobody listens and the log does not say why; ``None`` for anything else."""
    if not check.expect.greets or case.outcome.stage != "connect":
        return None
    port = case.facts.listener
    interfaces = index.settings.on("inet_interfaces", port)
    if interfaces.value and "all" not in interfaces.words:
        return (
            f"The log names no fault: Postfix runs, and listens elsewhere. {interfaces.shown} says at which addresses; "
            "`inet_interfaces = all` is every one that the host has."
        )
    return (
        f"The log names no fault: nothing was told to listen on port {port}. Look at the line `smtp inet n - y - - "
        "smtpd` in master.cf, and at `inet_interfaces = all` in main.cf."
    )


def _not_reached(check: ServerCheck, case: TrafficCase, settings: PostfixSettings) -> str | None:
    """Nobody listens at this address and port, or somebody who says nothing."""
    if case.outcome.stage != "connect" or not case.facts.server or check.expect.greets:
        return None
    port = case.facts.listener.partition("+")[0]
    interfaces = settings.on("inet_interfaces", port)
    bound = f" {interfaces.shown} says which addresses are served." if interfaces.value else ""
    return (
        f"Nothing listens on port {port} of {case.facts.server}. Open the port in master.cf; a service there with an "
        f"address before its port serves that address alone.{bound}"
    )
