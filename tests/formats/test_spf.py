"""SPF's grammar: which term is at fault, which character, and how."""

from __future__ import annotations

import re
import time

import pytest
import spf as pyspf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grader.formats.spf import SpfRecord, read_record
from grader.formats.spfmacros import expand, macro_fault
from tests.conftest import examples
from tests.tables import every

VALUES = {
    "s": "strong-bad@email.example.com", "l": "strong-bad", "o": "email.example.com", "d": "email.example.com",
    "i": "192.0.2.3", "p": "mx.example.org", "v": "in-addr", "h": "mx.example.org",
}  # fmt: skip


def record(text: str) -> SpfRecord:
    found = read_record(text)
    assert found
    return found


@every(
    "terms",
    [
        "", "-all", "MX A PTR -ALL", "a:example.com", "a:example.com.", "mx/24", "mx//64", "a:example.com/24//64",
        "ip4:192.0.2.1", "ip4:192.0.2.0/24", "ip6:2001:db8::/32", "ip6:::ffff:192.0.2.1", "include:%{d}", "a:a.b-c",
        "exists:%{l1r-+}.%{ir}.%%{v}._spf.%{d2}", "exists:a%%b%_c%-.example.com", "redirect=example.com",
        "REDIRECT=Example.Com", "exp=why.%{d}", "note=one note=two", "moo.cow-far_out=man:dog/cat", "unknown=",
        "ip4=192.0.2.1", "a:foo:bar/baz.example.com", "exists:%{L}.example.com", "include:_spf.example.com",
        "a:1-2.x-1",
    ],
)  # fmt: skip
def test_what_the_grammar_takes(terms: str) -> None:
    assert record(f"v=spf1 {terms}").faults == []


@every(
    ("terms", "kind", "place"),
    [
        ("\u2013all", "character", "\u2013"),
        ("a:ex\tample.com", "character", "\t"),
        ("-all;", "trailing", ";"),
        ("-all foo", "name", "foo"),
        ("inclde:_spf.example.com", "name", "inclde:_spf.example.com"),
        ("-inclde:_spf.example.com", "name", "inclde:_spf.example.com"),
        ("192.0.2.1", "name", "192.0.2.1"),
        (",", "name", ","),
        ("- all", "name", "-"),
        ("1up=foo", "name", "1up=foo"),
        ("=all", "name", "=all"),
        ("moo.cow/far_out=man:dog/cat", "name", "moo.cow/far_out=man:dog/cat"),
        ("-redirect=example.com", "qualifier", "-"),
        ("all:example.com", "trailing", ":example.com"),
        ("mx.example.com", "trailing", ".example.com"),
        ("ptr/24", "trailing", "/24"),
        ("-ip4=192.0.2.1", "trailing", "=192.0.2.1"),
        ("include", "domain-missing", ""),
        ("include:", "domain-missing", ":"),
        ("a:", "domain-missing", ":"),
        ("redirect=", "domain-missing", "="),
        ("include:localhost", "domain", "localhost"),
        ("a:192.0.2.1", "domain", "1"),
        ("exists:example.com/24", "domain", "com/24"),
        ("include:example.com,", "domain", "com,"),
        ("a:%{d}com", "domain", "com"),
        ("a:example..", "domain", "."),
        ("a:%{x}.example.com", "macro", "%{x}"),
        ("a:%{d0}.example.com", "macro", "%{d0}"),
        ("a:%{c}.example.com", "macro", "%{c}"),
        ("a:%d.example.com", "macro", "%d"),
        ("a:%{d.example.com", "macro", "%{"),
        ("note=100%", "macro", "%"),
        ("ip4", "address-missing", ""),
        ("ip4:", "address-missing", ":"),
        ("ip4:192.0.2", "address", "192.0.2"),
        ("ip4:192.0.2.1:25", "address", "192.0.2.1:25"),
        ("ip4:192.0.2.01", "address", "192.0.2.01"),
        ("ip4:2001:db8::1", "address", "2001:db8::1"),
        ("ip6:192.0.2.1", "address", "192.0.2.1"),
        ("ip6:fe80::1%eth0", "address", "fe80::1%eth0"),
        ("ip4:192.0.2.0/33", "prefix", "/33"),
        ("ip4:192.0.2.0/", "prefix", "/"),
        ("ip4:192.0.2.0/024", "prefix", "/024"),
        ("ip4:192.0.2.0//24", "prefix", "//24"),
        ("a/33", "prefix", "/33"),
        ("mx//129", "prefix", "//129"),
        ("a:example.com/", "prefix", "/"),
        ("redirect=a.example redirect=b.example", "repeated", "redirect=b.example"),
        ("exp=a.example EXP=b.example", "repeated", "EXP=b.example"),
    ],
)  # fmt: skip
def test_what_breaks_it_and_where(terms: str, kind: str, place: str) -> None:
    text = f"v=spf1 mx {terms} ~all"
    (broken,) = record(text).faults
    fault = broken.fault
    assert fault
    assert (fault.kind, text[fault.start : fault.end]) == (kind, place)
    assert text[broken.start : broken.end] == broken.text
    assert broken.start <= fault.start <= fault.end <= broken.end


