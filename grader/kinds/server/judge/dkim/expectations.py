"""What ``expect.signature``, ``published``, ``running`` and ``kept`` ask for: cases in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from grader.formats.message.parse import header_fields, line_of
from grader.kinds.server.declare import BODY, Expect, ServerCheck
from grader.kinds.server.judge.dkim.altering import altered, without
from grader.kinds.server.judge.dkim.behind import changing
from grader.kinds.server.judge.dkim.publishing import published
from grader.kinds.server.judge.dkim.reading import KEY_OR_FIELDS, NOT_THE_SIGNED, OTHER_TEXT, Signature
from grader.kinds.server.judge.dkim.services import SERVICES, running
from grader.kinds.server.judge.dkim.undoing import undone
from grader.kinds.server.judge.dkim.unsigned import unsigned
from grader.kinds.server.judge.expectations import Judgement, outside
from grader.kinds.server.judge.index import ServerIndex
from grader.kinds.traffic.index import TrafficCase
from grader.kinds.traffic.sentences import how_it_ended, quoted
from grader.model.finding import Finding, broken, met, unproven
from grader.model.pointer import Pointer
from grader.model.sources import source_called

SHA1 = "rsa-sha1"
RSA = "rsa-sha256"
NOT_ALIGNED = (
    "OpenDKIM signs, and in another name: d={domain} is what `Domain` says, or what stands first behind the key's name "
    "in the `KeyTable`, where the order is domain:selector:path; s={selector} is the second, or `Selector`. d= must be "
    "the domain of From."
)
ONE_TOO_MANY = (
    "Something adds {name} behind the milter, or OpenDKIM was told to sign that there is none: `OversignHeaders` must "
    "not list a field that `SignHeaders` does not. Take {name} out of `OversignHeaders`, or add it to the others with "
    "`SignHeaders *,+{name}`; a field that servers add on the way, as Received, belongs in neither."
)
SIMPLE_ED25519 = (
    "Write `Canonicalization relaxed/simple` for the OpenDKIM that signs with Ed25519: OpenDKIM 2.11 makes Ed25519 "
    "signatures that nobody can verify where the header is `simple`, its default. If it is not that, publish the "
    "record that was made with this key."
)
ASKED_ITSELF = (
    "OpenDKIM itself answers on that port, and believes whoever asks of where a message comes from. Have it listen "
    "where this host alone can ask: `Socket inet:8891@localhost`, or a path in /var/spool/postfix/opendkim."
)
LARGEST_KEY = 4096
"""Bits up to which every receiver has to know RSA keys (RFC 8301 section 3.2)."""
TRACE = ("dkim-signature", "received", "return-path", "authentication-results")
"""Fields that servers add on the way, which a signature had better leave alone (RFC 6376 section 5.4.1)."""


def present(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """Every message arrives with a signature that aligns with its From (RFC 9989, RFC 6376 section 3.5)."""
    return [_present(case, index) for case in cases]


def _present(case: TrafficCase, index: ServerIndex) -> Finding:
    arrived = case.relayed()
    if not arrived:
        return outside(case, index)
    found = [signature for arrival in arrived for signature in index.signatures.of(arrival)]
    aligned = [signature for signature in found if signature.aligned]
    if aligned:
        return met(case, f"Signed by {_named(aligned)}.")
    who = _who(case)
    if found:
        odd = found[0]
        return broken(
            case,
            f"The message of {who} arrived with {odd.name}, and that domain does not align with its From: a receiver "
            "cannot tell from it that the author's domain stands behind the message.",
            [odd.pointer, *_session(case)],
            next=NOT_ALIGNED.format(domain=odd.tags.get("d", ""), selector=odd.tags.get("s", "")),
        )
    raw = arrived[0].raw
    line = next((line_of(raw, field.offset) for field in header_fields(raw) if field.key == "from"), 0)
    places = [Pointer("message", arrived[0].id, line), *_session(case)]
    return unsigned(case, index, f"The message of {who} arrived unsigned.", places)


def absent(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """No message arrives with a signature of the domain, wherever it arrives."""
    findings = []
    for case in cases:
        own = [s for arrival in case.arrivals for s in index.signatures.of(arrival) if s.own]
        if own:
            sentence = (
                f"The message of {_who(case)}, who is none of yours, bears {own[0].name}: your server has vouched "
                "for it."
            )
            # It came from the client's own hands: no mail server had sent it on.
            itself = own[0].arrival.client == case.facts.address
            remedy = ASKED_ITSELF if itself else None
            findings.append(broken(case, sentence, [own[0].pointer, *_session(case)], next=remedy))
        elif case.arrivals:
            findings.append(met(case))
        else:
            findings.append(unproven(case, how_it_ended(case)))
    return findings


def verifies(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """Every signature of the domain verifies with the key in DNS (RFC 6376 section 6.1)."""

    def judged(case: TrafficCase, own: list[Signature]) -> Finding:
        bad = next((signature for signature in own if signature.problem), None)
        if bad is None:
            return met(case, _verified(own))
        pointers = [bad.pointer, *index.signatures.key_pointer(bad)]
        sentence = f"{_begun(bad.name)} on the message of {_who(case)} does not verify: {bad.problem}."
        if bad.problem in (OTHER_TEXT, NOT_THE_SIGNED, KEY_OR_FIELDS):
            for change in undone(case, bad.arrival.raw, index):
                if index.signatures.verifies(bad, change.message):
                    return broken(case, f"{sentence} {change.sentence}", pointers, next=change.next)
        if (name := _one_too_many(bad, index)) is not None:
            sentence += f" Without the field {name} it would: it was made as if there were none."
            return broken(case, sentence, pointers, next=ONE_TOO_MANY.format(name=name))
        if bad.problem == KEY_OR_FIELDS and not bad.tags.get("c", "").lower().startswith("relaxed"):
            return broken(case, sentence, pointers, next=SIMPLE_ED25519)
        by, remedy = changing(bad.problem, index)
        return broken(case, sentence + by, pointers, next=remedy)

    return _signed(cases, index, judged)


def _one_too_many(signature: Signature, index: ServerIndex) -> str | None:
    """A header field that arrived and that the signer did not see; ``None`` where no single one explains the fault."""
    may_be = signature.problem in (NOT_THE_SIGNED, KEY_OR_FIELDS)
    for name in dict.fromkeys(signature.fields) if may_be else ():
        if any(index.signatures.verifies(signature, copy) for copy in without(signature.arrival.raw, name)):
            return name.title()
    return None


def covers(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """Changing what must be covered breaks every signature (RFC 6376 section 5.4, section 8.2)."""
    wanted = check.expect.signature.covers if check.expect.signature else []

    def judged(case: TrafficCase, own: list[Signature]) -> Finding:
        for signature in own:
            for what in wanted:
                for sentence, copy in altered(signature.arrival.raw, what):
                    if not signature.problem and index.signatures.verifies(signature, copy):
                        return broken(
                            case, _uncovered(signature, sentence, what), [signature.pointer, *_session(case)]
                        )
        sentence = f"{_named(own)}: no copy verifies in which {_either(wanted)} is another one."
        return met(case, sentence + ("" if wanted == [BODY] else _left_open(own[0])))

    return _signed(cases, index, judged)


def _left_open(signature: Signature) -> str:
    """What else a signature leaves free to be changed, and whether a second From could be added (section 8.15)."""
    names = {field.key: None for field in header_fields(signature.arrival.raw)}
    free = [name.title() for name in names if name not in signature.fields and name not in TRACE]
    left = f" Not covered: {', '.join(free)}." if free else ""
    held = signature.fields.count("from") > 1
    return f"{left} {'No' if held else 'A'} second From can be added."


def _either(names: list[str]) -> str:
    """``from, to or subject``; the body is the text."""
    shown = ["the text" if name == BODY else name for name in names]
    return " or ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _uncovered(signature: Signature, sentence: str, what: str) -> str:
    limit = f" It covers {signature.tags['l']} octets of the text (l=)." if "l" in signature.tags else ""
    listed = (
        f" It covers h={':'.join(signature.fields)}." if what not in signature.fields and not limit else ""
    )
    return f"{_begun(sentence)}, and {signature.name} still verifies.{limit}{listed}"


def strong(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """A key that lasts, and an algorithm that every receiver knows (RFC 8301, RFC 8463)."""
    bits = (check.expect.signature.key_bits if check.expect.signature else None) or 0

    def judged(case: TrafficCase, own: list[Signature]) -> Finding:
        for signature in own:
            if weak := _weakness(signature, bits):
                return broken(case, weak, [signature.pointer, *index.signatures.key_pointer(signature)])
        if not any(signature.tags.get("a") == RSA for signature in own):
            return broken(
                case,
                f"{_begun(own[0].name)} is made with {own[0].tags.get('a')} alone, which many receivers do not "
                f"know: to them the message is unsigned. All know {RSA}.",
                [own[0].pointer],
            )
        kinds = dict.fromkeys(signature.key.name for signature in own if signature.key)
        return met(case, f"The key is {' beside '.join(kinds)}.")

    return _signed(cases, index, judged)


def _weakness(signature: Signature, bits: int) -> str:
    if signature.tags.get("a") == SHA1:
        return (
            f"{_begun(signature.name)} is made with a={SHA1}, which receivers have to take for no signature "
            "(RFC 8301 section 3.1)."
        )
    key = signature.key
    if key is not None and key.kind == "rsa" and 0 < key.bits < bits:
        return f"The key at {signature.key_name} has {key.bits} bits."
    if key is not None and key.kind == "rsa" and key.bits > LARGEST_KEY:
        return (
            f"The key at {signature.key_name} has {key.bits} bits, and receivers have to know no more than "
            f"{LARGEST_KEY} (RFC 8301 section 3.2): to some the message is unsigned."
        )
    return ""


def _signed(
    cases: list[TrafficCase], index: ServerIndex, judged: Callable[[TrafficCase, list[Signature]], Finding]
) -> list[Finding]:
    """``judged`` for every message that arrived outside with signatures of the domain; the others say nothing."""
    findings = []
    for case in cases:
        found = (s for arrival in case.relayed() for s in index.signatures.of(arrival))
        own = [signature for signature in found if signature.own or signature.aligned]
        findings.append(judged(case, own) if own else unproven(case, "The message bears no signature."))
    return findings


def kept(check: ServerCheck, cases: list[TrafficCase], index: ServerIndex) -> list[Finding]:
    """No message is lost: refused in the session, delivered or kept (RFC 5321 section 4.2.5, section 6.1)."""
    return [_kept(case) for case in cases]


def _kept(case: TrafficCase) -> Finding:
    without = " and ".join(SERVICES.get(name, name) for name in case.facts.stopped)
    when = f"With {without} stopped, " if without else ""
    if not case.accepted:
        return met(case, when + _refused(case))
    returned = [arrival for arrival in case.arrivals if arrival.place == "mailbox" and not case.facts.mailbox]
    if bounced := [*case.bounced(), *returned]:
        return broken(
            case,
            f"{when}the server took the message of {_who(case)} and then sent it back as undeliverable.",
            [*_session(case), Pointer("message", bounced[0].id)],
        )
    if case.relayed():
        return met(case, f"{when}mail goes out all the same, without what {without or 'it'} adds.")
    if waiting := case.waiting():
        held = "is on hold until somebody releases it" if waiting[0].queue == "hold" else "waits in the queue"
        return met(case, f"{when}mail is taken and {held}{_reason(waiting[0].reason)}.")
    return broken(
        case,
        f"{when}the server took the message of {_who(case)}, and it is neither delivered nor in the queue.",
    )


def _refused(case: TrafficCase) -> str:
    reply = case.last_reply
    if reply is None:
        return how_it_ended(case)
    for_now = 400 <= reply.code < 500
    then = (
        "the sender keeps the mail and tries again"
        if for_now
        else "the sender is told at once that it failed"
    )
    return f"mail is refused with {quoted(reply.text)}: {then}."


def _reason(reason: str) -> str:
    return f": {quoted(reason)}" if reason else ""


def _named(signatures: list[Signature]) -> str:
    return " and ".join(
        dict.fromkeys(
            f"d={s.tags.get('d', '')} s={s.tags.get('s', '')} ({s.tags.get('a', '')})" for s in signatures
        )
    )


def _verified(own: list[Signature]) -> str:
    keys = " and ".join(dict.fromkeys(s.key_name for s in own))
    return f"{_named(own)} with the key at {keys}."


def _begun(text: str) -> str:
    """Text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def _who(case: TrafficCase) -> str:
    user = f"{case.facts.user}, logged in" if case.facts.user else source_called(case.facts.source)
    return f"{user} on port {case.facts.listener} ({case.facts.title})"


def _session(case: TrafficCase) -> list[Pointer]:
    return [pointer for pointer in case.pointers() if pointer.kind == "session"]


def judgements_of_signing(expect: Expect) -> Iterator[Judgement]:
    """The functions that a check's expectations about keys, signatures and services name."""
    if expect.running:
        yield running
    if expect.published:
        yield published
    if (signature := expect.signature) is not None:
        if signature.present is not None:
            yield present if signature.present else absent
        if signature.verifies:
            yield verifies
        if signature.covers:
            yield covers
        if signature.key_bits is not None:
            yield strong
    if expect.kept:
        yield kept
