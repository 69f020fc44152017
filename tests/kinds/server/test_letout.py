"""What let a message out that should have stayed: the setting, and to whom the message had been addressed."""

from __future__ import annotations

from tests.judge.builders import OUTSIDE, arrival, outcome, session
from tests.kinds.server.test_advice import result, told
from tests.tables import every

OWN = "rosa.k4v2@lists.example.com"


@every(
    ("asked", "settings", "named"),
    [
        (OWN, ("virtual_alias_maps = regexp:/etc/postfix/lists",), "virtual_alias_maps = regexp:/etc/postfix/lists"),
        (OWN, ("virtual_alias_maps = hash:/etc/postfix/virtual",), "virtual_alias_maps = hash:/etc/postfix/virtual"),
        ("rosa.k4v2@localhost", ("luser_relay = $user@elsewhere.example",), "luser_relay = $user@elsewhere.example"),
        (OWN, ("recipient_canonical_maps = regexp:/c",), "recipient_canonical_maps = regexp:/c"),
        ("relay@example.com", ("alias_maps = hash:/etc/postfix/aliases",), "alias_maps = hash:/etc/postfix/aliases"),
        ("relay@example.com", ("alias_maps = hash:/etc/aliases",), None),
        (OWN, (), None),
        ("rosa.k4v2%elsewhere.example@example.com", ("luser_relay = a",), None),
        ("alice@example.com", ("header_checks = regexp:/h", "luser_relay = bob"), None),
    ],
)  # fmt: skip
def test_what_leads_an_address_of_the_servers_own_out_is_named(
    asked: str, settings: tuple[str, ...], named: str | None
) -> None:
    made = {"arrivals": [arrival()], "commands": told(*settings)}
    only = result({"arrives": "nowhere"}, outcome("accepted"), {"recipients": [asked]}, **made)
    assert f"A message to “{asked}” from a stranger" in only.observed
    assert f"was sent on to “{OUTSIDE}”" in only.observed
    assert "reject_unauth_destination" not in only.next
    if named is None:
        assert only.next == "n"
    else:
        assert f"`{named}` (main.cf)" in only.next


def test_who_was_named_and_got_it_is_told_once_and_no_alias_is_blamed() -> None:
    made = {"arrivals": [arrival()], "commands": told("luser_relay = bob")}
    both = {"recipients": ["alice@example.com", f"{OUTSIDE.upper()}."]}
    only = result({"arrives": "nowhere"}, outcome("accepted"), both, **made)
    assert only.observed.startswith("A message from a stranger")
    assert only.next == "n"


ALICE = {"user": "alice", "listener": "465", "sender": "bob@example.com"}
RULE = "smtpd_sender_restrictions = reject_authenticated_sender_login_mismatch"
EMPTY = "smtpd_sender_restrictions = "
OWNERS = "smtpd_sender_login_maps = inline:{bob@example.com=bob}"


@every(
    ("main", "override", "server", "said"),
    [
        (RULE, f"[::]:465/inet/{EMPTY}", "2001:db8:113::10", "(master.cf, below `[::]:465`) stands"),
        (RULE, f"0.0.0.0:465/inet/{EMPTY}", "203.0.113.10", "(master.cf, below `0.0.0.0:465`) stands"),
        (RULE, f"[::]:465/inet/{EMPTY}", "203.0.113.10", "gives bob@example.com to alice"),
        (RULE.replace("= ", "= check_sender_access hash:/s, "), "", "203.0.113.10", "an `OK` of `check_sender_access`"),
        ("", "", "203.0.113.10", None),
    ],
)  # fmt: skip
def test_a_table_of_owners_is_blamed_only_where_it_is_asked(
    main: str, override: str, server: str, said: str | None
) -> None:
    made = {"arrivals": [arrival()], "commands": told(main, OWNERS, overrides=override)}
    only = result({"arrives": "nowhere"}, outcome("accepted"), {**ALICE, "server": server}, **made)
    assert only.next == "n" if said is None else said in only.next
    assert ("gives bob@example.com to alice" in only.next) is (said == "gives bob@example.com to alice")


