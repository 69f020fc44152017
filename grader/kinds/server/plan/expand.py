"""Expands what a lab tries: every mail or dialogue from every client on every listener becomes an attempt."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from grader.formats.address import split_address
from grader.kinds.server.author import mail_names
from grader.kinds.server.declare import OTHERS, USERS, ServerCheck, ServerLab, Try
from grader.kinds.server.plan.clients import Clients, PlayedClient
from grader.kinds.server.plan.lookalikes import (
    around_names,
    fields,
    is_path,
    nobodies,
    recipients,
    senders,
    text_lines,
)
from grader.kinds.server.plan.mentions import Mentions
from grader.kinds.server.plan.patterns import HOLE
from grader.kinds.server.plan.programs import OF_PROGRAMS
from grader.labs.messages import date, draw_token, hidden_message, ordinary_message, person
from grader.labs.variant import KeyedRandom, RandomStream
from grader.labs.world import MANIFOLD_NAMES, LabWorld
from grader.model.attempt import Attempt, Login, Mail, Tls
from grader.model.errors import LabError
from grader.model.templates import fill, names_in
from grader.model.traffic import ANY_MAILBOX
from grader.model.variant import Variant

MOST_ATTEMPTS = 5_000

_BEYOND = 100
"""Octets by which a message is larger than what a program compares its size with."""

_BLANKS = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n(?: ?\n)+")


class _AttemptNames(Struct, frozen=True):
    """What one attempt may name, and what the rest of it is drawn from."""

    identity: str
    names: dict[str, str]
    draw: RandomStream


class Expansion:
    """The attempts of one run. ``random`` draws the tokens: from what neither a student nor a submission can know."""

    def __init__(
        self,
        lab: ServerLab,
        world: LabWorld,
        variant: Variant,
        clients: Clients,
        mentions: Mentions,
        random: KeyedRandom,
        when: float,
        files: Mapping[str, bytes],
    ) -> None:
        self._lab = lab
        self._world = world
        self._variant = variant
        self._clients = clients
        self._mentions = mentions
        self._random = random
        self._when = date(when)
        self._text = searched(files.values())
        self._tokens: set[str] = set()
        self._found: dict[str, bool] = {}
        self._logins: dict[str, Login] = {}
        self._here = frozenset({"", "localhost", variant.names["domain"], variant.names["host"]})

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
                    if len(made) > MOST_ATTEMPTS:
                        raise LabError(
                            f"the lab {self._lab.id} comes to more than {MOST_ATTEMPTS} attempts at check "
                            f"{check.code!r}: name fewer sources, listeners or mails"
                        )
        return list(_spared(made))

    def _of_try(self, check: ServerCheck, entry: Try, number: int) -> Iterator[Attempt]:
        if entry.if_files is not None and not self._holds(entry.if_files):
            return
        if entry.if_programs and not self._mentions.programs.brought:
            return
        work = self._work(entry)
        for source in entry.sources:
            for client in self._clients.of(source):
                for listener in entry.on:
                    for mail, values in work:
                        number += 1
                        who = self._clients.next(client, listening(str(listener))[0])
                        told = self._told(f"{check.code}/{number}", who, entry, values)
                        yield self._attempt(check, entry, who, str(listener), told, mail)

    def _holds(self, pattern: str) -> bool:
        """Whether the files hold what an ``if-files`` asks for. Entries ask for the same again and again."""
        if pattern not in self._found:
            found = re.search(pattern, self._text, re.IGNORECASE | re.MULTILINE)
            self._found[pattern] = found is not None
        return self._found[pattern]

    def _work(self, entry: Try) -> list[tuple[Mail | None, dict[str, str]]]:
        """The mails to send, once for everything mentioned that they name; ``None`` for a dialogue."""
        mails = [mail for form in entry.forms for mail in self._world.forms[form]] + entry.mail
        if entry.say or not mails:
            names = set[str]().union(*map(names_in, entry.say))
            return [(None, values) for values in self._repeated(names, entry)]
        return [
            (mail, values)
            for mail in mails
            for values in self._repeated({name for _, name in mail_names(mail)}, entry)
        ]

    def _repeated(self, used: set[str], entry: Try) -> list[dict[str, str]]:
        """Values of the names that stand for many: one set for each attempt to make of a text."""
        repeated: list[dict[str, str]] = [{}]
        for name in sorted(used & MANIFOLD_NAMES.keys()):
            repeated = [{**values, name: value} for values in repeated for value in self._values(name, entry)]
        return repeated

    def _values(self, name: str, entry: Try) -> list[str]:
        names, mentions = self._variant.names, self._mentions
        samples = mentions.samples
        if name in OF_PROGRAMS:
            return OF_PROGRAMS[name](mentions.programs)
        match name:
            case "mentioned":
                return mentions.domains
            case "mentioned_address":
                return self._mentioned_addresses()
            case "mentioned_sender":
                user = (entry.user or names["alice"]).removesuffix("!")
                mine = {f"{user}@{names[key]}".lower() for key in ("domain", "host")}
                return [address for address in self._mentioned_addresses() if address.lower() not in mine]
            case "mentioned_recipient":
                return self._mentioned_recipients()
            case "alias":
                own = [address.rpartition("@") for address in mentions.addresses]
                return list(
                    dict.fromkeys([*mentions.locals, *(a for a, _, host in own if host == names["domain"])])
                )
            case "lookalike_name":
                return around_names((names["domain"], names["host"]), samples) if samples else []
            case "lookalike_field":
                return fields(names, mentions.rerouting)
            case "lookalike_line":
                return text_lines(names, mentions.rerouting)
            case "lookalike_nobody":
                return nobodies(names, samples)
            case "lookalike_recipient":
                return recipients(names, samples) if samples else []
            case _:
                return senders((entry.user or names["alice"]).removesuffix("!"), names, samples)

    def _mentioned_addresses(self) -> list[str]:
        made_up = [
            f"{person(self._random.draw('mentioned', domain), self._world.words)}@{domain}"
            for domain in self._mentions.domains
        ]
        third = self._variant.names["third"]
        return [*self._mentions.addresses, *made_up, *(f"{part}@{third}" for part in self._parts())]

    def _parts(self) -> list[str]:
        """Local parts that tables and patterns name for whichever domain."""
        ends = [sample.text for sample in self._mentions.samples if not sample.ends]
        open_ = [text.removesuffix("@") for text in ends if text.endswith("@") and HOLE not in text]
        return list(dict.fromkeys([*self._mentions.anywhere, *(text for text in open_ if is_path(text))]))

    def _mentioned_recipients(self) -> list[str]:
        """Somebody at each foreign name and host that is mentioned, and each foreign address itself."""
        names = self._variant.names
        own = {names["domain"], names["host"]}
        found = [f"{{token}}@{domain}" for domain in foreign_domains(self._mentions)]
        found += [a for a in self._mentions.addresses if a.rpartition("@")[2] not in own]
        found += [f"{part}@{names['outside']}" for part in self._parts()]
        for text in self._mentions.networks:
            network = ipaddress.ip_network(text)
            if network.num_addresses == 1:
                address = network.network_address
                found.append(f"{{token}}@[{'IPv6:' if address.version == 6 else ''}{address}]")
        return found

    def _told(self, identity: str, client: PlayedClient, entry: Try, values: dict[str, str]) -> _AttemptNames:
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
            "somebody": person(draw, words),
        }
        told = {name: value.replace("{token}", token) for name, value in values.items()}
        return _AttemptNames(identity, {**names, **own, **told}, draw)

    def _attempt(
        self,
        check: ServerCheck,
        entry: Try,
        client: PlayedClient,
        listener: str,
        told: _AttemptNames,
        mail: Mail | None,
    ) -> Attempt:
        port, tls = listening(listener)
        say = [fill(command, told.names, f"{self._lab.id}: {check.code}") for command in entry.say]
        # A value is made once, with all of it: a lab comes to hundreds.
        said = {"title": ", ".join(say) or "greeting", "helo": client.helo}
        return Attempt(
            id=told.identity,
            check=check.code,
            source=client.source,
            address=client.address,
            server=client.server,
            listener=listener,
            port=port,
            tls=tls,
            token=told.names["token"],
            login=None if entry.user is None else self._login(entry.user),
            inside=client.inside,
            say=say,
            unless_arrived=entry.spared_by,
            stopped=list(entry.stopped),
            **(said if mail is None else self._mail(check, _name(client, mail, tls), told, mail)),
        )

    def _mail(self, check: ServerCheck, helo: str, told: _AttemptNames, mail: Mail) -> dict[str, Any]:
        """What an attempt has where a mail is to be sent, by its fields. ``helo`` is how the client calls itself."""
        names = told.names

        def filled(text: str) -> str:
            return fill(text, names, f"{self._lab.id}: {check.code}") if "{" in text else text

        recipients = [filled(to) for to in mail.to]
        sender = names["sender_default"] if mail.sender is None else filled(mail.sender)
        message = ordinary_message(
            told.draw,
            self._world.words,
            token=names["token"],
            sender=sender if mail.header_from is None else filled(mail.header_from),
            recipient=recipients[0] if mail.header_to is None else filled(mail.header_to),
            helo=helo,
            outside=names["outside"],
            when=self._when,
            octets=self._octets(mail),
        )
        if mail.fields:
            message = _in_lines(map(filled, mail.fields)) + message
        if mail.lines:
            header, _, text = message.partition(b"\r\n\r\n")
            message = header + b"\r\n\r\n" + _in_lines(map(filled, mail.lines)) + text
        shown = mail.title or f"mail to {' and '.join(mail.to)}".replace("{token}", "somebody")
        return {
            "title": filled(shown),
            "helo": helo if mail.helo is None else filled(mail.helo),
            "sender": sender,
            "recipients": recipients,
            "parameters": filled(mail.parameters),
            "rcpt_parameters": filled(mail.rcpt_parameters),
            "script": self._script(mail, filled),
            "message": message,
            "before": [filled(command) for command in mail.before],
            "preamble": None if mail.preamble is None else filled(mail.preamble),
            "smuggled": hidden_message(message, sender=sender, recipient=recipients[0])
            if mail.smuggle
            else b"",
            "certificate": mail.certificate,
            "qmqp": mail.qmqp,
            "mailbox": self._mailbox(check, recipients[0]),
        }

    def _octets(self, mail: Mail) -> int:
        """The least size of a message. Where a program measures sizes, it is beyond the largest that stands in it."""
        measured = self._mentions.programs.largest(mail.octets_at_most, 0)
        return max(mail.octets, measured + _BEYOND if measured else 0)

    def _script(self, mail: Mail, filled: Callable[[str], str]) -> list[list[str]]:
        """What is said in each write. A name that stands for several lines makes as many writes of its command."""
        times = max(mail.times, self._mentions.programs.largest(mail.times_at_most, 0))
        said: list[list[str]] = []
        for entry in mail.script:
            if isinstance(entry, str):
                said += [[line] for line in filled(entry).split("\n")]
            else:
                said += [[filled(command) for command in entry]] * times
        return said

    def _mailbox(self, check: ServerCheck, recipient: str) -> str | None:
        """The user into whose mailbox a recipient's mail belongs, or any; ``None`` where it is to go elsewhere."""
        address = split_address(recipient)
        user = address.local.split("+", 1)[0]
        if user in USERS and address.domain in self._here:
            return user
        return ANY_MAILBOX if check.expect.arrives == "mailbox" else None

    def _login(self, user: str) -> Login:
        if user not in self._logins:
            name = user.removesuffix("!")
            password = self._variant.secrets[f"{name}_password"]
            if user != name:
                password = f"{self._random.word(self._world.words.passwords, 'wrong', name)}-wrong"
            self._logins[user] = Login(name, password)
        return self._logins[user]


