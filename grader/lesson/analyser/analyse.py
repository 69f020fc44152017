"""``analyse``: everything that a message's header tells about its way and its authors."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from grader.formats.handed import without_mark
from grader.formats.message.moments import read_moment
from grader.formats.message.parse import Part, parse
from grader.formats.message.report import Report
from grader.lesson.analyser.authentication import (
    MOST_FIELDS,
    ArcSet,
    Border,
    ClaimedSignature,
    Results,
    arc_findings,
    read_arc,
    read_results,
    read_signature,
    read_spf,
    signature_findings,
    tag,
)  # fmt: skip
from grader.lesson.analyser.encoded import decode_words
from grader.lesson.analyser.findings import HeaderFinding, finding, organisation, owned, provider, related
from grader.lesson.analyser.people import Identity, people_findings, read_people
from grader.lesson.analyser.trace import (
    HOST,
    UNCONFIRMED,
    Hop,
    beside_server,
    from_elsewhere,
    hop_findings,
    inner,
    is_client,
    read_hops,
)

LONGEST_TEXT = 300
_SPACE = re.compile(r"[ \t\r\n]+")
_BETWEEN = re.compile(r"[ \t\r\n,;]+")
SHOWN = ("From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID")


class Decoded(Struct, frozen=True):
    """A field as a reader sees it, cut to a length that one takes in."""

    name: str
    text: str


class Analysis(Struct, frozen=True):
    """What a message's header tells.

    ``own`` names the domains of the reader's own servers, and ``trusted`` how many hops, counted from the newest, they
    wrote; all else may be invented. ``hops`` begins with the oldest.
    """

    shown: list[Decoded]
    hops: list[Hop]
    own: str
    trusted: int
    results: list[Results]
    signatures: list[ClaimedSignature]
    arc: list[ArcSet]
    people: list[Identity]
    findings: list[HeaderFinding]


def analyse(raw: bytes, own: str = "") -> Analysis:
    """Read a message's header. ``own`` has the domains of the reader's servers; by default the newest hop's.

    Raises nothing, whatever the message holds, and asks no server.
    """
    raw = without_mark(raw)
    message = parse(raw, Report(raw))
    date = message.first("date")
    written = read_moment(date.text).seconds if date else None
    hops = read_hops(message.fields, written)
    domains = _domains(own) or _domains(_newest(hops))
    owners = tuple(provider(domain) for domain in domains)
    trusted = _trusted(hops, owners)
    border = Border(owners, *_edges(hops, trusted))
    people = read_people(message)
    author = people[0].domain if people and people[0].field == "From" else ""
    results = _results(message, border)
    signatures = [read_signature(field, author) for field in message.all("dkim-signature")[:MOST_FIELDS]]
    arc = read_arc(message.fields)
    arrived = hops[-trusted].time if trusted else None
    total = len(message.all("received"))
    found = [
        *people_findings(people, listed=_listed(message)),
        *_result_findings(results, border, hops, author, arc),
        *(one for signature in signatures for one in signature_findings(signature, arrived)),
        *([] if signatures else [finding("unsigned")]),
        *arc_findings(arc),
        *hop_findings(hops, total, written),
    ]
    lines = [0, *(found.end() for found in re.finditer(rb"\n", raw))]
    found = [replace(one, line=bisect_right(lines, one.offset)) if one.offset >= 0 else one for one in found]
    return Analysis(
        _shown(message), hops, ", ".join(domains), trusted, results, signatures, arc, people, found
    )


def _domains(typed: str) -> list[str]:
    """The domains in what a person typed, who may have several, or have typed an address."""
    words = (word.rpartition("@")[2] for word in _BETWEEN.split(typed))
    return list(dict.fromkeys(organisation(word) for word in words if word.strip(".")))


def _newest(hops: Sequence[Hop]) -> str:
    """The host of the newest hop that names one. A program that emptied a mailbox is no mail server of anybody's.

    Names for inner use serve where there is no other, above a client with a private address. Below a line with a client
    from elsewhere none is looked for: there anybody may have invented one.
    """
    found = ""
    for hop in reversed(hops):
        if hop.kind == "fetched":
            continue
        if HOST.fullmatch(hop.by):
            if not inner(hop.by):
                return hop.by
            found = found or hop.by
        if from_elsewhere(hop) or (found and hop.kind == "hop" and not hop.private):
            break
    return found


def _listed(message: Part) -> bool:
    """Whether a mailing list or a group passed the message on, as far as its fields say so."""
    return any(message.first(key) for key in ("list-id", "list-post", "mailing-list", "x-original-from"))


def _trusted(hops: Sequence[Hop], own: Sequence[str]) -> int:
    """How many hops from the newest the reader's own servers wrote, without a gap.

    What stands below a line is of the client that it names. So where one of the reader's servers took the message from
    a stranger, whatever is below may be invented, also a line that bears the name of the reader's servers. Inside an
    organisation some lines name no host, only an address, or one by an inner name: those above one of its own are its
    own too. Where no line
    names a host of the reader's, those down to the first client from elsewhere are of his servers.
    """
    count = 0
    for place, hop in enumerate(reversed(hops), 1):
        newer = hops[1 - place] if place > 1 else None
        unnamed = not HOST.fullmatch(hop.by) or inner(hop.by)
        beside = newer is not None and count == place - 1 and is_client(newer, hop.by)
        if owned(hop.by, own) or beside or (not own and unnamed and hop.kind != "fetched"):
            count = place
        elif not unnamed and hop.kind != "fetched":
            break
        if not _own_client(hop, own):
            break
    return count


def _own_client(hop: Hop, own: Sequence[str]) -> bool:
    """Whether a line may tell of a client of the reader's: it names none, or one that is not another's.

    A name that the client called itself proves nothing: it counts only where the server's own address is of the same
    network, or where strangers do not come in, as over LMTP. Nor does a name that was not looked up both ways.
    """
    if hop.kind != "hop" or hop.private:
        return True
    if hop.lookup == "name":
        return owned(hop.host, own) and (hop.dialect not in UNCONFIRMED or beside_server(hop))
    if hop.lookup == "none" or (hop.address and not hop.source):
        return False
    if owned(hop.source, own):
        return beside_server(hop) or (not hop.address and hop.protocol.lower().startswith("lmtp"))
    return not (from_elsewhere(hop) or HOST.fullmatch(hop.source))


def _edges(hops: Sequence[Hop], trusted: int) -> tuple[int | None, int | None]:
    """Where the oldest hop of the reader's own begins in the message, and where the one before that does."""
    if not trusted:
        return None, None
    return hops[-trusted].offset, hops[-trusted - 1].offset if trusted < len(hops) else None


