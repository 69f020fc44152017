"""From a name back to the records that the file has for it."""

from __future__ import annotations

from grader.formats.dns.masterfile import read_zone
from grader.kinds.zone.facts import ZoneFacts
from grader.kinds.zone.judge.source import TxtRecords
from tests.tables import every

ZONE = """\
$TTL 1h
@ SOA ns hostmaster 1 4h 1h 2w 5m
@ NS ns
ns A 203.0.113.53
@ TXT "v=spf1 -all"
* TXT "v=spf1 a -all"
www A 192.0.2.80
_dmarc.shop TXT "v=DMARC1; p=none"
*.deep TXT "deeper"
"""


def records(text: str = ZONE) -> TxtRecords:
    file = read_zone(text.encode(), "example.com")
    assert file.faults == []
    return TxtRecords(
        ZoneFacts(file="example.com.zone", origin="example.com", lines=file.lines, records=file.records)
    )


@every(
    ("name", "lines"),
    [
        ("example.com", [5]),
        ("EXAMPLE.com.", [5]),
        ("nobody.example.com", [6]),
        ("a.b.example.com", [6]),
        ("*.example.com", [6]),
        ("www.example.com", []),
        ("x.www.example.com", []),
        ("shop.example.com", []),
        ("x.shop.example.com", []),
        ("_dmarc.shop.example.com", [8]),
        ("deep.example.com", []),
        ("x.deep.example.com", [9]),
        ("example.org", []),
        ("com", []),
        ("a..b", []),
    ],
)
def test_a_wildcard_is_the_source_only_of_names_that_do_not_exist(name: str, lines: list[int]) -> None:
    assert [txt_record.record.place.line + 1 for txt_record in records().at(name)] == lines


def test_the_spf_record_of_a_name_that_exists_is_not_that_of_the_wildcard() -> None:
    assert records().spf("www.example.com") == []
    assert [txt_record.text for txt_record in records().spf("any.example.com")] == ["v=spf1 a -all"]
