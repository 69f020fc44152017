"""The agent on the student's host does what it says, on every engine."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from grader.engines.base import Engine, Machines
from grader.model.deadline import Deadline
from grader.model.errors import EngineError
from grader.model.plan import File
from grader.model.protocol import Operation
from grader.model.protocol.host import (
    CountQueue,
    DeliveredMail,
    FindMail,
    HaltService,
    Install,
    IsAlive,
    ListQueue,
    MasterState,
    QueueCounts,
    ReadLog,
    RunCommand,
    ServicesStarted,
    StartServices,
    StopAll,
)
from tests.conftest import PATIENCE
from tests.engines.plans import plan, python, run

MAIN = """\
compatibility_level = 3.9
myhostname = mail.example.com
myorigin = example.com
mydestination = example.com
"""
MAPS = """\
virtual_alias_maps = hash:/etc/postfix/virtual
alias_maps = hash:${config_directory}/aliases
"""


@pytest.fixture
def machines(engine: Engine) -> Iterator[Machines]:
    with engine.machines(plan()) as up:
        yield up


class Frobnicate(Operation[None], frozen=True, tag="frobnicate"):
    """What no host can do."""


def file(path: str, text: str, mode: int = 0o644, owner: str = "root:root") -> File:
    return File(path, text.encode(), mode, owner)


def install(machines: Machines, *files: File) -> None:
    machines.host.call(Install(list(files)), timeout=PATIENCE)


def start(machines: Machines, *services: str) -> ServicesStarted:
    return machines.host.call(StartServices(list(services), "/etc/postfix", 15), timeout=PATIENCE)


def sendmail(machines: Machines, recipient: str, message: str) -> None:
    argv = ["sendmail", "-f", "x@example.com", recipient]
    assert machines.host.call(RunCommand(argv, limit=PATIENCE / 2, input=message), timeout=PATIENCE).code == 0


def eventually(machines: Machines, tokens: list[str]) -> list[DeliveredMail]:
    """Delivered messages with these tokens, waited for."""
    deadline = Deadline(PATIENCE)
    while not deadline.over:
        if found := machines.host.call(FindMail(tokens), timeout=PATIENCE):
            return found
        time.sleep(0.02)
    return []


def test_files_are_installed_as_asked_and_old(machines: Machines) -> None:
    install(machines, file("/etc/postfix/deep/er/map", "a b\n", 0o640, "root:postfix"))
    told = run(machines, "stat", "-c", "%a %U:%G %Y", "/etc/postfix/deep/er/map")
    assert told == (0, "640 root:postfix 1577836800\n")
    assert run(machines, "cat", "/etc/postfix/deep/er/map") == (0, "a b\n")


@pytest.mark.parametrize(
    "path",
    ["/usr/bin/sh", "/etc/passwd", "/etc/postfix/../passwd", "/var/run/../../etc/passwd", "etc/postfix/x"],
)
def test_files_stay_in_the_writable_trees(machines: Machines, path: str) -> None:
    with pytest.raises(EngineError, match="may be installed"):
        install(machines, file(path, "x"))


def test_files_do_not_follow_a_link_out(machines: Machines) -> None:
    run(machines, "ln", "-s", "/dev", "/etc/postfix/out")
    with pytest.raises(EngineError, match="may be installed"):
        install(machines, file("/etc/postfix/out/x", "x"))


LOGGING = """
import socket
places = [socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
for place, path in zip(places, ("/dev/log", "/var/spool/postfix/dev/log")):
    place.connect(path)
for number in range(40):
    places[number // 3 % 2].send(b"<22>number %d" % number)
"""


def test_lines_of_the_log_keep_their_order_whoever_is_in_a_chroot(machines: Machines) -> None:
    start(machines)
    assert python(machines, LOGGING) == ""
    log = machines.host.call(ReadLog(), timeout=PATIENCE)
    assert [line.partition(" ")[2] for line in log] == [f"number {number}" for number in range(40)]


def test_a_command_that_takes_too_long_is_killed_with_its_children(machines: Machines) -> None:
    before = time.monotonic()
    code, output = run(machines, "sh", "-c", "echo begun; sleep 321 & sleep 321", limit=0.3)
    assert (code, output) == (-256, "begun\n")
    assert time.monotonic() - before < PATIENCE / 2
    # What was killed may be a zombie for a moment.
    deadline = Deadline(PATIENCE)
    while run(machines, "pgrep", "-c", "sleep")[1] != "0\n":
        assert not deadline.over


def test_output_is_bounded_and_whole_below_that(machines: Machines) -> None:
    assert run(machines, "seq", "100000")[1] == "".join(f"{n}\n" for n in range(1, 100_001))
    assert len(run(machines, "head", "-c", "3000000", "/dev/zero")[1]) == 1_000_000


def test_a_missing_program_and_an_unknown_request_are_told(machines: Machines) -> None:
    assert run(machines, "no-such-program") == (127, "no-such-program: No such file or directory\n")
    with pytest.raises(EngineError, match="no such request"):
        machines.host.call(Frobnicate(), timeout=PATIENCE)


def test_input_reaches_the_command(machines: Machines) -> None:
    answer = machines.host.call(
        RunCommand(["wc", "-c"], limit=PATIENCE / 2, input="x" * 100_000), timeout=PATIENCE
    )
    assert answer.output == "100000\n"


def test_postfix_delivers_and_every_trace_of_it_is_seen(machines: Machines) -> None:
    install(
        machines,
        file("/etc/postfix/main.cf", MAIN + MAPS),
        file("/etc/postfix/virtual", "info@example.com alice\n"),
        file("/etc/postfix/aliases", "postmaster: bob\n"),
    )
    told = start(machines, "postfix")
    assert told.queue_directory == "/var/spool/postfix"
    assert told.mta.startswith("Postfix 3.")
    compiled = {command.argv[0]: command.code for command in told.commands if command.argv[0] != "postconf"}
    assert compiled == {"postmap": 0, "postalias": 0}
    assert machines.host.call(IsAlive(), timeout=PATIENCE) == MasterState(master=True, exit=None)
    message = "Subject: tok-1\n\nHello\n\nFrom here on nothing splits.\n"
    for recipient in ("info@example.com", "postmaster@example.com"):
        sendmail(machines, recipient, message)
    deadline = Deadline(PATIENCE)
    while len(found := eventually(machines, ["tok-1", "tok-2"])) < 2 and not deadline.over:
        time.sleep(0.02)
    assert sorted(entry.path for entry in found) == ["/var/mail/alice", "/var/mail/bob"]
    assert all(entry.tokens == ["tok-1"] for entry in found)
    assert b"From here on nothing splits." in found[0].raw
    log = machines.host.call(ReadLog(), timeout=PATIENCE)
    assert any("postfix/master[" in line and "daemon started" in line for line in log)
    assert all(line.split(" ", 1)[0].isdigit() for line in log)


def test_aliases_of_a_service_alone_are_compiled_as_aliases(machines: Machines) -> None:
    master = run(machines, "cat", "/etc/postfix/master.cf")[1]
    own = re.sub(r"^local .*\n", "\\g<0>  -o alias_maps=hash:/etc/postfix/roles\n", master, flags=re.M)
    install(machines, file("/etc/postfix/main.cf", MAIN), file("/etc/postfix/master.cf", own))
    install(machines, file("/etc/postfix/roles", "sales: bob\n"))
    told = start(machines, "postfix").commands
    assert [command.argv[0] for command in told if command.argv[0] != "postconf"] == ["postalias"]


def test_a_map_that_a_later_entry_overrides_is_not_compiled(machines: Machines) -> None:
    """Postfix warns of the entry in its own words. Compiled too, it would write over the map that is read."""
    maps = "smtpd_sender_login_maps = {}:/etc/postfix/senders\n"
    overridden = maps.format("hash") + maps.format("btree")
    install(machines, file("/etc/postfix/main.cf", MAIN + overridden))
    install(machines, file("/etc/postfix/senders", "alice@example.com alice\n"))
    told = start(machines, "postfix").commands
    compiled = [command.argv[-1] for command in told if command.argv[0] != "postconf"]
    assert compiled == ["btree:/etc/postfix/senders"]


def test_the_queue_is_counted_and_its_reasons_are_told(machines: Machines) -> None:
    install(machines, file("/etc/postfix/main.cf", MAIN + "defer_transports = smtp\n"))
    start(machines, "postfix")
    sendmail(machines, "y@elsewhere.example", "Subject: s\n\n")
    deadline = Deadline(PATIENCE)
    while machines.host.call(CountQueue(), timeout=PATIENCE).deferred != 1 and not deadline.over:
        time.sleep(0.02)
    counts = machines.host.call(CountQueue(), timeout=PATIENCE)
    assert counts == QueueCounts(maildrop=0, hold=0, incoming=0, active=0, deferred=1, corrupt=0)
    (entry,) = machines.host.call(ListQueue(), timeout=PATIENCE)
    assert (entry.queue, entry.sender) == ("deferred", "x@example.com")
    assert (entry.recipient, entry.reason) == ("y@elsewhere.example", "deferred transport")


def test_a_queue_elsewhere_is_made(machines: Machines) -> None:
    install(machines, file("/etc/postfix/main.cf", MAIN + "queue_directory = /var/queue\n"))
    assert start(machines, "postfix").queue_directory == "/var/queue"
    assert run(machines, "test", "-d", "/var/queue/deferred")[0] == 0


def test_a_service_that_begins_with_the_server_finds_its_maps(machines: Machines) -> None:
    relay = "relay_domains =\n# a table:\n  hash:/etc/postfix/domains\n"
    domains = file("/etc/postfix/domains", "".join(f"d{n}.example x\n" for n in range(20_000)))
    master = run(machines, "cat", "/etc/postfix/master.cf")[1]
    lines = [line for line in master.splitlines(keepends=True) if not line.startswith("flush")]
    woken = "flush unix n - n\n# every ten seconds\n  10 0 flush\n"
    install(machines, file("/etc/postfix/main.cf", MAIN + relay), domains)
    install(machines, file("/etc/postfix/master.cf", "".join([*lines, woken])))
    assert {command.code for command in start(machines, "postfix").commands} == {0}
    # The server is started by then, and need not have got as far as its last service.
    deadline = Deadline(PATIENCE)
    while run(machines, "test", "-S", "/var/spool/postfix/public/flush")[0] and not deadline.over:
        time.sleep(0.02)
    assert run(machines, "postqueue", "-s", "d1.example")[0] == 0
    log = machines.host.call(ReadLog(), timeout=PATIENCE)
    assert not [line for line in log if "flush" in line or "qmgr" in line]


@pytest.mark.parametrize("folder", ["/usr", "/proc/1", "/var/mail/none\u00e9", "/etc/passwd"])
def test_a_queue_that_can_be_none_is_no_refusal_and_named_in_the_log(machines: Machines, folder: str) -> None:
    install(machines, file("/etc/postfix/main.cf", MAIN + f"queue_directory = {folder}\n"))
    assert start(machines, "postfix").queue_directory == folder
    assert machines.host.call(CountQueue(), timeout=PATIENCE).total == 0
    named = f"smtplab: fatal: /etc/postfix/main.cf: queue_directory = {folder}: no queue can be written there"
    log = " ".join(machines.host.call(ReadLog(), timeout=PATIENCE))
    assert (named in log) == (not folder.startswith("/var"))


def test_names_and_octets_that_are_no_text_cost_no_answer(machines: Machines) -> None:
    script = "printf 'Subject: tok-1\\n\\n\\377' >\"$(printf '/var/mail/\\377')\"; printf '\\355\\262\\200'"
    assert run(machines, "sh", "-c", script) == (0, "\\xed\\xb2\\x80")
    (found,) = machines.host.call(FindMail(["tok-1"]), timeout=PATIENCE)
    assert (found.path, found.raw) == ("/var/mail/\\xff", b"Subject: tok-1\n\n\xff")


def test_a_dead_server_is_noticed(machines: Machines) -> None:
    install(machines, file("/etc/postfix/main.cf", MAIN + "inet_protocols = ipv5\n"))
    start(machines, "postfix")
    deadline = Deadline(PATIENCE)
    while machines.host.call(IsAlive(), timeout=PATIENCE).master and not deadline.over:
        time.sleep(0.02)
    assert machines.host.call(IsAlive(), timeout=PATIENCE) == MasterState(master=False, exit=1)
    assert any("ipv5" in line for line in machines.host.call(ReadLog(), timeout=PATIENCE))


def test_dovecot_answers_logins_once_it_is_started(machines: Machines) -> None:
    users = file(
        "/etc/dovecot/users", "alice:{PLAIN}secret:1001:1001::/home/alice::\n", 0o640, "root:dovecot"
    )
    install(machines, users)
    start(machines, "dovecot")
    for login in ("alice", "alice@example.com"):
        assert run(machines, "doveadm", "auth", "test", login, "secret")[0] == 0
    assert run(machines, "doveadm", "auth", "test", "alice", "wrong")[0] != 0


def test_mailboxes_of_both_forms_are_read_and_traps_are_not(machines: Machines) -> None:
    one, two = "From a@b  Mon Jan  1\nSubject: tok-1\n\nx\n", "From c@d  Mon Jan  1\nSubject: tok-2\n\ny\n"
    install(
        machines,
        file("/var/mail/alice", f"{one}\n{two}"),
        file("/home/bob/Maildir/new/1", "Subject: tok-1 tok-2\n\n"),
        file("/var/secret", "tok-1"),
    )
    run(
        machines,
        "sh",
        "-c",
        "mkfifo /home/bob/fifo; ln -s /var/secret /home/bob/link; ln -s /dev/zero /home/bob/zero",
    )
    found = machines.host.call(FindMail(["tok-1", "tok-2"]), timeout=PATIENCE)
    assert [(entry.path, entry.tokens) for entry in found] == [
        ("/var/mail/alice", ["tok-1"]),
        ("/var/mail/alice", ["tok-2"]),
        ("/home/bob/Maildir/new/1", ["tok-1", "tok-2"]),
    ]


def test_stop_ends_everybody_else(machines: Machines) -> None:
    start(machines, "dovecot", "postfix")
    run(machines, "sh", "-c", "setsid sleep 321 >/dev/null 2>&1 &")
    machines.host.call(StopAll(), timeout=PATIENCE)
    assert (
        python(machines, "import os; print([p for p in os.listdir('/proc') if p.isdigit() and p != '1'][1:])")
        == "[]"
    )


def test_a_flood_of_log_lines_is_bounded_and_told(machines: Machines) -> None:
    start(machines)
    flood = "import socket\ns = socket.socket(1, 2)\ns.connect('/dev/log')\n"
    flood += "for n in range(21000): s.send(b'<22>x[1]: %d' % n)"
    assert python(machines, flood, limit=20) == ""
    log = machines.host.call(ReadLog(), timeout=PATIENCE)
    assert len(log) == 20_001
    assert log[0].endswith("x[1]: 0")
    assert log[-1] == "0 smtplab: 1000 more lines were not kept"


def test_a_flood_of_long_log_lines_is_bounded_too(machines: Machines) -> None:
    start(machines)
    flood = "import socket\ns = socket.socket(1, 2)\ns.connect('/dev/log')\n"
    flood += "for n in range(200): s.send(b'<22>x[1]: ' + b'x' * 60000)"
    assert python(machines, flood, limit=20) == ""
    log = machines.host.call(ReadLog(), timeout=PATIENCE)
    assert 100 < len(log) < 150
    assert log[-1].endswith(" more lines were not kept")


MILTER = """\
Syslog yes
AutoRestart yes
UserID opendkim
Socket inet:{port}@localhost
Mode v
"""
LISTENS = "import socket; print(socket.socket().connect_ex(('127.0.0.1', {port})) == 0)"


def milter(name: str, port: int) -> File:
    return file(f"/etc/opendkim/{name}.conf", MILTER.format(port=port), 0o600, "opendkim:opendkim")


def test_opendkim_listens_once_it_is_started_and_not_once_it_is_halted(machines: Machines) -> None:
    ports = {"opendkim": 8891, "opendkim-second": 8892}
    install(
        machines, *(milter(name, port) for name, port in ports.items()), file("/etc/opendkim/x.conf", "?")
    )
    assert start(machines, "opendkim").running == ["opendkim", "opendkim-second"]
    assert [python(machines, LISTENS.format(port=port)) for port in ports.values()] == ["True", "True"]
    assert run(machines, "id", "-nG", "postfix")[1].split()[-1] == "opendkim"
    machines.host.call(HaltService("opendkim"), timeout=PATIENCE)
    assert [python(machines, LISTENS.format(port=port)) for port in ports.values()] == ["False", "False"]
    assert run(machines, "pgrep", "-c", "opendkim")[1] == "0\n"
    machines.host.call(HaltService("opendkim"), timeout=PATIENCE)


def test_a_service_that_does_not_start_is_told(machines: Machines) -> None:
    install(machines, file("/etc/opendkim/opendkim.conf", "Nonsense yes\n"))
    assert start(machines, "opendkim").running == []
    assert "unrecognized parameter" in " ".join(machines.host.call(ReadLog(), timeout=PATIENCE))
    with pytest.raises(EngineError, match="no service dovecot was started"):
        machines.host.call(HaltService("dovecot"), timeout=PATIENCE)


def test_a_flooded_mailbox_hides_no_other_message(machines: Machines) -> None:
    flood = (
        "import os\n"
        "for number in range(70):\n"
        "    with open(f'/var/mail/a{number:02}', 'wb') as file:\n"
        "        file.write(b'Subject: tok-1\\n\\n' + b'x' * 400_000)\n"
        "with open('/var/mail/z', 'wb') as file:\n"
        "    file.write(b'Subject: tok-2\\n\\nlast')\n"
    )
    assert python(machines, flood) == ""
    found = machines.host.call(FindMail(["tok-1", "tok-2"]), timeout=PATIENCE)
    assert sorted(message.tokens for message in found) == [["tok-1"]] * 50 + [["tok-2"]]
    assert sum(len(message.raw) for message in found) < 17_000_000
    assert {message.octets for message in found} == {0, 400_016}
    assert [message.raw for message in found if message.tokens == ["tok-2"]] == [b"Subject: tok-2\n\nlast"]