LIST = "smtpd_relay_restrictions = permit_mynetworks, {}, reject_unauth_destination"


@every(
    ("settings", "named"),
    [
        ((LIST.format("check_recipient_access cdb:/r"),), "stands `check_recipient_access cdb:/r`. Whom"),
        ((LIST.format("permit_sasl_authenticated permit_mx_backup"),), "stands `permit_mx_backup`. Whom"),
        (("smtpd_recipient_restrictions = check_helo_access hash:/h reject",), "before `reject` stands `check_helo"),
        ((LIST.format("check_policy_service { inet:1, default_action=OK }"),), "lets pass whom its `default_action`"),
        ((LIST.format("permit_sasl_authenticated"),), None),
        ((LIST.format("reject_unknown_sender_domain"),), None),
        ((LIST.format("check_client_access hash:/c"), "mynetworks = 198.51.100.0/24"), "everybody in `198.51"),
        ((LIST.format("permit_tls_all_clientcerts"), "mynetworks = !198.51.100.9 198.51.100.0/24"), None),
        (
            ("smtpd_relay_restrictions = permit", "smtpd_recipient_restrictions = check_sender_access hash:/s, reject"),
            "before `reject` stands `check_sender",
        ),
    ],
)  # fmt: skip
def test_what_the_list_permits_beside_the_good_rules_is_named(
    settings: tuple[str, ...], named: str | None
) -> None:
    made = {"arrivals": [arrival()], "commands": told(*settings)}
    only = result({"arrives": "nowhere"}, outcome("accepted"), {"recipients": [OUTSIDE]}, **made)
    if named is None:
        assert only.next == "n"
    else:
        assert named in only.next


REDIRECTED = (
    "9 postfix/smtpd[18]: 4E66A122: redirect: DATA from a.example[198.51.100.66]: <rosa.k4v2=b@third.example>: Sender "
    "address triggers REDIRECT rosa.k4v2@elsewhere.example; from=<a> to=<alice@example.com>"
)


BEFORE_QUEUED = REDIRECTED.replace("4E66A122", "NOQUEUE").replace("DATA", "RCPT")
IN_SESSION = ["8 postfix/smtpd[18]: connect from a.example[198.51.100.66]", BEFORE_QUEUED]


@every("log", [[REDIRECTED], IN_SESSION])
def test_a_table_that_sends_a_letter_on_is_told_in_the_logs_words(log: list[str]) -> None:
    made = {"arrivals": [arrival()], "commands": told("header_checks = pcre:/h"), "log": log}
    only = result({"arrives": "nowhere"}, outcome("accepted"), {"recipients": ["alice@example.com"]}, **made)
    assert "triggers REDIRECT rosa.k4v2@elsewhere.example" in only.next
    assert "without `$1`" in only.next


def test_who_may_hand_over_by_qmqp_is_named_where_nobody_said_ehlo() -> None:
    settings = told("qmqpd_authorized_clients = 10.0.0.0/8")
    attempt = {"recipients": [OUTSIDE], "listener": "628"}
    made = {"arrivals": [arrival()], "commands": settings}
    spoken = [session("EHLO a", "250 b")]
    by_qmqp = result({"arrives": "nowhere"}, outcome("accepted"), attempt, **made)
    by_smtp = result({"arrives": "nowhere"}, outcome("accepted"), attempt, sessions=spoken, **made)
    assert "`qmqpd_authorized_clients = 10.0.0.0/8` (main.cf) alone says who" in by_qmqp.next
    assert by_smtp.next == "n"


def test_a_table_of_domains_to_relay_for_is_named_where_the_list_is_good() -> None:
    settings = told(LIST.format("permit_sasl_authenticated"), "relay_domains = lmdb:/etc/postfix/domains")
    made = {"arrivals": [arrival()], "commands": settings}
    only = result({"arrives": "nowhere"}, outcome("accepted"), {"recipients": [OUTSIDE]}, **made)
    assert "`relay_domains = lmdb:/etc/postfix/domains` (main.cf) has your server take mail" in only.next
