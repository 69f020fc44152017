"""The dialects of Received fields: where each mail system writes what the client called itself and what the server saw.

RFC 5321 section 4.4 asks for ``from CLAIM (NAME [ADDRESS])``; many systems write another form, and the same form means
one thing in one system and the contrary in another. So a form counts for the systems that are known to write it, which
their own marks show. What a form does not tell is not known.

The patterns are of bytes, and use nothing that a browser's regular expressions lack: its scripts take the same table.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

_NAME = r"[^ ()<>\[\],;]{1,255}"
_FOUND = r"(?!(?:HELO|EHLO|LHLO) )[^ ()<>\[\],;@\"]{1,255}"
_LITERAL = r"\[[^\[\] ]{1,80}\]"
_IP = (
    r"(?P<address>[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}|[0-9]{1,5}(?:\.[0-9]{1,5}){2,5}"
    r"|(?:[Ii][Pp][Vv]6:)?[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]{1,45}(?:%[0-9A-Za-z]{1,16})?)"
)
_SEEN = rf"\[{_IP}(?::[0-9]{{1,5}})?\](?::[0-9]{{1,5}})?"
_CLAIM = rf"(?P<claimed>{_NAME}|{_LITERAL}|\"[^\"]{{0,255}}\")"
_IDENT = r"(?:IDENT:)?(?:[^ ()]{0,200}@)?"
_ARGUMENT = r"(?P<claimed>[^ ()]{0,255})"
_TOLD = rf"(?=port=|helo=|ident=)(?:port=[0-9]{{1,5}} ?)?(?:helo={_ARGUMENT})?(?: ?ident=[^ ()]{{0,255}})?"
_USER = r"(?:account|user) [^ ()]{1,255}"

SHAPES: dict[str, str] = {
    # As RFC 5321 has it: the claim, and in parentheses the name and the address that the server found.
    "tcp-info": rf"{_CLAIM} ?\({_IDENT}(?P<name>{_FOUND}) ?{_SEEN}(?:[:,; ][^()]{{0,100}})?\)",
    "tcp-info-forged": rf"{_CLAIM} \({_IDENT}(?P<unsure>{_FOUND}) ?{_SEEN} \(may be forged\)\)",
    "tcp-info-unnamed": (
        rf"{_CLAIM} \((?P<none>[Uu]nknown|UNKNOWN|NXDOMAIN|no-reverse-dns|<[^<>]{{1,80}}>) ?\[(?:{_IP}|unknown)\]\)"
    ),
    "tcp-info-unasked": rf"{_CLAIM} \(<unknown> {_SEEN}\)",
    "claim-seen": rf"{_CLAIM} \( ?{_IDENT}{_SEEN}(?:[ ,][^()]{{0,100}})?\)",
    "claim-seen-failed": rf"{_CLAIM} \((?P<none>{_SEEN} RDNS failed)\)",
    "claim-seen-twice": rf"{_CLAIM} \(\[[^\[\] ]{{1,80}}\] {_SEEN}\)",
    # An address in parentheses without brackets.
    "claim-in-parentheses": rf"{_CLAIM} \(\[?{_IP}\]?(?::[0-9]{{1,5}})?\)",
    "name-in-parentheses": rf"(?P<name>{_FOUND}) \({_IDENT}\[?{_IP}\]?\)",
    "either-in-parentheses": rf"(?P<either>{_NAME}) \({_IDENT}\[?{_IP}\]?(?::[0-9]{{1,5}})?\)",
    # The name before the parenthesis is the one that the server found.
    "helo-equals": rf"(?P<name>{_FOUND}) \({_SEEN} {_TOLD}\)",
    "helo-equals-unnamed": rf"{_SEEN} \({_TOLD}\)",
    "literal-helo-equals": rf"{_LITERAL} \({_SEEN}(?: helo={_ARGUMENT})?\)",
    "name-seen": rf"(?P<name>{_FOUND}) \({_SEEN}\)",
    "name-claim-seen": (
        rf"(?P<name>{_FOUND})(?: \((?P<claimed>{_NAME})\))? \[{_IP}(?:\.[0-9]{{1,5}})?\](?::[0-9]{{1,5}})?"
    ),
    "helo-word": (
        rf"(?P<name>{_FOUND}) \((?:HELO|EHLO|LHLO) ?{_ARGUMENT}\) \({_IDENT}\[?{_IP}\]?(?: with [a-z0-9-]{{1,20}})?\)"
    ),
    "helo-word-unnamed": rf"\[?{_IP}\]?(?::[0-9]{{1,5}})? \((?:HELO|EHLO|LHLO) ?{_ARGUMENT}\)",
    "account-helo": rf"{_SEEN} \({_USER} (?:HELO|EHLO) {_ARGUMENT}\)",
    "account-verified": rf"{_LITERAL} \({_USER} {_SEEN} verified\)",
    "name-verified": rf"(?P<name>{_FOUND}) \((?:{_USER} )?{_SEEN} verified\)",
    "claiming": rf"(?P<name>{_FOUND})\({_IP}\),? claiming to be \"(?P<claimed>[^\" ]{{0,255}})\"",
    "name-comma-helo": rf"(?P<name>{_FOUND})\({_IP}(?:, (?:HELO|EHLO) {_ARGUMENT})?\),?",
    # No parenthesis at all.
    "claim-address": rf"{_CLAIM} {_SEEN}",
    "either-address": rf"(?P<either>{_NAME}) {_SEEN}",
    "polled": rf"(?P<either>{_NAME})(?: \(?\[?{_IP}\]?\)?)?",
    "address": rf"\[?{_IP}\]?(?::[0-9]{{1,5}})?",
    "address-in-parentheses": rf"\((?:{_NAME} )?{_SEEN}\)",
    "address-alone": rf"\({_IP}\)",
    "address-port": r"(?P<address>[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}):[0-9]{1,5}",
    "claim-mailfrom": rf"{_CLAIM}\(mailfrom:[^ ()]{{0,320}}(?: fp:[^ ()]{{0,100}})?\)",
    "claim": _CLAIM,
    "user": rf"\(?(?:{_NAME}|\"[^\"]{{0,255}}\")(?: \(helo={_ARGUMENT}\))?\)?",
    "pickup": r"mail pickup service",
}  # fmt: skip
"""What stands behind ``from``. ``claimed`` is what the client said, ``name`` and ``address`` are what the server found,
``none`` stands where it looked for a name in vain; ``unsure`` is a name that does not lead back to the address, and
``either`` is one of the two names, without a sign which."""


class Dialect(Struct, frozen=True):
    """How a mail system writes. ``mark`` is found in what stands behind the clause ``from``, in its lines alone.

    ``unnamed`` says that it looks for the client's name each time, so that a missing one was not found. ``tls`` says
    that its protocol's name tells whether the line was encrypted. ``kind`` is what such a line tells of: a hop between
    hosts, one within a host, or a mailbox that was emptied.
    """

    id: str
    systems: str
    mark: str
    shapes: list[str]
    unnamed: bool = False
    tls: bool = False
    kind: Literal["hop", "local", "fetched"] = "hop"


_RFC = ["tcp-info-forged", "helo-equals", "helo-equals-unnamed", "helo-word", "tcp-info", "claim-seen"]
_EXIM_ID = r"id 1[0-9A-Za-z]{5}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}(?![0-9A-Za-z-])"

DIALECTS: tuple[Dialect, ...] = (
    Dialect(
        "fetchmail",
        "fetchmail, getmail, mpop, fdm",
        r"\((?:fetchmail|getmail|mpop|fdm)|with (?:POP3|IMAP)S?[ (;]",
        ["polled"],
        kind="fetched",
    ),
    Dialect(
        "exim-local",
        "Exim, handed in on the host",
        r"with (?:local|local-e?smtp|local-bsmtp) .{0,40}\(Exim ",
        ["user"],
        kind="local",
    ),
    Dialect(
        "exim",
        "Exim",
        rf"\(Exim |with [a-z0-9]{{4,12}}(?: .{{0,120}})? {_EXIM_ID}",
        ["helo-equals", "helo-equals-unnamed", "name-seen", "name-claim-seen", "address"],
        tls=True,
    ),
    Dialect(
        "postfix-local",
        "Postfix, handed in on the host",
        r"\([^()]{1,40}, from userid [0-9]{1,10}\)",
        ["claim"],
        kind="local",
    ),
    Dialect(
        "postfix",
        "Postfix; amavis, Mailman and Zimbra behind it",
        r"\(Postfix\)",
        ["tcp-info-unnamed", "tcp-info"],
        tls=True,
    ),
    Dialect(
        "sendmail-local",
        "Sendmail, handed in on the host",
        r"/Submit\)|^by [^ ]+ \(8\.[0-9.]+/[^()]{0,40}\) id|^\(from [^ ()]{1,255}\) by",
        ["claim-seen", "tcp-info", "claim", "user"],
        kind="local",
    ),
    Dialect(
        "sendmail",
        "Sendmail, Proofpoint",
        r"\([^() ]{0,20}8\.[0-9]{1,2}\.[0-9]{1,2}[^()]{0,60}\) (?:with|id)",
        ["tcp-info-forged", "tcp-info", "claim-seen"],
        unnamed=True,
    ),
    Dialect(
        "smtpsvc-pickup",
        "IIS and Exchange 2003, a file picked up",
        r"with Microsoft SMTPSVC",
        ["pickup"],
        kind="local",
    ),
    Dialect(
        "smtpsvc", "IIS and Exchange 2003", r"with Microsoft SMTPSVC", ["claim-seen-failed", "claim-seen"]
    ),
    Dialect(
        "momentum",
        "Momentum (ecelerity), SparkPost",
        r"\(ecelerity",
        ["literal-helo-equals", "helo-equals", "claim-seen"],
    ),
    Dialect("xmail", "XMail", r"with \[XMail", ["claim-in-parentheses", "claim-seen"]),
    Dialect("powermta", "PowerMTA", r"\(PowerMTA", ["claim-in-parentheses", "claim-seen", "tcp-info"]),
    Dialect(
        "exchange",
        "Exchange, Outlook, Microsoft 365",
        r"with (?:Microsoft SMTP Server|mapi|Exchange)|\(Microsoft Exchange|^by [^ ]+ \([0-9A-Fa-f:.%]{2,60}\) with"
        r"|^by [^ ]+\.(?:prod|PROD)\.(?:outlook|OUTLOOK|exchangelabs|EXCHANGELABS|office365|partner\.outlook)"
        r"\.(?:com|COM|us|cn) with HTTPS",
        ["claim-in-parentheses", "claim-seen", "tcp-info"],
    ),
    Dialect(
        "exchange-5",
        "Exchange 5.5",
        r"with (?:SMTP \(Microsoft Exchange )?Internet Mail Service",
        ["tcp-info", "claim"],
    ),
    Dialect(
        "gmail",
        "Gmail, Google Workspace",
        r"^by [^ ]*google\.com[ ;]",
        ["tcp-info", "claim-seen", "claim"],
        tls=True,
    ),
    Dialect(
        "opensmtpd", "OpenSMTPD", r"\(OpenSMTPD\)", ["tcp-info-unnamed", "tcp-info", "claim-seen"], tls=True
    ),
    Dialect("haraka", "Haraka", r"\(Haraka", ["tcp-info-unnamed", "tcp-info"], tls=True),
    Dialect(
        "communigate",
        "CommuniGate Pro",
        r"\(CommuniGate Pro",
        [
            "account-helo",
            "account-verified",
            "name-verified",
            "helo-word-unnamed",
            "helo-equals-unnamed",
            "claim-seen",
            "claim",
        ],
    ),
    Dialect(
        "mdaemon",
        "MDaemon",
        r"\(MDaemon|\[MDaemon",
        ["tcp-info", "claim-seen", "claim-in-parentheses", "claim-address", "claim"],
    ),
    Dialect("imail", "IMail", r"\(SMTPD(?:32)?-", ["claim-address", "tcp-info"]),
    Dialect(
        "smartermail",
        "SmarterMail",
        r"\(SmarterMail|^by [^ ]+ with [^ ]+ \(version=[A-Za-z0-9_.]+\\",
        ["tcp-info", "claim-address"],
    ),
    Dialect(
        "domino",
        "Lotus Notes, IBM and HCL Domino",
        r"\((?:Lotus|IBM|HCL) Domino",
        ["claim-seen", "tcp-info", "claim"],
    ),
    Dialect("amavis", "amavis", r"\(amavisd?(?:-new)?[,)]", ["claim-seen", "tcp-info"]),
    Dialect("cyrus", "Cyrus", r"\(Cyrus ", ["tcp-info", "claim-seen", "claim"], kind="local"),
    Dialect(
        "smap",
        "smap, csmap and Obtuse smtpd",
        r"via (?:smap|csmap|SMTP)(?![A-Za-z])",
        ["claiming", "name-comma-helo", "tcp-info"],
    ),
    Dialect(
        "qmail-local",
        "qmail, handed in on the host",
        r"^\(qmail [0-9]{1,10} (?:invoked|handled)|by uid [0-9]{1,10}(?: |;|$)|with qmail-scanner",
        ["claim"],
        kind="local",
    ),
    Dialect(
        "aliyun", "Alibaba Cloud", r"^by [^ ]*aliyun(?:-inc)?\.com[ (;]", ["claim-mailfrom", "claim-seen"]
    ),
    Dialect("ssmtp", "sSMTP", r"\(sSMTP ", [], kind="local"),
    Dialect(
        "webmail",
        "Squirrelmail, Horde, Roundcube, Yahoo, Hotmail and others, over the Web",
        r"(?:with|via) (?:HTTPS?|http|NNFMP|WorldClient|DAV)(?![A-Za-z])",
        ["tcp-info", "claim-seen", "helo-word-unnamed", "address", "claim"],
    ),
    Dialect(
        "qmail",
        "qmail",
        r"with (?:[^;]{0,60} )?(?:E?SMTPS?A?|QMQP)[^;]{0,80}; ?[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} -0000$",
        ["helo-word", "name-in-parentheses"],
    ),
    Dialect(
        "helo-word",
        "qmail and its kin, qpsmtpd, IronPort, Yahoo, James, Zimbra's LMTP, F-Secure",
        "",
        ["helo-word", "account-helo", "helo-word-unnamed"],
    ),
    Dialect(
        "scanners",
        "InterScan, Tumbleweed, MessageWall, Post.Office, ArGoSoft, MailGate, MessageLabs, AVG",
        r"\((?:InterScan|Tumbleweed|MessageWall|Post\.Office|ArGoSoft|MailGate|AVG)|^by [^ ]*messagelabs\.com ",
        ["address", "claim-seen", "tcp-info"],
    ),
    Dialect(
        "stalwart",
        "Stalwart, Maddy, Rspamd's and Haraka's kin",
        r"\((?:Stalwart|envelope-sender)",
        ["tcp-info", "claim-seen"],
        tls=True,
    ),
    Dialect(
        "loose",
        "Raptor and other relays that write no parenthesis of use",
        r"\(for \[?[^()]{1,80}\)",
        ["claim-seen", "claim"],
    ),
    Dialect(
        "rfc",
        "all that write as RFC 5321 asks: Amazon SES, Barracuda, Courier, Dovecot, Mimecast, Oracle and others",
        "",
        [
            *_RFC,
            "claim-seen-twice",
            "tcp-info-unasked",
            "address-in-parentheses",
            "address-alone",
            "address-port",
            "either-in-parentheses",
            "either-address",
            "claim",
        ],
    ),
)
"""One row a dialect, the more particular before the more general."""

NO_NAMES = frozenset(
    ("unknown", "unverified", "softdnserr", "nodnsquery", "unknownhost", "dnserror", "nxdomain", "none", "anonymous",
     "no-reverse-dns", "no-name", "misconfigured", "mail", "-", ".", "?")
)  # fmt: skip
"""What stands in a name's place, in lower case, and is none."""
