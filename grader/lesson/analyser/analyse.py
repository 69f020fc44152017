"""``analyse``: everything that a message's header tells about its way and its authors."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from grader.formats.message.dates import moment
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
from grader.lesson.analyser.findings import WHITE, HeaderFinding, finding, organisation, related
from grader.lesson.analyser.people import Identity, people_findings, read_people
from grader.lesson.analyser.trace import HOST, Hop, hop_findings, read_hops

LONGEST_TEXT = 300
_SPACE = re.compile(r"[ \t\r\n]+")
SHOWN = ("From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID")


class Decoded(Struct, frozen=True):
    """A field as a reader sees it, cut to a length that one takes in."""

    name: str
    text: str


class Analysis(Struct, frozen=True):
    """What a message's header tells.

    ``own`` is the domain of the reader's own servers, and ``trusted`` how many hops, counted from the newest, they
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
    """Read a message's header. ``own`` is the domain of the reader's servers; by default the newest hop's.

    Raises nothing, whatever the message holds, and asks no server.
    """
    message = parse(raw, Report(raw))
    date = message.first("date")
    written = moment(date.text) if date else None
    hops = read_hops(message.fields, written)
    own = organisation(
        own.strip(WHITE) or next((hop.by for hop in reversed(hops) if HOST.fullmatch(hop.by)), "")
    )
    trusted = _trusted(hops, own)
    border = Border(own, *_edges(hops, trusted))
    people = read_people(message)
    author = people[0].domain if people and people[0].field == "From" else ""
    results = _results(message, border)
    signatures = [read_signature(field, author) for field in message.all("dkim-signature")[:MOST_FIELDS]]
    arc = read_arc(message.fields)
    arrived = hops[-1].time if hops else None
    total = len(message.all("received"))
    found = [
        *people_findings(people),
        *_result_findings(results, own, author, arc),
        *(one for signature in signatures for one in signature_findings(signature, arrived)),
        *([] if signatures else [finding("unsigned")]),
        *arc_findings(arc),
        *hop_findings(hops, total, written),
    ]
    return Analysis(_shown(message), hops, own, trusted, results, signatures, arc, people, found)


def _trusted(hops: Sequence[Hop], own: str) -> int:
    """How many hops from the newest the reader's own servers wrote, without a gap.

    Inside an organisation some lines name no host, only an address: those above one of its own are its own too.
    """
    count = 0
    for place, hop in enumerate(reversed(hops), 1):
        if related(hop.by, own):
            count = place
        elif HOST.fullmatch(hop.by):
            break
    return count


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
    # A server that writes above its own line writes nothing below it.
    above = {one.field for one in found if one.standing == "own"}
    return [
        replace(one, standing="foreign") if one.standing == "unsure" and one.field in above else one
        for one in found
    ]


def _result_findings(
    results: Sequence[Results], own: str, author: str, arc: Sequence[ArcSet]
) -> Iterator[HeaderFinding]:
    told: set[str] = set()
    for one in results:
        if one.standing == "own":
            if one.field == "Authentication-Results":
                yield from _verdicts(one, author, arc)
            continue
        rule = _doubt(one, own)
        if f"{rule} {one.server}" not in told:
            told.add(f"{rule} {one.server}")
            yield finding(rule, server=one.server or "an unnamed server")
    if all(one.standing == "foreign" for one in results):
        yield finding("no-results")


def _doubt(one: Results, own: str) -> str:
    """Why a field of results is not simply believed."""
    if one.standing == "unsure":
        return "unsure-results"
    if one.field == "Received-SPF":
        return "spf-untrusted"
    return "forged-results" if related(one.server, own) else "untrusted-results"


def _verdicts(one: Results, author: str, arc: Sequence[ArcSet]) -> Iterator[HeaderFinding]:
    for outcome in one.outcomes:
        if outcome.method == "dmarc" and outcome.result in ("pass", "fail"):
            domain = tag(outcome.properties, "header.from") or author
            yield finding(f"dmarc-{outcome.result}ed", server=one.server, domain=domain)
        elif outcome.method == "arc" and outcome.result == "pass" and arc and arc[-1].outcomes:
            said = ", ".join(f"{found.method}={found.result}" for found in arc[-1].outcomes)
            yield finding("arc-passed", server=one.server, domain=arc[-1].domain, outcomes=said)
