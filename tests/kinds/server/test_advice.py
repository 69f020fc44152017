"""What to do next, by what became of the mail."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from grader.judge import judge
from grader.kinds.server.facts import SettingsFile
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.server.judge.settings import PostfixSettings
from grader.model.diagnostic import FilePlace, Span
from grader.model.result import CheckResult
from grader.model.traffic import Command, Outcome, Queued, Reply
from tests.judge.builders import OUTSIDE, arrival, check, evidence, facts, lab, outcome

LOG = [
    "1 postfix/smtpd[7]: connect from a.example[198.51.100.99]",
    "2 postfix/smtpd[8]: connect from client66.stranger.example[198.51.100.66]",
    "3 postfix/smtpd[7]: warning: somebody else's trouble",
    "4 postfix/smtpd[8]: warning: restriction `reject_authenticated_sender_login_mismatch' ignored: no SASL support",
    "5 postfix/smtpd[8]: warning: problem talking to server 127.0.0.1:10023: Connection refused",
    "6 postfix/smtpd[8]: warning: connect to 127.0.0.1:10023: Connection refused",
    "7 postfix/smtpd[8]: disconnect from client66.stranger.example[198.51.100.66] commands=2/3",
    "8 postfix/smtpd[8]: warning: after that session",
]


def told(*settings: str, overrides: str = "") -> list[Command]:
    return [
        Command(["postconf", "-c", "/etc/postfix", "-nx"], 0, "\n".join(settings)),
        Command(["postconf", "-c", "/etc/postfix", "-P"], 0, overrides),
    ]


def refused(text: str) -> Outcome:
    code = int(text[:3])
    return outcome("rcpt", code=code, replies=[Reply(f"RCPT TO:<{OUTSIDE}>", code, text, 1, text.split()[1])])


def result(
    expect: dict[str, Any], made: Outcome, attempt: dict[str, Any] | None = None, **more: Any
) -> CheckResult:
    fields = {"server": "203.0.113.10", **(attempt or {})}
    run = evidence(lab(check(**expect)), [facts(**fields)], [made], **more)
    (only,) = judge(run).checks
    assert only.status == "fail"
    return only


def test_the_log_of_the_clients_own_sessions_tells_the_cause_first() -> None:
    def troubles(address: str) -> list[int]:
        run = evidence(lab(check(arrives="outside")), [facts(address=address)], [outcome("rcpt")], log=LOG)
        index = ServerIndex(run, run.facts)
        return index.troubles(next(index.cases("stranger")))

    assert troubles("198.51.100.66") == [4, 5]
    assert troubles("198.51.100.99") == [2]
    assert troubles("198.51.100.1") == []


@pytest.mark.parametrize(
    "reply", ["451 4.3.5 Server configuration error", "451 4.3.0 <a>: Temporary lookup failure"]
)
def test_trouble_inside_is_told_by_what_nobody_answers(reply: str) -> None:
    log = [line for line in LOG if "problem talking" not in line]
    only = result({"arrives": "outside"}, refused(reply), log=log)
    assert "connect to 127.0.0.1:10023: Connection refused" in only.observed
    assert "program at 127.0.0.1:10023" in only.next
    assert "somebody else" not in only.observed


def test_a_restriction_that_there_is_not_is_named() -> None:
    log = [LOG[1], '5 postfix/smtpd[8]: warning: unknown smtpd restriction: "check_sender"']
    only = result({"arrives": "outside"}, refused("451 4.3.5 Server configuration error"), log=log)
    assert "`check_sender`" in only.next


def test_a_lasting_refusal_is_no_trouble_of_the_servers() -> None:
    assert result({"arrives": "outside"}, refused("554 5.7.1 <x>: Relay access denied"), log=LOG).next == "n"


def test_the_list_that_refused_is_named_with_its_place() -> None:
    denied = refused("554 5.7.1 <c[198.51.100.66]>: Client host rejected: Access denied")
    line = "smtpd_client_restrictions = permit_mynetworks, reject"
    assert f"`{line}` (main.cf)" in result({"arrives": "outside"}, denied, commands=told(line)).next
    override = "smtp/inet/smtpd_client_restrictions = permit_sasl_authenticated,reject"
    only = result({"arrives": "outside"}, denied, commands=told(line, overrides=override))
    assert "permit_sasl_authenticated,reject` (master.cf, below `smtp`)" in only.next


def test_who_owns_the_address_is_told_as_the_table_has_it() -> None:
    text = "553 5.7.1 <alice@example.com>: Sender address rejected: not owned by user alice"
    line = "smtpd_sender_login_maps = inline:{alice@example.com=alice@example.com}"
    only = result({"arrives": "outside"}, refused(text), commands=told(line))
    assert line in only.next
    assert "`alice@example.com alice`" in only.next


OWN = {"user": "alice", "listener": "587+starttls", "sender": "boss@example.com"}


def test_a_rule_behind_a_permit_is_never_asked() -> None:
    line = "smtpd_sender_restrictions = permit_sasl_authenticated, reject_sender_login_mismatch"
    only = result({"arrives": "nowhere"}, outcome("accepted"), OWN, arrivals=[arrival()], commands=told(line))
    assert "`permit_sasl_authenticated` stands before `reject_sender_login_mismatch`" in only.next
    assert "permit_sasl_authenticated," not in only.next.split("(main.cf)")[1], "that would undo the rule"


def test_a_pattern_of_owners_without_ends_is_named() -> None:
    lines = (
        "smtpd_sender_restrictions = reject_sender_login_mismatch",
        "smtpd_sender_login_maps = pcre:/o",
    )
    only = result(
        {"arrives": "nowhere"}, outcome("accepted"), OWN, arrivals=[arrival()], commands=told(*lines)
    )
    assert "boss@example.com to alice" in only.next
    assert "/^…$/" in only.next


def test_a_rule_that_lets_addresses_without_owner_pass_is_not_the_tables_fault() -> None:
    rule = "smtpd_sender_restrictions = reject_known_sender_login_mismatch"
    said = told(rule, "smtpd_sender_login_maps = hash:/o")
    only = result({"arrives": "nowhere"}, outcome("accepted"), OWN, arrivals=[arrival()], commands=said)
    assert "boss@example.com has no owner there" in only.next
    assert "Write `reject_authenticated_sender_login_mismatch`" in only.next


def test_where_nobody_asks_the_lab_says_what_to_do() -> None:
    only = result({"arrives": "nowhere"}, outcome("accepted"), OWN, arrivals=[arrival()], commands=told())
    assert only.next == "n"


def queued(reason: str) -> list[Queued]:
    return [Queued("deferred", "someone@elsewhere.example", OUTSIDE, reason, ["stranger/1"])]


def test_what_keeps_mail_in_the_queue() -> None:
    only = result(
        {"arrives": "outside"},
        outcome("accepted"),
        queued=queued("TLS is required, but was not offered by host x"),
    )
    assert "`smtp_tls_security_level = may`" in only.next
    assert "mynetworks" not in only.next
    other = result({"arrives": "outside"}, outcome("accepted"), queued=queued("Connection refused"))
    assert "Connection refused" in other.next
    assert "relayhost" in other.next


def test_a_message_that_is_too_big() -> None:
    only = result(
        {"arrives": "outside"},
        refused("552 5.3.4 Message size exceeds"),
        commands=told("message_size_limit = 4096"),
    )
    assert "`message_size_limit = 4096` (main.cf)" in only.next


def test_nobody_listens_at_one_of_the_addresses() -> None:
    made = Outcome("stranger/1", "connect", session=1)
    only = result({"arrives": "outside"}, made, {"server": "10.20.30.10", "listener": "465"})
    assert "port 465 of 10.20.30.10" in only.next


def test_an_override_of_an_address_comes_before_that_of_the_port() -> None:
    overrides = (
        "[2001:db8:113::10]:465/inet/smtpd_tls_wrappermode = yes\nsubmissions/inet/smtpd_tls_wrappermode = no\n"
        "10026/inet/mynetworks = 0.0.0.0/0"
    )
    settings = PostfixSettings(told("smtpd_tls_wrappermode = no", overrides=overrides))
    six = settings.on("smtpd_tls_wrappermode", "465", "2001:db8:113::10")
    assert (six.value, six.where) == ("yes", "master.cf, below `[2001:db8:113::10]:465`")
    assert (
        settings.on("smtpd_tls_wrappermode", "465", "203.0.113.10").where == "master.cf, below `submissions`"
    )
    assert settings.on("smtpd_tls_wrappermode", "25").where == "main.cf"
    assert settings.on("mynetworks", "10026+tls").value == "0.0.0.0/0"
    assert settings.on("relayhost", "25").where == ""


def test_a_domain_that_is_relayed_for_everybody_is_named() -> None:
    attempt = {"recipients": ["rosa.k4v2@friends.example"]}
    came = arrival("rosa.k4v2@friends.example")
    line = "relay_domains = friends.example"
    only = result({"arrives": "nowhere"}, outcome("accepted"), attempt, arrivals=[came], commands=told(line))
    assert f"`{line}` (main.cf)" in only.next
    above = told("relay_domains = example")
    only = result({"arrives": "nowhere"}, outcome("accepted"), attempt, arrivals=[came], commands=above)
    assert "mail for example and all names below it" in only.next
    other = result({"arrives": "nowhere"}, outcome("accepted"), arrivals=[arrival()], commands=told(line))
    assert other.next == "n"


def test_an_override_that_opens_one_listener_is_named() -> None:
    overrides = "2525/inet/smtpd_relay_restrictions = check_client_access,static:OK,reject"
    commands = told("smtpd_relay_restrictions = reject_unauth_destination", overrides=overrides)
    there = result(
        {"arrives": "nowhere"},
        outcome("accepted"),
        {"listener": "2525"},
        arrivals=[arrival()],
        commands=commands,
    )
    assert "(master.cf, below `2525`)" in there.next
    elsewhere = result({"arrives": "nowhere"}, outcome("accepted"), arrivals=[arrival()], commands=commands)
    assert elsewhere.next == "n"


def test_a_domain_of_aliases_that_takes_everything_is_named() -> None:
    attempt = {"recipients": ["rosa.k4v2@old.example"]}
    commands = told(
        "virtual_alias_domains = old.example", "virtual_alias_maps = inline:{@old.example=@example.com}"
    )
    only = result({"refused": True}, outcome("accepted"), attempt, commands=commands)
    assert "old.example" in only.next
    assert "`virtual_alias_maps = " in only.next


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("smtpd_relay_restrictions = permit_sasl_authenticated,reject", False),
        ("smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination", False),
        ("smtpd_recipient_restrictions = check_client_access,cidr:/all,reject", True),
        ("mynetworks = 0.0.0.0/0", True),
        ("mynetworks = 10.0.0.0/8", False),
    ],
)
def test_an_override_that_opens_nothing_is_not_blamed(override: str, named: bool) -> None:
    commands = told(overrides=f"2525/inet/{override}")
    only = result(
        {"arrives": "nowhere"},
        outcome("accepted"),
        {"listener": "2525"},
        arrivals=[arrival()],
        commands=commands,
    )
    assert (only.next != "n") is named


def test_a_pattern_that_unpacks_an_address_is_named() -> None:
    attempt = {"recipients": ["rosa.k4v2=elsewhere.example@example.com"]}
    line = "virtual_alias_maps = regexp:/etc/postfix/decode"
    expect = {"arrives": "nowhere"}
    only = result(expect, outcome("accepted"), attempt, arrivals=[arrival()], commands=told(line))
    assert f"into {OUTSIDE}" in only.next
    assert f"`{line}` (main.cf)" in only.next


def test_other_peoples_domain_that_the_server_takes_for_its_own_is_named() -> None:
    unknown = refused(
        f"550 5.1.1 <{OUTSIDE}>: Recipient address rejected: User unknown in local recipient table"
    )
    line = "mydestination = mail.example.com, elsewhere.example, localhost"
    told_ = result({"arrives": "outside"}, unknown, commands=told(line)).next
    assert "elsewhere.example" in told_
    assert f"`{line}` (main.cf)" in told_


def test_a_refusal_by_a_map_about_clients_leads_to_the_list_that_asks_it() -> None:
    denied = refused("554 5.7.1 <room[10.20.30.161]>: Client host rejected: Access denied")
    line = "smtpd_sender_restrictions = check_client_access cidr:/etc/postfix/desks"
    assert f"`{line}` (main.cf)" in result({"arrives": "outside"}, denied, commands=told(line)).next


def test_mail_that_was_taken_and_given_up_is_told_with_the_servers_reason() -> None:
    line = (
        f"4 postfix/smtp[9]: 63708B3: to=<{OUTSIDE}>, relay=none, dsn=5.4.4, status=bounced (Host not found)"
    )
    only = result({"arrives": "outside"}, outcome("accepted"), commands=told(), log=[line])
    assert "Host not found" in only.observed
    assert "given up" in only.next
    assert only.evidence[0] == "log:0"


SILENT_MILTER = [
    LOG[1],
    "5 postfix/smtpd[8]: warning: connect to Milter service inet:localhost:8891: Connection refused",
    LOG[6],
]
HANGS_UP = "421 mail.example.com Service unavailable - try again later"


def test_a_filter_that_is_not_there_is_named_with_the_setting_that_wants_it() -> None:
    line = "smtpd_milters = inet:localhost:8891"
    only = result({"arrives": "outside"}, refused(HANGS_UP), log=SILENT_MILTER, commands=told(line))
    assert f"`{line}` (main.cf)" in only.next
    assert "delete" in only.next


def test_one_trouble_inside_is_told_once() -> None:
    codes = ("local-mail", "office", "auth")
    checks = [check(code, arrives="outside") for code in codes]
    attempts = [facts(check=code) for code in codes]
    made = [replace(refused(HANGS_UP), attempt=f"{code}/1") for code in codes]
    run = evidence(lab(*checks), attempts, made, log=SILENT_MILTER)
    assert [(c.code, c.status, c.because) for c in judge(run).checks] == [
        ("demo/local-mail", "fail", None),
        ("demo/office", "skipped", "demo/local-mail"),
        ("demo/auth", "skipped", "demo/local-mail"),
    ]


def test_a_check_with_a_fault_of_its_own_beside_the_trouble_is_told_of_it() -> None:
    checks = [check("local-mail", arrives="outside"), check("office", arrives="outside")]
    attempts = [facts(check="local-mail"), facts(check="office"), facts(check="office", number=2)]
    made = [refused(HANGS_UP), refused(HANGS_UP), refused("554 5.7.1 <x>: Relay access denied")]
    made = [replace(one, attempt=asked.id) for asked, one in zip(attempts, made, strict=True)]
    run = evidence(lab(*checks), attempts, made, log=SILENT_MILTER)
    assert [c.status for c in judge(run).checks] == ["fail", "fail"]


def test_vrfy_among_forbidden_commands_forbids_nothing() -> None:
    asked = {"say": ["VRFY alice", "VRFY nosuch"]}
    said = ["252 2.0.0 alice", "550 5.1.1 <nosuch>: User unknown"]
    made = outcome(
        "dialogue", replies=[Reply(c, int(t[:3]), t, 1) for c, t in zip(asked["say"], said, strict=True)]
    )
    line = "smtpd_forbidden_commands = CONNECT GET POST VRFY"
    only = result({"alike": True}, made, asked, commands=told(line))
    assert f"`{line}` (main.cf)" in only.next
    assert "`disable_vrfy_command = yes`" in only.next
    assert result({"alike": True}, made, asked, commands=told("disable_vrfy_command = no")).next == "n"


MAIN = """# ours
smtpd_client_restrictions = reject
inet_interfaces = all
smtpd_client_restrictions =
  permit_mynetworks
  reject
