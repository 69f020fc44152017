"""Lines that the sheets record of Postfix with other settings than the simulator's: the real one says them again."""

from __future__ import annotations

import pytest

from grader.lesson.entries import CommandEntry, ReplyEntry
from grader.lesson.library import library
from grader.lesson.simulator.real import RealServer
from grader.lesson.simulator.server import Settings
from grader.lesson.simulator.table import table
from grader.model.protocol.host import RunCommand
from tests.conftest import PATIENCE

pytestmark = [pytest.mark.slow, pytest.mark.together("configured")]

DOWN = "454 4.7.0 Temporary authentication failure: (reason unavailable)"
TRANSACTION = "EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<alice@example.com>\r\n"
RECORDED: dict[str, tuple[Settings, str]] = {
    "421 4.4.2 mail.example.com Error: timeout exceeded": ({"smtpd_timeout": "1s"}, ""),
    "450 4.1.8 <a@b.example>: Sender address rejected: Domain not found": (
        {"smtpd_sender_restrictions": "reject_unknown_sender_domain"},
        TRANSACTION,
    ),
    "451 4.3.5 Server configuration error": ({"smtpd_sender_restrictions": "no_such_thing"}, TRANSACTION),
    "451 4.3.0 <alice@example.com>: Temporary lookup failure": (
        {"local_recipient_maps": "cdb:/etc/postfix/missing"},
        TRANSACTION,
    ),
    "452 4.3.1 Insufficient system storage": ({"queue_minfree": "1000000000000"}, TRANSACTION),
    "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname": (
        {"smtpd_helo_restrictions": "reject_non_fqdn_helo_hostname"},
        TRANSACTION,
    ),
    "521 5.5.2 mail.example.com Error: bare <LF> received": (
        {"smtpd_forbid_bare_newline": "reject", "smtpd_forbid_bare_newline_reject_code": "521"},
        "NOOP\n",
    ),
    "554 5.7.1 <unknown[198.51.100.66]>: Client host rejected: Access denied": (
        {"smtpd_peername_lookup": "no", "smtpd_client_restrictions": "reject"},
        TRANSACTION,
    ),
}


SETTINGS: dict[str, Settings] = {
    f"recorded-{place}": settings for place, (settings, _) in enumerate(RECORDED.values())
}


@pytest.mark.parametrize("line", RECORDED)
def test_postfix_says_it(configured: RealServer, line: str) -> None:
    place, sent = list(RECORDED).index(line), RECORDED[line][1]
    server = table().server
    on = frozenset({f"recorded-{place}"})
    conversation, _ = configured.connect(server.clients[0], server.listeners[0], on)
    heard: list[str] = []
    for part in sent.splitlines(keepends=True) or [""]:
        answer = conversation.say(part.encode(), 1)
        heard += [text for reply in answer.replies for text in reply]
        if conversation.ended:
            break
    conversation.hang_up()
    assert line in heard


def test_postfix_says_it_where_the_login_service_is_down(configured: RealServer) -> None:
    server = table().server
    (submissions,) = (one for one in server.listeners if one.id == "submissions")
    conversation, _ = configured.connect(server.clients[0], submissions, frozenset({"recorded-1"}))
    conversation.say(b"EHLO x\r\n", 1)
    configured.machines.host.call(
        RunCommand(["pkill", "-KILL", "-f", "dovecot"], limit=PATIENCE), timeout=2 * PATIENCE
    )
    answer = conversation.say(b"AUTH PLAIN AGFsaWNlAGFsaWNlLXNlY3JldA==\r\n", 1)
    ((said,),) = answer.replies
    # Why stands in parentheses or not: it depends on what Postfix was about to ask when the service went away.
    assert said.split(": ")[0] == DOWN.split(": ")[0]


def test_they_are_recorded_as_seen() -> None:
    entries = [entry for entry in library().entries.values() if isinstance(entry, CommandEntry | ReplyEntry)]
    seen = {said.line for entry in entries for said in entry.postfix if said.seen}
    assert {*RECORDED, DOWN} - seen == set()
