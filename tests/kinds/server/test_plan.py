"""What will be tried, from where, and by whom."""

from __future__ import annotations

import email
import email.policy
import ipaddress

import pytest

from grader.kinds.server.declare import ServerLab, Try
from grader.kinds.server.plan.expand import listening
from grader.model.attempt import Mail
from grader.model.errors import LabError, UsageError
from tests.kinds.server.plans import OPEN, TO_OUTSIDE, WHEN, answers, attempts, check, planned, with_checks


def test_every_mail_from_every_source_on_every_listener(lab: ServerLab) -> None:
    made = attempts(
        lab, Try(sources=["stranger", "stranger-v6"], on=[25, "25+starttls", 465], mail=[TO_OUTSIDE] * 2)
    )
    assert len(made) == 12
    assert [a.id for a in made] == [f"relay/{number}" for number in range(1, 13)]
    assert {(a.source, a.address, a.server) for a in made} == {
        ("stranger", "198.51.100.66", "203.0.113.10"),
        ("stranger-v6", "2001:db8:bad::66", "2001:db8:113::10"),
    }
    assert {(a.listener, a.port, a.tls) for a in made} == {
        ("25", 25, "none"),
        ("25+starttls", 25, "starttls"),
        ("465", 465, "implicit"),
    }
    assert all(a.recipients == [f"{a.token}@elsewhere.example"] for a in made)
    assert len({a.token for a in made}) == 12


def test_listeners() -> None:
    assert [listening(text) for text in ("587", "587+starttls", "465")] == [
        (587, "none"),
        (587, "starttls"),
        (465, "implicit"),
    ]


def test_each_try_counts_on(lab: ServerLab) -> None:
    made = attempts(lab, Try(mail=[TO_OUTSIDE]), Try(say=["VRFY {alice}", "EXPN {alice}"]), Try())
    assert [(a.id, a.title, a.say, len(a.recipients)) for a in made] == [
        ("relay/1", "mail to somebody@elsewhere.example", [], 1),
        ("relay/2", "VRFY alice, EXPN alice", ["VRFY alice", "EXPN alice"], 0),
        ("relay/3", "greeting", [], 0),
    ]


def test_who_writes_when_the_lab_does_not_say(lab: ServerLab) -> None:
    made = attempts(
        lab,
        Try(sources=["office", "stranger"], mail=[TO_OUTSIDE]),
        Try(user="bob", mail=[TO_OUTSIDE, Mail(to=["x@y.z"], sender="")]),
    )
    assert [a.sender for a in made][0::2] == ["alice@example.com", "bob@example.com"]
    assert made[1].sender.endswith("@third.example")
    assert made[3].sender == ""


def test_logins(lab: ServerLab) -> None:
    right, wrong = attempts(lab, Try(user="alice", mail=[TO_OUTSIDE]), Try(user="alice!", mail=[TO_OUTSIDE]))
    assert right.login is not None
    assert wrong.login is not None
    assert (right.login.user, right.login.password) == ("alice", "correct-horse-7")
    assert (wrong.login.user, wrong.sender) == ("alice", "alice@example.com")
    assert wrong.login.password != right.login.password
    plan = planned(with_checks(lab, check("relay", Try(user="alice!", mail=[TO_OUTSIDE]))))
    assert {"correct-horse-7", "battery-staple-4", wrong.login.password} <= set(plan.secrets)


