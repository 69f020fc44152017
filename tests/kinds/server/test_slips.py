"""Slips of the pen in a submission: where they stand, what was meant, and which failure comes of them."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from msgspec.structs import replace

from grader.judge import judge
from grader.kinds.server.declare import ServerSubmission
from grader.kinds.server.facts import SettingsFile
from grader.kinds.server.plan.settings import settings_files
from grader.model.lab import Hints
from grader.model.result import Result
from grader.model.submission import Submission
from grader.model.traffic import Command
from tests.judge.builders import check, evidence, facts, lab, outcome
from tests.tables import every

SERVICE = "submission inet n - y - - smtpd\n"
QUIET = "mynetworks = 127.0.0.0/8\n"


def judged(
    files: Mapping[str, str], *, observed: str = "", advice: str = "n", postconf: str | None = None
) -> Result:
    """The result of a check that fails, whose server said ``observed`` in its log."""
    only = replace(check(greets=True), next=advice)
    log = [f"1 postfix/master[1]: fatal: {observed}"] if observed else []
    commands = [] if postconf is None else [Command(["postconf", "-c", "/etc/postfix", "-nx"], 0, postconf)]
    settings = [
        SettingsFile(name, f"/etc/{'opendkim' if 'opendkim' in name else 'postfix'}/{name}", text)
        for name, text in files.items()
    ]
    made = [outcome("connect", replies=[])]
    return judge(evidence(lab(only), [facts()], made, log=log, commands=commands, settings=settings))


@every(
    ("files", "observed", "said", "remedy"),
    [
        (
            {"main.cf": "# x\ndisable_vrfy = yes\n"}, "bad disable_vrfy_command",
            "main.cf, line 2: Postfix has no parameter `disable_vrfy`; did you mean `disable_vrfy_command`?",
            "Write `disable_vrfy_command`.",
        ),
        (
            {"master.cf": SERVICE + "  -o smtpd_sasl_auth_enabled=yes\n"}, "smtpd_sasl_auth_enable is off",
            "master.cf, line 2 (service submission): Postfix has no parameter `smtpd_sasl_auth_enabled`; did you mean",
            "Write `smtpd_sasl_auth_enable`.",
        ),
        (
            {"main.cf": "\ufeffmyhostname = a\n"}, "/etc/postfix/main.cf, line 1: missing '='",
            "main.cf begins with a byte order mark (U+FEFF)", "Save main.cf as UTF-8 without a byte order mark.",
        ),
        (
            {"main.cf": "mynetworks = “[::1]/128”\n"}, "“[::1]/128” is unavailable",
            "main.cf, line 1, column 14: `“` (left double quotation mark, U+201C) stands where", "values have none",
        ),
        (
            {"main.cf": "soft_bounce =\u00a0yes\n"}, "bad boolean configuration: soft_bounce",
            "main.cf, line 1, column 14: a no-break space (U+00A0) stands where a blank belongs", "a plain blank",
        ),
        (
            {"main.cf": "soft_bounce = yes # for now\n"}, "bad boolean configuration: soft_bounce",
            "main.cf, line 1: “# for now” is no comment but a part of the value", "on a line of its own",
        ),
        (
            {"main.cf": 'soft_bounce = "yes"\n'}, "bad boolean configuration: soft_bounce",
            "main.cf, line 1: the quotation marks are a part of the value", "`soft_bounce = yes`",
        ),
        (
            {"main.cf": "biff = no\n soft_bounce = yes\n"}, "bad boolean configuration: biff",
            "main.cf, line 2 begins with a blank, so that it goes on with line 1", "Take the blank away",
        ),
        (
            {"main.cf": "soft_bounce yes\n"}, "main.cf, line 1: missing '=' after attribute name",
            "main.cf, line 1: no equals sign stands between `soft_bounce` and its value", "`soft_bounce = yes`",
        ),
        (
            {"main.cf": "smtpd_relay_restrictions = permit_mynetworks,\n  reject_unauth_destinations\n"},
            "specify at least one working instance of: reject_unauth_destination",
            "main.cf, line 2, column 3: Postfix has no restriction `reject_unauth_destinations`; did you mean",
            "Write `reject_unauth_destination`.",
        ),
        (
            {"master.cf": SERVICE + "-o soft_bounce=yes\n"}, "/etc/postfix/master.cf: line 2: bad transport type",
            "master.cf, line 2: `-o` begins the line", "Put two blanks before it",
        ),
        (
            {"master.cf": SERVICE + "  -o soft_bounce = yes\n"}, 'invalid "-o soft_bounce" option value',
            "around the equals sign of `-o soft_bounce=…` no blanks may stand", "in one piece",
        ),
        (
            {"master.cf": SERVICE + "  -o smtpd_relay_restrictions=permit_sasl_authenticated, reject\n"},
            "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at least one working",
            "master.cf, line 2 (service submission): a blank ends the value of `-o smtpd_relay_restrictions=…`, and "
            "`reject` is no part of it",
            "`-o { smtpd_relay_restrictions = permit_sasl_authenticated, reject }`",
        ),
        (
            {"main.cf": "smtpd_relay_restrictions = reject_unauth_destination # the rest\n"},
            'warning: unknown smtpd restriction: "#"',
            "main.cf, line 1: “# the rest” is no comment but a part of the value", "on a line of its own",
        ),
        (
            {"master.cf": SERVICE + "  \u2013o soft_bounce=yes\n"}, "unexpected command-line argument: \u2013o",
            "master.cf, line 2, column 3: `\u2013` (en dash, U+2013) stands where `-` belongs", "a plain `-`",
        ),
        (
            {"main.cf": "smtpd_milters = inet:8891@localhost\n"}, "8891@localhost: garbage after numerical service",
            "main.cf, line 1: `inet:8891@localhost` is how OpenDKIM writes a port; Postfix has the host first.",
            "Write `inet:localhost:8891`",
        ),
        (
            {"opendkim.conf": "Socket\tinet6:[::1]:8891\n"}, "opendkim: smfi_opensocket() failed",
            "opendkim.conf, line 1: `inet6:[::1]:8891` is how Postfix writes a port; OpenDKIM has the port first.",
            "Write `inet6:8891@[::1]`",
        ),
        (
            {"opendkim.conf": "KeyTabel x\n"}, "/etc/opendkim/opendkim.conf: configuration error at line 1",
            "opendkim.conf, line 1: OpenDKIM has no parameter `KeyTabel`; did you mean `KeyTable`?",
            "Write `KeyTable`.",
        ),
        (
            {"opendkim.conf": "Mode = sv\n"}, '/etc/opendkim/opendkim.conf: unknown mode "="',
            "`Mode` has an equals sign", "as in `Mode sv`",
        ),
    ],
)  # fmt: skip
def test_a_slip_that_the_server_speaks_of_is_said_before_what_came_of_it(
    files: dict[str, str], observed: str, said: str, remedy: str
) -> None:
    result = judged(files, observed=observed)
    [only] = result.checks
    assert only.observed.startswith(said) or said in only.observed.partition(". ")[0]
    assert observed in only.observed
    assert only.next.startswith(remedy) or remedy in only.next
    assert only.next.endswith("Then grade again.")
    assert result.notes == []


def test_a_slip_that_the_check_s_advice_is_about_is_said_first_and_the_advice_stays() -> None:
    told = judged(
        {"main.cf": "mynetwork = 10.0.0.0/8\n"}, observed="x", advice="Set `mynetworks` to the office."
    )
    [only] = told.checks
    assert only.observed.startswith(
        "main.cf, line 1: Postfix has no parameter `mynetwork`; did you mean `mynetworks`?"
    )
    assert only.next == "Write `mynetworks`. If that is not all: Set `mynetworks` to the office."


def test_a_slip_of_which_no_failure_comes_is_a_note() -> None:
    told = judged({"main.cf": "smtpd_tls_auth_olny = yes\n"}, observed="something else")
    [only] = told.checks
    assert "auth_olny" not in only.observed
    [note] = told.notes
    assert note.endswith("no parameter `smtpd_tls_auth_olny`; did you mean `smtpd_tls_auth_only`?")


@pytest.mark.parametrize(
    "text",
    [
        "lan = 10.0.0.0/8\nmynetworks = $lan\n",
        "smtpd_restriction_classes = strict\nstrict = reject\n",
        "smtpd_recipient_restrictions = permit_mynetworks, check_sender_access hash:/etc/x, reject\n",
        "smtp_destination_recipient_limit = 5\n",
        "smtpd_banner = $myhostname ESMTP Grüße\n",
        "# “comments” may hold anything\n" + QUIET,
        "milter_header_checks = regexp:{{/#x/ OK}}\n",
        "smtpd_milters = inet:localhost:8891, { inet:[::1]:8892, default_action=accept }, unix:a@b\n",
    ],
)
def test_what_is_right_is_no_slip(text: str) -> None:
    assert judged({"main.cf": text}).notes == []


@pytest.mark.parametrize(
    "options",
    [
        "  -v -o smtpd_tls_security_level=encrypt -o syslog_name=a/b\n",
        "  -o { smtpd_client_restrictions = permit_mynetworks, reject } -o { x_y = a }\n  -o biff=no\n",
        "  -o {smtpd_client_restrictions=permit_mynetworks, reject}\n",
        "  -o smtpd_client_restrictions=\n# -o x=y, z\n  -o biff=no\n",
        "scan unix - n n - 10 pipe flags=Rq user=nobody argv=/bin/cat -o a=b c ${sender}\n",
    ],
)
def test_options_in_one_piece_or_in_braces_are_no_slip(options: str) -> None:
    assert not [note for note in judged({"master.cf": SERVICE + options}).notes if "a blank ends" in note]


@pytest.mark.parametrize(
    "socket", ["inet:8891@localhost", "inet:8891", "inet6:8891@[::1]", "local:/run/a:1", "/run/inet:1"]
)
def test_sockets_as_opendkim_writes_them_are_no_slip(socket: str) -> None:
    assert judged({"opendkim.conf": f"Socket {socket}\n"}).notes == []


def test_postconf_knows_whether_a_parameter_of_the_students_own_is_used() -> None:
    text = "own = 1\n"
    assert judged({"main.cf": text}, postconf="mynetworks = 1\n").notes == []
    unused = "postconf: warning: /etc/postfix/main.cf: unused parameter: own=1\n"
    assert judged({"main.cf": text}, postconf=unused).notes == [
        "main.cf, line 1: Postfix has no parameter `own`."
    ]


def test_other_warnings_of_the_tools_are_passed_on_and_those_of_the_image_are_not() -> None:
    said = (
        'postconf: warning: /etc/postfix/main.cf: support for parameter "x" will be removed\n'
        "postconf: warning: /etc/postfix/main.cf: unused parameter: own=1\n"
        "postconf: warning: /etc/postfix/dynamicmaps.cf: file is owned or writable by non-root users\n"
    )
    assert judged({"main.cf": QUIET}, postconf=said).notes == [
        'postconf warns: “/etc/postfix/main.cf: support for parameter "x" will be removed”'
    ]


def test_a_server_that_listens_elsewhere_is_not_said_to_have_logged_anything() -> None:
    [only] = judged({"main.cf": QUIET}, postconf="inet_interfaces = loopback-only\n").checks
    assert "`inet_interfaces = loopback-only` (main.cf)" in only.next
    assert "above" not in only.next


@every(
    ("listener", "line"),
    [
        ("25", "`smtp inet n - y - - smtpd` in master.cf"),
        ("587+starttls", "on port 587. Look at the line `submission inet n - y - - smtpd` in master.cf"),
        ("465", "`submissions inet n - y - - smtpd`, with `-o smtpd_tls_wrappermode=yes`"),
        ("2525", "`2525 inet n - y - - smtpd` in master.cf"),
    ],
)
def test_where_nobody_listens_the_line_of_that_port_is_named(listener: str, line: str) -> None:
    only = check(greets=True)
    made = [outcome("connect", replies=[])]
    [told] = judge(evidence(lab(only), [facts(listener=listener)], made)).checks
    assert line in told.next


def test_hints_beyond_the_cap_stay_untold() -> None:
    hints = Hints(nudge="?", pointer="Look at `mynetworks`.", example="mynetworks = …")
    only = replace(check(greets=True), hints=hints)
    settings = [SettingsFile("main.cf", "/etc/postfix/main.cf", "mynetwork = 10.0.0.0/8\n")]
    run = evidence(lab(only), [facts()], [outcome("connect", replies=[])], settings=settings)
    told = judge(run, hints="nudge").checks[0]
    assert told.observed.startswith("main.cf, line 1: Postfix has no parameter `mynetwork`")
    assert told.hints.pointer is None


def test_settings_are_kept_and_keys_never() -> None:
    rules = ServerSubmission(required=["main.cf"], installs={"": "/etc/postfix", "opendkim": "/etc/opendkim"})
    files = {
        "main.cf": b"a = 1\n", "senders": b"alice alice\n", "aliases": "bob: “bob”\n".encode(),
        "opendkim/opendkim.conf": b"Mode sv\n", "opendkim/k.private": b"-----BEGIN PRIVATE KEY-----\n",
        "big.cf": b"x" * 60_000,
    }  # fmt: skip
    kept = settings_files(rules, Submission(files, frozenset()))
    assert [(file.name, file.path) for file in kept] == [
        ("aliases", "/etc/postfix/aliases"), ("main.cf", "/etc/postfix/main.cf"),
        ("opendkim/opendkim.conf", "/etc/opendkim/opendkim.conf"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"p{n} = $p{n + 1}x\n" for n in range(3_500)),
        "smtpd_relay_restrictions = " + " ".join(f"permit_{n}x" for n in range(4_000)) + "\n",
        "_destination" * 4_000 + "1 = x\n",
        "x" * 49_000 + " = y\n",
        "a = \u201c\n" * 6_000,
        "soft_bounce = # \n" * 3_000,
    ],
)
def test_thousands_of_slips_take_no_longer_than_a_few(text: str) -> None:
    file = SettingsFile("main.cf", "/etc/postfix/main.cf", text)
    master = SettingsFile("master.cf", "/etc/postfix/master.cf", SERVICE + "  -o xsoft_bouncex=y\n" * 2_000)
    began = time.process_time()
    result = judged({file.name: file.text, master.name: master.text})
    assert time.process_time() - began < 3
    assert len(result.notes) <= 20
