"""What a server's log says of greetings that have not come yet."""

from __future__ import annotations

from grader.kinds.server.run.greetings import at_work, died

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
