"""What is found in a submission's text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.kinds.server.plan.mentions import MOST, find_mentions
from grader.model.errors import SubmissionError
from tests.conftest import examples
from tests.tables import every

OWN = ("example.com", "mail.example.com")


def mentions(main: str = "", **maps: str) -> tuple[list[str], list[str], list[str]]:
    files = {"main.cf": main.encode(), **{name: text.encode() for name, text in maps.items()}}
    found = find_mentions(files, OWN)
    return found.networks, found.names, found.addresses


@every(
    ("text", "networks"),
    [
        ("mynetworks = 127.0.0.0/8 [::1]/128 [::ffff:127.0.0.0]/104", []),
        ("mynetworks = 10.0.0.0/8, 192.168.1.5", ["10.0.0.0/8", "192.168.1.5/32"]),
        ("mynetworks = 10.1.2.3/16", ["10.1.0.0/16"]),
        ("mynetworks = 0.0.0.0/0 [::]/0", ["0.0.0.0/0", "::/0"]),
        ("mynetworks = [2001:db8:1::]/48 2001:db8:2::7", ["2001:db8:1::/48", "2001:db8:2::7/128"]),
        ("mynetworks = ::ffff:10.1.0.0/112", ["10.1.0.0/16"]),
        ("mynetworks =\n  10.1.0.0/16\n# 10.2.0.0/16\n  10.3.0.0/16", ["10.1.0.0/16", "10.3.0.0/16"]),
        ("a = 10.7.0.0/16\nmynetworks = $a ${a} $(a)", ["10.7.0.0/16"]),
        ("relayhost = [198.51.100.25]:25", ["198.51.100.25/32"]),
        ("compatibility_level = 3.9", []),
        ("x = 999.1.1.1 1.2.3.4.5 10.0.0.0/99", []),
        ("x = 224.0.0.1 169.254.1.1 [fe80::1]", []),
    ],
)
def test_networks_in_main_cf(text: str, networks: list[str]) -> None:
    assert mentions(text)[0] == networks


@pytest.mark.parametrize(
    ("line", "networks"),
    [
        ("10 OK", ["10.0.0.0/8"]),
        ("172.16 OK", ["172.16.0.0/16"]),
        ("192.168.7 PERMIT", ["192.168.7.0/24"]),
        ("/^192\\.168\\./ OK", ["192.168.0.0/16"]),
        ("10.9.0.0/16 permit", ["10.9.0.0/16"]),
        ("2001:db8:9 OK", []),
    ],
)
def test_networks_in_maps(line: str, networks: list[str]) -> None:
    assert mentions(clients=line)[0] == networks


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("myhostname = mail.example.com\nmydestination = $myhostname, localhost, example.com", []),
        ("relay_domains = friend.org, .pal.net", ["friend.org", ".pal.net"]),
        ("myhostname = mail.example.com\nrelay_domains = lists.$mydomain", ["lists.example.com"]),
        ("mydomain = example.com\nrelay_domains = ${mydomain}", []),
        ("alias_maps = hash:/etc/aliases.db, cidr:/etc/postfix/nets.cidr", []),
        ("smtpd_x = reject_rbl_client zen.spamhaus.org=127.0.0.2", ["zen.spamhaus.org"]),
        ("x = FRIEND.ORG friend.org", ["friend.org"]),
    ],
)
def test_names_in_main_cf(text: str, names: list[str]) -> None:
    assert mentions(text)[1] == names


@every(
    ("line", "names", "addresses"),
    [
        ("boss@friend.org OK", ["friend.org"], ["boss@friend.org"]),
        ("@friend.org OK", ["friend.org"], []),
        (".friend.org OK", [".friend.org"], []),
        ("/@friend\\.org$/ OK", ["friend.org"], []),
        ("trusted-laptop OK", ["trusted-laptop"], []),
        ("alice alice", [], []),
        ("localhost OK", [], []),
        ("alice@example.com alice", [], ["alice@example.com"]),
    ],
)
def test_names_and_addresses_in_maps(line: str, names: list[str], addresses: list[str]) -> None:
    assert mentions(access=line)[1:] == (names, addresses)


def test_main_cf_comes_first() -> None:
    assert mentions("relay_domains = b.org", a="a.org OK")[1] == ["b.org", "a.org"]


def test_a_compiled_map_is_not_read() -> None:
    assert find_mentions({"main.cf": b"", "x": b"friend.org OK\0"}, OWN).names == []


def test_what_is_let_in_must_all_be_tried() -> None:
    lines = "\n".join(f"host{number}.org OK" for number in range(MOST + 1))
    with pytest.raises(
        SubmissionError, match=f"mention {MOST + 1} different names, and at most {MOST} can be tried"
    ):
        mentions(access=lines)


def test_the_offices_machines_may_be_listed_one_by_one() -> None:
    machines = "".join(f"10.20.30.{number} OK\n" for number in range(256))
    files = {"main.cf": b"mynetworks = hash:/a 192.0.2.9", "a": machines.encode()}
    assert find_mentions(files, OWN, "10.20.30.0/24").networks == ["192.0.2.9/32", "10.20.30.0/24"]
    with pytest.raises(SubmissionError, match="mention 257 different networks"):
        find_mentions(files, OWN, "10.20.31.0/24")


def test_what_is_refused_counts_last() -> None:
    lines = "\n".join(f"host{number}.org REJECT" for number in range(1000))
    names = mentions(access=lines + "\nfriend.org OK")[1]
    assert names[0] == "friend.org"
    assert len(names) == MOST


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=300) | st.text("0123456789.:/[]$={}()@abc \n#\\^", max_size=300).map(str.encode))
def test_any_text_is_read(data: bytes) -> None:
    find_mentions({"main.cf": data, "map": data}, OWN)


@pytest.mark.parametrize(
    "hostile",
    [b":" * 500_000, b"1." * 250_000, b"a." * 250_000, b"a@" * 250_000, b"-" * 500_000, b"[" * 500_000, b"a" * 500_000,
     b"x = $x$x\n" * 50_000, b"a = $b$b$b$b\nb = $a$a$a$a\n" * 10_000, b"y=" + b"$y" * 250_000, b"1:" * 250_000],
    ids=range(11),
)  # fmt: skip
def test_no_text_takes_long(hostile: bytes) -> None:
    began = time.process_time()
    find_mentions({"main.cf": hostile, "map": hostile}, OWN)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("name", "text", "locals_"),
    [
        ("aliases", 'decode: "|/usr/bin/uudecode"\nlist:\n  :include:/etc/list', ["decode", "list"]),
        ("virtual", "sales    alice\nalice@example.com alice\n@example.com bob\n10.1.2.3 OK", ["sales"]),
        ("main.cf", "virtual_alias_maps = inline:{ {help=alice}, info = bob }", ["help", "info"]),
        ("main.cf", "smtpd_banner = hello", []),
        ("filter", "#!/bin/sh\nexec sendmail", []),
    ],
)
def test_local_parts_that_tables_name(name: str, text: str, locals_: list[str]) -> None:
    assert find_mentions({name: text.encode()}, OWN).locals == locals_


def test_texts_that_patterns_match_are_mentioned() -> None:
    files = {
        "main.cf": b"x = check_client_access regexp:{ {/friend\\.org/ OK} }",
        "o": b"/^a(b|c)@x\\.org$/ alice",
    }
    found = [sample.text for sample in find_mentions(files, OWN).samples]
    assert found == ["friend.org", "ab@x.org", "ac@x.org"]


def test_a_local_part_for_whichever_domain_is_found() -> None:
    files = {
        "main.cf": b"x = inline:{abuse@=OK}\n",
        "access": b"sales@ OK\nboss@friend.org OK\n@friend.org OK\n",
    }
    assert find_mentions(files, ()).anywhere == ["abuse", "sales"]


def test_words_that_a_policy_program_may_compare_with_stand_for_local_parts() -> None:
    program = b"""if asked['sender'].startswith("newsletter@") or asked["helo_name"] == 'robot': print('action=OK')"""
    assert find_mentions({"policy.py": program}, ()).anywhere == ["newsletter", "robot"]
    assert find_mentions({"policy": b"#!/usr/bin/perl\n" + program}, ()).anywhere == ["newsletter", "robot"]
    assert find_mentions({"table": program}, ()).anywhere == []


def test_a_pattern_within_a_condition_is_read_with_it() -> None:
    table = b"if /^X-To:/\n/: <(.+)>$/ REDIRECT $1\nendif\n/^Cc: (.+)$/ BCC $1\n"
    texts = [sample.text for sample in find_mentions({"table": table}, []).rerouting]
    assert texts == ["X-To: <\0>", "Cc: \0"]


def test_expressions_that_act_on_what_a_letter_holds() -> None:
    lines = b"/^X-Sign: me/ FILTER smtp:[127.0.0.1]:10026\n/^Reply-To:/ IGNORE\n/^Received:/ WARN\n/spam/ REJECT\n"
    mentions = find_mentions({"checks": lines, "main.cf": b"x = regexp:{{/^Sender:/ STRIP}}\n"}, ())
    assert {sample.text for sample in mentions.acting} == {"X-Sign: me", "Reply-To:", "Sender:"}


def test_parameters_of_another_program_are_no_aliases() -> None:
    assert find_mentions({"opendkim.conf": b"Mode sv\nSyslog yes\n"}, ()).locals == []


def test_what_no_local_part_begins_with_stands_within_one() -> None:
    program = b"""good = '-bounces+' in asked['sender'] or asked['sender'].startswith('prvs') or a == '--'"""
    assert find_mentions({"policy.py": program}, ()).anywhere == ["prvs", "x1-bounces+"]


@every(
    ("conf", "fields"),
    [
        ("Mode sv\nSenderHeaders Reply-To,From, X-Author\n", ["Reply-To", "X-Author"]),
        ("senderheaders\tcsl:Sender,From # and no more\n", ["Sender"]),
        ("SenderHeaders refile:/etc/opendkim/senders\n", ["Sender", "Reply-To"]),
        ("SenderHeaders From\n", []),
        ("# SenderHeaders Sender\n", []),
    ],
)
def test_fields_that_opendkim_may_take_for_the_author_s(conf: str, fields: list[str]) -> None:
    assert find_mentions({"opendkim/opendkim.conf": conf.encode()}, []).author_fields == fields
