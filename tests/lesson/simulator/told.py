"""What the lesson tells of Postfix in prose, and how one sees it: settings, what is said, and what comes of it."""

from __future__ import annotations

import ssl
from typing import NamedTuple

import pytest

from grader.lesson.simulator.server import Settings

MAIN_CF = {
    "relay_domains": "backup.example",
    "luser_relay": "alice",
    "maximal_queue_lifetime": "0",
    "virtual_alias_maps": "inline:{ info@example.com=alice }",
    "transport_maps": "inline:{ {loop.example = smtp:[mail.example.com]} }",
}
"""What programs other than smtpd(8) read, too: it has to stand in main.cf itself."""
SERVICES = [
    "10525/inet=10525 inet n - y - 1 postscreen"
    " -o postscreen_cache_map= -o postscreen_greet_wait=1s -o postscreen_bare_newline_enable=yes",
    "smtpd/pass=smtpd pass - - y - - smtpd",
]
"""postscreen(8) with one of its deep tests, on a port of its own, and the smtpd(8) behind it: for master.cf."""
ADDRESS = ["EHLO x", "MAIL FROM:<a@b.example>"]


def hello() -> str:
    """How a TLS client begins, as text of single octets."""
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(received, sent, server_hostname="mail.example.com")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read().replace(b"\n", b"\r").decode("latin-1")


class Told(NamedTuple):
    """``entry`` says ``words``; with these settings each line gets a reply of which a line begins so."""

    entry: str
    words: str
    settings: Settings
    session: list[tuple[str, str]]


