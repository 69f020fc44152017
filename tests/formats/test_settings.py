"""main.cf, master.cf and opendkim.conf, and the words that they are made of."""

from __future__ import annotations

import pytest

from grader.formats.settings import meant, opendkim_parameters, postfix_parameters, restrictions
from grader.formats.settings.files import read_main, read_master, read_opendkim


def test_a_setting_goes_on_where_lines_begin_with_a_blank() -> None:
    text = "# a\na = 1\n# b\nlist =\n  x,\n# within\n\ty z\n\nb=2"
    settings = read_main(text)
    assert [(s.name, s.value, s.line) for s in settings] == [
        ("a", "1", 1),
        ("list", "x, y z", 3),
        ("b", "2", 8),
    ]
    assert [(w.text, w.line, w.column) for w in settings[1].words] == [("x", 4, 2), ("y", 6, 1), ("z", 6, 3)]


def test_options_belong_to_the_service_above_them() -> None:
    text = "smtp inet n - y - - smtpd\n  -o a=b -o c = d\n# x\nsubmission inet n - y - - smtpd\n  -o e=f=g\n"
    assert [(o.service, o.name, o.value, o.line) for o in read_master(text)] == [
        ("smtp", "a", "b", 1), ("smtp", "c", "", 1), ("submission", "e", "f=g", 4),
    ]  # fmt: skip


def test_an_opendkim_parameter_is_the_first_word_of_its_line() -> None:
    assert [(w.text, w.line, w.column) for w in read_opendkim("# x\n\n Mode\tsv\nSocket x")] == [
        ("Mode", 2, 1), ("Socket", 3, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("smtpd_sasl_auth_enabled", "smtpd_sasl_auth_enable"),
        ("smtpd_relay_restriction", "smtpd_relay_restrictions"),
        ("smtpd_milter", "smtpd_milters"),
        ("my_destination", "mydestination"),
        ("disable_vrfy", "disable_vrfy_command"),
        ("smtpd_tls_cert", "smtpd_tls_cert_file"),
        ("unheard_of", None),
    ],
)
def test_a_misspelt_parameter_is_near_the_one_that_was_meant(word: str, near: str | None) -> None:
    assert meant(word, postfix_parameters()) == near


def test_a_parameter_is_found_with_a_letter_lost() -> None:
    """What is found may be another parameter only where that is as near."""
    known = postfix_parameters()
    for name in sorted(known)[::30]:
        for at in range(1, len(name), 5):
            lost = name[:at] + name[at + 1 :]
            found = meant(lost, known)
            assert found is not None, lost
            assert abs(len(found) - len(lost)) <= 2 or found.startswith(f"{lost}_") or found == name, (
                lost,
                found,
            )


def test_restrictions_and_opendkim_s_parameters_are_words_of_their_own() -> None:
    assert meant("reject_unauth_destinations", restrictions()) == "reject_unauth_destination"
    assert meant("KeyTabel", opendkim_parameters().values()) == "KeyTable"
