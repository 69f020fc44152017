"""A server under load, as Postfix's master has it where all processes of a port are busy (STRESS_README)."""

from __future__ import annotations

from grader.kinds.server.declare import ServerLab, Try
from grader.kinds.server.plan.load import asks_for_load
from grader.kinds.server.run.load import once_more
from grader.model.traffic import Outcome
from tests.judge.builders import check
from tests.judge.builders import lab as a_lab
from tests.kinds.server.machines import attempt
from tests.kinds.server.plans import TO_OUTSIDE, planned, with_checks
from tests.kinds.server.plans import check as tried
from tests.tables import every

MASTER = b"""\
# smtp inet n - y - - smtpd
smtp inet n - y - - smtpd
submission inet n - y
  - 20 smtpd
  -o stress=
  -o smtpd_tls_security_level=encrypt
2525 inet n - y - 1 postscreen
pickup unix n - y 60 1 pickup
"""


@every(
    "text",
    [
        b"mynetworks = 127.0.0.0/8 ${stress?{0.0.0.0/0}}\n",
        b"smtpd_timeout = ${stress:300}s\n",
        b"mynetworks =\n  $(stress)\n",
        b"load = $stress\n",
    ],
)
def test_settings_that_look_at_the_load(text: bytes) -> None:
    assert asks_for_load({"main.cf": text})
    assert asks_for_load({"master.cf": b"smtp inet n - y - - smtpd\n  -o " + text.replace(b"\n", b"")})


@every("text", [b"# ${stress?yes}\n", b"stress = yes\n", b"mynetworks = $stressed\n"])
def test_settings_that_do_not(text: bytes) -> None:
    assert not asks_for_load({"main.cf": text})
    assert not asks_for_load({"aliases": b"alice: ${stress?bob}\n"})


def test_public_ports_are_put_under_load_as_the_master_puts_them(lab: ServerLab) -> None:
    files = {"main.cf": b"mynetworks = ${stress?{0.0.0.0/0}}\n", "master.cf": MASTER}
    loaded = planned(with_checks(lab, tried("relay", Try(mail=[TO_OUTSIDE]))), files).under_load
    assert loaded is not None
    assert loaded.path == "/etc/postfix/master.cf"
    assert loaded.data == MASTER.replace(
        b"\nsmtp inet n - y - - smtpd", b"\nsmtp inet n - y - - smtpd -o stress=yes"
    ).replace(b"- 20 smtpd", b"- 20 smtpd -o stress=yes")


def test_nothing_is_put_under_load_that_does_not_look_at_it(lab: ServerLab) -> None:
    asked = with_checks(lab, tried("relay", Try(mail=[TO_OUTSIDE])))
    assert planned(asked, {"main.cf": b"mynetworks = 127.0.0.0/8\n", "master.cf": MASTER}).under_load is None
    assert planned(asked, {"main.cf": b"mynetworks = ${stress?{0.0.0.0/0}}\n"}).under_load is None


def test_what_was_kept_out_is_tried_once_more_and_nothing_else() -> None:
    lab = a_lab(check("office", arrives="outside"), check("stranger", arrives="nowhere"))
    wanted, kept_out, taken, unreached = (
        attempt(*who) for who in (("office", 1), ("stranger", 2), ("stranger", 3), ("stranger", 4))
    )
    asked = attempt("stranger", 5, say=["VRFY alice"])
    outcomes = {
        wanted.id: Outcome(wanted.id, "rcpt"),
        kept_out.id: Outcome(kept_out.id, "rcpt"),
        taken.id: Outcome(taken.id, "accepted"),
        unreached.id: Outcome(unreached.id, "connect"),
        asked.id: Outcome(asked.id, "said"),
    }
    (again,) = once_more(lab, [wanted, kept_out, taken, unreached, asked], outcomes)
    assert (again.check, again.under_load, again.apart) == ("stranger", True, True)
    assert again.id != kept_out.id
    assert again.token != kept_out.token
    assert again.title == f"{kept_out.title}, under load"
