"""Where mail for a domain goes astray, as senders follow its MX records (RFC 5321 section 5.1)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator

from grader.kinds.zone.facts import Delivery, Exchanger, ZoneFacts
from grader.model.diagnostic import Span
from grader.model.dns import ZoneRecord

BEST = "the best preference, which every sender tries first"
BACKUP = "where senders bring it whenever a better one does not answer"


def astray(found: Delivery) -> str | None:
    """Why some mail does not reach its server, for the first MX of which that is so; ``None`` where all does."""
    if not found.answered:
        return f"DNS does not answer about the MX of {found.domain}, so that senders keep the mail."
    for exchanger in found.exchangers:
        if sentence := _wrong(found, exchanger):
            return sentence
    reached = {_same(address) for exchanger in found.exchangers for address in exchanger.addresses}
    # Every sender has IPv4; an address in IPv6 that is not published costs no mail.
    needed = [address for address in found.wanted if ":" not in address] or found.wanted
    missing = [address for address in needed if _same(address) not in reached]
    if not missing:
        return None
    names = _listed(exchanger.name for exchanger in found.exchangers)
    return (
        f"Mail for {found.domain} goes to {names}, which has no {_type(missing[0])} record for {missing[0]}: a sender "
        f"with {_family(missing[0])} alone cannot reach the server."
    )


def _wrong(found: Delivery, exchanger: Exchanger) -> str | None:
    """Where this MX takes mail elsewhere, or nowhere."""
    way = _way(found, exchanger)
    if not exchanger.name:
        return f"The MX of {found.domain} is the null MX (RFC 7505): it says that the domain takes no mail."
    if exchanger.is_alias:
        return f"{way}, an alias (CNAME): the name in an MX must have addresses of its own (RFC 2181 section 10.3)."
    if not exchanger.addresses:
        if found.implicit:
            return f"{found.domain} has neither an MX record nor an address: nobody can bring mail for it."
        return f"{way}, which has no address, so that no sender can bring it there."
    if strange := _strange(found, exchanger):
        there, here = _listed(strange), _listed(found.wanted)
        return f"{way}, which is at {there}: the mail server's {_noun(found.wanted)} {here}."
    return None


def _way(found: Delivery, exchanger: Exchanger) -> str:
    """How senders come to this name."""
    if found.implicit:
        return f"{found.domain} has no MX record, so that its mail goes to the domain itself"
    rank = ""
    if len(found.exchangers) > 1:
        is_best = exchanger.preference == min(one.preference for one in found.exchangers)
        rank = f" (preference {exchanger.preference}, {BEST if is_best else BACKUP})"
    return f"Mail for {found.domain} goes to {exchanger.name}{rank}"


def places(found: Delivery, zone: ZoneFacts) -> list[Span]:
    """The records that lead there: the MX that leads astray, and what its name leads to."""
    wrong = next((one for one in found.exchangers if _wrong(found, one)), None)
    name = wrong.name if wrong else found.exchangers[0].name if found.exchangers else found.domain
    spans = [*_records(zone, lambda record: record.owner == found.domain and _leads(record, wrong))]
    strange = {_same(address) for address in _strange(found, wrong)} if wrong else set()
    spans += _records(zone, lambda record: record.owner == name and _is_cause(record, strange))
    return list(dict.fromkeys(spans))


def _records(zone: ZoneFacts, fits: Callable[[ZoneRecord], bool]) -> Iterator[Span]:
    yield from (record.place for record in zone.records if fits(record))


def _leads(record: ZoneRecord, wrong: Exchanger | None) -> bool:
    if record.type != "MX":
        return False
    return wrong is None or record.data.split()[-1].lower().rstrip(".") == wrong.name.lower()


def _is_cause(record: ZoneRecord, strange: set[object]) -> bool:
    if record.type == "CNAME":
        return True
    return record.type in ("A", "AAAA") and _same(record.data) in strange


def _strange(found: Delivery, exchanger: Exchanger) -> list[str]:
    """Addresses of a name that are not those of the mail server."""
    wanted = {_same(address) for address in found.wanted}
    return [address for address in exchanger.addresses if _same(address) not in wanted]


def _same(address: str) -> object:
    return ipaddress.ip_address(address)


def _listed(words: Iterable[str]) -> str:
    return " and ".join(words)


def _noun(addresses: list[str]) -> str:
    return "addresses are" if len(addresses) > 1 else "address is"


def _type(address: str) -> str:
    return "A" if ipaddress.ip_address(address).version == 4 else "AAAA"


def _family(address: str) -> str:
    return f"IPv{ipaddress.ip_address(address).version}"