"""
MASTER = """smtp inet n - y - - smtpd
  -o syslog_name=postfix/smtp
  -o smtpd_client_restrictions=permit_sasl_authenticated,reject
"""
DENIED = refused("554 5.7.1 <c[198.51.100.66]>: Client host rejected: Access denied")
LINE = "smtpd_client_restrictions = permit_mynetworks reject"
OVERRIDE = "smtp/inet/smtpd_client_restrictions = permit_sasl_authenticated,reject"
HANDED_IN = [
    SettingsFile("postfix/main.cf", "/etc/postfix/main.cf", MAIN),
    SettingsFile("postfix/master.cf", "/etc/postfix/master.cf", MASTER),
]


@pytest.mark.parametrize(
    ("overrides", "said", "place"),
    [
        ("", "reject` (main.cf, line 4)", FilePlace("postfix/main.cf", Span(3, 0, 0))),
        (
            OVERRIDE,
            "reject` (master.cf, line 3, below `smtp`)",
            FilePlace("postfix/master.cf", Span(2, 0, 0)),
        ),
    ],
    ids=["main", "master"],
)
def test_the_setting_that_decided_is_named_with_its_line(overrides: str, said: str, place: FilePlace) -> None:
    only = result(
        {"arrives": "outside"}, DENIED, commands=told(LINE, overrides=overrides), settings=HANDED_IN
    )
    assert said in only.next
    assert only.place == place


def test_a_setting_that_was_not_handed_in_and_a_check_without_one_have_no_line() -> None:
    commands = told(LINE)
    assert result({"arrives": "outside"}, DENIED, commands=commands).place is None
    relayed = refused("554 5.7.1 <x>: Relay access denied")
    assert result({"arrives": "outside"}, relayed, commands=commands, settings=HANDED_IN).place is None


@pytest.mark.parametrize(("line", "place"), [(4, FilePlace("postfix/main.cf", Span(3, 0, 0))), (99, None)])
def test_the_line_that_the_server_s_own_words_name_is_the_place(line: int, place: FilePlace | None) -> None:
    log = [
        LOG[1],
        f"5 postfix/smtpd[8]: warning: /etc/postfix/main.cf, line {line}: can't make sense of this",
    ]
    trouble = refused("451 4.3.5 Server configuration error")
    assert result({"arrives": "outside"}, trouble, log=log, settings=HANDED_IN).place == place


def test_no_line_is_told_where_the_course_keeps_the_next_step() -> None:
    run = evidence(
        lab(check(arrives="outside")),
        [facts(server="203.0.113.10")],
        [DENIED],
        commands=told(LINE),
        settings=HANDED_IN,
    )
    assert [only.place for only in judge(run, hints="nudge").checks] == [None]
    assert [only.place for only in judge(run, hints="example").checks] != [None]