def test_a_mail_has_all_that_its_form_asks_for(lab: ServerLab) -> None:
    form = Mail(
        to=["@[{host_v4}]:{token}@{outside}", "{alice}@{domain}"],
        sender="ceo@{domain}",
        helo="{office_host}",
        parameters="AUTH={alice}@{domain}",
        before=["XCLIENT ADDR={office}"],
        preamble="PROXY TCP4 {office} {server} 40000 25",
        smuggle=True,
        certificate=True,
        header_from="boss@{partner}",
        title="all at once from {source}",
    )
    (made,) = attempts(lab, Try(mail=[form]))
    assert made.recipients == [f"@[203.0.113.10]:{made.token}@elsewhere.example", "alice@example.com"]
    assert (made.sender, made.helo) == ("ceo@example.com", "desk.example.com")
    assert (made.parameters, made.before) == ("AUTH=alice@example.com", ["XCLIENT ADDR=10.20.30.50"])
    assert made.preamble == "PROXY TCP4 10.20.30.50 203.0.113.10 40000 25"
    assert (made.certificate, made.title) == (True, "all at once from 198.51.100.66")
    assert b"From: <boss@partner.example>\r\n" in made.message
    assert made.smuggled.startswith(b"\n.\r\nMAIL FROM:<ceo@example.com>\r\nRCPT TO:<@[203.0.113.10]:")
    hidden = made.message.replace(b"Message-ID: <", b"Message-ID: <2.")
    assert hidden != made.message
    assert made.smuggled.endswith(b"\r\nDATA\r\n" + hidden)


@pytest.mark.parametrize(
    ("recipient", "mailbox"),
    [
        ("alice@{domain}", "alice"),
        ("bob+news@{host}", "bob"),
        ("alice", "alice"),
        ("alice@{outside}", None),
        ("{token}@{domain}", None),
        ("{token}@{outside}", None),
    ],
)
def test_whose_mailbox(lab: ServerLab, recipient: str, mailbox: str | None) -> None:
    (made,) = attempts(lab, Try(mail=[Mail(to=[recipient])]))
    assert made.mailbox == mailbox


def test_mails_are_ordinary_letters(lab: ServerLab) -> None:
    for sender, recipient in (
        ("", "alice@{domain}"),
        ("a@b.c", '"x@{outside}"'),
        ("a@b.c", "{token}%{outside}"),
    ):
        (made,) = attempts(lab, Try(mail=[Mail(to=[recipient], sender=sender)]))
        assert made.message.count(b"\n") == made.message.count(b"\r\n")
        assert made.message.endswith(b"\r\n")
        assert all(len(line) <= 78 or line.startswith(b"Message-ID") for line in made.message.split(b"\r\n"))
        letter = email.message_from_bytes(made.message, policy=email.policy.strict)
        assert not letter.defects
        assert not [header for header in letter.values() if header.defects]
        assert {"From", "To", "Subject", "Date", "Message-ID", "MIME-Version"} <= set(letter.keys())
        assert letter["Date"].datetime.timestamp() == WHEN
        assert made.token in letter["Subject"]
        assert made.token in letter["Message-ID"]
        assert made.token in letter.get_content()


def test_unless_arrived_names_the_attempts_of_the_same_source_and_listener(lab: ServerLab) -> None:
    both = {"sources": ["stranger", "office"], "on": [25, 465], "mail": [TO_OUTSIDE]}
    later = check("deep", Try(**both, unless_arrived="plain"))  # type: ignore[arg-type]
    plan = planned(with_checks(lab, later, check("plain", Try(**both))))  # type: ignore[arg-type]
    by_id = {a.id: a for a in plan.attempts}
    for attempt in plan.attempts[:4]:
        (other,) = (by_id[i] for i in attempt.unless_arrived)
        assert (other.check, other.source, other.listener) == ("plain", attempt.source, attempt.listener)


def test_unless_arrived_of_several_checks_takes_any_source_where_one_does_not_try_that_one(
    lab: ServerLab,
) -> None:
    office = Try(sources=["office"], on=[25], mail=[TO_OUTSIDE], unless_arrived=["same", "other"])
    same = Try(sources=["stranger", "office"], on=[25], mail=[TO_OUTSIDE])
    other = Try(sources=["stranger", "neighbour"], on=[25, 465], mail=[TO_OUTSIDE])
    plan = planned(with_checks(lab, check("deep", office), check("same", same), check("other", other)))
    by_id = {a.id: a for a in plan.attempts}
    spared = [(by_id[i].check, by_id[i].source, by_id[i].listener) for i in plan.attempts[0].unless_arrived]
    assert spared == [("same", "office", "25"), ("other", "stranger", "25"), ("other", "neighbour", "25")]