TOLD = {
    "no size limit": Told(
        "size",
        "With `message_size_limit = 0` there is none, and Postfix offers `SIZE` without a number.",
        {"message_size_limit": "0"},
        [("EHLO x", "250-SIZE\n"), ("MAIL FROM:<a@b.example> SIZE=9999999999", "250 2.1.0")],
    ),
    "strict envelopes": Told(
        "cmd-mail",
        "`strict_rfc821_envelopes = yes` refuses the second, without brackets, and still takes the first.",
        {"strict_rfc821_envelopes": "yes"},
        [
            ("EHLO x", "250 "),
            ("MAIL FROM:a@b.example", "501 5.1.7"),
            ("MAIL FROM: <a@b.example>", "250 2.1.0"),
        ],
    ),
    "no greeting": Told(
        "cmd-mail",
        "Postfix takes it without EHLO, too, unless `smtpd_helo_required = yes`.",
        {},
        [("MAIL FROM:<a@b.example>", "250 2.1.0")],
    ),
    "before the greeting": Told(
        "session-order",
        "NOOP, HELP, RSET, VRFY, EXPN and QUIT are allowed at any time, before EHLO as well.",
        {"smtpd_helo_required": "yes"},
        [
            ("NOOP", "250 2.0.0"),
            ("HELP", "214 2.0.0"),
            ("RSET", "250 2.0.0"),
            ("VRFY alice", "252 2.0.0"),
            ("EXPN staff", "500 5.5.2"),
            ("MAIL FROM:<a@b.example>", "503 5.5.1"),
            ("QUIT", "221 2.0.0"),
        ],
    ),
    "no such domain": Told(
        "reply-450",
        "whether DNS does not answer or answers that there is no such domain",
        {"smtpd_sender_restrictions": "reject_unknown_sender_domain"},
        [*((line, "250 ") for line in ADDRESS), ("RCPT TO:<alice@example.com>", "450 4.1.8")],
    ),
    "no such domain, refused": Told(
        "reply-450",
        "it puts both off, unless `unknown_address_reject_code = 550`.",
        {"smtpd_sender_restrictions": "reject_unknown_sender_domain", "unknown_address_reject_code": "550"},
        # The parameter counts for a certain no alone: this domain does not exist, as DNS says.
        [*((line, "250 ") for line in ADDRESS), ("RCPT TO:<alice@example.com>", "550 5.1.8")],
    ),
    "TLS in a transaction": Told(
        "cmd-starttls",
        "An open transaction is lost.",
        {},
        [*((line, "250 ") for line in ADDRESS), ("STARTTLS", "220 2.0.0")],
    ),
    "a handshake": Told(
        "reply-221",
        "to those who speak something else on a mail port: HTTP, a header field, or TLS",
        {},
        [(hello(), "221 2.7.0 Error: I can break rules, too.")],
    ),
    "backup MX": Told(
        "delivery",
        "`reject_unauth_destination` lets them through, with their subdomains",
        {},
        [
            *((line, "250 ") for line in ADDRESS),
            ("RCPT TO:<x@backup.example>", "250 2.1.5"),
            ("RCPT TO:<x@deep.backup.example>", "250 2.1.5"),
            ("RCPT TO:<x@elsewhere.example>", "554 5.7.1"),
        ],
    ),
    "OK too early": Told(
        "relay-restrictions",
        "`OK` in a map that stands before the last rule opens the relay for everybody who can write that name.",
        {"smtpd_relay_restrictions": "check_sender_access inline:{b.example=OK}, reject_unauth_destination"},
        [*((line, "250 ") for line in ADDRESS), ("RCPT TO:<x@elsewhere.example>", "250 2.1.5")],
    ),
    "postmaster": Told(
        "postmaster",
        "RCPT TO:<postmaster>, even without a domain, has to be taken.",
        {},
        [("EHLO x", "250 "), ("MAIL FROM:<>", "250 2.1.0"), ("RCPT TO:<postmaster>", "250 2.1.5")],
    ),
    "mail on request": Told(
        "etrn",
        "does something for `fast_flush_domains` alone.",
        {},
        # By default these are the relay_domains.
        [
            ("EHLO x", "250 "),
            ("ETRN backup.example", "250 Queuing started"),
            ("ETRN b.example", "459 <b.example>"),
        ],
    ),
    "no milter": Told(
        "signing",
        "by default the client is turned away with 421",
        {"smtpd_milters": "inet:127.0.0.1:1"},
        [("", "421 ")],
    ),
    "catch-all": Told(
        "catch-all",
        "`luser_relay`, for domains of `mydestination`",
        {"local_recipient_maps": ""},
        [*((line, "250 ") for line in ADDRESS), ("RCPT TO:<nobody@example.com>", "250 2.1.5")],
    ),
    "a trusted client": Told(
        "xclient",
        "and begins anew with its greeting",
        {"smtpd_authorized_xclient_hosts": "0.0.0.0/0", "smtpd_authorized_xforward_hosts": "0.0.0.0/0"},
        [
            ("EHLO x", "250-XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT\n"),
            ("EHLO x", "250-XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT\n"),
            ("XFORWARD NAME=client.example.net ADDR=192.0.2.77", "250 2.0.0 Ok"),
            ("XCLIENT NAME=client.example.net ADDR=192.0.2.77", "220 mail.example.com ESMTP Postfix"),
        ],
    ),
    "extensions that it lacks": Told(
        "deliverby",
        "Not offered; the parameter gets 555.",
        {},
        [
            ("EHLO x", "250-PIPELINING"),
            ("MAIL FROM:<a@example.org> BY=3600;R", "555 5.5.4"),
            ("MAIL FROM:<a@example.org> MT-PRIORITY=3", "555 5.5.4"),
            ("MAIL FROM:<a@example.org> REQUIRETLS", "555 5.5.4"),
        ],
    ),
    "48 hops": Told(
        "code-x.4.0",
        "Postfix refuses a message that arrives with 49 Received fields, because its own would be the 50th",
        {},
        [
            *((line, "250 ") for line in ADDRESS),
            ("RCPT TO:<alice@example.com>", "250 "),
            ("DATA", "354 "),
            ("Received: from a by b; Sat, 21 Feb 2026 10:00:00 +0000\r\n" * 48 + "\r\n.", "250 "),
            ("MAIL FROM:<a@b.example>", "250 "),
            ("RCPT TO:<alice@example.com>", "250 "),
            ("DATA", "354 "),
            ("Received: from a by b; Sat, 21 Feb 2026 10:00:00 +0000\r\n" * 49 + "\r\n.", "554 5.4.0"),
        ],
    ),
}
NAMELESS: Settings = {"smtpd_peername_lookup": "no"}
LOGGED: dict[str, tuple[Settings, list[str]]] = {
    "lost connection after CONNECT from": (NAMELESS, []),
    "Relay access denied; from=<y@elsewhere.example>": (
        NAMELESS,
        ["EHLO client", "MAIL FROM:<y@elsewhere.example>", "RCPT TO:<x@elsewhere.example>"],
    ),
    "cannot find your reverse hostname": (
        {**NAMELESS, "smtpd_client_restrictions": "reject_unknown_reverse_client_hostname"},
        ["EHLO client", "MAIL FROM:<y@elsewhere.example>", "RCPT TO:<x@elsewhere.example>"],
    ),
    "need fully-qualified hostname": (
        {**NAMELESS, "smtpd_helo_restrictions": "reject_non_fqdn_helo_hostname"},
        ["EHLO client", "MAIL FROM:<y@elsewhere.example>", "RCPT TO:<x@elsewhere.example>"],
    ),
    "improper command pipelining after EHLO": (NAMELESS, ["EHLO client\r\nMAIL FROM:<a@b.example>"]),
    "specify at least one working instance": (
        {"smtpd_relay_restrictions": "permit_mynetworks", "smtpd_recipient_restrictions": ""},
        [],
    ),
    "bad boolean configuration": ({"smtpd_tls_auth_only": "yess"}, []),
    "cannot get RSA certificate": ({"smtpd_tls_cert_file": "/etc/ssl/lab/host.pem"}, []),
    "cannot get RSA private key": ({"smtpd_tls_key_file": "/etc/ssl/lab/ca.crt"}, []),
    "Connect to Dovecot auth socket": (
        {"smtpd_sasl_auth_enable": "yes", "smtpd_tls_auth_only": "no", "smtpd_sasl_path": "private/dovecot"},
        [],
    ),
    "open database /etc/postfix/senders.db": (
        {"smtpd_client_restrictions": "check_client_access hash:/etc/postfix/senders"},
        [],
    ),
    "connect to Milter service": ({"smtpd_milters": "inet:127.0.0.1:8891"}, []),
}
"""Words of a line in ``log-warnings`` or ``log-faults``, and what makes Postfix log that line."""
SETTINGS: dict[str, Settings] = {
    **{f"told-{place}": told.settings for place, told in enumerate(TOLD.values())},
    **{f"logged-{place}": settings for place, (settings, _) in enumerate(LOGGED.values())},
}
SENT = [
    ("code-x.4.4", "Postfix bounces with `dsn=5.4.4`", "x@nosuch.invalid", r"dsn=5\.4\.4, status=bounced \(Host or "),
    ("step-route", "returned at once; Postfix says `dsn=5.4.4`", "y@nosuch.invalid", r"dsn=5\.4\.4, status=bounced"),
    ("code-x.4.6", "loops back to myself`, dsn 5.4.6", "x@loop.example", r"dsn=5\.4\.6.* loops back to "),
]  # fmt: skip
"""An entry, what it says, a recipient, and what stands in the log when mail for them is sent."""
