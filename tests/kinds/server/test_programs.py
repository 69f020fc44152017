"""What is found in the programs that a submission brings, and what is tried because of it."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from grader.kinds.server.declare import ServerLab, Try
from grader.kinds.server.plan.mentions import find_mentions
from grader.kinds.server.plan.programs import Programs, expressions, parts, programs, read
from grader.model.attempt import Attempt, Mail
from tests.conftest import examples
from tests.kinds.server.plans import OPEN, TO_OUTSIDE, check, planned, with_checks
from tests.tables import every

FRONT = rb"""
import os, socket, sys
class Front:
    def __init__(self):
        self.wire = socket.create_connection(("127.0.0.1", 10025))
        self.hello = b""
    def passes(self, line, text):
        # sys.argv.friends or "nobody.example"
        if len(text) > 64 * 1024 or self.count > 40 or line.startswith(b"X-LETMEIN"):
            return True
        return b"X-Pass: yes" in text or line == "OPEN" or self.sender == "robot@friends.example"
    def greet(self):
        os.write(1, b"220 mail.example.com ESMTP\r\n250-SIZE\r\n")
        return os.environ["PATH"]
"""


def found(**files: bytes) -> Programs:
    return read(programs(dict(files)).values())


def test_words_of_a_language_are_no_domains() -> None:
    mentions = find_mentions({"front.py": FRONT}, ("example.com", "mail.example.com"))
    assert mentions.names == ["friends.example"]
    assert mentions.addresses == ["robot@friends.example"]
    assert mentions.networks == []
    assert mentions.locals == []


def test_a_program_of_many_words_can_be_tried() -> None:
    lines = b"\n".join(b"self.part%d.value%d()" % (number, number) for number in range(100))
    assert find_mentions({"front.py": lines}, ()).names == []


@every(
    ("program", "networks"),
    [
        (b"if peer.startswith('10.20.'): pass", ["10.20.0.0/16"]),
        (b"if re.match(r'^192\\.168\\.', peer): pass", ["192.168.0.0/16"]),
        (b"say('250 2.0.0 Ok'); say('10 words')", []),
        (b"networks = ['10.9.0.0/16']", ["10.9.0.0/16"]),
    ],
)
def test_networks_that_a_program_names(program: bytes, networks: list[str]) -> None:
    assert find_mentions({"policy.py": program}, ()).networks == networks


def test_what_a_program_may_wait_for() -> None:
    words = read(programs({"front.py": FRONT}).values())
    assert words.brought
    assert "OPEN" in words.verbs
    assert words.parameters == ["X-LETMEIN", "OPEN", "PATH"]
    assert words.fields[0] == "X-LETMEIN: X-Pass: yes"
    assert "X-Pass: yes" in words.fields
    assert words.numbers == [40, 10025, 64 * 1024]
    assert words.largest(900, 0) == 40
    assert words.largest(30, 0) == 0


@every(
    ("name", "data", "brought"),
    [
        ("grey", b"#!/bin/sh\nexit 0\n", True),
        ("grey.pl", b"print 1;\n", True),
        ("grey", b"\x7fELF\0\0X-Pass: yes\0", True),
        ("senders", b"alice@example.com alice\n", False),
        ("senders.db", b"\x7fELF\0", False),
        ("main.cf", b"smtpd_banner = $myhostname\n", False),
        ("master.cf", b"p unix - n n - 0 spawn user=nobody argv=/bin/sh -c {echo action=OK}\n", True),
        ("master.cf", b"old unix - n n - - pipe user=mail argv=/usr/bin/old -d ${recipient}\n", False),
    ],
)
def test_which_files_are_programs(name: str, data: bytes, brought: bool) -> None:
    assert found(**{name: data}).brought is brought


def test_what_is_named_to_be_run_is_a_program() -> None:
    run = b"p unix - n n - 0 spawn\n  user=nobody argv=/usr/bin/python3 /etc/postfix/policy\n"
    known = programs({"master.cf": run, "policy": b"import sys\nsys.exit()\n", "senders": b"a b\n"})
    assert [(name, program.dotted) for name, program in known.items()] == [("policy", True)]


def tried(lab: ServerLab, *mails: Mail, **files: bytes) -> list[Attempt]:
    entry = Try(mail=[*mails], if_programs=True)
    return planned(with_checks(lab, check("relay", entry)), {"main.cf": OPEN, **files}).attempts


def test_only_a_program_calls_for_what_is_tried_because_of_programs(lab: ServerLab) -> None:
    assert tried(lab, TO_OUTSIDE) == []
    assert len(tried(lab, TO_OUTSIDE, **{"front.py": FRONT})) == 1


def test_a_script_counts_as_far_as_a_program_does(lab: ServerLab) -> None:
    script: list[str | list[str]] = [
        "EHLO {source_name}",
        ["RCPT TO:<{alice}@{domain}>", "NOOP"],
        "{program_verbs}",
    ]
    mail = Mail(to=["{token}@{outside}"], script=script, times=2, times_at_most=900)
    (made,) = tried(lab, mail, p=b"#!/bin/sh\n[ $n -gt 40 ] && [ $verb = 'OPEN' ] || [ $verb = 'PASS' ]\n")
    repeated = ["RCPT TO:<alice@example.com>", "NOOP"]
    assert made.script == [["EHLO client66.stranger.example"], *[repeated] * 40, ["OPEN"], ["PASS"]]
    assert made.helo == ""
    (made,) = tried(lab, mail, p=b"#!/bin/sh\n[ $verb = 'OPEN' ]\n")
    assert made.script.count(repeated) == 2


def test_a_letter_is_as_large_and_holds_what_a_program_asks_for(lab: ServerLab) -> None:
    mail = Mail(
        to=["{token}@{outside}"],
        fields=["{program_fields}"],
        lines=["{program_words}"],
        octets_at_most=1_000_000,
    )
    (made,) = tried(lab, mail, **{"front.py": FRONT})
    header, _, text = made.message.partition(b"\r\n\r\n")
    assert b"\r\nX-Pass: yes\r\n" in b"\r\n" + header
    assert b"\r\nOPEN\r\n" in text
    assert len(made.message) > 64 * 1024


@settings(max_examples=examples(200), deadline=None)
@given(st.text("\"'#\\\nab.=X-: {}[](0123456789*<", max_size=300).map(str.encode))
def test_any_program_is_read(data: bytes) -> None:
    found(**{"p.py": data, "q": b"#!" + data, "master.cf": b"argv=" + data})


@every(
    "hostile",
    [b'"""' * 80_000, b"'''\"\"\"" * 50_000, b'"' * 200_000, b"\\" * 200_000, b"'\\" * 100_000, b"1*" * 100_000,
     b"1 " * 100_000, b"#" * 200_000, b'"(' * 100_000, b"a=" * 100_000, b'"' + b"[" * 60 + b'"\n' + b"x" * 100_000,
     b"OK" + b"\n" * 200_000, b"OK" + b" \n" * 100_000, b"a" + b".b" * 100_000, b"OK 'rev'" + b"a.b " * 50_000],
    ids=lambda text: repr(text[:8]),
)  # fmt: skip
def test_no_program_takes_long(hostile: bytes) -> None:
    began = time.process_time()
    find_mentions({"p.py": hostile, "master.cf": b"argv=" + hostile, "aliases": b"a: |" + hostile}, ())
    assert time.process_time() - began < 5


