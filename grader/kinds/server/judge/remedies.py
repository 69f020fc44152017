"""What to do about a trouble of the server's own, by its log's words."""

from __future__ import annotations

import re

from grader.kinds.server.declare import ServerCheck
from grader.kinds.server.judge.dkim.workless import for_milter
from grader.kinds.server.judge.index import CAUSE, MILTER_TROUBLE, ServerIndex
from grader.kinds.server.judge.misset import in_the_log
from grader.kinds.server.judge.settings import PostfixSettings
from grader.kinds.traffic.index import SYSTEM_TROUBLE, TrafficCase
from grader.kinds.traffic.sentences import quoted

_NO_RESTRICTION = re.compile(
    r"(?:unknown smtpd restriction:|support for restriction) [\"`]?([^\s\"`']{1,60})"
)
_NO_ANSWER = re.compile(
    r"connect to (?:\S+ )?((?:\S+:)?\d+|private/\S+|/\S+): (Connection refused|No such file)"
)
_NO_MILTER = re.compile(r"connect to Milter service (\S+): ")
_GREETER_DIED = re.compile(r"/smtpd(?:\[\d+\])?: (?:fatal|panic): ")
_CARRIER_DIED = re.compile(
    r"/(?:smtp|lmtp|local|virtual|pipe|qmgr|cleanup|trivial-rewrite)(?:\[\d+\])?: (?:fatal|panic): "
)
_HELPER_FAILED = re.compile(
    r"/(?:cleanup|trivial-rewrite|proxymap|verify)(?:\[\d+\])?: (?:fatal|panic|error): "
)
"""Of those whom an smtpd asks before it answers a client: one that died, or has no table."""
_NO_KEY = re.compile(r"cannot get \w+ (private key|certificate) from file \"([^\"]{1,200})\"")
_KEYS = (
    "smtpd_tls_chain_files",
    "smtpd_tls_key_file",
    "smtpd_tls_cert_file",
    "smtpd_tls_eckey_file",
    "smtpd_tls_eccert_file",
)
_NO_NETWORK = re.compile(
    r"non-null host address bits in \"([^\"]{1,100})\", perhaps you should use \"([^\"]{1,100})\""
)
_NETWORKS = ("mynetworks", "smtpd_authorized_xclient_hosts", "smtpd_authorized_xforward_hosts")
_NO_MECHANISMS = "fatal: no SASL authentication mechanisms"
_NO_DOVECOT = re.compile(r"Connect to Dovecot auth socket '([^']{1,200})' failed: (.{1,100})")
_POSTSCREEN_ALONE = re.compile(r"/postscreen\[\d+\]: warning: cannot connect to service private/(\S+): ")
_SPOOL = "/var/spool/postfix/"
_FORBIDS_PASSWORDS = "noplaintext"


def for_trouble(lines: list[int], check: ServerCheck, case: TrafficCase, index: ServerIndex) -> str | None:
    """What to do about the trouble that these lines of the log tell of; ``None`` where the lab says it better."""
    text = index.logged(lines[0])
    # What a lab about milters says of them is better than what could be said here without knowing the cause.
    if "opendkim.conf" in check.next:
        if (told := for_milter([index.logged(line) for line in lines])) is not None:
            return told
        if text.startswith("opendkim:"):
            return None
    if MILTER_TROUBLE.search(index.facts.log[lines[0]]):
        return None if "milter" in check.next.lower() else _milter(text, case, index.settings)
    if (unreadable := in_the_log(text, index)) is not None:
        return unreadable
    if (found := _NO_RESTRICTION.search(text)) is not None:
        return (
            f"This Postfix knows no restriction `{found[1]}`: it is misspelt, or from a version long gone. Take it out "
            "of the list; `reject_unauth_destination` is what refuses mail for other people's domains."
        )
    if (unread := _NO_KEY.search(text)) is not None:
        setting = _naming(unread[2], _KEYS, case, index.settings)
        return (
            f"Postfix finds no {unread[1]} in {unread[2]}, which {setting} names, and does without TLS: the file is "
            "not there, or holds something else. Write `smtpd_tls_cert_file = /etc/ssl/lab/host.crt` and "
            "`smtpd_tls_key_file = /etc/ssl/lab/host.key`."
        )
    if (slipped := _NO_NETWORK.search(text)) is not None:
        setting = _naming(slipped[1], _NETWORKS, case, index.settings)
        return (
            f"`{slipped[1]}` is a host with a network's mask, and Postfix reads no list that holds one: {setting}. "
            f"Write `{slipped[2]}`, or the host without a mask."
        )
    if (silent := _NO_ANSWER.search(text)) is not None:
        return (
            f"A setting of yours asks a program at {silent[1]}, and none is there: start it (a service in master.cf), "
            f"or take what names `{silent[1]}` out of the list. `postconf -n` and `postconf -P` show in which line."
        )
    return as_the_log_says(text)


