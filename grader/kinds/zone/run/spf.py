"""What receivers conclude from SPF (RFC 7208), by pyspf over the wire."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from grader.kinds.zone.facts import Measured, Spf
from grader.kinds.zone.run.libraries import spf as pyspf
from grader.kinds.zone.run.resolver import NoAnswer, Resolver

BYSTANDERS = ("192.0.2.1", "2001:db8:dead::1")
"""Clients for which a record is measured: nobody in particular, so that it is read to its end."""


class Evaluation(pyspf.query):  # type: ignore[misc]
    """pyspf's evaluation, which asks through our resolver and remembers whose record was being read.

    pyspf itself asks through a function of its module, which all evaluations of a process would share.
    """

    def __init__(
        self, resolver: Resolver, client: str, sender: str, helo: str, *, strict: bool = True
    ) -> None:
        self._resolver = resolver
        self.holder = ""
        self.blamed = ""
        super().__init__(i=client, s=sender, h=helo, receiver="receiver.invalid", strict=strict)

    def dns(self, name: Any, qtype: str, cnames: Any = None, ignore_void: bool = False) -> list[Any]:
        """The data of a type at a name, in pyspf's form. Raises its ``TempError`` and ``PermError``."""
        wanted = str(name).removesuffix(".")
        if not all(0 < len(label) < 64 for label in wanted.split(".")):
            return []
        try:
            values = list(self._resolver.ask(wanted, qtype).values)
        except NoAnswer as error:
            raise pyspf.TempError(f"DNS: {error}") from error
        if not values and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > pyspf.MAX_VOID_LOOKUPS:
                self.note_error(f"More than {pyspf.MAX_VOID_LOOKUPS} DNS look-ups find nothing")
        return values

    def check1(self, spf: Any, domain: str, recursion: int) -> Any:
        """Evaluate a record of a domain; see pyspf."""
        if not recursion:
            self.holder = domain
        try:
            return super().check1(spf, domain, recursion)
        except (pyspf.PermError, pyspf.TempError):
            self.blamed = self.blamed or domain
            raise

    def validated_ptrs(self) -> list[Any]:
        """Names that the client's address leads to and that lead back; those that DNS fails to tell are skipped.

        pyspf gives up with ``temperror`` there, which RFC 7208 section 5.5 does not allow.
        """
        found = []
        try:
            names = self.dns_ptr(self.i)[: pyspf.MAX_PTR]
        except pyspf.TempError:
            return []
        for name in names:
            with suppress(pyspf.TempError):
                if self.cidrmatch(self.dns_a(name, self.A), self.cidrmax):
                    found.append(name)
        return found

    @property
    def wrong_term(self) -> str:
        """The term that makes the record unusable, where one does."""
        return str(self.mech[0]) if self.mech else ""


def evaluate(resolver: Resolver, *, client: str, sender: str, helo: str) -> Spf:
    """The result of check_host() for a message (RFC 7208 section 4); a null sender stands for the HELO name."""
    evaluation = Evaluation(resolver, client, sender, helo)
    result, _, explanation = evaluation.check()
    broken = result in ("permerror", "temperror")
    return Spf(
        result=result,
        domain=evaluation.o,
        explanation=str(explanation),
        term=evaluation.wrong_term if broken else evaluation.mechanism or "",
        holder=(evaluation.blamed or evaluation.d) if broken else evaluation.holder,
    )


def measure(resolver: Resolver, attempt: str, domain: str) -> Measured:
    """How many look-ups the SPF record of a domain takes, for the worse of an IPv4 and an IPv6 client."""
    found = [_measured(resolver, attempt, domain, client) for client in BYSTANDERS]
    return max(found, key=lambda measured: (measured.problem != "", measured.voids, measured.lookups))


def _measured(resolver: Resolver, attempt: str, domain: str, client: str) -> Measured:
    try:
        records = [text for text in resolver.texts(domain) if pyspf.RE_SPF.match(text)]
    except NoAnswer as error:
        return Measured(attempt, domain, [], 0, 0, problem=str(error))
    strict = Evaluation(resolver, client, f"postmaster@{domain}", domain)
    result, _, explanation = strict.check()
    lax = Evaluation(resolver, client, f"postmaster@{domain}", domain, strict=False)
    lax.check()
    broken = result in ("permerror", "temperror")
    return Measured(
        attempt=attempt,
        domain=domain,
        records=[text.decode("utf-8", "backslashreplace") for text in records],
        lookups=lax.lookups,
        voids=lax.void_lookups,
        problem=str(explanation).partition(" Error: ")[2] or str(explanation) if broken else "",
        term=strict.wrong_term,
        holder=strict.blamed,
    )
