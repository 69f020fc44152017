"""What to do next, by what became of an attempt; the lab's own words serve where nothing more is known.

An advice leads to the cause: the setting that decided, where it is set, and the server's own words about its trouble.
It never opens to everybody what another check wants closed.
"""

from __future__ import annotations

import re

from grader.formats.address import domain_of, split_address
from grader.kinds.server.declare import UNWANTED, ServerCheck
from grader.kinds.server.judge.accounts import (
    arrived,
    astray,
    excuse,
    given_up,
    last_word,
    put_aside,
    renamed,
)
from grader.kinds.server.judge.expectations import OWN_TROUBLE
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.letout import for_what_left, holds
from grader.kinds.server.judge.remedies import death_of_carrier, for_trouble
from grader.kinds.server.judge.settings import SERVICES, PostfixSettings, Setting
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
_RENAMING = (
    "virtual_alias_maps",
    "canonical_maps",
    "recipient_canonical_maps",
    "smtp_generic_maps",
    "smtpd_command_filter",
)
"""Settings that put another recipient in the place of the one that was given."""
_LEADING = (
    "content_filter",
    "transport_maps",
    "sender_dependent_default_transport_maps",
    "sender_dependent_relayhost_maps",
    "relayhost",
    "local_transport",
    "mailbox_transport",
    "default_transport",
)
"""Settings that decide where mail is sent."""
_UNKNOWN_USER = re.compile(r"User unknown in (?:local|virtual|relay)")
_UNKNOWN_SENDER = re.compile(r"Sender address rejected: User unknown in (?:local|virtual|relay)")
_NEEDS_TLS = re.compile(r"530 5\.7\.0 Must issue a STARTTLS command first")
_SWITCH = re.compile(r"`(\w+) = (yes|no)`")
_NOT_OWNED = re.compile(r"<([^<>]*)>: Sender address rejected: not owned by user (\S+)")
_LOCAL_TROUBLE = (
    "The message was taken and could not be delivered: {said} Look at what delivers to users: `mailbox_command`, "
    "`mailbox_transport`, `virtual_transport` and their like, the user whom an alias names, and the services `local`, "
    "`virtual` and `lmtp` of master.cf (`local` and `virtual` run outside the chroot, `n` in the fifth column)."
)
_TLS_OUT = re.compile(
    r"TLS is required|Server certificate not|certificate verification failed", re.IGNORECASE
)


def advice(check: ServerCheck, case: TrafficCase, index: ServerIndex) -> str | None:
    """What to do next about a failed attempt; ``None`` where no more is known than the lab says."""
    settings = index.settings
    if check.expect.alike:
        return _forbidden(case, settings)
    if check.expect.authenticates and (hidden := _hidden(case, settings)) is not None:
        return hidden
    if case.accepted:
        if check.expect.arrives in UNWANTED:
            return for_what_left(case, index)
        if check.expect.refused:
            return _thrown_away(case, index) or _backscatter(case, settings)
        return _on_the_way(case, index)
    reply = case.last_reply
    if reply is None:
        return _not_reached(check, case, settings)
    troubles = index.troubles(case) if OWN_TROUBLE.match(reply.text) else []
    if troubles and (told := for_trouble(troubles, check, case, index)) is not None:
        return told
    if (denied := _ACCESS_DENIED.search(reply.text)) is not None:
        return _denied(case, _list_of(denied[1], case, settings), denied[1])
    if _UNKNOWN_SENDER.search(reply.text):
        return _unknown_sender(case, settings)
    if _UNKNOWN_USER.search(reply.text) and not case.for_users_alone and check.expect.arrives == "outside":
        return _taken_for_own(case, settings)
    if _NEEDS_TLS.match(reply.text) and (told := _tls_demanded(case, settings)) is not None:
        return told
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


