"""What to do next, by what became of an attempt; the lab's own words serve where nothing more is known.

An advice leads to the cause: the setting that decided, where it is set, and the server's own words about its trouble.
It never opens to everybody what another check wants closed.
"""

from __future__ import annotations

import itertools
import re

from grader.formats.address import domain_of
from grader.kinds.server.declare import UNWANTED, ServerCheck
from grader.kinds.server.judge.absent import without_passwords
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.letout import for_what_left, holds
from grader.kinds.server.judge.misset import (
    at_the_start,
    of_a_domain,
    of_a_login,
    of_a_port,
    of_line_ends,
    of_the_office,
)
from grader.kinds.server.judge.remedies import for_trouble
from grader.kinds.server.judge.settings import SERVICES, PostfixSettings, Setting
from grader.kinds.server.judge.takenmail import backscatter, everybody_exists, on_the_way, thrown_away
from grader.kinds.server.judge.troubles import OWN_TROUBLE
from grader.kinds.traffic.index import TrafficCase

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
_UNKNOWN_SENDER = re.compile(r"Sender address rejected: User unknown in (?:local|virtual|relay)")
_NEEDS_TLS = re.compile(r"530 5\.7\.0 Must issue a STARTTLS command first")
_ODD_ANSWER = re.compile(r"STARTTLS 2(?!20)|EHLO 250 ")
"""STARTTLS is answered with 220 (RFC 3207 section 4), EHLO with a line for each extension (RFC 5321 section
4.1.1.1)."""
_SWITCH = re.compile(r"`(\w+) = (yes|no)`")
_NOT_OWNED = re.compile(r"<([^<>]*)>: Sender address rejected: not owned by user (\S+)")

UNDER_LOAD = (
    "Without load it was kept out: a setting of yours looks at `$stress`, which Postfix sets where all processes of a "
    "port are busy, and whoever opens connections enough brings that about (STRESS_README). Let `$stress` make the "
    "server stricter, with shorter times and fewer errors, and never permit, trust or offer more."
)


def advice(check: ServerCheck, case: TrafficCase, index: ServerIndex) -> str | None:
    """What to do next about a failed attempt; ``None`` where no more is known than the lab says."""
    if case.facts.under_load:
        return UNDER_LOAD
    settings = index.settings
    wants_login = bool(check.expect.authenticates)
    if (wants_login or not case.accepted) and (filtered := _filtered(case, settings)) is not None:
        return filtered
    if (port := of_a_port(case, settings)) is not None:
        return port
    if check.expect.greets and (broken := at_the_start(index)) is not None:
        return broken
    if check.expect.alike:
        return _forbidden(case, settings)
    if check.expect.authenticates and (hidden := _hidden(case, settings)) is not None:
        return hidden
    if case.accepted:
        if check.expect.arrivals_at_most is not None:
            return of_line_ends(case, settings)
        if check.expect.arrives in UNWANTED:
            return for_what_left(case, index)
        if check.expect.refused:
            return thrown_away(case, index) or backscatter(case, settings) or everybody_exists(case, settings)
        # Where the message arrived, and what is wrong is a signature that it bears, nothing led it astray.
        signature = check.expect.signature
        return None if signature is not None and not signature.present else on_the_way(case, index)
    reply = case.last_reply
    if reply is None:
        return _not_reached(check, case, settings)
    troubles = index.troubles(case) if OWN_TROUBLE.match(reply.text) else []
    if troubles and (told := for_trouble(troubles, check, case, index)) is not None:
        return told
    if (denied := _ACCESS_DENIED.search(reply.text)) is not None:
        return _denied(case, _list_of(denied[1], case, settings), denied[1])
    refused = of_a_login(case, settings) or of_a_domain(case, settings) or of_the_office(case, settings)
    if refused is not None:
        return refused
    if _UNKNOWN_SENDER.search(reply.text):
        return _unknown_sender(case, settings)
    if _UNKNOWN_USER.search(reply.text) and (unseen := without_passwords(index)) is not None:
        return unseen[1]
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
    named = next((found for found in others if any(word.startswith(rules) for word in found.words)), None)
    relay = settings.on("smtpd_relay_restrictions", case.facts.listener, case.facts.server)
    bare = what == "Recipient address" and "reject" in relay.words
    return named or (relay if bare else own)


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
    if setting.name == "smtpd_relay_restrictions":
        return (
            f"“{what} rejected: Access denied” comes from the list {setting.shown}: whom nothing before it permits is "
            "refused at its bare `reject`, mail for your own domains included. Write `reject_unauth_destination` in "
            "its place, which refuses mail for other people's domains alone."
        )
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
    """AUTH is not offered to the networks of this client, or AUTH or STARTTLS to nobody on this port."""
    listener, server = case.facts.listener, case.facts.server
    setting = settings.on("smtpd_sasl_exceptions_networks", listener, server)
    if any(holds(word, case.facts.address) for word in setting.words):
        return (
            f"{setting.shown} hides AUTH from {case.facts.address}: who is there cannot log in, as mail programs on "
            "the LAN have to. Delete the line; it is for clients that break at the sight of AUTH."
        )
    discards = settings.on("smtpd_discard_ehlo_keywords", listener, server)
    hidden = [word for word in discards.words if word.lower() in ("auth", "starttls")]
    if not hidden:
        return None
    return (
        f"{discards.shown} takes {' and '.join(word.upper() for word in hidden)} out of the answer to EHLO, so that no "
        f"mail program finds it here. Take {' and '.join(f'`{word}`' for word in hidden)} out of the list."
    )


def _filtered(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """A client's command became another one before smtpd saw it, as the answer shows: Postfix has none such for it."""
    setting = settings.on("smtpd_command_filter", case.facts.listener, case.facts.server)
    if not setting.value or case.session is None:
        return None
    for asked, answer in itertools.pairwise(case.session.lines):
        verb = asked.text.partition(" ")[0]
        if asked.who == "C" and answer.who == "S" and _ODD_ANSWER.match(f"{verb.upper()} {answer.text}"):
            return (
                f"{setting.shown} makes another command of `{verb}` before the server sees it: what came back is no "
                "answer to it. Take the setting out, or let its table match only what it is for."
            )
    return None


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
