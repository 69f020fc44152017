"""Labs that run a program: the plan of their runs."""

from __future__ import annotations

from cryptography import x509

from grader import labs
from grader.kinds.program.declare import ProgramLab
from grader.kinds.program.facts import ProgramPlan
from grader.kinds.program.plan import beside_the_others, make
from grader.model.submission_server import SubmissionServerSpec

FOLDER = labs.find("authenticated-message")
LOADED = labs.load(FOLDER)
assert isinstance(LOADED, ProgramLab)
LAB: ProgramLab = LOADED
VARIANT = labs.draw_variant(LAB)
FORGED = [name for name, server in LAB.program.servers.items() if server.certificate != "trusted"]


def planned(text: bytes = b"#!/bin/sh\n", only: set[str] | None = None) -> ProgramPlan:
    handed_in = labs.Submission({"send": text}, frozenset({"send"}))
    return make(LAB, handed_in, VARIANT, student=None, only=only)


def test_a_pair_of_server_and_message_is_one_run_whichever_checks_look_at_it() -> None:
    program = planned()
    pairs = [(run.server, run.message) for run in program.runs]
    assert len(set(pairs)) == len(pairs)
    by_id = {run.id: run for run in program.runs}
    assert by_id[program.attempts["delivers/1"]] is by_id[program.attempts["encrypts/1"]]
    assert set(program.attempts.values()) == set(by_id)


def test_every_run_has_names_an_address_an_account_and_a_password_of_its_own() -> None:
    plan = program = planned()
    for values in (
        [server.name for server in plan.world.submission],
        [server.address for server in plan.world.submission],
        [run.account for run in program.runs],
        [run.password for run in program.runs],
        [run.user for run in program.runs],
    ):
        assert len(set(values)) == len(program.runs)
    assert {run.password for run in program.runs} <= set(plan.secrets)


def test_a_login_is_not_the_sender_s_name() -> None:
    assert all(run.user not in run.wanted.sender for run in planned().runs)


def test_two_runs_send_the_very_same_message_and_all_others_have_people_of_their_own() -> None:
    """Else an identifier made of the message's contents would be taken for one of the message's own."""
    runs = sorted(planned().runs, key=lambda run: int(run.id.partition("-")[2]))
    for message in {run.message for run in runs}:
        letters = [run.wanted for run in runs if run.message == message]
        if len(letters) > 1:
            assert letters[0] == letters[1]
            assert len({tuple(letter.recipients) for letter in letters}) == len(letters) - 1


def test_a_subject_cut_into_pieces_of_octets_is_cut_within_a_character() -> None:
    """Pieces for base64 without padding; 45 octets are the most that an encoded word holds (RFC 2047 section 2)."""
    subject = str(LAB.program.messages["characters"].subject).encode()
    for size in range(3, 46, 3):
        cuts = range(size, len(subject), size)
        assert any(subject[cut] & 0xC0 == 0x80 for cut in cuts), size


def test_each_kind_of_server_is_met_with_all_that_may_come_over_one() -> None:
    """A reply of several lines, one recipient put off while others are taken, silence at the handshake on 465."""
    met = {run.server: LAB.program.servers[run.server] for run in planned().runs}.values()
    assert any(server.greeting and server.pieces and server.honest for server in met)
    assert any(server.answers.get("rcpt", "").startswith("4") and server.recipient for server in met)
    assert any(server.tls == "implicit" and server.silent == "starttls" for server in met)


def test_a_forged_server_shows_each_fault_of_a_certificate_in_each_kind_of_tls() -> None:
    """Who verifies in one way on 587 and in another on 465 shows it at a server of the other kind alone."""
    plan = planned(only={"certificate"})
    met = [LAB.program.servers[run.server] for run in plan.runs if run.server in FORGED]
    faults = {server.certificate for server in met}
    assert {(server.certificate, server.tls) for server in met} == {
        (fault, tls) for fault in faults for tls in ("starttls", "implicit")
    }
    assert {"other-name", "self-signed", "expired"} == faults


def test_who_waits_for_a_greeting_on_465_holds_up_no_other_run_at_forged_servers() -> None:
    """Three of those being late, all that come later would be given less time."""
    turns = [run for run in planned().runs if not beside_the_others(LAB.program.servers[run.server])]
    assert [run.server for run in turns if LAB.program.servers[run.server].tls == "implicit"] == [
        "submissions"
    ]
    assert turns[0].server == "submissions"


def test_nothing_in_the_environment_tells_which_server_it_is() -> None:
    plan = program = planned()
    names = {server.run: server.name for server in plan.world.submission}
    kinds = {word for run in program.runs for word in run.server.split("-")} - {"submission", "submissions"}
    for run in program.runs:
        assert run.environment["SMTP_HOST"] == names[run.id]
        assert not kinds & set(names[run.id].split("."))


