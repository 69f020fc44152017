"""Who passes SPF is computed, and agrees with what each single client gets."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
import spf as pyspf  # an independent reader
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.formats.dns.masterfile import read_zone
from grader.formats.networks import AddressSet
from grader.kinds.zone.declare import SenderRequest
from grader.kinds.zone.facts import Senders
from grader.kinds.zone.run import inverse, senders, spf, strangers
from grader.kinds.zone.run.inverse import Owners
from grader.kinds.zone.run.resolver import Resolver
from grader.kinds.zone.run.spfcheck import Evaluator
from grader.kinds.zone.run.spfstates import SpfState
from tests.kinds.zone.beds import HEAD, world
from tests.tables import every

ALLOWED = ["192.0.2.1", "192.0.2.64/26", "2001:db8::1"]


def computed(zone: str, *, below: bool = True) -> Senders:
    """Who passes for example.com, with those allowed that ``ALLOWED`` names."""
    records = read_zone((HEAD + zone).encode(), "example.com").records
    request = SenderRequest("example.com", ALLOWED, below)
    third = '@ TXT "v=spf1 ip4:198.51.100.0/24 ~all"\n'
    with world(example_com=zone, third_example=third, stranger_invalid=strangers.RECORDS) as resolver:
        return senders.compute(resolver, "1", request, Owners([*records, *strangers.zone().records]))


def outside(zone: str) -> list[tuple[str, list[str]]]:
    """The names and networks of those who pass and may not."""
    return [(outsider.domain, outsider.networks) for outsider in computed(zone).outsiders]


@every(
    "zone",
    [
        '@ TXT "v=spf1 ip4:192.0.2.1 -all"',
        '@ TXT "v=spf1 a ip4:192.0.2.64/27 -all"\n@ A 192.0.2.1\n@ AAAA 2001:db8::1',
        '@ TXT "v=spf1 -ip4:192.0.2.0/26 ip4:192.0.2.0/25 -all"',
        '@ TXT "v=spf1 redirect=_spf.example.com"\n_spf TXT "v=spf1 include:_a.example.com ?all"\n'
        '_a TXT "v=spf1 ip4:192.0.2.1 +ip4:192.0.2.64/26 -all"',
        '@ TXT "v=spf1 -all ip4:198.51.100.0/24"',
        '@ TXT "v=spf1 ~ip4:0.0.0.0/0 ?ip6:::/0"',
        '@ TXT "v=spf1 ip4:198.51.100.0/24 rubbish"',
        '@ TXT "v=spf1 -include:third.example ip4:192.0.2.1 -all"',
        '@ TXT "v=spf1 exists:%{i}._ok.example.com -all"\n192.0.2.1._ok A 127.0.0.2',
        '@ TXT "v=spf1 -all"\nwww TXT "v=spf1 +all"\n_dmarc TXT "v=DMARC1; p=none; aspf=s"',
        '@ TXT "v=spf1 -all"\nwww TXT "v=spf1 +all"\n_dmarc TXT "v=DMARC1; p=none"\n'
        '_dmarc.www TXT "v=DMARC1; p=none; psd=n"',
        "",
    ],
)
def test_nobody_else(zone: str) -> None:
    assert outside(zone + "\n") == []


@every(
    ("zone", "expected"),
    [
        ('@ TXT "v=spf1 ip4:192.0.2.1/30 -all"', [("example.com", ["192.0.2.2/31", "192.0.2.0/32"])]),
        ('@ TXT "v=spf1 ip4:0.0.0.0/1 -all"', [("example.com", ["0.0.0.0/1"])]),
        ('@ TXT "v=spf1 mx//127 -all"\n@ MX 1 m\nm AAAA 2001:db8::1', [("example.com", ["2001:db8::/128"])]),
        ('@ TXT "v=spf1 -ip4:198.51.100.0/25 include:third.example -all"', [("example.com", ["198.51.100.128/25"])]),
        ('@ TXT "v=spf1 redirect=third.example"', [("example.com", ["198.51.100.0/24"])]),
        ('@ TXT "v=spf1 exists:%{ir}._ok.example.com -all"\n*.100.51.198._ok A 127.0.0.2',
         [("example.com", ["198.51.100.0/24"])]),
        ('@ TXT "v=spf1 exists:%{i}._ok.example.com -all"\n198.51.100.7._ok A 127.0.0.2',
         [("example.com", ["198.51.100.7/32"])]),
        ('@ TXT "v=spf1 exists:%{ir}._ok.example.com -all"\n*.8.b.d.0.1.0.0.2._ok A 127.0.0.2',
         [("example.com", ["2001:db8:8000::/33", "2001:db8:4000::/34", "2001:db8:2000::/35"])]),
        ('@ TXT "v=spf1 -all"\nwww TXT "v=spf1 ip4:198.51.100.9 -all"', [("www.example.com", ["198.51.100.9/32"])]),
        ('@ TXT "v=spf1 -all"\n*.w TXT "v=spf1 ip4:198.51.100.9 -all"',
         [("anybody.w.example.com", ["198.51.100.9/32"])]),
        ('@ TXT "v=spf1 -all"\nx CNAME third.example.', [("x.example.com", ["198.51.100.0/24"])]),
        ('@ TXT "v=spf1 ptr -all"\na A 192.0.2.1\nb A 203.0.113.7\nb AAAA 2001:db8::7\nc.d A 192.0.2.65',
         [("example.com", [address]) for address in ("203.0.113.53/32", "203.0.113.7/32", "2001:db8::7/128")]),
        ('@ TXT "v=spf1 ptr:w.example.com -all"\n*.w A 203.0.113.9\nw.x A 203.0.113.8',
         [("example.com", ["203.0.113.9/32"])]),
        ('@ TXT "v=spf1 exists:%{p}._ok.example.com -all"\nb A 203.0.113.7\nb.example.com._ok A 127.0.0.2',
         [("example.com", ["203.0.113.7/32"])]),
    ],
)  # fmt: skip
def test_somebody_else(zone: str, expected: list[tuple[str, list[str]]]) -> None:
    found = [
        (domain, networks[:3] if len(networks) > 3 else networks) for domain, networks in outside(zone + "\n")
    ]
    assert found == expected


@every(
    "zone",
    [
        'zz TXT "v=spf1 +all"',
        '@ TXT "v=spf1 exists:%{l}._u.%{d} -all"\nzz._u A 127.0.0.2',
        '@ TXT "v=spf1 ptr:zz.%{d} -all"\nzz A 192.0.2.9',
    ],
)
def test_many_names_hide_nobody(zone: str) -> None:
    """However many names stand before the one by which somebody passes."""
    many = "".join(f"h{number} A 192.0.2.1\nh{number}._u TXT x\n" for number in range(450))
    assert outside(many + zone + "\n")


def test_more_names_than_are_looked_at_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    zone = '@ TXT "v=spf1 -all"\nx DNAME third.example.\n' + "".join(
        f"d{n} DNAME t\nn{n}.t A 192.0.2.1\n" for n in range(9)
    )
    assert computed(zone).complete
    monkeypatch.setattr(inverse, "MOST_VIEWS", 60)
    assert not computed(zone).complete


def test_what_a_client_must_say_is_told() -> None:
    (by_name,) = computed('@ TXT "v=spf1 exists:%{l}._u.example.com -all"\nceo._u A 127.0.0.2\n').outsiders[
        :1
    ]
    assert (by_name.sender, by_name.helo) == ("ceo@example.com", "")
    (by_helo,) = computed('@ TXT "v=spf1 exists:%{h} -all"\ngate A 127.0.0.2\n').outsiders[:1]
    assert by_helo.helo in ("ns.example.com", "gate.example.com")


@every(
    "term",
    [
        "exists:_ok.%{h}",
        "a:out.%{h}",
        "a:%{h}/8",
        "mx:%{h}",
        "include:_spf.%{h}",
        "redirect=_spf.%{h}",
        "exists:_ok.%{l}",
        "exists:_ok.%{hr}",
        "exists:%{i}.%{l}.%{h}",
        "exists:_ok.%{p}",
        "a:%{p}",
    ],
)
def test_a_name_that_ends_as_the_client_likes_is_in_a_domain_of_theirs(term: str) -> None:
    assert outside(f'@ TXT "v=spf1 {term}"\n')


@every("term", ["exists:%{h}._ok.%{d}", "a:%{h1}", "a:%{s}", "exists:%{d}"])
def test_a_name_that_ends_otherwise_is_in_none_of_theirs(term: str) -> None:
    assert outside(f'@ TXT "v=spf1 {term} -all"\n') == []


def test_names_below_count_where_that_is_asked() -> None:
    zone = '@ TXT "v=spf1 -all"\nwww TXT "v=spf1 +all"\n'
    assert computed(zone, below=False).outsiders == []
    assert {outsider.domain for outsider in computed(zone).outsiders} == {"www.example.com"}


def standing(zone: str) -> list[tuple[str, str]]:
    """What those get who may not pass and do not: result and witness, the weakest first."""
    found = computed(zone + "\n", below=False)
    return [(other.spf.result, other.witness) for other in found.others]


STRANGERS = ("198.51.100.66", "2001:db8:bad::66")


@every(
    ("zone", "weak"),
    [
        ('@ TXT "v=spf1 ip4:192.0.2.1 -all"', []),
        ('@ TXT "v=spf1 ip4:192.0.2.1 ~all"', []),
        ('@ TXT "v=spf1 ip4:192.0.2.1"', [("neutral", STRANGERS[0]), ("neutral", STRANGERS[1])]),
        ('@ TXT "v=spf1 ?ip4:203.0.113.0/24 -all"', [("neutral", "203.0.113.1")]),
        ('@ TXT "v=spf1 ?ip6:2001:db8::/32 -all"', [("neutral", STRANGERS[1])]),
        ('@ TXT "v=spf1 -ip4:0.0.0.0/0 ?all"', [("neutral", STRANGERS[1])]),
        ('@ TXT "v=spf1 ?ip4:192.0.2.1 ?ip4:192.0.2.64/26 -all"', []),
        ('@ TXT "v=spf1 ?include:third.example -all"', [("neutral", STRANGERS[0])]),
        ('@ TXT "v=spf1 ?exists:%{ir}._ok.example.com -all"\n*.113.0.203._ok A 127.0.0.2',
         [("neutral", "203.0.113.1")]),
        ('@ TXT "v=spf1 a:v4.example.com a:gone.example.com a:no.example.com -all"\nv4 A 192.0.2.1',
         [("permerror", STRANGERS[1])]),
        ("", [("none", STRANGERS[0]), ("none", STRANGERS[1])]),
    ],
)  # fmt: skip
def test_what_everybody_else_gets(zone: str, weak: list[tuple[str, str]]) -> None:
    assert [one for one in standing(zone) if one[0] not in ("fail", "softfail")] == weak


def test_a_weak_word_is_found_with_what_a_client_must_say() -> None:
    found = computed('@ TXT "v=spf1 ?exists:%{l}._u.example.com -all"\nceo._u A 127.0.0.2\n', below=False)
    weak = [other for other in found.others if other.spf.result == "neutral"]
    assert {other.sender for other in weak} == {"ceo@example.com"}


def test_no_client_with_ipv4_is_one_with_ipv6() -> None:
    assert outside('@ TXT "v=spf1 ip6:::ffff:0:0/96 -all"\n') == []
    assert outside('@ TXT "v=spf1 a -all"\n@ AAAA ::ffff:203.0.113.66\n') == []


NAMES = [f"r{number}" for number in range(8)]
NETWORK = st.tuples(st.integers(0, 255), st.integers(24, 32)).map(lambda p: f"ip4:192.0.2.{p[0]}/{p[1]}")
OTHERS = [
    *(
        "a:h.example.com",
        "a:h.example.com/27",
        "mx:example.com/30",
        "exists:h.example.com",
        "a:gone.example.com",
    ),
    *("ip4:0.0.0.0/1", "exists:%{i}._ok.example.com", "a:%{d2}", "exists:%{l}.%{o1}.example.com"),
    *("include:{next}.example.com", "include:{last}.example.com"),
]
TERM = st.tuples(st.sampled_from("+-~?"), NETWORK | st.sampled_from(OTHERS)).map("".join)
END = st.sampled_from(["+all", "-all", "", "redirect={next}.example.com", "redirect={last}.example.com"])
RECORDS = st.lists(st.tuples(st.lists(TERM, max_size=6), END), min_size=len(NAMES), max_size=len(NAMES))


class Oracle(pyspf.query):  # type: ignore[misc]
    """pyspf 2.0.14, which asks through the same resolver."""

    def __init__(self, resolver: Resolver, client: str, sender: str) -> None:
        self._resolver = resolver
        self._under_way: list[int] = []
        super().__init__(i=client, s=sender, h="h.example.com", strict=True)

    def check1(self, spf: str, domain: str, recursion: int) -> Any:
        """Evaluate a record. pyspf counts a redirect when it reads it, RFC 7208 section 4.6.4 when it is followed."""
        if self._under_way and self._under_way[-1] == recursion:  # a redirect: an include goes one deeper
            self.check_lookups()
        self._under_way.append(recursion)
        self.lookups -= "redirect=" in spf
        try:
            return super().check1(spf, domain, recursion)
        finally:
            self._under_way.pop()

    def dns(self, name: Any, qtype: str, cnames: Any = None, ignore_void: bool = False) -> list[Any]:
        """The data of a type at a name, in pyspf's form."""
        values = list(self._resolver.ask(str(name).removesuffix("."), qtype).values)
        if not values and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > pyspf.MAX_VOID_LOOKUPS:
                raise pyspf.PermError("void")
        return values


