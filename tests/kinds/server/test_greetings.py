"""What a server's log says of greetings that have not come yet."""

from __future__ import annotations

from grader.kinds.server.run.greetings import at_work, died, nobody_moves, nobody_there

CONNECT = "5 postfix/smtpd[9]: connect from client66.stranger.example[198.51.100.66]"
SPARE = "7 postfix/spawn[12]: fatal: service 2626 requires privileged operation"
THROTTLED = "7 postfix/master[1]: warning: /usr/lib/postfix/sbin/spawn: bad command startup -- throttling"


def test_whom_some_smtpd_lets_wait_is_seen() -> None:
    assert at_work([CONNECT]) == {"198.51.100.66"}
    assert (
        at_work([CONNECT, "6 postfix/smtpd[9]: disconnect from client66.stranger.example[198.51.100.66]"])
        == set()
    )
    assert at_work([CONNECT, "6 postfix/smtpd[9]: fatal: open database /etc/postfix/x.db"]) == set()
    assert at_work(["6 postfix/submission/smtpd[8]: connect from unknown[2001:db8:bad::66]", SPARE]) == {
        "2001:db8:bad::66"
    }


def test_another_service_that_cannot_start_says_nothing_of_those_that_greet() -> None:
    assert not died([CONNECT, SPARE, THROTTLED])
    assert died(["6 postfix/submission/smtpd[8]: fatal: no such map"])
    assert died([THROTTLED.replace("spawn", "smtpd")])


def test_what_an_smtpd_waits_for_and_will_not_get_is_known() -> None:
    """What others ask in vain stops no smtpd, and what it asks otherwise it does without or refuses."""
    waits = "5 postfix/submission/smtpd[9]: warning: connect #1 to subsystem public/clean: No such file or directory"
    assert nobody_there([CONNECT, waits])
    assert not nobody_there([CONNECT, waits.replace("No such file or directory", "Connection refused")])
    assert not nobody_there([waits.replace("submission/smtpd", "cleanup")])
    assert not nobody_there(
        ["5 postfix/smtpd[9]: warning: connect to private/policy: No such file or directory"]
    )


def test_mail_that_no_queue_manager_moves_is_known() -> None:
    assert nobody_moves(
        ["5 postfix/cleanup[9]: warning: unable to look up public/qmgr: No such file or directory"]
    )
    assert not nobody_moves(["5 postfix/smtpd[9]: warning: unable to look up public/qmgr: No such file"])