def test_sources_in_mentioned_networks(lab: ServerLab) -> None:
    """Not in loopback, the office LAN or the host itself, though main.cf mentions them, too; a private one, which can
    reach the LAN's address, comes to that as well."""
    made = attempts(lab, Try(sources=["mentioned-networks"], mail=[TO_OUTSIDE]))
    assert [a.source for a in made] == [
        "mentioned-networks: 10.0.0.0/8",
        "mentioned-networks: 10.0.0.0/8, by the LAN",
        "mentioned-networks: 2001:db8:5::/48",
    ]
    assert made[0].address == made[1].address
    ten, _, six = (ipaddress.ip_address(a.address) for a in made)
    assert ten in ipaddress.ip_network("10.0.0.0/8")
    assert ten not in ipaddress.ip_network("10.20.30.0/24")
    assert six in ipaddress.ip_network("2001:db8:5::/48")
    assert [a.server for a in made] == ["203.0.113.10", "10.20.30.10", "2001:db8:113::10"]


def test_sources_with_mentioned_names(lab: ServerLab) -> None:
    plan = planned(with_checks(lab, check("relay", Try(sources=["mentioned-names"], mail=[TO_OUTSIDE]))))
    helos = {a.source.removeprefix("mentioned-names: "): (a.helo, a.address) for a in plan.attempts}
    assert set(helos) == {"friend.org", "lists.example.com", "partner.example", ".pal.net"}
    assert helos[".pal.net"][0] == "client.pal.net"
    records = answers(plan)
    for name, address in helos.values():
        pointer = ipaddress.ip_address(address).reverse_pointer
        assert records[(pointer, "PTR")] == [f"{name}."]
    assert records[("friend.org", "A")] == [helos["friend.org"][1]]
    assert ("lists.example.com", "A") not in records, (
        "nobody else can name an address in the student's domain"
    )


def test_a_name_that_somebody_has_is_its_machine(lab: ServerLab) -> None:
    """Whoever trusts a mail server by its name trusts that server: nobody else can come under the name."""
    files = {"main.cf": b"smtpd_client_restrictions = check_client_access inline:{mx.partner.example=OK}\n"}
    entry = Try(sources=["mentioned-names"], mail=[TO_OUTSIDE])
    plan = planned(with_checks(lab, check("relay", entry)), files)
    assert [(a.helo, a.address) for a in plan.attempts] == [("mx.partner.example", "198.51.100.90")]
    records = answers(plan)
    assert records["mx.partner.example", "A"] == ["198.51.100.90"]
    assert records["90.100.51.198.in-addr.arpa", "PTR"] == ["mx.partner.example."]


def test_forms_for_everything_mentioned(lab: ServerLab) -> None:
    made = attempts(
        lab,
        Try(
            mail=[
                Mail(to=["{token}@{mentioned}"]),
                Mail(to=["{token}@{outside}"], sender="{mentioned_address}"),
            ]
        ),
    )
    assert [a.recipients[0].split("@")[1] for a in made[:4]] == [
        "friend.org", "lists.example.com", "partner.example", "pal.net",
    ]  # fmt: skip
    assert made[4].sender == "boss@friend.org"
    assert [a.sender.split("@")[1] for a in made[5:]] == [
        "friend.org",
        "lists.example.com",
        "partner.example",
        "pal.net",
    ]


def test_everybody_of_the_domain_who_is_mentioned_is_an_author(lab: ServerLab) -> None:
    tables = {
        "main.cf": OPEN,
        "signing.table": b"*@example.com k\nCarol@example.com x\nbob@example.com k\nd@else.example y\n",
    }
    entry = Try(mail=[Mail(to=["{token}@{outside}"], sender="{mentioned_author}")])
    made = planned(with_checks(lab, check("relay", entry)), tables).attempts
    assert [attempt.sender for attempt in made] == ["Carol@example.com"]


def test_nothing_mentioned_gives_no_attempts(lab: ServerLab) -> None:
    entry = Try(sources=["mentioned-networks", "mentioned-names"], mail=[TO_OUTSIDE])
    plan = planned(with_checks(lab, check("relay", entry)), {"main.cf": b"myhostname = mail.example.com\n"})
    assert plan.attempts == []


