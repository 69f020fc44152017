"""The settings in a submission: what is kept of them in the evidence, and what of them tells how it is to be tried."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from grader.formats.typography import odd_characters
from grader.kinds.server.declare import ServerSubmission
from grader.kinds.server.facts import SettingsFile
from grader.kinds.server.plan.install import installed
from grader.model.latepattern import late_pattern
from grader.model.submission import Submission

LONGEST = 50_000
"""Octets of a file that is kept; longer ones are none that a person wrote."""
MOST = 20
_SETTINGS = re.compile(r"(?:/main|/master)\.cf\Z|/opendkim(?:-[a-z0-9]{1,20})?\.conf\Z")
_KEY = "PRIVATE KEY"
_CHANGEABLE = re.compile(
    rb"^(?![ \t]*#).*(?:check_policy_service|_milters\b|postscreen|\bspawn\b|_proxy_filter\b|reject_unverified_|"
    rb"\b(?:tcp|socketmap|memcache|ldap|mysql|pgsql|sqlite):)",
    re.MULTILINE,
)
_OF_DNS = re.compile(rb"not found|cannot find", re.IGNORECASE)
_LIMITED = re.compile(rb"^(?![ \t]*#).*_(?:rate|count)_limit\b", re.MULTILINE)
_LIMIT = re.compile(
    rb"^(?![ \t]*#).*?\bsmtpd_client_(?:connection|message|recipient|new_tls_session|auth)_rate_limit"
    rb"[ \t]*=[ \t]*(\d{1,9})",
    re.MULTILINE,
)
_SPARED = re.compile(
    rb"^(?![ \t]*#).*?\bsmtpd_client_(?:event|connection)_limit_exceptions[ \t]*=", re.MULTILINE
)

_ASKED = late_pattern(rb"\b(?:inet|tcp):(?:\[[^]\s]*\]|[^\s,:{}]*):(\d{1,5})\b")
_LISTENER = re.compile(rb"^(?:[^\s#]*:)?([\w-]+)[ \t]+inet(?:[ \t]+\S+){5}[ \t]+(\S+)", re.MULTILINE)
_DAEMONS = (b"smtpd", b"postscreen", b"qmqpd")
_INNER = frozenset(
    b"anvil bounce cleanup discard dnsblog error flush lmtp local nqmgr oqmgr pickup postlogd proxymap qmgr scache "
    b"showq smtp tlsmgr tlsproxy trivial-rewrite verify virtual".split()
)
"""Programs of Postfix's that speak with each other alone, in a way of their own: no mail program is their client."""
_SERVICES = {
    b"smtp": 25, b"urd": 465, b"ssmtp": 465, b"smtps": 465, b"submissions": 465, b"submission": 587, b"qmqp": 628,
}  # fmt: skip
"""Names of ports as /etc/services has them."""


def settings_files(rules: ServerSubmission, submission: Submission) -> list[SettingsFile]:
    """What is kept, at most 20 files, in the order of their names. Private keys are never among them."""
    return sorted(_kept(rules, submission), key=lambda file: file.name)[:MOST]


def _kept(rules: ServerSubmission, submission: Submission) -> Iterator[SettingsFile]:
    for name, file in installed(rules, submission):
        if len(file.data) > LONGEST:
            continue
        text = file.data.decode("utf-8", "replace")
        if _KEY in text or not (_SETTINGS.search(file.path) or _is_odd(text)):
            continue
        yield SettingsFile(name, file.path, text)


def _is_odd(text: str) -> bool:
    """Whether a character is not what it looks like in a line that is no comment."""
    lines = text.split("\n")
    return any(not line.lstrip().startswith("#") and any(odd_characters(line)) for line in lines)


def may_change(files: Iterable[bytes]) -> bool:
    """Whether something that is configured in these files may say something else in a while: a program, a milter,
    postscreen, a server of tables. All else that Postfix decides by stays as it is, limits apart."""
    return any(_CHANGEABLE.search(data) for data in files)


def words_of_dns(files: Iterable[bytes]) -> bool:
    """Whether these files hold the words with which Postfix refuses whom DNS does not know: a program may feign it."""
    return any(_OF_DNS.search(data) for data in files)


def limits_clients(files: Iterable[bytes]) -> bool:
    """Whether these files limit what a client may do at a time or in a minute, so that it is told to come back."""
    return any(_LIMITED.search(data) for data in files)


def most_of_each_client(files: Iterable[bytes]) -> int | None:
    """How many attempts one client can make before a limit for each client puts it off; ``None`` without a limit.

    An attempt may take two connections, and has two recipients at most.
    """
    limits = [int(number) for data in files for number in _LIMIT.findall(data) if int(number)]
    return max(min(limits) // 2, 1) if limits else None


def names_who_is_spared(files: Iterable[bytes]) -> bool:
    """Whether the files say to whom limits for each client do not apply. By default that is ``mynetworks``."""
    return any(_SPARED.search(data) for data in files)


def inner_ports(files: Mapping[str, bytes]) -> list[int]:
    """Where the submission's master.cf has a program listen to the world that Postfix's others alone speak with."""
    ports: dict[int, bool] = {}
    for service, command in _LISTENER.findall(files.get("master.cf", b"")):
        port = _port(service)
        ports[port] = ports.get(port, True) and command in _INNER
    return sorted(port for port, inner in ports.items() if port and inner)


def _port(service: bytes) -> int:
    return _SERVICES.get(service, int(service) if service.isdigit() and len(service) < 6 else 0)


def ports_of_postfix(files: Mapping[str, bytes]) -> list[int]:
    """Where the submission's master.cf, or Debian's, has a daemon of Postfix's listen, and no program of its own."""
    ports: dict[int, bool] = {}
    for service, command in _LISTENER.findall(files.get("master.cf", b"smtp inet n - y - - smtpd\n")):
        port = _port(service)
        ports[port] = ports.get(port, True) and command in _DAEMONS
    return [port for port, postfix in ports.items() if postfix]


def ports_asked(files: Mapping[str, bytes]) -> list[int]:
    """Where Postfix itself is a client, as main.cf and master.cf have it: policy servers, milters, tables, logins.

    All these wait to be asked, and say nothing before (``inet:HOST:PORT`` and ``tcp:HOST:PORT`` in postconf(5),
    socketmap_table(5) and tcp_table(5)).
    """
    settings = [files.get(name, b"") for name in ("main.cf", "master.cf")]
    lines = [line for data in settings for line in data.splitlines() if not line.lstrip().startswith(b"#")]
    return sorted({int(port) for line in lines for port in _ASKED.findall(line)})
