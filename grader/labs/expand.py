"""Expands what a lab tries: every mail or dialogue from every client on every listener becomes an attempt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from grader.labs.clients import Client, Clients
from grader.labs.letters import draw_token, hidden_mail, letter, person
from grader.labs.loading import USERS, mail_names
from grader.labs.mentions import Mentions
from grader.labs.templates import fill, names_in
from grader.labs.variant import Lot
from grader.labs.world import World
from grader.model.errors import LabError
from grader.model.lab import Check, Lab, Mail, Try
from grader.model.plan import Attempt, Login, Tls
from grader.model.variant import Variant

MOST_ATTEMPTS = 5_000


class Expansion:
    """The attempts of one run. ``lot`` draws the tokens: from what neither a student nor a submission can know."""

    def __init__(
        self,
        lab: Lab,
        world: World,
        variant: Variant,
        clients: Clients,
        mentions: Mentions,
        lot: Lot,
        when: float,
    ) -> None:
        self._lab = lab
        self._world = world
        self._variant = variant
        self._clients = clients
        self._mentions = mentions
        self._lot = lot
        self._when = when
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
        from msgspec.structs import replace

        key = (attempt.unless_arrived[0], attempt.source, attempt.listener)
        return replace(attempt, unless_arrived=self._ids.get(key, []))

    def _of_try(self, check: Check, entry: Try, number: int) -> Iterator[Attempt]:
        for source in entry.sources:
            for client in self._clients.of(source):
                for listener in entry.on:
                    for attempt in self._of_listener(check, entry, client, str(listener), number):
                        number += 1
                        yield attempt

    def _of_listener(
        self, check: Check, entry: Try, client: Client, listener: str, number: int
    ) -> Iterator[Attempt]:
        if entry.say:
            for values in self._repeated(set().union(*map(names_in, entry.say))):
                yield self._dialogue(check, entry, client, listener, number := number + 1, values)
            return
        mails = [mail for form in entry.forms for mail in self._world.forms[form]] + entry.mail
        for mail in mails:
            for values in self._repeated({name for _, name in mail_names(mail)}):
                yield self._mail(check, entry, client, listener, number := number + 1, values, mail)
        if not mails:
            yield self._dialogue(check, entry, client, listener, number + 1, {})

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
        words = self._world.words
        made_up = [
            f"{person(self._lot, words, 'mentioned', domain)}@{domain}" for domain in self._mentions.domains
        ]
        return [*self._mentions.addresses, *made_up]

    def _dialogue(
        self, check: Check, entry: Try, client: Client, listener: str, number: int, values: Mapping[str, str]
    ) -> Attempt:
        identity = f"{check.code}/{number}"
        names = self._names(identity, client, entry, values)
        say = [fill(command, names, check.code) for command in entry.say]
        title = ", ".join(say) if say else "greeting"
        return self._attempt(
            check, entry, client, listener, identity, title=title, token=names["token"], say=say
        )

    def _mail(
        self,
        check: Check,
        entry: Try,
        client: Client,
        listener: str,
        number: int,
        values: Mapping[str, str],
        mail: Mail,
    ) -> Attempt:
        identity = f"{check.code}/{number}"
        names = self._names(identity, client, entry, values)
        token = names["token"]

        def filled(text: str) -> str:
            return fill(text, names, f"{self._lab.id}: {check.code}")

        recipients = [filled(to) for to in mail.to]
        sender = names["sender_default"] if mail.sender is None else filled(mail.sender)
        helo = client.helo if mail.helo is None else filled(mail.helo)
        message = letter(
            self._lot,
            self._world.words,
            token=token,
            sender=sender if mail.header_from is None else filled(mail.header_from),
            recipient=recipients[0],
            helo=client.helo,
            outside=names["outside"],
            when=self._when,
        )
        return self._attempt(
            check,
            entry,
            client,
            listener,
            identity,
            title=filled(mail.title)
            or f"mail to {' and '.join(to.replace('{token}', 'somebody') for to in mail.to)}",
            token=token,
            helo=helo,
            sender=sender,
            recipients=recipients,
            parameters=filled(mail.parameters),
            message=message,
            before=[filled(command) for command in mail.before],
            preamble=None if mail.preamble is None else filled(mail.preamble),
            smuggled=hidden_mail(message, sender=sender, recipient=recipients[0]) if mail.smuggle else b"",
            certificate=mail.certificate,
            mailbox=self._mailbox(check, recipients[0]),
        )

    def _names(self, identity: str, client: Client, entry: Try, values: Mapping[str, str]) -> dict[str, str]:
        names = self._variant.names
        token = draw_token(self._lot, self._world.words, identity, self._tokens)
        if entry.user:
            sender = f"{entry.user.rstrip('!')}@{names['domain']}"
        elif client.inside:
            sender = f"{names['alice']}@{names['domain']}"
        else:
            sender = f"{person(self._lot, self._world.words, 'sender', identity)}@{names['third']}"
        return {
            **names,
            "token": token,
            "source": client.address,
            "source_name": client.name,
            "server": client.server,
            "sender_default": sender,
            **values,
        }

    def _mailbox(self, check: Check, recipient: str) -> str | None:
        """The user into whose mailbox a recipient's mail belongs; ``None`` where it is to go elsewhere."""
        local, _, domain = recipient.rpartition("@")
        user = (local or domain).split("+", 1)[0]
        here = {"", "localhost", self._variant.names["domain"], self._variant.names["host"]}
        if user in USERS and (domain if local else "") in here:
            return user
        return user if check.expect.arrives == "mailbox" else None

    def _attempt(
        self,
        check: Check,
        entry: Try,
        client: Client,
        listener: str,
        identity: str,
        *,
        title: str,
        token: str,
        helo: str | None = None,
        sender: str = "",
        recipients: list[str] | None = None,
        parameters: str = "",
        message: bytes = b"",
        before: list[str] | None = None,
        preamble: str | None = None,
        say: list[str] | None = None,
        smuggled: bytes = b"",
        certificate: bool = False,
        mailbox: str | None = None,
    ) -> Attempt:
        port, tls = listening(listener)
        return Attempt(
            id=identity,
            check=check.code,
            title=title,
            source=client.source,
            address=client.address,
            server=client.server,
            listener=listener,
            port=port,
            tls=tls,
            helo=client.helo if helo is None else helo,
            token=token,
            sender=sender,
            recipients=recipients or [],
            parameters=parameters,
            message=message,
            before=before or [],
            preamble=preamble,
            login=self._login(entry.user),
            say=say or [],
            smuggled=smuggled,
            certificate=certificate,
            mailbox=mailbox,
            unless_arrived=[entry.unless_arrived] if entry.unless_arrived else [],
        )

    def _login(self, user: str | None) -> Login | None:
        if user is None:
            return None
        name = user.removesuffix("!")
        if user == name:
            return Login(name, self._variant.secrets[f"{name}_password"])
        return Login(name, f"{self._lot.word(self._world.words.passwords, 'wrong', name)}-wrong")


def listening(listener: str) -> tuple[int, Tls]:
    """Port and kind of TLS of a listener. 465 is implicit TLS (RFC 8314 section 3.3)."""
    port, _, starttls = listener.partition("+")
    if port == "465":
        return 465, "implicit"
    return int(port), "starttls" if starttls else "none"
