"""A plain SMTP client over a conversation that the world leads: it knows RFC 5321 and nothing of labs."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from grader.engines.base import Channel
from grader.model.attempt import Tls
from grader.model.protocol.world import Dial, Encrypt, HangUp, Say

GREETING_SECONDS = 7.0
REPLY_SECONDS = 7.0
NAME = "conversation"


@dataclass
class Session:
    """A connection from one address to one port. ``ended`` says why it is over, and is empty while it is not."""

    world: Channel
    source: str
    server: str
    port: int
    helo: str
    ended: str = ""
    greeted: bool = False
    encrypted: bool = False
    extensions: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def open(self, *, tls: str, name: str, seconds: float = GREETING_SECONDS, preface: bytes = b"") -> bool:
        """Connect, speak first what is to be spoken first, and hear the greeting; whether it is 220."""
        wait = 0.2 if preface else seconds
        mode: Tls = "implicit" if tls == "implicit" and not preface else "none"
        heard = self._heard(Dial(NAME, self.source, self.server, self.port, mode, name, wait))
        if preface:
            if self.ended not in ("", "timeout"):
                return False
            self.ended = ""
            heard = self._say(preface, 1, seconds)
        self.encrypted = mode == "implicit" and not self.ended
        self.greeted = bool(heard) and heard[-1][0].startswith("220") and not self.ended
        if not self.greeted and not self.ended:
            self.ended = "no 220"
        if not self.greeted or not self.hello():
            return False
        return self.start_tls(name) if tls == "starttls" else True

    def hello(self) -> bool:
        """EHLO; whether it was taken."""
        reply = self.command(f"EHLO {self.helo}")
        if reply[0][:3] != "250":
            return False
        words = [line[4:].strip() for line in reply[1:]]
        self.extensions = {w.partition(" ")[0].upper(): w.partition(" ")[2] for w in words}
        return True

    def start_tls(self, name: str) -> bool:
        """STARTTLS, the handshake and EHLO again (RFC 3207); whether all went well."""
        if "STARTTLS" not in self.extensions or self.command("STARTTLS")[0][:3] != "220":
            return False
        self._heard(Encrypt(NAME, name, REPLY_SECONDS))
        self.encrypted = not self.ended
        return self.encrypted and self.hello()

    def log_in(self, user: str, password: str) -> bool:
        """AUTH PLAIN (RFC 4616); whether it was taken."""
        token = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
        return self.command(f"AUTH PLAIN {token}")[0][:3] == "235"

    def command(self, text: str) -> list[str]:
        """Send a command; the lines of its reply. One of a connection that is gone is ``000``."""
        if self.ended:
            return [f"000 {self.ended}"]
        heard = self._say(text.encode() + b"\r\n", 1, REPLY_SECONDS)
        self.lines += [f"C: {text}", *(f"S: {line}" for reply in heard for line in reply)]
        return heard[-1] if heard and heard[-1] else ["000 silence"]

    def message(self, sender: str, recipients: list[str], text: bytes) -> tuple[str, str]:
        """A mail transaction: how far it came (``mail``, ``rcpt``, ``data``, ``accepted``), and the last reply."""
        if "PIPELINING" in self.extensions:
            return self._at_once(sender, recipients, text)
        reply = self.command(f"MAIL FROM:<{sender}>")
        if reply[0][:3] != "250":
            self.command("RSET")
            return "mail", reply[-1]
        taken = False
        for recipient in recipients:
            reply = self.command(f"RCPT TO:<{recipient}>")
            taken = taken or reply[0][:2] == "25"
        if not taken:
            self.command("RSET")
            return "rcpt", reply[-1]
        reply = self.command("DATA")
        if reply[0][:3] != "354":
            return "data", reply[-1]
        heard = self._say(text, 1, REPLY_SECONDS * 2)
        last = heard[-1][-1] if heard and heard[-1] else f"000 {self.ended}"
        self.lines += ["C: (text)", f"S: {last}"]
        return ("accepted" if last.startswith("250") else "data"), last

    def _at_once(self, sender: str, recipients: list[str], text: bytes) -> tuple[str, str]:
        """The same in one write for the envelope (RFC 2920), which is quicker."""
        commands = [f"MAIL FROM:<{sender}>", *(f"RCPT TO:<{recipient}>" for recipient in recipients), "DATA"]
        if self.ended:
            return "mail", f"000 {self.ended}"
        heard = self._say("".join(f"{c}\r\n" for c in commands).encode(), len(commands), REPLY_SECONDS)
        for command, reply in zip(commands, heard, strict=False):
            self.lines += [f"C: {command}", *(f"S: {line}" for line in reply)]
        if len(heard) < len(commands):
            return ("mail", "rcpt", "data")[min(len(heard), 2)], heard[-1][
                -1
            ] if heard else f"000 {self.ended}"
        if heard[-1][0][:3] == "354":
            last = self._say(text, 1, REPLY_SECONDS * 2)
            told = last[-1][-1] if last and last[-1] else f"000 {self.ended}"
            self.lines += ["C: (text)", f"S: {told}"]
            return ("accepted" if told.startswith("250") else "data"), told
        self.command("RSET")
        if heard[0][0][:3] != "250":
            return "mail", heard[0][-1]
        refused = [reply for reply in heard[1:-1] if reply[0][:2] != "25"]
        return ("rcpt", refused[0][-1]) if len(refused) == len(recipients) else ("data", heard[-1][-1])

    def refusals(self, envelopes: list[tuple[str, str]]) -> list[tuple[str, str] | None]:
        """Ask for many envelopes in one write: how far each came and the reply that ended it, ``None`` if taken.

        Envelopes that a server which hangs up has not answered are left out at the end.
        """
        commands = [c for s, r in envelopes for c in (f"MAIL FROM:<{s}>", f"RCPT TO:<{r}>", "RSET")]
        heard = self._say("".join(f"{c}\r\n" for c in commands).encode(), len(commands), REPLY_SECONDS * 2)
        found: list[tuple[str, str] | None] = []
        for place in range(len(heard) // 3):
            mail, rcpt, _ = heard[3 * place : 3 * place + 3]
            self.lines += [f"C: {commands[3 * place]}", f"S: {mail[-1]}"]
            self.lines += [f"C: {commands[3 * place + 1]}", f"S: {rcpt[-1]}"]
            if mail[0][:3] != "250":
                found.append(("mail", mail[-1]))
            else:
                found.append(None if rcpt[0][:2] == "25" else ("rcpt", rcpt[-1]))
        return found

    def close(self) -> None:
        """Hang up."""
        self.world.call(HangUp(NAME), timeout=5)

    def _say(self, data: bytes, replies: int, seconds: float) -> list[list[str]]:
        return self._heard(Say(NAME, data, replies, seconds))

    def _heard(self, operation: Dial | Say | Encrypt) -> list[list[str]]:
        answer = self.world.call(operation, timeout=operation.seconds * 3 + 5)
        self.ended = answer.end
        return answer.replies
