"""What a lab expects of signatures, keys and services, judged on small evidence."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from grader.judge import judge
from grader.kinds.server.declare import ServerCheck
from grader.kinds.server.declare import SignatureExpect as Wanted
from grader.kinds.server.facts import Published, RecordFile, ServiceFacts
from grader.model.diagnostic import Diagnostic, Span
from grader.model.dns import KeyAnswer, KeyRecord
from grader.model.traffic import Outcome, Queued
from tests.judge import builders
from tests.kinds.server.dkim.signing import KEY_NAME, MESSAGE, answer, judged, pair, run, signed
from tests.tables import every


def wants(**keys: object) -> ServerCheck:
    return builders.check("signed", signature=Wanted(**keys))  # type: ignore[arg-type]


def told(check: ServerCheck, *raws: bytes, **fields: object) -> tuple[str, str]:
    result = judged(check, *raws, **fields)
    return result.status, result.observed


def test_a_signature_of_the_authors_domain() -> None:
    assert told(wants(present=True), signed()) == ("pass", "Signed by d=example.com s=mail2026 (rsa-sha256).")
    status, observed = told(wants(present=True), MESSAGE)
    assert (status, observed.split(" (")[0]) == ("fail", "The message of a stranger on port 25")
    assert observed.endswith("arrived unsigned.")
    assert "does not align" in told(wants(present=True), signed(domain="partner.example"))[1]


def test_a_message_that_never_arrives_is_not_signed_either() -> None:
    check = wants(present=True)
    facts = [builders.facts("signed")]
    taken, refused = (
        judge(
            builders.evidence(builders.lab(check), facts, [builders.outcome(stage, "signed/1", code, text)])
        )
        for stage, code, text in (("accepted", 250, "250 ok"), ("rcpt", 554, "554 no"))
    )
    assert "never reached its recipient outside" in taken.checks[0].observed
    assert "“554 no”" in refused.checks[0].observed


def test_a_signature_that_should_not_be_there() -> None:
    status, observed = told(wants(present=False), signed())
    assert status == "fail"
    assert "your server has vouched for it" in observed
    assert told(wants(present=False), MESSAGE)[0] == "pass"
    strangers = signed(MESSAGE.replace(b"example.com", b"third.example"), domain="third.example")
    assert told(wants(present=False), strangers)[0] == "pass"


def test_a_signature_that_a_stranger_got_from_the_milter_itself() -> None:
    check = wants(present=False)
    made = run(check, signed())
    by_hand = [replace(arrival, client="198.51.100.66") for arrival in made.facts.arrivals]
    made = replace(made, facts=replace(made.facts, arrivals=by_hand))
    (result,) = judge(made).checks
    assert result.status == "fail"
    assert "`Socket inet:8891@localhost`" in result.next
    assert "Socket" not in judged(check, signed()).next


def test_each_signature_must_verify() -> None:
    assert told(wants(verifies=True), signed())[0] == "pass"
    status, observed = told(wants(verifies=True), signed(signed(), selector="old"))
    assert (status, "s=old on the message of a stranger" in observed) == ("fail", True)
    result = judged(wants(verifies=True), signed(bits=1024))
    assert result.evidence == ["message:1:0", "key:0"]


def test_unsigned_messages_say_nothing_about_signatures() -> None:
    for check in (wants(verifies=True), wants(covers=["subject"]), wants(key_bits=2048)):
        assert told(check, MESSAGE)[0] == "pass"


def test_what_must_be_covered() -> None:
    narrow = signed(include_headers=[b"from"])
    assert told(wants(covers=["from", "subject"]), signed())[0] == "pass"
    status, observed = told(wants(covers=["from", "subject"]), narrow)
    assert status == "fail"
    assert observed.startswith(
        "Subject can be changed, and the signature d=example.com s=mail2026 still verifies."
    )
    assert "h=from" in observed
    assert "octets of the text (l=)" in told(wants(covers=["body"]), signed(length=True))[1]


def test_what_is_left_open_is_told_and_costs_nothing() -> None:
    usual = told(wants(covers=["from"]), signed())[1]
    assert usual.endswith("is another one. No second From can be added.")
    narrow = signed(include_headers=[b"from", b"to", b"subject"])
    status, observed = told(wants(covers=["from"]), narrow)
    assert status == "pass"
    assert observed.endswith("Not covered: Date, Message-Id. A second From can be added.")


def test_strength() -> None:
    short = [answer(bits=1024)]
    assert told(wants(key_bits=2048), signed())[0] == "pass"
    assert told(wants(key_bits=1024), signed(bits=1024), keys=short)[0] == "pass"
    assert "has 1024 bits" in told(wants(key_bits=2048), signed(bits=1024), keys=short)[1]
    assert "SHA-1" not in told(wants(key_bits=2048), signed())[1]
    assert "a=rsa-sha1" in told(wants(key_bits=2048), signed(algorithm="rsa-sha1"))[1]


@pytest.mark.slow  # Making such a key may take seconds.
def test_a_key_that_not_every_receiver_can_use() -> None:
    long = [answer(bits=4104)]
    status, observed = told(wants(key_bits=2048), signed(bits=4104), keys=long)
    assert status == "fail"
    assert "no more than 4096" in observed


def test_a_field_that_the_signer_did_not_see_is_named() -> None:
    late = signed(MESSAGE.replace(b"Message-ID: <1@desk.example.com>\r\n", b""), include_headers=
                  [b"from", b"subject", b"message-id"]).replace(
        b"Date: Mon", b"Message-ID: <1@desk.example.com>\r\nDate: Mon"
    )  # fmt: skip
    result = judged(wants(verifies=True), late)
    assert "Without the field Message-Id it would" in result.observed
    assert "Take Message-Id out of `OversignHeaders`" in result.next
    changed = signed().replace(b"Subject: Lunch", b"Subject: Dinner")
    assert judged(wants(verifies=True), changed).next == "n"


def test_an_ed25519_signature_that_fits_neither_key_nor_header() -> None:
    keys = [answer(f"v=DKIM1; k=ed25519; p={pair(256)[1]}", "ed._domainkey.example.com")]
    for canonical, advice in ((b"simple", "`Canonicalization relaxed/simple`"), (b"relaxed", "n")):
        raw = signed(bits=256, selector="ed", algorithm="ed25519-sha256", canonicalize=(canonical, b"simple"))
        result = judged(wants(verifies=True), raw.replace(b"Lunch", b"Dinner"), keys=keys)
        assert "Ed25519 does not show which" in result.observed
        assert advice in result.next


def test_a_signature_of_another_domain_leads_to_where_the_domain_stands() -> None:
    assert "domain:selector:path" in judged(wants(present=True), signed(domain="partner.example")).next


def test_ed25519_needs_rsa_beside_it() -> None:
    keys = [answer(), answer(f"v=DKIM1; k=ed25519; p={pair(256)[1]}", "ed._domainkey.example.com")]
    alone = signed(bits=256, selector="ed", algorithm="ed25519-sha256")
    both = signed(signed(), bits=256, selector="ed", algorithm="ed25519-sha256")
    assert told(wants(key_bits=2048), both, keys=keys) == (
        "pass",
        "The key is Ed25519 beside RSA with 2048 bits.",
    )
    assert "many receivers do not know" in told(wants(key_bits=2048), alone, keys=keys)[1]


def published(*records: KeyRecord, complaints: tuple[Diagnostic, ...] = ()) -> Published:
    return Published([RecordFile("dns/k.txt", "a\nb\n")], list(records), list(complaints))


def record(text: str, name: str = KEY_NAME) -> KeyRecord:
    return KeyRecord(name, "TXT", [text.encode()], "dns/k.txt", 2)


def alias(target: str) -> KeyRecord:
    return KeyRecord("a._domainkey.example.com", "CNAME", [target.encode()], "dns/k.txt", 1)


GOOD = record(f"v=DKIM1; p={pair()[1]}")


ODD = Diagnostic("odd", file="dns/k.txt", span=Span(0, 3))


@every(
    ("handed_in", "status", "said"),
    [
        (None, "fail", "No record was handed in"),
        (Published([], [], []), "fail", "No record was handed in"),
        (published(GOOD), "pass", f"{KEY_NAME}: RSA with 2048 bits."),
        (published(GOOD, record("v=DKIM1; p=", "old._domainkey.example.com")), "pass", "revoked"),
        (published(record("v=DKIM1; p=")), "fail", "Every key that was handed in is revoked"),
        (published(record("v=DKIM1; k=rsa")), "fail", "dns/k.txt, line 2: the record of"),
        (published(GOOD, complaints=(ODD,)), "fail", "line 1, column 4: odd."),
        (published(GOOD, complaints=(replace(ODD, fatal=False),)), "pass", "odd"),
        (published(alias("b.example")), "fail", "leads to b.example"),
    ],
)  # fmt: skip
def test_what_was_published(handed_in: Published | None, status: str, said: str) -> None:
    result = judged(builders.check("record", published=True), published=handed_in)
    assert result.status == status
    assert said in result.observed


FURTHER = "further._domainkey.example.com"


@pytest.mark.parametrize("tags", ["v=DKIM1; s=tlsrpt; p=", "v=DKIM1; t=y; p="])
def test_a_key_that_is_for_something_else_does_no_harm_beside_one_for_mail(tags: str) -> None:
    text = tags + pair()[1]
    check = builders.check("record", published=True)
    beside = published(GOOD, record(text, FURTHER))
    assert judged(check, signed(), published=beside).status == "pass"
    assert f"{FURTHER}: " in judged(check, published=beside).observed
    alone = judged(check, published=published(record(text, FURTHER)))
    assert (alone.status, "no usable key" in alone.observed) == ("fail", True)
    used = judged(check, signed(selector="further"), published=published(GOOD, record(text, FURTHER)))
    assert (used.status, "no usable key" in used.observed) == ("fail", True)


def test_a_broken_record_is_a_fault_whoever_uses_it() -> None:
    handed_in = published(GOOD, record("v=DKIM1; p=!", FURTHER))
    assert judged(builders.check("record", published=True), signed(), published=handed_in).status == "fail"


def test_every_fault_of_a_record_is_listed() -> None:
    faults = tuple(Diagnostic(f"fault {line}", file="dns/k.txt", span=Span(line - 1, 0)) for line in (1, 2))
    result = judged(builders.check("record", published=True), published=published(GOOD, complaints=faults))
    assert result.evidence == ["file:0:0", "file:0:1"]
    assert result.remarks == ["dns/k.txt, line 2, column 1: fault 2."]


def test_an_alias_that_leads_to_a_key() -> None:
    keys = [KeyAnswer("a._domainkey.example.com", "NOERROR", [KEY_NAME], [[b"x"]])]
    handed_in = published(alias(KEY_NAME), GOOD)
    result = judged(builders.check("record", published=True), published=handed_in, keys=keys)
    assert result.status == "pass"


def test_a_service_that_does_not_run() -> None:
    check = builders.check("runs", running=["opendkim"])
    log = ["1 opendkim: configuration error at line 3", "2 postfix/master[1]: daemon started"]
    result = judged(check, services=[ServiceFacts("opendkim", running=False)], log=log)
    assert (result.status, result.evidence) == ("fail", ["log:0"])
    assert "configuration error at line 3" in result.observed
    assert judged(check, services=[ServiceFacts("opendkim", running=True)]).status == "pass"


def test_a_service_that_cannot_make_its_socket_says_where() -> None:
    check = builders.check("runs", running=["opendkim"])
    log = [
        "1 opendkim[8]: OpenDKIM Filter: Unable to bind to port local:/var/spool/postfix/run/o.sock: No such file",
        "1 opendkim[8]: OpenDKIM Filter: Unable to create listening socket on conn local:/var/spool/postfix/run/o.sock",
        "1 opendkim[8]: smfi_opensocket() failed",
    ]
    result = judged(check, services=[ServiceFacts("opendkim", running=False)], log=log)
    assert "local:/var/spool/postfix/run/o.sock: No such file" in result.observed
    assert result.evidence == ["log:0"]
    assert "`Socket`" in result.next


def queued(queue: str) -> Queued:
    return Queued(queue, "a@example.com", "b", "no milter", ["keeps/1"])


@pytest.mark.parametrize(
    ("stage", "left", "status", "said"),
    [
        ("rcpt", [], "pass", "is refused with “451 4.7.1 later”: the sender keeps the mail"),
        ("greeting", [], "pass", "is refused with “451 4.7.1 later”: the sender keeps the mail"),
        ("accepted", [queued("hold")], "pass", "is on hold"),
        ("accepted", [queued("deferred")], "pass", "waits in the queue"),
        ("accepted", [], "fail", "neither delivered nor in the queue"),
    ],
)  # fmt: skip
def test_mail_while_a_service_is_stopped(stage: str, left: list[Queued], status: str, said: str) -> None:
    check = builders.check("keeps", kept=True)
    code, text = (250, "250 ok") if stage == "accepted" else (451, "451 4.7.1 later")
    evidence = builders.evidence(
        builders.lab(check),
        [builders.facts("keeps", stopped=["opendkim"])],
        [builders.outcome(stage, "keeps/1", code, text)],
        queued=left,
    )
    (result,) = judge(evidence).checks
    assert (result.status, said in result.observed) == (status, True)
    assert result.observed.startswith("With OpenDKIM stopped, ")


def test_mail_that_comes_back_is_lost() -> None:
    check = builders.check("keeps", kept=True)
    evidence = run(check, MESSAGE)
    back = builders.arrival(place="mailbox", where="/var/mail/alice", attempts=["keeps/1"])
    (result,) = judge(
        builders.evidence(evidence.lab, evidence.facts.attempts, evidence.facts.outcomes, [back])
    ).checks
    assert (result.status, "sent it back" in result.observed) == ("fail", True)


def test_turned_away_at_the_door_while_the_milter_is_stopped_is_not_lost() -> None:
    """So does ``milter_default_action = reject``, and ``shutdown`` where it is the default."""
    check = builders.check("stops", kept=True)
    facts = [builders.facts("stops", 1, stopped=["opendkim"])]
    for code, text in ((554, "554 not accepting connections"), (421, "421 4.3.2 try again later")):
        evidence = builders.evidence(
            builders.lab(check), facts, [builders.outcome("greeting", "stops/1", code, text)]
        )
        result = judge(evidence).checks[0]
        assert (result.status, text in result.observed) == ("pass", True), result.observed


def test_what_a_milter_said_last_before_it_refused_is_the_reason() -> None:
    token = builders.TOKEN
    log = [
        f"1 postfix/cleanup[3]: 85D8F14E: message-id=<{token}.1@desk.example.com>",
        "2 opendkim[8]: 85D8F14E: signing table references unknown key 'mail2026'",
        "3 postfix/cleanup[3]: 85D8F14E: milter-reject: END-OF-MESSAGE from desk.example.com[10.20.30.50]: 4.7.1 "
        f"Service unavailable - try again later; from=<alice@example.com> to=<{token}@x.example> proto=ESMTP",
    ]
    check = builders.check("flows", arrives="outside")
    outcome = builders.outcome("rcpt", "flows/1", 451, "451 4.7.1 Service unavailable - try again later")
    evidence = builders.evidence(builders.lab(check), [builders.facts("flows", 1)], [outcome], log=log)
    assert "references unknown key" in judge(evidence).checks[0].observed


def test_a_process_that_died_before_it_greeted_is_the_reason() -> None:
    said = "fatal: invalid \"-o smtpd_milters\" option value: missing '=' after attribute name"
    check = builders.check("flows", arrives="outside")
    outcome = Outcome("flows/1", "greeting", builders.session().id)
    evidence = builders.evidence(
        builders.lab(check),
        [builders.facts("flows", 1)],
        [outcome],
        log=[f"768 postfix/smtpd[23]: {said}"],
        sessions=[builders.session()],
    )
    result = judge(evidence).checks[0]
    assert said in result.observed
    assert result.next.startswith("Mend what the server's log names")