def _forbidden(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """VRFY is answered although ``smtpd_forbidden_commands`` names it, which Postfix asks of unknown words alone."""
    setting = settings.on("smtpd_forbidden_commands", case.facts.listener, case.facts.server)
    if "VRFY" not in map(str.upper, setting.words) or not any(s.startswith("VRFY") for s in case.facts.say):
        return None
    return (
        f"Postfix asks {setting.shown} about words that are no command of its own; VRFY it knows, and answers. Set "
        "`disable_vrfy_command = yes`, which is made for it."
    )


def _list_of(what: str, case: TrafficCase, settings: PostfixSettings) -> Setting:
    """The list that refused: the one that is named after it, or another one with a rule about the same thing."""
    own = settings.on(_LISTS[what], case.facts.listener, case.facts.server)
    rules = _RULES[what]
    others = (settings.on(name, case.facts.listener, case.facts.server) for name in _OTHER_LISTS)
    if own.value:
        return own
    return next((found for found in others if any(word.startswith(rules) for word in found.words)), own)


def _unknown_sender(case: TrafficCase, settings: PostfixSettings) -> str:
    """A sender's address of the server's own domain that nobody has."""
    setting = settings.on("smtpd_reject_unlisted_sender", case.facts.listener, case.facts.server)
    rule = setting.shown if setting.value else "`reject_unlisted_sender` in one of the lists of restrictions"
    return (
        f"{rule} refuses senders of your own domains to whom no mail could be delivered, however trusted the client "
        "is. Machines that only send, such as printers, write under such addresses: take it out, or write "
        "`reject_unlisted_sender` behind `permit_mynetworks` in `smtpd_sender_restrictions`."
    )


def _tls_demanded(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """The port of other people's servers takes no mail without TLS."""
    names = ("smtpd_tls_security_level", "smtpd_enforce_tls")
    found = (settings.on(name, case.facts.listener, case.facts.server) for name in names)
    setting = next((one for one in found if one.value in ("encrypt", "yes")), None)
    if setting is None or case.facts.listener != "25":
        return None
    return (
        f"{setting.shown} has port 25 take no mail without TLS, and a public server must not demand it of others (RFC "
        "3207 section 4): set `smtpd_tls_security_level = may` there. For 587, where users log in, `-o "
        "smtpd_tls_security_level=encrypt` in master.cf is right."
    )


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


def _thrown_away(case: TrafficCase, index: ServerIndex) -> str | None:
    """Mail for nobody was taken, and Postfix threw it away."""
    line = excuse(case, index)
    if line is None or "discard" not in f"{line.program} {line.text}":
        return None
    return (
        f"Postfix took the message and threw it away, as its log says: {quoted(index.logged(line.index))} Its sender, "
        "who may have mistyped a name, never hears of it. Take `DISCARD` for addresses of your own domains out of your "
        "tables, and Postfix answers 550 in the session for those that do not exist."
    )


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
    """The server took the message, and it did not arrive. Where it did, something else about it is wrong."""
    waiting = case.waiting()
    if not waiting and arrived(case):
        return None
    if not waiting and (line := given_up(case, index)) is not None and case.for_users_alone:
        return (
            f"The message was taken and then given up: {quoted(index.logged(line.index))} Look at what delivers to "
            "users: `mailbox_command`, `home_mailbox`, `mail_spool_directory`, `mailbox_transport`, "
            "`virtual_mailbox_base` and their like, and at the user whom an alias names: root may not have what others "
            "have."
        )
    if not waiting and (line := given_up(case, index)) is not None:
        return (
            f"The message was taken and then given up: {quoted(index.logged(line.index))} Look at what decides about "
            "the way out: `relayhost`, `transport_maps`, `default_transport`, `disable_dns_lookups`, `smtp_…` settings."
        )
    if not waiting:
        return _renamed(case, index) or _led_away(case, index)
    reason = waiting[0].reason
    if not reason:
        return _not_moving(case, waiting[0].queue, index)
    if _TLS_OUT.search(reason):
        return (
            "The office or the login is fine: the way out is blocked. `smtp_tls_security_level` (the client's side, "
            "`smtp_` without d) demands what other people's servers do not offer. Set `smtp_tls_security_level = may` "
            "in main.cf, and look for an `-o` at the services `smtp` and `relay` of master.cf (RFC 3207 section 4)."
        )
    if case.for_users_alone:
        return _LOCAL_TROUBLE.format(said=quoted(reason))
    content = index.settings.on("content_filter", case.facts.listener, case.facts.server)
    if (filter_ := _next_hop(content.value)) and filter_ in reason:
        return (
            f"The message was taken and waits for a filter: {quoted(reason)} {content.shown} sends all mail there "
            "first. Start what is to answer there, or delete the setting."
        )
    return (
        f"The message was taken and could not be sent on: {quoted(reason)} Look at what decides about the way out: "
        "`relayhost`, `transport_maps`, `default_transport`, `smtp_…` settings, and the service `smtp unix` of "
        "master.cf."
    )


def _next_hop(filter_: str) -> str:
    """Where a ``content_filter`` leads, as a reason in the queue names it: ``:PORT``, or the path of a socket."""
    hop = filter_.partition(":")[2]
    port = hop.rpartition(":")[2]
    return f":{port}" if port.isdigit() else hop.removeprefix("unix:")


def _renamed(case: TrafficCase, index: ServerIndex) -> str | None:
    """Mail was delivered to another address than it was sent to."""
    found = (index.settings.on(name, case.facts.listener, case.facts.server) for name in _RENAMING)
    named = " or ".join(setting.shown for setting in found if setting.value)
    line = renamed(case, index)
    if not named and (line is None or case.for_users_alone):
        return None
    if line is None and not (where := astray(case)):
        return None
    seen = quoted(index.logged(line.index)) if line is not None else f"it was put into {quoted(where)}."
    return (
        f"The message was taken and delivered to another address than it was sent to: {seen} Something has an answer "
        f"for more addresses than it is meant for: {named or 'a table of aliases, or a `REDIRECT`'}. Let it match the "
        "addresses of your own that it is for, and no others."
    )


def _led_away(case: TrafficCase, index: ServerIndex) -> str | None:
    """Mail was sent where nobody reads it, or thrown away."""
    if (line := last_word(case, index)) is None:
        return None
    found = (index.settings.on(name, case.facts.listener, case.facts.server) for name in _LEADING)
    named = " or ".join(setting.shown for setting in found if setting.value)
    return (
        f"The server's log says what became of the message: {quoted(index.logged(line.index))} What leads it there is "
        f"{named or 'a `FILTER` or `DISCARD` in a table, an alias or a forward file, `transport_maps`'}: take it out."
    )


def _not_moving(case: TrafficCase, queue: str, index: ServerIndex) -> str | None:
    """What to do about mail in a queue for which the server gives no reason."""
    if queue in ("active", "incoming", "deferred") and (dead := death_of_carrier(index)) is not None:
        return f"Mend what the server's log names: {quoted(index.logged(dead))} Until then mail stays where it is."
    if queue == "deferred" and (line := put_aside(case, index)) is not None:
        return _LOCAL_TROUBLE.format(said=quoted(index.logged(line.index)))
    if queue == "incoming":
        return (
            "Mail stays in the queue incoming: `qmgr` takes it from there, and does not run or does not come to it. "
            "Look for its line in master.cf, as Debian's has it, and for what the log says of it."
        )
    if queue != "hold":
        return None
    return (
        "Look for what puts mail on hold: `HOLD` in a table of restrictions or of header_checks, a milter's "
        "quarantine. `postqueue -p` marks such mail with `!`, and `postsuper -H` lets it go."
    )


def silent(check: ServerCheck, case: TrafficCase, index: ServerIndex) -> str | None:
    """What to do where nobody listens and the log does not say why; ``None`` for anything else."""
    if not check.expect.greets or case.outcome.stage != "connect":
        return _wrapped(case, index.settings)
    listener = case.facts.listener
    interfaces = index.settings.on("inet_interfaces", listener)
    if interfaces.value and "all" not in interfaces.words:
        return (
            f"The log names no fault: Postfix runs, and listens elsewhere. {interfaces.shown} says at which addresses; "
            "`inet_interfaces = all` is every one that the host has."
        )
    port = listener.partition("+")[0]
    service = SERVICES.get(port, (port,))[0]
    wrapped = ", with `-o smtpd_tls_wrappermode=yes` on the next one," if port == "465" else ""
    return (
        f"The log names no fault: nothing was told to listen on port {port}. Look at the line `{service} inet n - y - "
        f"- smtpd`{wrapped} in master.cf, and at `inet_interfaces = all` in main.cf."
    )


def _wrapped(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """A port on which clients wait for a greeting waits for TLS from them."""
    setting = settings.on("smtpd_tls_wrappermode", case.facts.listener, case.facts.server)
    port = case.facts.listener.partition("+")[0]
    if case.outcome.stage != "greeting" or setting.value != "yes" or port == "465":
        return None
    return (
        f"{setting.shown} has port {port} wait for a TLS handshake before it greets, as is right on 465 alone; whoever "
        "connects here waits for the greeting. Take it away, and set `-o smtpd_tls_wrappermode=yes` below the service "
        "`submissions` of master.cf."
    )


def _hidden(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """AUTH is not offered to the networks of this client."""
    setting = settings.on("smtpd_sasl_exceptions_networks", case.facts.listener, case.facts.server)
    if not any(holds(word, case.facts.address) for word in setting.words):
        return None
    return (
        f"{setting.shown} hides AUTH from {case.facts.address}: who is there cannot log in, as mail programs on the "
        "LAN have to. Delete the line; it is for clients that break at the sight of AUTH."
    )


def overridden(text: str, case: TrafficCase, settings: PostfixSettings) -> str:
    """What to add to an advice to switch something on or off in main.cf, where master.cf says otherwise for a port."""
    for name, value in _SWITCH.findall(text):
        setting = settings.on(name, case.facts.listener, case.facts.server)
        if setting.where.startswith("master.cf") and {setting.value, value} == {"yes", "no"}:
            return (
                f" On port {case.facts.listener.partition('+')[0]} main.cf does not hold: {setting.shown} stands in "
                "its place. Take it out there."
            )
    return ""


def _not_reached(check: ServerCheck, case: TrafficCase, settings: PostfixSettings) -> str | None:
    """Nobody listens at this address and port, or somebody who says nothing."""
    if case.outcome.stage != "connect" or not case.facts.server or check.expect.greets:
        return _wrapped(case, settings)
    port = case.facts.listener.partition("+")[0]
    protocols = settings.on("inet_protocols", port)
    needed = "ipv6" if ":" in case.facts.server else "ipv4"
    if protocols.value and not {"all", needed} & set(protocols.words):
        return (
            f"Nothing listens on port {port} of {case.facts.server}: {protocols.shown} leaves {needed} out. Write "
            "`inet_protocols = all`, which serves both."
        )
    interfaces = settings.on("inet_interfaces", port)
    bound = f" {interfaces.shown} says which addresses are served." if interfaces.value else ""
    return (
        f"Nothing listens on port {port} of {case.facts.server}. Open the port in master.cf; a service there with an "
        f"address before its port serves that address alone.{bound}"
    )
