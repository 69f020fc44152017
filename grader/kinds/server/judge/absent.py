"""Programs of Postfix's own that others ask, and that master.cf does not start: the log names their sockets.

Who asks in vain says little else: an smtpd waits for minutes and is silent, another one refuses for now, and mail that
no program carries waits as "mail transport unavailable".
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType

from grader.kinds.server.judge.index import ServerIndex
from grader.model.latepattern import late_pattern

_NOBODY = late_pattern(
    r"\bwarning: (?:connect(?: #\d+)? to (?:subsystem |transport )?|problem talking to server )"
    r"(?:/var/spool/postfix/)?(?:public|private)/([\w-]+): No such file"
)
_AWAITED = late_pattern(
    r"/smtpd\[\d+\]: warning: connect #\d+ to subsystem (?:public|private)/([\w-]+): No such file"
)
"""Whom an smtpd waits for, under whichever name its settings have it."""
_NOT_READ = late_pattern(r"/(proxymap|smtpd)\[.*?cannot access UNIX password database")

ASKED: Mapping[str, str] = MappingProxyType(
    {
        "cleanup": "cleanup unix n - y - 0 cleanup",
        "proxymap": "proxymap unix - - n - - proxymap",
        "rewrite": "rewrite unix - - y - - trivial-rewrite",
        "tlsmgr": "tlsmgr unix - - y 1000? 1 tlsmgr",
        "verify": "verify unix - - y - 1 verify",
    }
)
"""Whom an smtpd asks before it answers, with their lines in Debian's master.cf."""
CARRIERS: Mapping[str, str] = MappingProxyType(
    {
        "error": "error unix - - y - - error",
        "lmtp": "lmtp unix - - y - - lmtp",
        "local": "local unix - n n - - local",
        "relay": "relay unix - - y - - smtp",
        "retry": "retry unix - - y - - error",
        "smtp": "smtp unix - - y - - smtp",
        "virtual": "virtual unix - n n - - virtual",
    }
)
"""Whom qmgr(8) gives mail to."""


def absent(index: ServerIndex, whom: Container[str]) -> tuple[int, str] | None:
    """The line of the log that names one of these services, which was asked and was not there, and its name."""
    return _first([one for one in _told(index) if one[1] in whom], index)


def awaited(index: ServerIndex) -> tuple[int, str] | None:
    """The line of the log that names a service without which an smtpd does not answer, and its name."""
    found = [(number, told[1]) for number, told in index.lines_with(_AWAITED).items()]
    return absent(index, ASKED) or _first(found, index)


def absent_carrier(index: ServerIndex) -> str | None:
    """What to do where qmgr gives mail to a transport that master.cf does not have; ``None`` where it has all."""
    told = [one for one in _told(index) if one[1] not in ASKED]
    found = _first([one for one in told if one[1] in CARRIERS], index) or _first(told, index)
    if found is None or found[1] in CARRIERS:
        return for_absent(found[1]) if found else None
    return (
        f"A setting sends mail to the transport `{found[1]}`, and master.cf has no service of that name: write it "
        f"there, or take out what names `{found[1]}:` (`postconf -n`, `postconf -P`, the tables of `transport_maps`)."
    )


def _told(index: ServerIndex) -> list[tuple[int, str]]:
    return [(number, found[1]) for number, found in index.lines_with(_NOBODY).items()]


def _first(told: list[tuple[int, str]], index: ServerIndex) -> tuple[int, str] | None:
    # Which process is first to complain is chance: the same trouble is told in the same words every time.
    return min(told, key=lambda one: index.logged(one[0]), default=None)


def for_absent(name: str) -> str:
    """What to do about it."""
    line = {**ASKED, **CARRIERS}.get(name)
    if line is None:
        return (
            f"A setting has Postfix ask a service `{name}` (`cleanup_service_name`, `rewrite_service_name` and their "
            "like), and master.cf has no line of that name: take the setting out, or write the line."
        )
    return (
        f"Postfix asks its service `{name}`, and nobody is there: master.cf has no such line, or another one. Write it "
        f"as Debian and the starter have it, `{line}`."
    )


def without_passwords(index: ServerIndex) -> tuple[int, str] | None:
    """The line in which proxymap(8), or smtpd itself, says that it sees no list of users, and what to do.

    Nobody exists for them then.
    """
    for number, found in index.lines_with(_NOT_READ).items():
        if found[1] == "proxymap":
            return number, (
                "The users are there, and `proxymap`, which looks them up for smtpd (`local_recipient_maps`), does not "
                "see them: it runs in a chroot, in which there is no list of users. Write `n` in the fifth column of "
                "its line in master.cf, `proxymap unix - - n - - proxymap`."
            )
        return number, (
            "The users are there, and `smtpd` does not see them: it runs in a chroot, in which there is no list of "
            "users. Have `proxymap` look them up, which runs outside: write `proxy:unix:passwd.byname` in place of "
            "`unix:passwd.byname`."
        )
    return None