def test_another_program_meets_other_names_and_the_same_one_the_same() -> None:
    names = [[server.name for server in planned(text).world.submission] for text in (b"#!a", b"#!b", b"#!a")]
    assert names[0] == names[2] != names[1]


def test_only_what_a_check_needs_is_run() -> None:
    program = planned(only={"implicit-tls"})
    assert {run.server for run in program.runs} == {"submission", "submissions"}


def test_servers_that_will_be_waited_for_begin_first() -> None:
    servers = [LAB.program.servers[run.server] for run in planned().runs]
    waiting = [
        bool(server.silent or server.pieces or (server.tls == "implicit" and not server.honest))
        for server in servers
    ]
    assert waiting == sorted(waiting, reverse=True)


def certificate(server: SubmissionServerSpec) -> x509.Certificate:
    return x509.load_pem_x509_certificate(server.certificate)


def test_certificates_are_good_or_bad_as_declared() -> None:
    plan = planned()
    authority = x509.load_pem_x509_certificate(plan.world.ca)
    for server in plan.world.submission:
        if server.behaviour.tls == "stripped":
            continue
        shown = certificate(server)
        names = shown.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        fault = server.behaviour.certificate
        assert (names.get_values_for_type(x509.DNSName) == [server.name]) == (fault != "other-name")
        assert (shown.issuer == authority.subject) == (fault != "self-signed")
        assert (shown.not_valid_after_utc.year < 2025) == (fault == "expired")


def test_a_certificate_for_another_name_holds_what_those_take_who_compare_a_part_of_it() -> None:
    """Its beginning, its end, its first label, or that it stands somewhere; a client may accept the domain itself."""
    forged = [server for server in planned().world.submission if server.behaviour.certificate == "other-name"]
    assert len(forged) == 2
    for server in forged:
        alternatives = certificate(server).extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = alternatives.value.get_values_for_type(x509.DNSName)
        host, _, domain = server.name.partition(".")
        assert not {server.name, domain} & {*names}
        assert any(name.startswith(f"{server.name}.") for name in names)
        assert any(name.endswith(server.name) for name in names)
        assert any(name.startswith(f"{host}.") and not name.startswith(server.name) for name in names)


def test_how_long_to_wait_does_not_tell_a_good_server_from_a_forged_one() -> None:
    told: dict[bool, set[str]] = {True: set(), False: set()}
    for text in (b"#!a", b"#!b", b"#!c"):
        for run in planned(text).runs:
            if LAB.program.servers[run.server].silent is None:
                told[LAB.program.servers[run.server].honest].add(run.environment["SMTP_TIMEOUT"])
    assert told[True] == told[False] == {"3", "4"}


def test_a_password_is_looked_for_in_every_run() -> None:
    program = planned()
    looked = {run for attempt, run in program.attempts.items() if attempt.startswith("password/")}
    assert looked == {run.id for run in program.runs}
    alone = planned(only={"password"})
    assert len(alone.runs) == len(program.runs)


def test_a_recipient_is_refused_by_address() -> None:
    plan = program = planned()
    wanted = {run.id: run.wanted for run in program.runs}
    chosen = [(wanted[server.run].recipients, server.refused) for server in plan.world.submission]
    refused = {recipients.index(path) for recipients, path in chosen if path is not None}
    assert refused == {0, 1, 2, 3}


def test_who_waits_is_waited_for_no_longer_than_needed_and_once_as_long_as_elsewhere() -> None:
    silences = []
    for run in planned().runs:
        patience = int(run.environment["SMTP_TIMEOUT"])
        if LAB.program.servers[run.server].silent is None:
            assert patience in (3, 4)
        else:
            silences.append(patience)
    assert sorted(silences) == [1, 1, 3]


def test_signs_of_an_atom_that_mean_something_elsewhere_stand_in_some_address() -> None:
    recipients = "".join(recipient for run in planned().runs for recipient in run.wanted.recipients)
    assert set("#%&'*+/=?$|`") <= set(recipients)


def test_every_special_character_of_a_phrase_stands_in_some_name_without_the_others() -> None:
    specials = set('()<>[]:;@\\,."')
    together = [frozenset(specials & set(run.wanted.from_name)) for run in planned().runs]
    pairs = [{"(", ")"}, {"[", "]"}, {"<", ">"}]
    for special in specials - set('\\"'):
        mates = next((pair for pair in pairs if special in pair), {special})
        assert any(found and found <= mates for found in together), special


def test_odd_names_are_drawn_for_each_submission() -> None:
    drawn = [[run.wanted.from_name for run in planned(text).runs] for text in (b"#!a", b"#!b", b"#!a")]
    assert drawn[0] == drawn[2] != drawn[1]
