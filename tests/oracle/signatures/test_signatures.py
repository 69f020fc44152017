"""The hunt in the lab dkim sees what it is there to see, and blames nobody who is right."""

from __future__ import annotations

from random import Random

import pytest

from grader import labs
from grader.engines.base import Engine
from grader.model.submission import Submission
from tests.oracle.signatures import hunt
from tests.oracle.signatures.receiver import missing, published
from tests.oracle.signatures.run import observe
from tests.oracle.signatures.work import Work

LAB = labs.find("dkim")


def solution() -> Work:
    rendered = labs.render_submission(LAB / "solution", labs.draw_variant(labs.load(LAB), None, None))
    return Work.read(rendered.files)


def test_a_number_draws_the_same_mutant_again_and_another_one_another() -> None:
    # A key is made once for each process, and no two are alike.
    drawn = [hunt.mutant(LAB, "test", number)[:2] for number in range(8)]
    assert [hunt.mutant(LAB, "test", number)[:2] for number in range(8)] == drawn
    assert len({submission.digest for submission, _ in drawn}) == 8


def test_work_that_is_read_and_written_is_the_same() -> None:
    work = solution()
    assert Work.read(work.written()) == work
    assert work.table("InternalHosts") == "opendkim/trusted.hosts"
    assert work.records == ["dns/mail2026.txt"]


def test_the_zone_is_what_the_files_say() -> None:
    files = {
        "dns/mail.txt": b"v=DKIM1; k=rsa; p=MIIB",
        "dns/twice.zone": b'a._domainkey TXT "v=DKIM1; p=x"\na._domainkey TXT "v=DKIM1; p=y"\n',
        "dns/cut.zone": b"c._domainkey TXT v=DKIM1; p=x\n",
        "dns/broken.zone": b'b._domainkey TXT ( "v=DKIM1; p=x"\n',
        "opendkim/keys/mail.private": b"",
    }
    zone, faults = published(files, "example.com")
    assert 'mail._domainkey.example.com. IN TXT "v=DKIM1; k=rsa; p=MIIB"' in zone.text
    assert [fault.partition(":")[0] for fault in faults] == [
        "dns/broken.zone",
        "c._domainkey.example.com.",
        "a._domainkey.example.com. has 2 records",
    ]


@pytest.mark.slow
@pytest.mark.engines("local")
@pytest.mark.parametrize(
    ("parameters", "rules"),
    [
        ({}, set()),
        ({"InternalHosts": "0.0.0.0/0"}, {"strangers"}),
        ({"InternalHosts": "127.0.0.1", "OmitHeaders": "Subject"}, {"office", "headers"}),
        ({"SignatureTTL": "60", "SigningTable": "file:/etc/opendkim/signing.table"}, {"office", "users"}),
    ],
    ids=["solution", "everybody-internal", "office-forgotten", "star-in-a-file"],
)
def test_what_receivers_find_is_seen(parameters: dict[str, str], rules: set[str], engine: Engine) -> None:
    if reason := missing():
        pytest.skip(reason)
    work = solution()
    for name, value in parameters.items():
        work.set(name, value)
    lab = labs.load(LAB)
    variant = labs.draw_variant(lab, None, None)
    seen = observe(lab, Submission(work.written()), variant, engine, Random("test"))
    assert {fault.rule for fault in seen.faults} == rules
