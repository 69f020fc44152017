"""Expands what a lab tries: every mail or dialogue from every client on every listener becomes an attempt."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from grader.formats.address import split_address
from grader.kinds.server.author import USERS, mail_names
from grader.kinds.server.declare import ServerCheck, ServerLab, Try
from grader.kinds.server.plan.clients import Client, Clients
from grader.kinds.server.plan.mentions import Mentions
from grader.labs.messages import date, draw_token, hidden_message, ordinary_message, person
from grader.labs.variant import KeyedRandom, RandomStream
from grader.labs.world import World
from grader.model.attempt import Attempt, Login, Mail, Tls
from grader.model.errors import LabError
from grader.model.templates import fill, names_in
from grader.model.traffic import ANY_MAILBOX
from grader.model.variant import Variant

MOST_ATTEMPTS = 5_000


class _AttemptNames(NamedTuple):
    """What one attempt may name, and what the rest of it is drawn from."""

    identity: str
    names: dict[str, str]
    draw: RandomStream


class Expansion:
    """The attempts of one run. ``random`` draws the tokens: from what neither a student nor a submission can know."""

    def __init__(
        self,
        lab: ServerLab,
        world: World,
        variant: Variant,
        clients: Clients,
        mentions: Mentions,
        random: KeyedRandom,
        when: float,
    ) -> None:
        self._lab = lab
        self._world = world
        self._variant = variant
        self._clients = clients
        self._mentions = mentions
        self._random = random
        self._when = date(when)
        self._tokens: set[str] = set()
        self._ids: dict[tuple[str, str, str], list[str]] = {}

    def attempts(self, checks: set[str]) -> list[Attempt]:
        """The attempts of these checks, in the lab's order.

        Raises ``LabError`` where there are more than can be made, or a text uses a name that there is not.
        """
        made: list[Attempt] = []
        for check in self._lab.checks:
            if check.code not in checks:
                continue
            number = 0
            for entry in check.attempts:
                for attempt in self._of_try(check, entry, number):
                    number += 1
                    made.append(attempt)
                    self._ids.setdefault((check.code, attempt.source, attempt.listener), []).append(
                        attempt.id
                    )
                    if len(made) > MOST_ATTEMPTS:
                        raise LabError(
                            f"the lab {self._lab.id} comes to more than {MOST_ATTEMPTS} attempts at check "
                            f"{check.code!r}: name fewer sources, listeners or mails"
                        )
        return [self._spared(attempt) for attempt in made]

    def _spared(self, attempt: Attempt) -> Attempt:
        """With the ids of the attempts that make it needless, which may come later in the lab than it does."""
        if not attempt.unless_arrived:
            return attempt
        key = (attempt.unless_arrived[0], attempt.source, attempt.listener)
        return replace(attempt, unless_arrived=self._ids.get(key, []))

    def _of_try(self, check: ServerCheck, entry: Try, number: int) -> Iterator[Attempt]:
        work = self._work(entry)
        for source in entry.sources:
            for client in self._clients.of(source):
                for listener in entry.on:
                    for mail, values in work:
                        number += 1
                        told = self._told(f"{check.code}/{number}", client, entry, values)
                        yield self._attempt(check, entry, client, str(listener), told, mail)

    def _work(self, entry: Try) -> list[tuple[Mail | None, dict[str, str]]]:
        """The mails to send, once for everything mentioned that they name; ``None`` for a dialogue."""
        mails = [mail for form in entry.forms for mail in self._world.forms[form]] + entry.mail
        if entry.say or not mails:
            return [(None, values) for values in self._repeated(set().union(*map(names_in, entry.say)))]
        return [
            (mail, values)
            for mail in mails
            for values in self._repeated({name for _, name in mail_names(mail)})
        ]

    def _repeated(self, used: set[str]) -> list[dict[str, str]]:
        """Values of the names that stand for everything mentioned: one set for each attempt to make of a text."""
        repeated: list[dict[str, str]] = [{}]
        if "mentioned" in used:
            repeated = [{"mentioned": domain} for domain in self._mentions.domains]
        if "mentioned_address" in used:
            addresses = self._mentioned_addresses()
            repeated = [
                {**values, "mentioned_address": address} for values in repeated for address in addresses
            ]
        return repeated

    def _mentioned_addresses(self) -> list[str]:
        made_up = [
            f"{person(self._random.draw('mentioned', domain), self._world.words)}@{domain}"
            for domain in self._mentions.domains
        ]
        return [*self._mentions.addresses, *made_up]

    def _told(self, identity: str, client: Client, entry: Try, values: dict[str, str]) -> _AttemptNames:
        """The names of one attempt, and what its letter is drawn from."""
        names, words = self._variant.names, self._world.words
        draw = self._random.draw("attempt", identity)
        token, again = draw_token(draw, words), 0
        while token in self._tokens:
            again += 1
            token = draw_token(self._random.draw("attempt", identity, str(again)), words)
        self._tokens.add(token)
        if entry.user:
            sender = f"{entry.user.removesuffix('!')}@{names['domain']}"
        elif client.inside:
            sender = f"{names['alice']}@{names['domain']}"
        else:
            sender = f"{person(draw, words)}@{names['third']}"
        own = {
            "token": token,
            "source": client.address,
            "source_name": client.name,
            "server": client.server,
            "sender_default": sender,
        }
        return _AttemptNames(identity, {**names, **own, **values}, draw)

    def _attempt(
        self,
        check: ServerCheck,
        entry: Try,
        client: Client,
        listener: str,
        told: _AttemptNames,
        mail: Mail | None,
    ) -> Attempt:
        port, tls = listening(listener)
        attempt = Attempt(
            id=told.identity,
            check=check.code,
            title="greeting",
            source=client.source,
            address=client.address,
            server=client.server,
            listener=listener,
            port=port,
            tls=tls,
            helo=client.helo,
            token=told.names["token"],
            login=self._login(entry.user),
            say=[fill(command, told.names, f"{self._lab.id}: {check.code}") for command in entry.say],
            unless_arrived=[entry.unless_arrived] if entry.unless_arrived else [],
            stopped=list(entry.stopped),
        )
        if mail is not None:
            return self._mail(check, attempt, told, mail)
        return replace(attempt, title=", ".join(attempt.say)) if attempt.say else attempt

    def _mail(self, check: ServerCheck, attempt: Attempt, told: _AttemptNames, mail: Mail) -> Attempt:
        """The attempt with a mail to send."""
        names = told.names

        def filled(text: str) -> str:
            return fill(text, names, f"{self._lab.id}: {check.code}") if "{" in text else text

        recipients = [filled(to) for to in mail.to]
        sender = names["sender_default"] if mail.sender is None else filled(mail.sender)
        message = ordinary_message(
            told.draw,
            self._world.words,
            token=attempt.token,
            sender=sender if mail.header_from is None else filled(mail.header_from),
            recipient=recipients[0],
            helo=attempt.helo,
            outside=names["outside"],
            when=self._when,
        )
        message = "".join(f"{filled(field)}\r\n" for field in mail.fields).encode("ascii") + message
        shown = " and ".join(to.replace("{token}", "somebody") for to in mail.to)
        return replace(
            attempt,
            title=filled(mail.title or f"mail to {shown}"),
            helo=attempt.helo if mail.helo is None else filled(mail.helo),
            sender=sender,
            recipients=recipients,
            parameters=filled(mail.parameters),
            message=message,
            before=[filled(command) for command in mail.before],
            preamble=None if mail.preamble is None else filled(mail.preamble),
            smuggled=hidden_message(message, sender=sender, recipient=recipients[0]) if mail.smuggle else b"",
            certificate=mail.certificate,
            mailbox=self._mailbox(check, recipients[0]),
        )

    def _mailbox(self, check: ServerCheck, recipient: str) -> str | None:
        """The user into whose mailbox a recipient's mail belongs, or any; ``None`` where it is to go elsewhere."""
        address = split_address(recipient)
        user = address.local.split("+", 1)[0]
        here = {"", "localhost", self._variant.names["domain"], self._variant.names["host"]}
        if user in USERS and address.domain in here:
            return user
        return ANY_MAILBOX if check.expect.arrives == "mailbox" else None

    def _login(self, user: str | None) -> Login | None:
        if user is None:
            return None
        name = user.removesuffix("!")
        if user == name:
            return Login(name, self._variant.secrets[f"{name}_password"])
        return Login(name, f"{self._random.word(self._world.words.passwords, 'wrong', name)}-wrong")


def listening(listener: str) -> tuple[int, Tls]:
    """Port and kind of TLS of a listener. 465 is implicit TLS (RFC 8314 section 3.3)."""
    port, _, starttls = listener.partition("+")
    if port == "465":
        return 465, "implicit"
    return int(port), "starttls" if starttls else "none"