@pytest.mark.parametrize("text", ["v=spf1", "V=SPF1 -all", "v=spf1 ", "v=spf1  mx   -all  "])
def test_what_is_a_record(text: str) -> None:
    assert record(text).faults == []


@pytest.mark.parametrize(
    "text", ["", "v=spf10 -all", "v=spf1;-all", "v=spf1\t-all", " v=spf1", "v=spf2 -all"]
)
def test_what_is_none(text: str) -> None:
    assert read_record(text) is None


def test_what_a_term_says() -> None:
    found = record("v=spf1 ~MX:%{d}/24//64 ip6:2001:db8::7/64 ip4:192.0.2.7 ?all redirect=_spf.example.com")
    mx, six, four, everybody, redirect = found.terms
    assert (mx.name, mx.qualifier, mx.domain, mx.prefix4, mx.prefix6) == ("mx", "~", "%{d}", 24, 64)
    assert (str(six.network), str(four.network)) == ("2001:db8::/64", "192.0.2.7/32")
    assert (everybody.qualifier, redirect.is_modifier, redirect.domain) == ("?", True, "_spf.example.com")
    assert [term.asks for term in found.terms] == [True, False, False, False, True]
    assert found.text[redirect.domain_start :] == redirect.domain
    assert found.all_at == everybody.end


@every(
    ("text", "expanded"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l-}", "strong.bad"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%%%_%-", "% %20"),
        ("%{S}", "strong-bad%40email.example.com"),
        ("%{d999999999999}", "email.example.com"),
    ],
)
def test_macros(text: str, expanded: str) -> None:
    """Examples of RFC 7208 section 7.4."""
    assert macro_fault(text) is None
    assert expand(text, VALUES) == expanded


PARTS = [
    *("all", "a", "mx", "ptr", "ip4:", "ip6:", "include:", "exists:", "redirect=", "exp=", "x=", "192.0.2.1"),
    *(
        "2001:db8::",
        "example.com",
        "%{d}",
        "%{ir}",
        "%{x}",
        "%",
        "/",
        "//",
        "24",
        "129",
        "-",
        "~",
        "?",
        "+",
        ".",
    ),
    *(",", ";", ":", "=", " ", "  ", "é", "1"),
]
RECORDS = st.lists(st.sampled_from(PARTS), max_size=14).map("".join)


class Offline(pyspf.query):  # type: ignore[misc]
    """pyspf that is asked for nothing but whether it can read a record."""

    def dns(self, name: object, qtype: str, *_: object, **__: object) -> list[object]:
        """Nothing."""
        return []


def pyspf_reads(text: str) -> bool:
    """Whether every term is one for pyspf (2.0.14)."""
    query = Offline(i="192.0.2.9", s="a@b.example", h="b.example")
    query.d = "b.example"
    for term in text.split(" ")[1:]:
        try:
            if term and not pyspf.RE_MODIFIER.match(term):
                query.validate_mechanism(term)
        except pyspf.PermError as error:
            # That a record includes itself is no fault of its grammar: a limit ends it when it is evaluated.
            if error.msg != "include has trivial recursion":
                return False
    return True


@settings(max_examples=examples(500))
@given(RECORDS)
def test_any_text_is_read_and_every_place_is_in_it(terms: str) -> None:
    text = f"v=spf1 {terms}"
    found = record(text)
    assert " ".join(term.text for term in found.terms) == " ".join(terms.split())
    for term in found.terms:
        assert text[term.start : term.end] == term.text
        if term.domain:
            assert text[term.domain_start :].startswith(term.domain)
        if term.fault:
            assert term.start <= term.fault.start <= term.fault.end <= term.end


@settings(max_examples=examples(500))
@example("include:%{d}")
@given(RECORDS)
def test_mechanisms_are_those_of_pyspf(terms: str) -> None:
    words = (word for word in terms.split() if "=" not in word and word.isascii())
    # pyspf wants a macro with a letter at the end of a name; the grammar has %%, %_ and %- too (RFC 7208 section 7.1).
    text = " ".join(["v=spf1", *(word for word in words if not re.search(r"%[%_-](/|$)", word))])
    assert (record(text).faults == []) == pyspf_reads(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    [
        "a:" + "a" * 60_000 + "!", "a:" + ".a" * 30_000, "a" + "/1" * 30_000, "a" + "/" * 60_000, "a " * 30_000,
        "a:" + "%{d}" * 15_000, "a:" + "%{" * 30_000, "x=" + "%" * 60_000, "a:%{d" + "9" * 60_000 + "}",
        "ip4:" + "1" * 60_000, "ip4:1.1.1.1/" + "1" * 60_000, "a:" + "a-" * 30_000,
    ],
)  # fmt: skip
def test_the_longest_record_is_read_at_once(part: str) -> None:
    text = f"v=spf1 {part}"
    began = time.process_time()
    record(text)
    assert time.process_time() - began < 1.5