def _shown(message: Part) -> list[Decoded]:
    found = []
    for name in SHOWN:
        field = message.first(name.lower())
        if field is not None:
            # Long fields are cut before they are decoded: a subject of a megabyte costs no more than another.
            text = _SPACE.sub(" ", decode_words(field.text[: 20 * LONGEST_TEXT])).strip(" ")
            found.append(Decoded(name, text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"))
    return found


def _results(message: Part, border: Border) -> list[Results]:
    fields = [one for one in message.fields if one.key in ("authentication-results", "received-spf")]
    found = [
        read_spf(field, border) if field.key == "received-spf" else read_results(field, border)
        for field in fields[:MOST_FIELDS]
    ]
    sealed = _sealed(message, border)
    found = [
        replace(one, standing="own") if one.standing == "unsure" and _repeats(one, sealed) else one
        for one in found
    ]
    # A server that writes above its own line is not likely to write below it, too: nothing there is believed. What
    # stands above a newer line, another one wrote, such as a filter behind it.
    lines = [field.offset for field in message.all("received") if field.offset < (border.last or 0)]
    above = {one.field for one in found if one.standing == "own" and one.offset > max(lines, default=-1)}
    return [
        replace(one, standing="foreign") if one.standing == "unsure" and one.field in above else one
        for one in found
    ]


def _sealed(message: Part, border: Border) -> list[ArcSet]:
    """What the reader's own servers wrote into ARC fields, which stand above the lowest line of theirs."""
    fields = message.all("arc-authentication-results")[:MOST_FIELDS]
    above = [field for field in fields if border.last is not None and field.offset < border.last]
    return [sets[-1] for field in above if (sets := read_arc([field]))]


def _repeats(one: Results, sealed: Sequence[ArcSet]) -> bool:
    """Whether results say nothing but what the same server sealed, as those of Gmail: whoever wrote them, it is so."""
    return bool(one.outcomes) and any(
        one.server.lower() == written.server.lower()
        and all(said in written.outcomes for said in one.outcomes)
        for written in sealed
    )


def _result_findings(
    results: Sequence[Results], border: Border, hops: Sequence[Hop], author: str, arc: Sequence[ArcSet]
) -> Iterator[HeaderFinding]:
    told: set[str] = set()
    own = [one for one in results if one.standing == "own" and one.field == "Authentication-Results"]
    for one in results:
        if one.standing == "own":
            if one.field == "Authentication-Results":
                yield from _verdicts(one, author, arc)
            continue
        rule = _doubt(one, border, hops, own)
        # Of a provider that has a name for each check, one is told for all.
        server = organisation(one.server) if rule == "beside-results" else one.server
        if f"{rule} {server}" not in told:
            told.add(f"{rule} {server}")
            yield finding(rule, 0, one.offset, server=server or "an unnamed server")
    # What stands at the header's end may be of the reader's server: nobody can say that it wrote nothing.
    perhaps = any(key.startswith(("appended-results ", "own-results-below ")) for key in told)
    if not perhaps and all(one.standing == "foreign" for one in results):
        yield finding("no-results")


def _doubt(one: Results, border: Border, hops: Sequence[Hop], own: Sequence[Results]) -> str:
    """Why a field of results is not simply believed.

    That somebody forged one is said only where no server of the reader's can have written it: it stands between lines
    of others, or it contradicts what the same server wrote above, and no older line is of the reader's servers. A
    filter may add its field at the header's end.
    """
    if border.near(one.offset, one.server if one.field == "Authentication-Results" else None):
        if _contradicts(one, own):
            return "forged-results"
        return "unsure-results"
    if one.field == "Received-SPF":
        return "spf-untrusted"
    # Some providers' filters have names of a domain of their own.
    if one.standing == "unsure":
        return "beside-results"
    # Where no line is of the reader's servers, nothing tells where theirs begin.
    if border.last is None or not owned(one.server, border.own):
        return "untrusted-results"
    older = [hop for hop in hops if hop.offset > one.offset]
    # A forwarder or a list that takes older lines away still names whom it got the message from.
    brought = [hop for hop in hops if hop.offset > border.last]
    if any(owned(hop.by, border.own) for hop in older) or any(
        owned(hop.host or hop.source, border.own) for hop in brought
    ):
        return "returned-results"
    if older or _contradicts(one, own):
        return "forged-results"
    # What an ACL of Exim's adds stands at the header's end, unless it says otherwise.
    exim = any(hop.offset == border.last and hop.dialect.startswith("exim") for hop in hops)
    return "appended-results" if exim else "own-results-below"


def _contradicts(one: Results, own: Sequence[Results]) -> bool:
    """Whether a field says that a check passed which the same server says above did not."""
    passed = {outcome.method for outcome in one.outcomes if outcome.result == "pass"}
    passed &= {"dmarc", "spf"}  # There may be several signatures, and so several results of DKIM.
    failed = {
        outcome.method
        for above in own
        if above.server.lower() == one.server.lower()
        for outcome in above.outcomes
        if outcome.result in ("fail", "hardfail")
    }
    return bool(one.server and passed & failed)


def _verdicts(one: Results, author: str, arc: Sequence[ArcSet]) -> Iterator[HeaderFinding]:
    server = one.server or "Your server"
    sealed = any(found.method == "arc" and found.result == "pass" for found in one.outcomes)
    for outcome in one.outcomes:
        if outcome.method == "dmarc" and outcome.result in ("pass", "fail"):
            domain = tag(outcome.properties, "header.from") or author
            if outcome.result == "pass" and author and not related(domain, author):
                # What was checked is not what people see: nothing answers for that.
                continue
            rule = (
                "dmarc-passed" if outcome.result == "pass" else "dmarc-sealed" if sealed else "dmarc-failed"
            )
            yield finding(rule, 0, one.offset, server=server, domain=domain)
        elif outcome.method == "arc" and outcome.result == "pass" and arc and arc[-1].outcomes:
            said = ", ".join(f"{found.method}={found.result}" for found in arc[-1].outcomes)
            yield finding("arc-passed", 0, one.offset, server=server, domain=arc[-1].domain, outcomes=said)