def _naming(value: str, names: tuple[str, ...], case: TrafficCase, settings: PostfixSettings) -> str:
    """The setting, of several, that holds a value; their names where it is none, as where a table holds it."""
    found = (settings.on(name, case.facts.listener, case.facts.server) for name in names)
    return next((one.shown for one in found if value in one.words), f"`{names[0]}` or one like it")


def as_the_log_says(text: str) -> str:
    """What is left to say where nothing more is known than the server's own words."""
    return f"Mend what the server's log names: {quoted(text)} The client was only told to come back later."


def _milter(text: str, case: TrafficCase, settings: PostfixSettings) -> str:
    """Postfix cannot ask a filter without which it takes no mail, in a lab that wants none."""
    if (absent := _NO_MILTER.search(text)) is None:
        return as_the_log_says(text)
    setting = settings.on("smtpd_milters", case.facts.listener, case.facts.server)
    return (
        f"{setting.shown} has Postfix ask a mail filter (milter) at {absent[1]} about each session, and none answers "
        "there. This task wants no filter: delete the setting. Where a filter is wanted, it has to run before Postfix "
        "can take mail."
    )


def death_of_greeter(case: TrafficCase, index: ServerIndex) -> tuple[list[int], str] | None:
    """Why a port takes connections and cannot greet: the log's lines, the cause first, and what to do.

    ``None`` where no process of Postfix that was to greet came to its end.
    """
    line = index.decisive_log
    if line is None or not _GREETER_DIED.search(index.facts.log[line]):
        return None
    if _NO_MECHANISMS in index.facts.log[line]:
        return _without_mechanisms(line, case, index)
    if (unreadable := in_the_log(index.logged(line), index)) is not None:
        return [line], unreadable
    said = quoted(index.logged(line))
    return [
        line
    ], f"Mend what the server's log names: {said} Until then the port takes connections and cannot greet."


def _without_mechanisms(line: int, case: TrafficCase, index: ServerIndex) -> tuple[list[int], str]:
    """AUTH is switched on, and nothing is left to offer: Dovecot was not found, or what it offers is forbidden."""
    path = index.settings.on("smtpd_sasl_path", case.facts.listener, case.facts.server)
    for number, found in index.lines_with(_NO_DOVECOT).items():
        chroot = (
            f" An `smtpd` that runs in a chroot (`y` in the fifth column of master.cf) has {_SPOOL} for its root, and "
            "looks for the path below it."
            if found[1].startswith(_SPOOL)
            else ""
        )
        return [number, line], (
            f"Postfix asks Dovecot for passwords at `{found[1]}`, by {path.shown}, and nothing is there: "
            f"{found[2]}.{chroot} Write `smtpd_sasl_path = private/auth`."
        )
    names = ("smtpd_sasl_tls_security_options", "smtpd_sasl_security_options")
    options = [index.settings.on(name, case.facts.listener, case.facts.server) for name in names]
    forbids = next((setting for setting in options if _FORBIDS_PASSWORDS in setting.words), None)
    if forbids is not None:
        return [line], (
            f"{forbids.shown} forbids PLAIN and LOGIN, and Dovecot offers no others: nothing is left. In TLS both are "
            f"safe: take `{_FORBIDS_PASSWORDS}` out, and keep passwords out of the clear with `smtpd_tls_auth_only = "
            "yes`."
        )
    return [line], (
        f"Postfix was offered no way to check a password: {path.shown} leads to nobody, or what Dovecot offers is "
        "forbidden (`smtpd_sasl_security_options`). Write `smtpd_sasl_type = dovecot` and `smtpd_sasl_path = "
        "private/auth`."
    )


def death_of_carrier(index: ServerIndex) -> int | None:
    """The line of the log in which a process that was to deliver mail came to its end; ``None`` where none did."""
    return index.first_with(_CARRIER_DIED)


def death_of_helper(case: TrafficCase, index: ServerIndex) -> int | None:
    """The line of the log that says why a server that greets has no answer to a mail, or one that tells of trouble.

    ``None`` where the session's own process says why, or none of those failed on whom it depends.
    """
    causes = (index.lines_with(SYSTEM_TROUBLE), index.lines_with(CAUSE))
    own = any(n in lines for n in index.troubles(case) for lines in causes)
    return None if own else index.first_with(_HELPER_FAILED)


def for_helper(line: int, index: ServerIndex) -> str:
    """What to do about what ``death_of_helper`` found."""
    return (
        f"Mend what the server's log names: {quoted(index.logged(line))} Until then the port greets, and no mail gets "
        "further than that."
    )


def nobody_behind_postscreen(reply: str, index: ServerIndex) -> tuple[int, str] | None:
    """What to do where postscreen(8) lets a client pass and finds no smtpd for it: the log's line, and the remedy."""
    if "server ports are busy" not in reply:
        return None
    number, found = next(iter(index.lines_with(_POSTSCREEN_ALONE).items()), (0, None))
    if found is None:
        return None
    return number, (
        f"postscreen hands whoever passes its tests to the service `{found[1]}` of type `pass`, and master.cf has "
        f"none: add the line `{found[1]} pass - - y - - smtpd`, with the options that stood below `smtp inet` "
        "(POSTSCREEN_README)."
    )