@settings(max_examples=5, deadline=None)
@given(RECORDS, st.sets(st.integers(0, 255), min_size=4, max_size=6))
def test_each_client_gets_what_was_computed_for_all(
    records: list[tuple[list[str], str]], last_octets: set[int]
) -> None:
    zone = "h A 192.0.2.40\nh A 192.0.2.99\n@ MX 1 h\n192.0.2.7._ok A 127.0.0.2\n"
    zone += 'r8 TXT "v=spf1 ip4:192.0.2.64/26 ?ip4:192.0.2.40 -all"\n'
    for number, (terms, end) in enumerate(records):
        text = " ".join(["v=spf1", *terms, end]).strip().replace("{last}", "r8")
        zone += f'r{number} TXT "{text.replace("{next}", f"r{number + 1}")}"\n'
    zones = Owners(read_zone((HEAD + zone).encode(), "example.com").records)
    with world(example_com=zone) as resolver:
        for name in NAMES:
            domain = f"{name}.example.com"
            evaluator = Evaluator(resolver, f"a@{domain}", "h.example.com", owners=zones)
            everybody = evaluator.check(domain, [SpfState(AddressSet.everything(4))])
            assert sum(one.state.clients.size for one in everybody) == 2**32
            for octet in last_octets | {7, 39, 40, 41, 98, 99, 100}:
                client = ipaddress.ip_address(f"192.0.2.{octet}")
                alone = spf.evaluate(resolver, client=str(client), sender=f"a@{domain}", helo="h.example.com")
                (mine,) = [one for one in everybody if one.state.clients & AddressSet.of(4, [client])]
                assert (mine.result, mine.limit) == (alone.result, alone.limit), (zone, name, client)
                assert alone.result == Oracle(resolver, str(client), f"a@{domain}").check()[0], (zone, name)