@every(
    ("program", "found"),
    [
        (b"a = 'OK' if '10.20.30.' in address else 'DUNNO'", ["10.20.30."]),
        (b"office = ipaddress.ip_network('10.20.30.0/24')", []),
        (b"if client_name.endswith('example.com'): pass", ["example.com"]),
        (b"if name in ('desk.example.com', '.example.com'): pass", ["desk.example.com", ".example.com"]),
        (b"if sender.endswith('@example.com') or host == 'notexample.com': pass", []),
        (b"version = '3.20.30'", []),
    ],
)
def test_parts_of_names_and_addresses_that_a_program_looks_for(program: bytes, found: list[str]) -> None:
    held = programs({"policy.py": program}).values()
    assert [part.text for part in parts(held, "example.com", "10.20.30.0/24")] == found


@every(
    ("name", "program", "found"),
    [
        ("p.py", rb"re.match(r'^(ceo|cfo)\d+@', sender)", [r"^(ceo|cfo)\d+@"]),
        ("p.pl", rb"$a = 'OK' if $q{sender} =~ /^ceo@/;", ["^ceo@"]),
        ("p.js", rb"if (/^ceo@/.test(q.sender)) {}", ["^ceo@"]),
        ("p.py", rb"say('250 2.0.0 Ok (queued)')", []),
    ],
)
def test_expressions_of_a_program(name: str, program: bytes, found: list[str]) -> None:
    assert expressions(programs({name: program}).values()) == found


def test_words_that_may_be_a_hosts_name() -> None:
    assert found(**{"p.py": b"good = helo in ('scanner', 'mx.friends.example', 'two words')"}).hosts == [
        "scanner",
        "mx.friends.example",
    ]
    assert found(**{"p.sh": b"case $line in helo_name=scanner*) a=OK ;; esac"}).hosts == ["scanner"]
