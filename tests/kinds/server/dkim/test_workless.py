"""What to do where mail stops at the milter is told by what the log says of the cause."""

from __future__ import annotations

import pytest

from grader.kinds.server.judge.dkim.workless import for_milter


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ("opendkim: KeyTable entry for 'k' corrupt", "The line `k` has fewer parts"),
        (
            "opendkim: signing table references unknown key 'mail'",
            "says `mail`, and no line of the `KeyTable`",
        ),
        (
            "opendkim: can't load key from /etc/opendkim/k: No such file or directory",
            "No file lies at /etc/opendkim/k.",
        ),
        (
            "opendkim: dkim_eom(): resource unavailable: d2i_PrivateKey_bio() failed",
            "taken for the key itself",
        ),
        ("opendkim: dkim_eom(): resource unavailable: PEM_read_bio_PrivateKey() failed", "the public half"),
        (
            "postfix/smtpd: warning: connect to Milter service unix:o/o.sock: Permission denied",
            "`UMask 007`",
        ),
        (
            "postfix/smtpd: warning: connect to Milter service unix:/run/o.sock: No such file or directory",
            "in a chroot",
        ),
    ],
)
def test_the_next_step_is_about_the_cause(line: str, remedy: str) -> None:
    told = for_milter(["opendkim: error loading key 'k'", line])
    assert told is not None
    assert remedy in told


def test_where_no_cause_is_named_the_lab_says_more() -> None:
    assert for_milter(["opendkim: error loading key 'k'"]) is None
