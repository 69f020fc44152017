"""What to do where a single setting explains a failure."""

from __future__ import annotations

from msgspec.structs import replace

from grader.kinds.server.facts import SettingsFile
from grader.model.traffic import Reply
from tests.judge.builders import arrival, outcome, session
from tests.kinds.server.test_advice import refused, result, told
from tests.tables import every

USER = {"user": "alice", "listener": "587+starttls"}
NOT_GREETED = outcome("greeting", replies=[])


@every("name", ["smtpd_upstream_proxy_protocol", "postscreen_upstream_proxy_protocol"])
def test_a_port_that_waits_for_a_proxy_header_is_named(name: str) -> None:
    reply = Reply("", 421, "421 4.3.0 mail.example.com Server local error", 0, "4.3.0")
    made = replace(NOT_GREETED, replies=[reply])
    only = result({"authenticates": True}, made, USER, commands=told(f"{name} = haproxy"))
    assert f"`{name} = haproxy` (main.cf) has port 587 wait for a PROXY header" in only.next


def test_465_without_tls_from_the_first_byte_is_named() -> None:
    mute = {"sessions": [session("", end="closed")], "commands": told()}
    only = result({"authenticates": True}, NOT_GREETED, {"user": "alice", "listener": "465"}, **mute)
    assert "`-o smtpd_tls_wrappermode=yes` is missing" in only.next


@every(
    ("value", "said"),
    [
        ("permit_mynetworks, reject_unauth_destination", "is missing"),
        ("reject_unauth_destination, permit_sasl_authenticated", "stands behind it"),
    ],
)
def test_a_list_that_permits_nobody_who_has_logged_in_is_named(value: str, said: str) -> None:
    made = replace(refused("554 5.7.1 <x@elsewhere.example>: Relay access denied"), authenticated=True)
    lines = told(f"smtpd_relay_restrictions = {value}")
    only = result({"authenticates": True, "arrives": "outside"}, made, USER, commands=lines)
    assert said in only.next
    assert "Put it before `reject_unauth_destination`" in only.next


def test_who_is_excluded_from_what_forbids_bare_line_feeds_is_named() -> None:
    line = "smtpd_forbid_bare_newline_exclusions = 10.0.0.0/8, 198.51.100.0/24"
    two = [arrival(id=number, raw=b"Message-ID: <%d@x>\r\n\r\nx" % number) for number in range(2)]
    only = result(
        {"arrivals_at_most": 1}, outcome("accepted"), {"mailbox": "alice"}, arrivals=two, commands=told(line)
    )
    assert "`198.51.100.0/24` holds it" in only.next


@every(
    ("words", "said"),
    [
        ('fatal: open dictionary: expecting "type:name" form instead of "::1/128"', "`[::1]/128`"),
        ("fatal: unsupported dictionary type: fe80", "stands in brackets"),
        ("fatal: dictionary mail_dict: macro processing error", "write `$$`"),
        (
            "warning: connect #1 to subsystem /var/spool/postfix/private/proxymap: No such file or directory",
            "`proxymap unix - - n - - proxymap`",
        ),
    ],
)
def test_a_value_that_keeps_the_server_from_greeting_is_told_how_to_be_written(words: str, said: str) -> None:
    only = result({"greets": True}, NOT_GREETED, log=[f"1 postfix/smtpd[7]: {words}"], commands=told())
    assert said in only.next


def test_the_line_with_a_dollar_sign_for_nothing_is_named() -> None:
    text = "# $ 1\nmyhostname = $mydomain\nrelay_domains = regexp:{ {/x$$/ ok} {/y$/ ok} }\n"
    only = result(
        {"greets": True},
        NOT_GREETED,
        log=["1 postfix/smtpd[7]: fatal: dictionary mail_dict: macro processing error"],
        settings=[SettingsFile("main.cf", "/etc/postfix/main.cf", text)],
    )
    assert "(main.cf, line 3)" in only.next


def test_a_mask_of_four_numbers_is_told_in_bits() -> None:
    line = '1 postfix/smtpd[8]: warning: mynetworks: bad mask value in "10.20.30.0/255.255.255.0"'
    connect = "0 postfix/smtpd[8]: connect from client66.stranger.example[198.51.100.66]"
    only = result(
        {"arrives": "mailbox"},
        refused("451 4.3.0 <alice@example.com>: Temporary lookup failure"),
        {"address": "198.51.100.66"},
        log=[connect, line],
        commands=told(),
    )
    assert "`10.20.30.0/24`" in only.next


