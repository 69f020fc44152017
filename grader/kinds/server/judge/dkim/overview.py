"""The signatures of a run at a glance: which kinds there were, on how many messages, and whether they verify."""

from __future__ import annotations

from msgspec import Struct

from grader.kinds.server.facts import ServerEvidence, ServerFacts
from grader.kinds.server.judge.dkim.reading import Signature, Signatures


class SignatureGroup(Struct, frozen=True):
    """Signatures that are alike in all but the message: ``first`` is one of them, ``messages`` who bears them."""

    first: Signature
    messages: list[int]

    @property
    def verdict(self) -> str:
        """Whether they verify, and with what; or why not."""
        first = self.first
        if first.problem:
            return f"does not verify: {first.problem}"
        return f"verifies with the key at {first.key_name}" + (f" ({first.key.name})" if first.key else "")

    @property
    def covers(self) -> str:
        """What they cover, in words."""
        seen: dict[str, int] = {}
        for name in self.first.fields:
            seen[name] = seen.get(name, 0) + 1
        held = {field for field, times in seen.items() if times > 1}
        listed = ", ".join(name + (" (no second one may be added)" if name in held else "") for name in seen)
        length = self.first.tags.get("l")
        return f"{listed}; {f'the first {length} octets of the text' if length else 'the whole text'}"


def kinds(evidence: ServerEvidence, facts: ServerFacts) -> tuple[list[SignatureGroup], int]:
    """The kinds of signatures on mail that arrived outside, the commonest first, and how many messages had none."""
    signatures = Signatures(evidence, facts)
    found: dict[tuple[str, ...], SignatureGroup] = {}
    unsigned = 0
    for arrival in facts.arrivals:
        if arrival.place != "outside" or arrival.octets:
            continue  # What was not kept whole cannot be verified.
        borne = signatures.of(arrival)
        unsigned += not borne
        for signature in borne:
            alike = [signature.tags.get(tag, "") for tag in ("d", "s", "a", "c", "h")]
            key = (*alike, signature.problem, "l" * ("l" in signature.tags))
            found.setdefault(key, SignatureGroup(signature, [])).messages.append(arrival.id)
    return sorted(found.values(), key=lambda kind: -len(kind.messages)), unsigned
