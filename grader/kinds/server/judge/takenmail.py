"""What to do about mail that a server took, and that did not come where it should: it waits, or was led elsewhere."""

from __future__ import annotations

import re

from grader.formats.address import split_address
from grader.kinds.server.judge.absent import absent_carrier
from grader.kinds.server.judge.accounts import (
    arrived,
    astray,
    excuse,
    given_up,
    last_word,
    put_aside,
    renamed,
)
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.misset import in_the_log
from grader.kinds.server.judge.remedies import death_of_carrier
from grader.kinds.server.judge.settings import PostfixSettings
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.sentences import quoted

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
_LOCAL_TROUBLE = (
    "The message was taken and could not be delivered: {said} Look at what delivers to users: `mailbox_command`, "
    "`mailbox_transport`, `virtual_transport` and their like, the user whom an alias names, and the services `local`, "
    "`virtual` and `lmtp` of master.cf (`local` and `virtual` run outside the chroot, `n` in the fifth column)."
)
_NO_CARRIER = "mail transport unavailable"
_NOBODY_NEAR = re.compile(r"connect to \S*\[(?:127\.\d+\.\d+\.\d+|::1)\]:(\d+): Connection refused")
_TLS_OUT = re.compile(
    r"TLS is required|Server certificate not|certificate verification failed", re.IGNORECASE
)


def thrown_away(case: TrafficCase, index: ServerIndex) -> str | None:
    """What to do where mail for nobody was taken and Postfix threw it away; ``None`` where it did not."""
    line = excuse(case, index)
    if line is None or "discard" not in f"{line.program} {line.text}":
        return None
    return (
        f"Postfix took the message and threw it away, as its log says: {quoted(index.logged(line.index))} Its sender, "
        "who may have mistyped a name, never hears of it. Take `DISCARD` for addresses of your own domains out of your "
        "tables, and Postfix answers 550 in the session for those that do not exist."
    )


def backscatter(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """What to do where mail for nobody was taken at a domain of aliases; ``None`` where its domain is none."""
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


def everybody_exists(case: TrafficCase, settings: PostfixSettings) -> str | None:
    """What to do where Postfix asks no list of users; ``None`` where that is not set aside."""
    unasked = settings.on("local_recipient_maps", case.facts.listener, case.facts.server)
    anybody = settings.on("luser_relay", case.facts.listener, case.facts.server)
    if not (unasked.where and not unasked.value):
        return None
    more = f", and {anybody.shown} says who gets their mail" if anybody.value else ""
    return (
        f"{unasked.shown} is empty, so that every name counts as a user's{more}. Take it out: the default, "
        "`proxy:unix:passwd.byname $alias_maps`, knows who exists."
    )


def on_the_way(case: TrafficCase, index: ServerIndex) -> str | None:
    """What to do where a message was taken and did not arrive; ``None`` where it did, and something else is wrong."""
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
    if _NO_CARRIER in reason and (nobody := absent_carrier(index)) is not None:
        return f"The message was taken, and nobody carries it: {quoted(reason)} {nobody}"
    content = index.settings.on("content_filter", case.facts.listener, case.facts.server)
    if (filter_ := _next_hop(content.value)) and filter_ in reason:
        return (
            f"The message was taken and waits for a filter: {quoted(reason)} {content.shown} sends all mail there "
            "first. Start what is to answer there, or delete the setting."
        )
    if (near := _NOBODY_NEAR.search(reason)) is not None and not _led_there(near[1], case, index.settings):
        return (
            f"The message was taken and waits for a program that is not there: {quoted(reason)} No setting of "
            f"delivering names port {near[1]}: look for it in a `FILTER` of a table of restrictions, of "
            "`header_checks` or `body_checks`, and take it out, or start what is to answer there."
        )
    if case.for_users_alone:
        return _LOCAL_TROUBLE.format(said=quoted(reason))
    relayhost = index.settings.on("relayhost", case.facts.listener, case.facts.server)
    if (host := relayhost.value.partition(":")[0].strip("[]")) and host in reason:
        return (
            f"The message was taken and could not be sent on: {quoted(reason)} {relayhost.shown} hands all mail to "
            "that server, which does not take it. Here every server is reached without one: delete the setting."
        )
    return (
        f"The message was taken and could not be sent on: {quoted(reason)} Look at what decides about the way out: "
        "`relayhost`, `transport_maps`, `default_transport`, `smtp_…` settings, and the service `smtp unix` of "
        "master.cf."
    )


def _led_there(port: str, case: TrafficCase, settings: PostfixSettings) -> bool:
    """Whether a setting that decides where mail is sent names a port, or a table that may."""
    found = (
        settings.on(name, case.facts.listener, case.facts.server) for name in (*_LEADING, "virtual_transport")
    )
    return any(f":{port}" in one.value or ":/" in one.value for one in found)


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
    unnamed = "a `REDIRECT`, `FILTER` or `DISCARD` in a table, an alias or a forward file, `transport_maps`"
    return (
        f"The server's log says what became of the message: {quoted(index.logged(line.index))} What leads it there is "
        f"{named or unnamed}: take it out."
    )


def _not_moving(case: TrafficCase, queue: str, index: ServerIndex) -> str | None:
    """What to do about mail in a queue for which the server gives no reason."""
    if queue in ("active", "incoming", "deferred") and (dead := death_of_carrier(index)) is not None:
        if (unread := in_the_log(index.logged(dead), index)) is not None:
            return unread
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
