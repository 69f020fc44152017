"""Files of key records: what is published, and where the caret stands for what is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.formats.dns.masterfile import LONGEST_STRING
from grader.kinds.server.plan.records import MOST_COMPLAINTS, MOST_RECORDS, read_key_records
from grader.model.diagnostic import Diagnostic
from grader.model.dns import KeyRecord
from tests.tables import every

DOMAIN = "example.com"
NAME = "mail2026._domainkey.example.com"
GENKEY = b"""\
mail2026._domainkey\tIN\tTXT\t( "v=DKIM1; h=sha256; k=rsa; "
\t  "p=MIIBIjANBgkq"
\t  "hkiG9w0BAQEF" )  ; ----- DKIM key mail2026 for example.com
"""


def read(data: bytes, name: str = "dns/mail2026.txt") -> tuple[list[KeyRecord], list[Diagnostic]]:
    published = read_key_records({name: data}, DOMAIN)
    return published.records, published.complaints


def spot(data: bytes) -> str:
    """What follows the caret of the only complaint."""
    (complaint,) = read(data)[1]
    return data.decode().splitlines()[complaint.place.line][complaint.place.column :]


def test_what_opendkim_genkey_writes() -> None:
    record = KeyRecord(
        NAME,
        "TXT",
        [b"v=DKIM1; h=sha256; k=rsa; ", b"p=MIIBIjANBgkq", b"hkiG9w0BAQEF"],
        "dns/mail2026.txt",
        1,
    )
    assert read(GENKEY) == ([record], [])


@pytest.mark.parametrize(
    "data",
    [
        b'mail2026._domainkey IN TXT "v=DKIM1; p="\n',
        b'mail2026._domainkey.example.com. 300 IN TXT "v=DKIM1; p="\r\n',
        b'MAIL2026._DomainKey TXT "v=DKIM1; p="',
        b'$ORIGIN _domainkey.example.com.\n$TTL 1h\nmail2026 IN 5m TXT "v=DKIM1; p="\n',
        b'; a comment\n\nmail2026._domainkey (\n  IN\n  TXT "v=DKIM1; " "p=" )\n',
        b"\xef\xbb\xbfv=DKIM1; p=\n",
    ],
)
def test_forms_that_mean_the_same(data: bytes) -> None:
    records, complaints = read(data)
    assert complaints == []
    assert [(record.name, b"".join(record.data)) for record in records] == [(NAME, b"v=DKIM1; p=")]


def test_a_whole_zone_s_other_records_are_left_out_and_no_fault() -> None:
    zone = (
        b'@ IN MX 10 mail\n@ IN TXT "v=spf1 mx -all"\n@ IN TXT "google-site-verification=x"\n'
        b'_dmarc IN TXT "v=DMARC1; p=none"\n'
    )
    records, complaints = read(zone + GENKEY)
    assert [record.name for record in records] == [NAME]
    assert [(c.fatal, c.place.line) for c in complaints] == [(False, line) for line in range(4)]


@pytest.mark.parametrize("text", ["v=DKIM1; p=", "v=dkim1; k=rsa", "k=rsa; p=MII"])
def test_a_key_at_another_name_is_a_fault(text: str) -> None:
    (complaint,) = read(f'mail2026 IN TXT "{text}"\n'.encode())[1]
    assert complaint.fatal


def test_the_bare_text_of_a_record_is_cut_into_strings() -> None:
    (record,), complaints = read(b"v=DKIM1; k=rsa;\n p=" + b"M" * 400)
    assert complaints == []
    assert (record.name, [len(string) for string in record.data]) == (NAME, [LONGEST_STRING, 163])


def test_an_alias_and_a_record_of_the_same_owner() -> None:
    records, complaints = read(
        b'a._domainkey CNAME b._domainkey\nb._domainkey TXT "v=DKIM1"\n   300 TXT "x"\n'
    )
    assert [(r.name.partition(".")[0], r.type, r.data, r.line) for r in records] == [
        ("a", "CNAME", [b"b._domainkey.example.com"], 1),
        ("b", "TXT", [b"v=DKIM1"], 2),
        ("b", "TXT", [b"x"], 3),
    ]
    assert [(c.place.line + 1, "already (line 2)" in c.sentence) for c in complaints] == [(3, True)]


def test_the_same_record_in_two_files_is_one() -> None:
    published = read_key_records({"dns/a.txt": GENKEY, "dns/b.zone": GENKEY}, DOMAIN)
    assert [record.file for record in published.records] == ["dns/a.txt"]
    assert published.complaints == []


@every(
    ("data", "at", "sentence"),
    [
        (b'x TXT "v=DKIM1"\n', "x TXT", "this publishes x.example.com"),
        (b'a._domainkey.example.com TXT "x"\n', "a._domain", "stands there twice"),
        (b'a._domainkey IN TXT "v=DKIM1; " "' + b"p" * 300 + b'"\n', "p" * 45 + '"', "300 octets long, and one can"),
        (b'a._domainkey IN TXT "v=DKIM1; \n', '"v=DK', "the quotation mark that opens here is not closed"),
        (b'a._domainkey IN TXT ( "v=DKIM1"\n', '( "v', "this parenthesis is never closed"),
        (b'a._domainkey IN TXT "v=DKIM1" )\n', ")", "this parenthesis closes none that was opened"),
        (b'a._domainkey IN TEXT "x"\n', "TEXT", "“TEXT” is no type of record; did you mean TXT?"),
        (b'a._domainkey CH TXT "x"\n', "CH", "the class CH is not the Internet's"),
        (b'   IN TXT "x"\n', "IN", "has no name"),
        (b"$INCLUDE /etc/passwd\n", "$INC", "$INCLUDE is not taken"),
        (b"$GENERATE 1-99999999 k$ TXT x\n", "$GEN", "$GENERATE is not taken"),
        (b'a\\.b._domainkey TXT "x"\n', "a", "no name that a selector could have"),
        (b'a._domainkey TXT "x"\nb._domainkey IN A 192.0.2.1\n', "A 192", "the A record is not published"),
        ('a._domainkey TXT \u201cv=DKIM1\u201d\n'.encode(), "\u201c", "(left double quotation mark, U+201C) stands"),
    ],
)  # fmt: skip
def test_the_caret_stands_where_the_trouble_is(data: bytes, at: str, sentence: str) -> None:
    assert spot(data).startswith(at)
    assert sentence in read(data)[1][0].sentence


def test_reading_goes_on_after_a_fault() -> None:
    records, complaints = read(b'wrong TXT "x"\n$FOO\na._domainkey TXT "v=DKIM1"\n')
    assert [record.name for record in records] == ["a._domainkey.example.com"]
    assert [complaint.place.line for complaint in complaints] == [0, 1]


def test_a_private_key_is_told_and_kept_from_the_evidence() -> None:
    published = read_key_records({"dns/k.txt": b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n"}, DOMAIN)
    assert [complaint.sentence.partition(",")[0] for complaint in published.complaints] == [
        "this file holds a private key"
    ]
    assert [file.text for file in published.files] == [""]


@pytest.mark.parametrize("data", [b"", b"; nothing\n", b"$TTL 300\n"])
def test_a_file_without_a_record(data: bytes) -> None:
    assert [complaint.sentence for complaint in read(data)[1]] == ["this file holds no record"]


def test_a_file_without_a_record_takes_nothing_from_the_others() -> None:
    published = read_key_records({"dns/mail2026.txt": GENKEY, "dns/old.txt": b"; withdrawn\n"}, DOMAIN)
    (complaint,) = published.complaints
    assert (complaint.file, complaint.fatal) == ("dns/old.txt", False)


@pytest.mark.parametrize("name", ["dns/README", "dns/readme.txt", "dns/notes.md"])
def test_what_people_write_for_each_other_is_none_of_the_zones(name: str) -> None:
    assert read(b"# Our key\n\nMade with opendkim-genkey; see the handbook.\n", name) == ([], [])
    records, complaints = read(GENKEY, name)
    assert (len(records), complaints) == (1, [])
    assert read(b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", name)[1]


def test_faults_without_end_are_not_all_told() -> None:
    assert len(read(b"x\n" * 9_000)[1]) == MOST_COMPLAINTS
    assert [complaint.span for complaint in read(b"x\n" * 60_000)[1]] == [None]


def test_more_records_than_anybody_needs() -> None:
    records, complaints = read(b"".join(b'k%d._domainkey TXT "x"\n' % n for n in range(MOST_RECORDS + 3)))
    assert len(records) == MOST_RECORDS
    assert complaints[-1].place.line == MOST_RECORDS


_PIECES = st.sampled_from(
    [*'"();\\\n .@\0é', "a._domainkey", "IN", "TXT", "CNAME", "300", "$ORIGIN", "v=DKIM1"]
)


@given(
    st.one_of(
        st.binary(max_size=200), st.lists(_PIECES, max_size=30).map(lambda some: " ".join(some).encode())
    )
)
def test_whatever_is_handed_in_is_read_or_told_with_its_place(data: bytes) -> None:
    published = read_key_records({"dns/x.txt": data}, DOMAIN)
    assert published.records or published.complaints
    lines = published.files[0].text.split("\n")
    for complaint in published.complaints:
        assert complaint.span is None or complaint.place.column <= len(lines[complaint.place.line])
    for record in published.records:
        assert record.name.endswith("._domainkey.example.com")
        assert all(len(string) <= LONGEST_STRING for string in record.data)
