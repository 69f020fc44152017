"""What is done in an open session: mail transactions, many at once where the server takes that, and dialogues."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

from msgspec import structs

from grader.model.attempt import Attempt
from grader.model.traffic import Reply
from grader.world.client import GOODBYE, Client
from grader.world.exchange import ServerRefused, Stage
from grader.world.mailboxes import Mailboxes
from grader.world.sevenbits import EXTENSION, in_seven_bits
from grader.world.sharing import ERRORS_A_SESSION, STANDS_ALONE
from grader.world.transcript import CREDENTIALS, redacted
from grader.world.wire import HungUp

SLOW_BATCH_SECONDS = 2.0
"""A server that takes longer over one batch works long on some of its answers, and holds back the others meanwhile."""

PONDERING_SECONDS = 0.7
"""Over each message of a batch: no machine has so much to do, the server lets its clients wait."""

MOST_REPLIES = 20
"""The last of a script's replies are kept with what became of it; the session's lines have them all."""

END_OF_TEXT = b"\r\n.\r\n"
BEFORE_HIDDEN_TEXT = b"\r\nDATA\r\n"


def text_of(attempt: Attempt) -> bytes:
    """The message as it goes over the wire (RFC 5321 section 4.5.2), its end included.

    What is smuggled goes out untouched behind the text: it brings its own, wrong, end of the first message.
    """
    data = attempt.message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    if data and not data.endswith(b"\r\n"):
        data += b"\r\n"
    data = (b"\r\n" + data).replace(b"\r\n.", b"\r\n..")[2:] + attempt.smuggled
    return data if attempt.smuggled.endswith(END_OF_TEXT) else _ended(data)


def _ended(data: bytes) -> bytes:
    return data + (b".\r\n" if not data or data.endswith(b"\r\n") else END_OF_TEXT)


def commands_of(attempt: Attempt) -> list[str]:
    """MAIL and RCPT, each path as it is, however odd."""
    parameters = f" {attempt.parameters}" if attempt.parameters else ""
    behind = f" {attempt.rcpt_parameters}" if attempt.rcpt_parameters else ""
    return [
        f"MAIL FROM:<{attempt.sender}>{parameters}",
        *(f"RCPT TO:<{recipient}>{behind}" for recipient in attempt.recipients),
    ]


def went_on(client: Client, attempt: Attempt) -> bool:
    """Whether the server took sender and recipient hidden in a text that it had taken, and no second text.

    Postfix with ``smtpd_forbid_unauth_pipelining`` hangs up where more lies behind a DATA that came too early.
    """
    outcome = client.outcomes.get(attempt.id)
    if not attempt.smuggled or outcome is None or outcome.stage != "accepted":
        return False
    said = [line.text for line in client.transcript.lines[outcome.replies[-1].line + 1 :] if line.who == "S"]
    codes = [text[:3] for text in said]
    return codes.count("250") > 1 and "354" not in codes


async def in_pieces(client: Client, attempt: Attempt) -> None:
    """Say once more, in a session of its own, what is smuggled: each piece when the one before it is answered.

    Who smuggles can see to that: the server that sends the message on writes it in pieces, and where one ends is a
    matter of the message's length. A server that takes the false end for none is never asked so: it went on after
    nothing.
    """
    hidden, _, text = attempt.smuggled.partition(BEFORE_HIDDEN_TEXT)
    end, *commands = hidden.split(b"\r\n")
    whole = text_of(structs.replace(attempt, smuggled=b""))
    try:
        await client.open_again()
    except ServerRefused:
        return
    client.begin("mail")
    for command in [*commands_of(attempt), "DATA"]:
        if (await client.ask(command)).code >= 400:
            return
    client.send_text(whole.removesuffix(b".\r\n") + end + b"\r\n")
    await client.listen(".", client.patience.text)
    for command in [*(said.decode("ascii", "replace") for said in commands), "DATA"]:
        if (await client.ask(command)).code >= 400:
            return
    client.send_text(text if text.endswith(END_OF_TEXT) else _ended(text))
    await client.listen(".", client.patience.text)


async def dialogue(client: Client, attempt: Attempt) -> None:
    """Say the attempt's commands one after the other; an attempt without any has said all by now.

    A server that hangs up after some of them has not answered the others: each of those is asked in a new session.
    """
    if not await known_as(client, [attempt]):
        return
    client.begin("preface")
    challenged, asked = False, 0
    for command in attempt.say:
        shown = CREDENTIALS if challenged else redacted(command)
        reply = await _answered(client, command, shown) if asked and STANDS_ALONE.match(command) else None
        if reply is None:
            if asked and STANDS_ALONE.match(command):
                await client.open_again()
                asked = 0
            client.send(command)
            reply = await client.answer(shown=shown)
        challenged = reply.code == 334
        client.progress.replies.append(reply)
        asked += 1
    client.progress.stage = "said"
    client.settle(attempt)


async def known_as(client: Client, attempts: Sequence[Attempt]) -> bool:
    """Take the name that these attempts want; a server that refuses it has answered them."""
    if attempts[0].helo == client.helo:
        return True
    client.begin("preface")
    try:
        await client.introduce(attempts[0].helo)
    except ServerRefused:
        for attempt in attempts:
            client.settle(attempt)
        return False
    return True


async def _answered(client: Client, command: str, shown: str) -> Reply | None:
    """The reply to a command; ``None`` where the server hangs up instead of answering it."""
    known = len(client.progress.replies)
    try:
        client.send(command)
        reply = await client.answer(shown=shown)
    except HungUp as hung:
        if hung.end == "timeout":
            raise
        # RFC 5321 section 3.8: 421 is no answer to the command, it announces the end.
        del client.progress.replies[known:]
        return None
    return None if reply.code == GOODBYE else reply


async def scripted(client: Client, attempt: Attempt) -> None:
    """Say an attempt's script. It got through if the last text that was sent was taken.

    What was refused is not said again in the next write, because a server counts errors; and BDAT is said where the
    server offers it (RFC 3030), for any other would take the message for commands.
    """
    client.begin("mail")
    progress = client.progress
    refused: list[str] = []
    for commands in attempt.script:
        chunk = commands == ["BDAT"]
        if commands == refused or (chunk and not any("CHUNKING" in reply.text for reply in progress.replies)):
            continue
        client.send(*([f"BDAT {len(attempt.message)} LAST"] if chunk else commands))
        if chunk:
            client.send_chunk(attempt.message)
        for command in commands:
            reply = await client.answer()
            if command.upper() == "DATA" and reply.code == 354:
                progress.stage = "data"
                client.send_text(text_of(attempt))
                reply = await client.listen(".", client.patience.text)
            progress.replies = [*progress.replies[-MOST_REPLIES:], reply]
            if (stage := _reached(command, reply)) is not None:
                progress.stage = stage
            if reply.code >= 400:
                refused = commands


def _reached(command: str, reply: Reply) -> Stage | None:
    """How far a command of a script brought its mail; ``None`` where that is as far as before."""
    match command[:4].upper():
        case "MAIL":
            return "rcpt" if reply.code == 250 else "mail"
        case "DATA" | "BDAT" if reply.code == 250:
            return "accepted"
        case _:
            return None


class Mails:
    """The transactions of one session; ``alone`` where it has nothing else in it."""

    def __init__(self, client: Client, mailboxes: Mailboxes, *, alone: bool = True) -> None:
        self._client = client
        self._mailboxes = mailboxes
        self._alone = alone
        self._waiting: deque[Attempt] = deque()
        self._fresh = True
        self._mail_refused = False
        self._accepted = False

    async def send(self, attempts: Sequence[Attempt]) -> None:
        """Try the attempts, as many as the server's patience allows; the others are left without an outcome."""
        eight = EXTENSION in self._client.extensions
        self._waiting.extend(attempts if eight else map(in_seven_bits, attempts))
        while batch := self._next_batch():
            if not await known_as(self._client, batch):
                continue
            if len(batch) == 1:
                await self._transaction(batch[0])
            else:
                await self._batch(batch)

    def _next_batch(self) -> list[Attempt]:
        """The attempts to send at once: as many as cannot make too many errors, by what is known of the server.

        The first attempt is made in any case where nothing else was asked before it.
        """
        left = ERRORS_A_SESSION - self._client.errors
        batch: list[Attempt] = []
        while self._waiting and len(batch) < self._largest_batch():
            if batch and self._waiting[0].helo != batch[0].helo:
                break
            left -= self._errors_of(self._waiting[0])
            if left < 0 and (batch or not (self._fresh and self._alone)):
                break
            batch.append(self._waiting.popleft())
        self._fresh = False
        return batch

    def _largest_batch(self) -> int:
        return ERRORS_A_SESSION if self._pipelining() and not self._accepted else 1

    def _pipelining(self) -> bool:
        return "PIPELINING" in self._client.extensions

    def _errors_of(self, attempt: Attempt) -> int:
        """Errors that an attempt can make: RCPT each, and MAIL unless the server has been taking that."""
        return len(attempt.recipients) + (self._fresh or self._mail_refused)

    async def _batch(self, attempts: list[Attempt]) -> None:
        """Ask for the recipients of many attempts in one write (RFC 2920), then send what is taken."""
        sent = [[*commands_of(attempt), "RSET"] for attempt in attempts]
        self._client.send(*(command for commands in sent for command in commands))
        await self._client.gather(sum(map(len, sent)))
        taken = []
        asked = time.monotonic()
        try:
            for attempt in attempts:
                if await self._envelope(attempt):
                    taken.append(attempt)
                else:
                    self._client.settle(attempt)
                await self._client.answer()
                if self._client.punished and attempt is not attempts[-1]:
                    raise HungUp("reset", "the server makes its clients wait: the rest is tried one by one")
        finally:
            took = time.monotonic() - asked
            self._client.laborious = took > SLOW_BATCH_SECONDS
            self._client.ponders = took > len(attempts) * PONDERING_SECONDS
        for attempt in taken:
            await self._transaction(attempt)

    async def _envelope(self, attempt: Attempt) -> bool:
        """The replies to an envelope that was sent; whether any recipient was taken."""
        self._client.begin("mail")
        progress = self._client.progress
        mail = await self._client.answer()
        progress.replies.append(mail)
        if mail.code == 250:
            progress.stage = "rcpt"
        else:
            self._mail_refused = True
        taken = False
        for _ in attempt.recipients:
            reply = await self._client.answer()
            if progress.stage == "rcpt":
                progress.replies.append(reply)
                taken = taken or reply.code in (250, 251)
        return taken

    async def _transaction(self, attempt: Attempt) -> None:
        client = self._client
        async with self._mailboxes.turn(attempt):
            if attempt.script:
                await scripted(client, attempt)
            elif await self._one_envelope(attempt):
                await self._text(attempt)
        client.settle(attempt)
        self._accepted = client.progress.stage == "accepted"
        if self._waiting and not self._accepted:
            await client.ask("RSET")

    async def _one_envelope(self, attempt: Attempt) -> bool:
        client = self._client
        commands = commands_of(attempt)
        if self._pipelining():
            client.send(*commands)
            return await self._envelope(attempt)
        client.begin("mail")
        progress = client.progress
        progress.replies.append(await client.ask(commands[0]))
        if progress.replies[0].code != 250:
            return False
        progress.stage = "rcpt"
        replies: list[Reply] = [await client.ask(command) for command in commands[1:]]
        progress.replies.extend(replies)
        return any(reply.code in (250, 251) for reply in replies)

    async def _text(self, attempt: Attempt) -> None:
        client = self._client
        client.progress.stage = "data"
        go_on = await client.ask("DATA")
        client.progress.replies.append(go_on)
        if go_on.code != 354:
            return
        client.send_text(text_of(attempt))
        reply = await client.listen(".", client.patience.text)
        client.progress.replies.append(reply)
        if reply.code == 250:
            client.progress.stage = "accepted"
