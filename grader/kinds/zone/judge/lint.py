"""What is odd in a zone file, with the characters that are: remarks, which cost nothing by themselves.

Libraries and nameservers take most of this without a word. What a record leads to is judged elsewhere, by what
receivers conclude; these remarks say where in the file the reason may lie.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from grader.formats.spf import read_record
from grader.formats.spfmacros import expand
from grader.kinds.zone.facts import ZoneFacts
from grader.kinds.zone.judge import lintnames, linttags, lintterms
from grader.kinds.zone.judge.source import Remark, TxtRecords
from grader.model.diagnostic import Span
from grader.model.dns import ZoneRecord


def lint(zone: ZoneFacts) -> list[Remark]:
    """Every remark on a zone, in the file's order, each place once."""
    txt_records = TxtRecords(zone)
    found: list[Remark] = [*_names(zone)]
    aliased = frozenset(r.data.rstrip(".").lower() for r in zone.records if r.type == "CNAME")
    included = _only_included(txt_records)
    for txt_record in txt_records.all:
        found += lintterms.remarks(txt_record, included)
        found += linttags.remarks(txt_record, zone.origin, aliased)
        found += lintnames.remarks(txt_record, txt_records)
    once = {(remark.place, remark.code): remark for remark in found}
    return sorted(once.values(), key=lambda remark: (remark.place.line, remark.place.column, remark.code))


def _only_included(txt_records: TxtRecords) -> frozenset[str]:
    """Names whose SPF record others include, and none is redirected to, in this zone."""
    targets: dict[str, set[str]] = {"include": set(), "redirect": set()}
    for txt_record in txt_records.all:
        record = read_record(txt_record.text)
        for term in record.terms if record else ():
            if term.name in targets:
                name = expand(term.domain, {"d": txt_record.record.owner, "o": txt_records.zone.origin})
                targets[term.name].add(name.lower().rstrip("."))
    return frozenset(targets["include"] - targets["redirect"] - {txt_records.zone.origin.lower()})


def _names(zone: ZoneFacts) -> Iterator[Remark]:
    """Names without the dot at their end, mail servers without an address, null MX in company (RFC 7505)."""
    origin = zone.origin.lower()
    doubled = f"{origin}.{origin}"
    owners: dict[str, list[ZoneRecord]] = {}
    for record in zone.records:
        owners.setdefault(record.owner, []).append(record)
        if record.owner == doubled or record.owner.endswith(f".{doubled}"):
            sentence = f"without a dot at its end this name is {record.owner}; with one it would end here"
            yield Remark("doubled-origin", "names", record.place, sentence)
        for place in record.names:
            target = record.data.split()[-1].rstrip(".").lower()
            if target.endswith(f".{doubled}") or target == doubled:
                end = Span(place.line, place.column + place.length - 1)
                yield Remark(
                    "doubled-origin", "names", end, f"no dot stands behind this, so the name is {target}"
                )
        if record.type == "SPF" and not record.texts and "v=spf1" in record.data.lower():
            yield Remark("type-spf", "spf", record.place, lintterms.OBSOLETE)
        if record.type == "CNAME" and "_" not in record.owner and not _within(record.data, origin):
            sentence = (
                f"an alias of another owner's name: whoever has {record.data.rstrip('.')} says, by an SPF record "
                f"there, who may send as {record.owner}"
            )
            yield Remark("alias-out", "names", record.place, sentence)
    delegations = [record for record in zone.records if record.type == "NS" and record.owner != origin]
    cuts = {record.owner for record in delegations}
    glue = {record.data.rstrip(".").lower() for record in delegations}
    # What leads to the other servers, or vouches for them (RFC 1034 section 4.2.1, RFC 4035 section 2.4).
    servers = {"A": glue, "AAAA": glue, "DS": cuts}
    for record in zone.records:
        if record.type == "MX":
            yield from _exchange(record, owners, origin)
        if record.type == "NS" and record.owner in cuts and "_" in record.owner:
            # Nobody looks for mail's records there who does not know; a delegation of other names is nothing odd.
            sentence = f"this leaves {record.owner}, and all names below it, to another server: {record.data}"
            yield Remark("delegation", "names", record.place, sentence)
        delegates = record.type == "NS" or record.owner in servers.get(record.type, ())
        if cuts and not delegates and (cut := _given_away(record.owner, cuts)) is not None:
            sentence = (
                f"nobody sees this: the NS record of {cut} leaves all there and below it to other servers"
            )
            yield Remark("given-away", "names", record.place, sentence)


def _within(name: str, origin: str) -> bool:
    return f".{name.lower().rstrip('.')}".endswith(f".{origin}")


def _given_away(owner: str, cuts: Container[str]) -> str | None:
    """The name at or above this one that the zone leaves to other servers (RFC 1034 section 4.2.1)."""
    labels = owner.split(".")
    return next((name for start in range(len(labels)) if (name := ".".join(labels[start:])) in cuts), None)


def _exchange(record: ZoneRecord, owners: dict[str, list[ZoneRecord]], origin: str) -> Iterator[Remark]:
    target = record.data.split()[-1].rstrip(".").lower()
    beside = [other for other in owners[record.owner] if other.type == "MX" and other is not record]
    if not target:
        if beside:
            yield Remark(
                "null-mx",
                "names",
                record.place,
                f"a null MX says that {record.owner} takes no mail, and has company (RFC 7505 section 3)",
            )
        return
    types = {other.type for other in owners.get(target, [])}
    if (target == origin or target.endswith(f".{origin}")) and "CNAME" in types:
        yield Remark(
            "mx-alias", "names", record.place, f"the mail server {target} is an alias (RFC 2181 section 10.3)"
        )
    elif (target == origin or target.endswith(f".{origin}")) and not types & {"A", "AAAA"}:
        yield Remark(
            "mx-address", "names", record.place, f"the mail server {target} has no address in this zone"
        )