def _spared(attempts: list[Attempt]) -> Iterator[Attempt]:
    """With the ids of the attempts that make one needless, which may come later in the lab than it does.

    They are the other check's of the same source at the same listener, or of any source where it tries that one not.
    """
    others = {code for attempt in attempts for code in attempt.unless_arrived}
    ids: dict[tuple[str, str | None, str], list[str]] = {}
    for other in attempts:
        if other.check in others:
            for source in (other.source, None):
                ids.setdefault((other.check, source, other.listener), []).append(other.id)
    for attempt in attempts:
        if not attempt.unless_arrived:
            yield attempt
        else:
            at = attempt.listener
            found = [
                ids.get((c, attempt.source, at)) or ids.get((c, None, at), []) for c in attempt.unless_arrived
            ]
            yield replace(attempt, unless_arrived=[one for some in found for one in some])


def _name(client: PlayedClient, mail: Mail, tls: Tls) -> str:
    """How the client calls itself. A script says EHLO itself, but STARTTLS comes behind one."""
    return "" if mail.script and tls != "starttls" else client.helo


def _in_lines(texts: Iterable[str]) -> bytes:
    """Texts as lines of a message; one may be several."""
    return "".join(f"{line}\r\n" for text in texts for line in text.split("\n")).encode("ascii")


@lru_cache(maxsize=64)
def listening(listener: str) -> tuple[int, Tls]:
    """Port and kind of TLS of a listener. 465 is implicit TLS (RFC 8314 section 3.3); ``OTHERS`` has no port yet."""
    port, _, tls = listener.partition("+")
    if port == OTHERS:
        return 0, "none"
    if port == "465" or tls == "tls":
        return int(port), "implicit"
    return int(port), "starttls" if tls else "none"


def foreign_domains(mentions: Mentions) -> list[str]:
    """The names that are mentioned, as domains to which somebody could write; a leading dot stands for a host below."""
    return list(dict.fromkeys(f"deep{name}" if name.startswith(".") else name for name in mentions.names))


def searched(files: Iterable[bytes]) -> str:
    """The text in which a lab's ``if-files`` are looked for: blanks in a row count as one, and so do empty lines.

    Else a pattern that allows for blanks twice takes the square of their number, and a student may write a million.
    """
    text = "\n".join(data.decode("utf-8", "replace") for data in files)
    return _EMPTY_LINES.sub("\n", _BLANKS.sub(" ", text))