@pytest.mark.parametrize(
    "aliases",
    [
        "loop CNAME loop\n",
        "loop CNAME back\nback CNAME loop\n",
        "x DNAME example.com.\n",
        '_dmarc TXT "v=DMARC1; p=none"\nwww TXT "v=spf1 +all"\n_dmarc.www CNAME _dmarc.www\n',
    ],
)
def test_names_of_which_dns_cannot_tell_keep_nobody_from_being_found(aliases: str) -> None:
    quiet = computed('@ TXT "v=spf1 ip4:192.0.2.1 -all"\n' + aliases)
    assert (quiet.outsiders, quiet.complete) == ([], True)
    open_ = computed('@ TXT "v=spf1 -all"\nopen TXT "v=spf1 ip4:198.51.100.7 -all"\n' + aliases)
    assert ("open.example.com", ["198.51.100.7/32"]) in [
        (one.domain, one.networks) for one in open_.outsiders
    ]
    assert open_.complete


def test_a_record_that_asks_for_such_a_name_gives_everybody_temperror() -> None:
    found = computed('@ TXT "v=spf1 include:loop.example.com -all"\nloop CNAME loop\n')
    assert (found.outsiders, found.complete) == ([], True)
    assert {one.spf.result for one in found.others} == {"temperror"}