def test_anywhere_is_somewhere_else_for_every_submission(lab: ServerLab) -> None:
    entry = Try(sources=["anywhere", "anywhere-v6"], mail=[TO_OUTSIDE])
    lab = with_checks(lab, check("relay", entry))
    seen = set()
    for number in range(20):
        four, six = planned(lab, {"main.cf": b"# %d\n" % number}).attempts
        assert ipaddress.ip_address(four.address).is_global
        assert ipaddress.ip_address(six.address).version == 6
        seen |= {four.address, six.address}
    assert len(seen) == 40


def test_nobody_has_heard_of_who_is_drawn_for_a_submission(lab: ServerLab) -> None:
    mail = Mail(sender="{somebody}@{source_name}", to=["{token}@{unheard}"])
    lab = with_checks(lab, check("relay", Try(sources=["anywhere"], mail=[mail])))
    plan = planned(lab)
    (attempt,) = plan.attempts
    domain = attempt.recipients[0].partition("@")[2]
    assert attempt.helo.endswith(f".{domain}")
    assert attempt.sender.endswith(f"@{attempt.helo}")
    assert answers(plan)[domain, "MX"] == ["10 mx.elsewhere.example."]
    again = planned(lab, {"main.cf": OPEN + domain.encode()}).attempts[0].recipients[0]
    assert not again.endswith(f"@{domain}")


def test_too_many_attempts(lab: ServerLab) -> None:
    entry = Try(sources=["stranger"] * 60, mail=[TO_OUTSIDE] * 100)
    with pytest.raises(LabError, match=r"more than 5000 attempts at check 'relay'"):
        attempts(lab, entry)


def test_the_same_submission_gives_the_same_plan(lab: ServerLab) -> None:
    assert planned(lab) == planned(lab)
    tokens = [{a.token for a in planned(lab, student=student).attempts} for student in (None, "jane", "john")]
    changed = {a.token for a in planned(lab, {"main.cf": OPEN + b"#"}).attempts}
    assert len(set.union(*tokens, changed)) == 4 * len(changed)


def test_only_brings_what_it_depends_on(lab: ServerLab) -> None:
    def codes(only: set[str] | None) -> list[str]:
        return list(dict.fromkeys(a.check for a in planned(lab, only=only).attempts))

    assert codes(None) == ["starts", "local", "office", "stranger"]
    assert codes({"stranger"}) == ["starts", "office", "stranger"]
    assert codes({"own-domain/local"}) == ["starts", "local"]
    whole = {a.id: a for a in planned(lab).attempts}
    assert all(whole[a.id] == a for a in planned(lab, only={"stranger"}).attempts)
    with pytest.raises(UsageError, match=r"has no check 'strangers'; did you mean 'stranger'\?"):
        codes({"strangers"})


def test_everybody_who_is_mentioned_is_written_to(lab: ServerLab) -> None:
    files = {"main.cf": OPEN, "access": b".pal.net OK\nboss@friend.org OK\n192.0.2.77 OK\n"}
    plan = planned(with_checks(lab, check("relay", Try(mail=[Mail(to=["{mentioned_recipient}"])]))), files)
    recipients = [a.recipients[0].replace(a.token, "T") for a in plan.attempts]
    for wanted in (
        "T@friend.org",
        "T@lists.example.com",
        "T@deep.pal.net",
        "boss@friend.org",
        "T@[192.0.2.77]",
    ):
        assert wanted in recipients
    assert not [r for r in recipients if r.endswith(("@example.com", "@mail.example.com"))]
    assert {"deep.pal.net", "friend.org"} <= {name for name, kind in answers(plan) if kind == "MX"}


