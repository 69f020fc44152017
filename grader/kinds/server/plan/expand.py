"""Expands what a lab tries: every mail or dialogue from every client on every listener becomes an attempt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec.structs import replace

from grader.kinds.server.author import mail_names
from grader.kinds.server.declare import OTHERS, ServerCheck, ServerLab, Try
from grader.kinds.server.plan.authors import Authors
from grader.kinds.server.plan.clients import Clients, PlayedClient
from grader.kinds.server.plan.mails import AttemptNames, MailWriter
from grader.kinds.server.plan.mentions import Mentions
from grader.kinds.server.plan.values import ManifoldValues
from grader.labs.messages import date, draw_token, person
from grader.labs.variant import KeyedRandom
from grader.labs.world import LabWorld
from grader.model.attempt import Attempt, Login, Mail, Tls
from grader.model.errors import LabError
from grader.model.templates import fill, names_in
from grader.model.variant import Variant

MOST_ATTEMPTS = 5_000

REROUTING = frozenset({"rerouting_name", "rerouting_sender"})
"""Texts in which the token stands for a whole label of a name, or one word of an address."""

_BLANKS = re.compile(r"[^\S\n]+")
_EMPTY_LINES = re.compile(r"\n(?: ?\n)+")


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
        self._text = searched(files.values())
        self._authors = Authors(files.values())
        self._values = ManifoldValues(variant.names, world.words, mentions, random)
        self._writer = MailWriter(variant, world.words, mentions.programs, date(when))
        self._tokens: set[str] = set()
        self._found: dict[str, bool] = {}
        self._logins: dict[str, Login] = {}

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
            return [(None, values) for values in self._values.sets(names, entry.user)]
        return [
            (mail, values)
            for mail in mails
            for values in self._values.sets({name for _, name in mail_names(mail)}, entry.user)
        ]

    def _told(self, identity: str, client: PlayedClient, entry: Try, values: dict[str, str]) -> AttemptNames:
        """The names of one attempt, and what its letter is drawn from."""
        names, words = self._variant.names, self._world.words
        draw = self._random.draw("attempt", identity)
        token, again = client.token or draw_token(draw, words), 0
        while token in self._tokens:
            again += 1
            token = draw_token(self._random.draw("attempt", identity, str(again)), words)
        if REROUTING & values.keys():
            token = token.replace(".", "")
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
            "somebody": self._authors.draw(draw, words),
            "unheard": self._clients.unheard,
        }
        told = {name: value.replace("{token}", token) for name, value in values.items()}
        return AttemptNames(identity, {**names, **own, **told}, draw)

    def _attempt(
        self,
        check: ServerCheck,
        entry: Try,
        client: PlayedClient,
        listener: str,
        told: AttemptNames,
        mail: Mail | None,
    ) -> Attempt:
        port, tls = listening(listener)
        say = [fill(command, told.names, f"{self._lab.id}: {check.code}") for command in entry.say]
        # A value is made once, with all of it: a lab comes to hundreds.
        said: dict[str, Any]
        if mail is None:
            said = {"title": ", ".join(say) or "greeting", "helo": client.helo}
        else:
            # A script says EHLO itself, but STARTTLS comes behind one.
            helo = "" if mail.script and tls != "starttls" else client.helo
            where, anywhere = f"{self._lab.id}: {check.code}", check.expect.arrives == "mailbox"
            said = self._writer.fields(mail, told, helo, where, any_mailbox=anywhere)
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
            **said,
        )

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


@lru_cache(maxsize=64)
def listening(listener: str) -> tuple[int, Tls]:
    """Port and kind of TLS of a listener. 465 is implicit TLS (RFC 8314 section 3.3); ``OTHERS`` has no port yet."""
    port, _, tls = listener.partition("+")
    if port == OTHERS:
        return 0, "none"
    if port == "465" or tls == "tls":
        return int(port), "implicit"
    return int(port), "starttls" if tls else "none"


def searched(files: Iterable[bytes]) -> str:
    """The text in which a lab's ``if-files`` are looked for: blanks in a row count as one, and so do empty lines.

    Else a pattern that allows for blanks twice takes the square of their number, and a student may write a million.
    """
    text = "\n".join(data.decode("utf-8", "replace") for data in files)
    return _EMPTY_LINES.sub("\n", _BLANKS.sub(" ", text))
