"""Why a message arrived unsigned, as far as log and settings tell, and what to do about it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from grader.judge import judge
from grader.kinds.server.declare import ServerCheck
from grader.kinds.server.declare import SignatureExpect as Wanted
from grader.kinds.server.facts import SettingsFile
from grader.model.traffic import Command
from tests.judge import builders
from tests.kinds.server.dkim.signing import MESSAGE, judged, run, signed


def wants(**keys: object) -> ServerCheck:
    return builders.check("signed", signature=Wanted(**keys))  # type: ignore[arg-type]


def test_why_a_message_is_unsigned_is_in_the_log() -> None:
    log = [
        f"1 postfix/cleanup[1]: 63708B3: message-id=<{builders.TOKEN}.1@client.example>",
        "2 opendkim[8]: 63708B2: desk.example.com [10.20.30.50] not internal",
        "3 opendkim[8]: 63708B3: client.example [198.51.100.66] not internal",
    ]
    result = judged(wants(present=True), MESSAGE, log=log)
    assert result.evidence[:2] == ["log:2", "message:1:1"]
    assert result.observed.endswith("“opendkim: client.example [198.51.100.66] not internal”")


@pytest.mark.parametrize(
    ("said", "parameter"),
    [
        ("skipping signing of mail to 'rosa@partner.example'", "DontSignMailTo"),
        ("domain 'example.com' exempted, accepting", "ExemptDomains"),
    ],
)
def test_who_is_left_out_by_a_list_is_told(said: str, parameter: str) -> None:
    log = [
        f"1 postfix/cleanup[1]: 63708B3: message-id=<{builders.TOKEN}.1@client.example>",
        f"2 opendkim[8]: 63708B3: {said}",
    ]
    result = judged(wants(present=True), MESSAGE, log=log)
    assert result.observed.endswith(f"“opendkim: {said}”")
    assert f"`{parameter}`" in result.next


WHOSE = [
    f"1 postfix/cleanup[1]: 63708B3: message-id=<{builders.TOKEN}.1@client.example>",
    "2 postfix/cleanup[1]: 63708B2: message-id=<another.k4v2.1@client.example>",
    "3 opendkim[8]: 63708B2: client.example [198.51.100.66] not internal",
    "4 opendkim[8]: 63708B2: not authenticated",
]


def test_anothers_reason_is_not_this_ones() -> None:
    result = judged(wants(present=True), MESSAGE, log=WHOSE)
    assert "not internal" not in result.observed
    assert "OpenDKIM was not asked. Nothing sets smtpd_milters there." in result.observed
    assert result.evidence[0] == "message:1:1"


def test_where_the_milter_is_not_asked_is_told_from_master_cf() -> None:
    override = Command(["postconf", "-Px"], 0, "smtp/inet/receive_override_options = no_milters\n")
    result = judged(wants(present=True), MESSAGE, log=WHOSE, commands=[override])
    assert "“receive_override_options = no_milters”" in result.observed
    assert result.next.startswith("In master.cf, take that setting out")
    elsewhere = Command(["postconf", "-Px"], 0, "submission/inet/smtpd_milters =\n")
    plain = judged(wants(present=True), MESSAGE, log=WHOSE, commands=[elsewhere])
    assert "master.cf" not in plain.observed
    assert plain.next.startswith("Name the milter in main.cf")


@pytest.mark.parametrize(
    ("settings", "overrides", "said", "remedy"),
    [
        ("smtpd_milters =\n", "", "main.cf says: “smtpd_milters =”", "the last one counts"),
        (
            "receive_override_options = no_milters\n",
            "",
            "main.cf says: “receive_override_options",
            "Mend that line",
        ),
        (
            "smtpd_milters = unix:x\n",
            "smtp/inet/smtpd_milters =\n",
            "for that service: “smtpd_milters =”",
            "behind -o",
        ),
        (
            "smtpd_milters = unix:x\nsmtpd_milter_maps = cidr:/etc/postfix/maps\n",
            "",
            "Which milter a client meets, `smtpd_milter_maps = cidr:/etc/postfix/maps` (main.cf) decides.",
            "`DISABLE` switches",
        ),
        (
            "postconf: warning: /etc/postfix/main.cf: unused parameter: smtpd_milter=unix:x\n",
            "",
            "main.cf sets “smtpd_milter”, and Postfix has no such parameter.",
            "called `smtpd_milters`",
        ),
        ("smtpd_milters = unix:x\n", "", "it passed it over, or was not asked.", "`PeerList`"),
        (
            "smtpd_milters = unix:x\nmilter_header_checks = regexp:/etc/postfix/m\n",
            "",
            "not have signed it. `milter_header_checks = regexp:/etc/postfix/m` (main.cf) works",
            "Look in the table of `milter_header_checks`",
        ),
        (
            "smtpd_milters = unix:x\n",
            "bare/unix/smtp_header_checks = regexp:/etc/postfix/m\n",
            "`smtp_header_checks = regexp:/etc/postfix/m` (master.cf, below `bare`) works on header fields behind",
            "Look in the table of `smtp_header_checks`",
        ),
        (
            "smtpd_milters = unix:x\nsmtp_header_checks =\n",
            "smtp/inet/smtp_header_checks = regexp:/etc/postfix/m\n",
            "it passed it over, or was not asked.",
            "`PeerList`",
        ),
    ],
)
def test_what_keeps_a_milter_away_is_told(settings: str, overrides: str, said: str, remedy: str) -> None:
    commands = [Command(["postconf", "-nx"], 0, settings), Command(["postconf", "-Px"], 0, overrides)]
    result = judged(wants(present=True), MESSAGE, log=WHOSE, commands=commands)
    assert said in result.observed
    assert remedy in result.next


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (
            "# what it does\nMode  v",
            "opendkim/opendkim.conf, line 2: “Mode  v” has OpenDKIM verify mail, and sign none.",
        ),
        ("Mode sv\nmode V # verify", "line 2: “mode V # verify” has OpenDKIM verify mail"),
        ("Mode v\nMode sv", "it passed it over, or was not asked."),
        ("Syslog yes", "it passed it over, or was not asked."),
    ],
)
def test_an_opendkim_that_is_to_verify_alone(mode: str, said: str) -> None:
    file = SettingsFile("opendkim/opendkim.conf", "/etc/opendkim/opendkim.conf", f"{mode}\n")
    milters = Command(["postconf", "-nx"], 0, "smtpd_milters = unix:x\n")
    result = judged(wants(present=True), MESSAGE, log=WHOSE, commands=[milters], settings=[file])
    assert said in result.observed
    assert ("`Mode sv`" in result.next) is ("verify mail" in said)


@pytest.mark.parametrize(
    ("altered", "setting", "said"),
    [
        (
            b"Subject: Lunch",
            "smtp_generic_maps = regexp:/etc/postfix/g",
            "`smtp_generic_maps = regexp:/etc/postfix/g`",
        ),
        (
            b"have lunch",
            "smtp_body_checks = regexp:/etc/postfix/b",
            "`smtp_body_checks = regexp:/etc/postfix/b`",
        ),
        (b"have lunch", "smtp_generic_maps = regexp:/etc/postfix/g", ""),
        (b"Subject: Lunch", "smtp_body_checks = regexp:/etc/postfix/b", ""),
    ],
)
def test_what_works_on_mail_that_is_signed_is_named(altered: bytes, setting: str, said: str) -> None:
    changed = signed().replace(altered, altered[:-1] + b"X")
    settings = [Command(["postconf", "-nx"], 0, setting + "\n")]
    result = judged(wants(verifies=True), changed, commands=settings)
    assert ("changes mail behind OpenDKIM, when it has been signed." in result.observed) is bool(said)
    assert said in result.observed
    assert ("before OpenDKIM is asked" in result.next) is bool(said)


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("no signing table match for 'alice@example.com'", "a star is only a star"),
        ("not internal", "n"),
    ],
)
def test_each_reason_has_its_remedy(reason: str, remedy: str) -> None:
    log = [WHOSE[0], f"2 opendkim[8]: 63708B3: {reason}"]
    result = judged(wants(present=True), MESSAGE, log=log)
    assert reason in result.observed
    assert remedy in result.next


def test_nobody_who_logged_in_is_told_to_be_let_in_without() -> None:
    own = [
        WHOSE[0],
        "2 opendkim[8]: 63708B3: client.example [198.51.100.66] not internal",
        "3 opendkim[8]: 63708B3: not authenticated",
    ]
    assert "not internal" in judged(wants(present=True), MESSAGE, log=own).observed
    evidence = run(wants(present=True), MESSAGE, log=own)
    user = [builders.facts("signed", sender="alice@example.com", user="alice")]
    result = judge(replace(evidence, facts=replace(evidence.facts, attempts=user))).checks[0]
    assert result.observed.endswith("“opendkim: not authenticated”")


def test_one_that_logs_its_reasons_and_says_nothing_was_not_asked() -> None:
    log = ["0 opendkim[8]: OpenDKIM Filter v2.11.0 starting (args: -f -l -W -x /etc/opendkim/opendkim.conf)"]
    settings = [Command(["postconf", "-nx"], 0, "smtpd_milters =\n")]
    result = judged(wants(present=True), MESSAGE, log=[*log, *WHOSE[:2]], commands=settings)
    assert "was not asked. main.cf says: “smtpd_milters =”" in result.observed


def test_without_reasons_in_the_log_nothing_is_made_up() -> None:
    said = judged(wants(present=True), MESSAGE, log=WHOSE[:2]).observed
    assert said.endswith("arrived unsigned.")


@pytest.mark.parametrize(
    ("service", "why", "remedy"),
    [
        ("unix:opendkim/opendkim.sock", "Permission denied", "`UMask 007`"),
        ("unix:/run/opendkim/opendkim.sock", "No such file or directory", "/var/spool/postfix"),
        ("inet:localhost:8892", "Connection refused", "the same port"),
    ],
)
def test_a_milter_that_was_not_reached_is_named_with_the_reason(service: str, why: str, remedy: str) -> None:
    """With ``milter_default_action = accept`` the mail goes out all the same."""
    log = [
        "0 opendkim[8]: OpenDKIM Filter v2.11.0 starting (args: -f -l -W -x /etc/opendkim/opendkim.conf)",
        "1 postfix/smtpd[9]: connect from client66.stranger.example[198.51.100.66]",
        f"2 postfix/smtpd[9]: warning: connect to Milter service {service}: {why}",
        "3 postfix/smtpd[9]: 63708B3: client=client66.stranger.example[198.51.100.66]",
        *WHOSE[:2],
        "4 postfix/smtpd[9]: disconnect from client66.stranger.example[198.51.100.66] ehlo=1",
    ]
    result = judged(wants(present=True), MESSAGE, log=log)
    assert (
        f"could not ask OpenDKIM: “postfix/smtpd: warning: connect to Milter service {service}: {why}”"
        in (result.observed)
    )
    assert result.evidence[0] == "log:2"
    assert remedy in result.next


def test_a_signature_that_was_taken_off_behind_opendkim_is_none_that_it_did_not_make() -> None:
    log = [WHOSE[0], "2 opendkim[8]: 63708B3: DKIM-Signature field added (s=mail2026, d=example.com)"]
    result = judged(wants(present=True), MESSAGE, log=log)
    assert "OpenDKIM had signed it: “opendkim: DKIM-Signature field added" in result.observed
    assert "`smtp_header_checks`" in result.next


def test_a_parameter_that_sounds_like_milters_is_told_though_another_refers_to_it() -> None:
    set_so = Command(
        ["postconf", "-nx"], 0, "smtp_milters = unix:o/o.sock\nnon_smtpd_milters = unix:o/o.sock\n"
    )
    result = judged(wants(present=True), MESSAGE, log=WHOSE, commands=[set_so])
    assert "`smtp_milters = unix:o/o.sock` (main.cf) is no parameter of Postfix's" in result.observed
    assert result.next.startswith("Call it `smtpd_milters`")


def test_whom_opendkim_took_for_the_author_instead_is_told() -> None:
    log = [
        f"1 postfix/cleanup[1]: 63708B3: message-id=<{builders.TOKEN}.1@client.example>",
        "2 opendkim[8]: 63708B3: no signing table match for 'rosa@third.example'",
    ]
    config = SettingsFile(
        "opendkim/opendkim.conf", "/etc/opendkim/opendkim.conf", "Mode sv\nSenderMacro {mail_addr}\n"
    )
    result = judged(wants(present=True), MESSAGE, log=log, settings=[config])
    assert "took rosa@third.example for the author, by `SenderMacro {mail_addr}`" in result.next
    plain = judged(wants(present=True), MESSAGE, log=log)
    assert plain.next.startswith("OpenDKIM takes the client for its own")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Mode sv", "opendkim.conf sets no `InternalHosts`, and then this host alone is internal. Write"),
        (
            "ExternalIgnoreList /etc/x",
            "`ExternalIgnoreList /etc/x` (opendkim/opendkim.conf, line 1) says only",
        ),
        (
            "InternalHosts csl:127.0.0.1",
            "said by `InternalHosts csl:127.0.0.1` (opendkim/opendkim.conf, line 1), and",
        ),
    ],
)
def test_whom_opendkim_takes_for_internal_is_told(line: str, told: str) -> None:
    log = [
        f"1 postfix/cleanup[1]: 63708B3: message-id=<{builders.TOKEN}.1@client.example>",
        "2 opendkim[8]: 63708B3: client.example [198.51.100.66] not internal",
    ]
    config = SettingsFile("opendkim/opendkim.conf", "/etc/opendkim/opendkim.conf", f"{line}\n")
    assert told in judged(wants(present=True), MESSAGE, log=log, settings=[config]).next