def test_an_entry_may_depend_on_what_the_files_hold(lab: ServerLab) -> None:
    bound = Try(mail=[TO_OUTSIDE], if_files=r"^\S+:\S+\s+inet\b")
    demo = with_checks(lab, check("relay", bound, Try(mail=[TO_OUTSIDE])))
    assert len(planned(demo, {"main.cf": OPEN, "master.cf": b"smtp inet n - y - - smtpd\n"}).attempts) == 1
    assert (
        len(planned(demo, {"main.cf": OPEN, "master.cf": b"#\n10.0.0.1:25 INET n - y - - smtpd"}).attempts)
        == 2
    )


@pytest.mark.parametrize(
    ("networks", "witnesses"),
    [
        ("10.20.30.0/24", ["10.20.30.0/24"]),
        ("10.20.30.0/25", ["10.20.30.128/25", "10.20.30.0/25"]),
        ("10.20.30.0/25 10.20.30.128/26", ["10.20.30.192/26", "10.20.30.0/25", "10.20.30.128/26"]),
        ("10.20.30.50 10.20.30.200 10.0.0.0/8", ["10.20.30.0/24"]),
        ("10.20.30.77", ["10.20.30.0/24", "10.20.30.77/32"]),
        (
            " ".join(f"10.20.30.{number}" for number in range(256) if number != 77),
            [
                "10.20.30.77/32",
                "10.20.30.0/26",
                "10.20.30.64/29",
                "10.20.30.72/30",
                "10.20.30.76/32",
                "10.20.30.78/31",
            ],
        ),
    ],
)
def test_somebody_in_each_part_of_the_office_that_the_files_tell(
    lab: ServerLab, networks: str, witnesses: list[str]
) -> None:
    main = f"mynetworks = {networks}\n".encode()
    plan = planned(
        with_checks(lab, check("office", Try(sources=["office-anybody"], mail=[TO_OUTSIDE]))),
        {"main.cf": main},
    )
    found = [ipaddress.ip_address(a.address) for a in plan.attempts]
    assert [a in ipaddress.ip_network(n) for a, n in zip(found, witnesses, strict=True)] == [True] * len(
        found
    )
    assert not {"10.20.30.50", "10.20.30.200", "10.20.30.10"} & {str(a) for a in found}
    assert all(a.server == "10.20.30.10" and a.inside for a in plan.attempts)


def test_a_message_of_a_size_is_as_long_in_lines_that_are_allowed(lab: ServerLab) -> None:
    (made,) = attempts(lab, Try(mail=[Mail(to=["{alice}@{domain}"], octets=65536)]))
    assert len(made.message) == 65536
    assert max(map(len, made.message.split(b"\r\n"))) <= 998
    assert made.message.endswith(b"\r\n")
    assert b"\n" not in made.message.replace(b"\r\n", b"")


def test_a_header_may_name_another_reader(lab: ServerLab) -> None:
    (made,) = attempts(lab, Try(mail=[Mail(to=["{alice}@{domain}"], header_to="{token}@{outside}")]))
    assert made.recipients == ["alice@example.com"]
    assert f"To: <{made.token}@elsewhere.example>\r\n".encode() in made.message


def test_a_limit_for_each_client_is_met_by_many_strangers(lab: ServerLab) -> None:
    entry = Try(sources=["stranger", "stranger-v6", "office"], mail=[TO_OUTSIDE] * 5)
    checked = with_checks(lab, check("relay", entry))
    plan = planned(checked, {"main.cf": OPEN + b"smtpd_client_recipient_rate_limit = 4\n"})
    addresses = {
        source: [a.address for a in plan.attempts if a.source == source]
        for source in ("stranger", "stranger-v6", "office")
    }
    assert addresses["stranger"] == ["198.51.100.66"] * 2 + ["198.19.0.2"] * 2 + ["198.19.0.3"]
    assert len(set(addresses["office"])) == 1
    # anvil counts the addresses of a /84 as one client.
    networks = {ipaddress.ip_network(f"{a}/84", strict=False) for a in addresses["stranger-v6"]}
    assert len(networks) == 3
    assert {f"{a}/128" for a in addresses["stranger-v6"]} <= set(plan.world.addresses)
    assert answers(plan)["2.0.19.198.in-addr.arpa", "PTR"] == ["client-198-19-0-2.stranger.example."]