@every(
    ("source", "said"),
    [
        ("stranger", "from a stranger (192.0.2.39)"),
        ("mentioned-networks: 192.0.2.0/24", "from somebody in 192.0.2.0/24 (192.0.2.39)"),
        (
            "mentioned-names: mx.friends.example",
            "from a client that DNS calls mx.friends.example (192.0.2.39)",
        ),
        ("mentioned-networks: 192.0.2.39", "from somebody (192.0.2.39)"),
        ("office-anybody: 192.0.2.39", "from a machine of the office (192.0.2.39)"),
    ],
)
def test_clients_are_called_as_people_call_them(source: str, said: str) -> None:
    attempt = {"source": source, "address": "192.0.2.39"}
    only = result({"arrives": "nowhere"}, outcome("accepted"), attempt, arrivals=[arrival()])
    assert said in only.observed


DENIED = "554 5.7.1 <x@elsewhere.example>: Relay access denied"
OFFICE = {"inside": True, "address": "10.20.30.200", "source": "printer"}


@every(
    ("networks", "said"),
    [
        ("127.0.0.0/8 10.20.30.0/25", "does not hold 10.20.30.200"),
        ("127.0.0.0/8 hash:/etc/postfix/networks", "in `hash:/etc/postfix/networks` Postfix looks up"),
        ("127.0.0.0/8 cidr:/etc/postfix/networks", None),
        ("127.0.0.0/8 10.20.30.0/24", None),
    ],
)
def test_networks_that_do_not_hold_the_office_are_named(networks: str, said: str | None) -> None:
    only = result({"arrives": "outside"}, refused(DENIED), OFFICE, commands=told(f"mynetworks = {networks}"))
    if said is None:
        assert only.next == "n"
    else:
        assert f"`mynetworks = {networks}` (main.cf)" in only.next
        assert said in only.next


ALICE = {"recipients": ["alice@example.com"], "mailbox": "alice"}


@every(
    ("settings", "said"),
    [
        (("mydestination = mail.example.com, localhost",), "localhost` (main.cf) does not name it"),
        (("mydestination = localhost", "virtual_mailbox_domains = hash:/d"), None),
        ((), None),
    ],
)
def test_the_class_that_lacks_the_own_domain_is_named(settings: tuple[str, ...], said: str | None) -> None:
    made = refused("454 4.7.1 <alice@example.com>: Relay access denied")
    only = result({"arrives": "mailbox"}, made, ALICE, commands=told(*settings))
    assert (said in only.next) if said is not None else only.next == "n"


def test_a_bare_reject_in_the_relay_list_is_named() -> None:
    made = refused("554 5.7.1 <alice@example.com>: Recipient address rejected: Access denied")
    lines = told("smtpd_relay_restrictions = permit_mynetworks, reject")
    only = result({"arrives": "mailbox"}, made, ALICE, commands=lines)
    assert "is refused at its bare `reject`, mail for your own domains included" in only.next


def test_nobody_is_asked_who_exists() -> None:
    nobody = {"recipients": ["nosuch@example.com"]}
    only = result({"refused": True}, outcome("accepted"), nobody, commands=told("local_recipient_maps = "))
    assert "`local_recipient_maps = ` (main.cf) is empty" in only.next


@every(
    ("line", "before", "said"),
    [
        (
            "fatal: dictionary mail_dict: macro processing error",
            'warning: unreasonable macro call nesting: "mua_sender_restrictions"',
            "`mua_sender_restrictions` comes to itself again",
        ),
        (
            "fatal: configuration error: mailbox_size_limit is smaller than message_size_limit",
            "connect from a.example[198.51.100.66]",
            "write `mailbox_size_limit = 0`",
        ),
    ],
)
def test_a_value_that_postfix_cannot_work_with_is_named(line: str, before: str, said: str) -> None:
    log = [f"1 postfix/smtpd[8]: {before}", f"2 postfix/smtpd[8]: {line}"]
    made = {"sessions": [session("", end="closed")], "log": log, "commands": told("message_size_limit = 9")}
    only = result({"authenticates": True}, NOT_GREETED, USER, **made)
    assert said in only.next
