"""Submission servers on loopback addresses, each with manners of its own; a thread for every connection.

They keep no more than what was said, and when: what is right of it is judged elsewhere.
"""

from __future__ import annotations

import base64
import contextlib
import random
import re
import select
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

IDLE_SECONDS = 60.0
MOST_OCTETS = 200_000
"""Of a line or a message, that are kept."""
TLS_RECORD = b"\x16\x03"
"""How a handshake begins; no command does."""


class Silence(Exception):
    """From here on the server says nothing more."""


class Gone(Exception):
    """The client is gone, or the server hangs up."""


class Server:
    """One server, for one run of the program. ``spec`` holds the fields of ``servers.Behaviour``."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self.spec = spec
        self.sessions: list[list[dict[str, Any]]] = []
        self.context: ssl.SSLContext | None = None
        if spec["certificate"]:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
                file.write(spec["key"] + spec["certificate"])
                file.flush()
                self.context.load_cert_chain(file.name)
        self._socket = socket.create_server((spec["address"], spec["port"]), backlog=50)
        threading.Thread(target=self._accept, daemon=True).start()

    def busy(self) -> bool:
        """Whether a session has not ended yet, or somebody waits for one to begin."""
        waiting, _, _ = select.select([self._socket], [], [], 0)
        return bool(waiting) or any(not record or record[-1]["kind"] != "end" for record in self.sessions)

    def _accept(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            record: list[dict[str, Any]] = []
            self.sessions.append(record)
            session = Session(self, connection, record, first=len(self.sessions) == 1)
            threading.Thread(target=session.run, daemon=True).start()


class Session:
    """One connection, and its record: an entry for each thing that the client said, with the reply."""

    def __init__(
        self, server: Server, connection: socket.socket, record: list[dict[str, Any]], first: bool
    ) -> None:
        self.spec, self.context, self.record, self.first = server.spec, server.context, record, first
        self.socket: socket.socket = connection
        self.socket.settimeout(IDLE_SECONDS)
        self.pending = b""
        self.tls = self.logged_in = False
        self.recipients: list[str] | None = None

    def run(self) -> None:
        """Speak with the client until one of both has enough."""
        self._note("open", "", "")
        try:
            self._speak()
        except Silence:
            self._note("silence", "", "")
            with contextlib.suppress(OSError):
                while self.socket.recv(4096):
                    pass
        except (Gone, OSError):
            pass
        self._note("end", "", "")
        self.socket.close()

    def _note(self, kind: str, said: bytes | str, reply: str) -> None:
        data = said if isinstance(said, bytes) else said.encode()
        self.record.append(
            {
                "kind": kind, "said": base64.b64encode(data[:MOST_OCTETS]).decode(), "reply": reply,
                "tls": self.tls, "at": time.monotonic(),
            }
        )  # fmt: skip

    def _speak(self) -> None:
        if self.spec["tls"] == "implicit":
            self._wrap()
        reply = self._reply_at("connect", f"220 {self.spec['name']} ESMTP")
        self._say("greeting", b"", reply)
        if reply[0] in "45":
            raise Gone
        while True:
            self._command(self._line())

    def _wrap(self) -> None:
        """Begin TLS. What the client had sent before belongs to nobody (RFC 3207 section 4.2)."""
        self._moment("handshake")
        assert self.context is not None
        self.pending = b""
        try:
            self.socket = self.context.wrap_socket(self.socket, server_side=True)
        except OSError as error:
            self._note("no-tls", "", str(error))
            raise Gone from error
        self.tls = True
        self._note("tls", "", "")

    def _more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise Gone
        self.pending += data

    def _line(self) -> bytes:
        """The next line with its end. What breaks off within one is noted as well."""
        try:
            while b"\n" not in self.pending and not self.pending.startswith(TLS_RECORD):
                self._more()
        except Gone:
            if self.pending:
                self._note("broken-off", self.pending, "")
            raise
        if self.pending.startswith(TLS_RECORD):
            self._note("tls-unasked", "", "")
            raise Gone
        line, _, self.pending = self.pending.partition(b"\n")
        return line + b"\n"

    def _say(self, kind: str, said: bytes, reply: str) -> None:
        self._note(kind, said, reply)
        data = reply.replace("\n", "\r\n").encode() + b"\r\n"
        pieces = [data]
        if self.spec["pieces"] and not reply.startswith(("334", "220 go")):
            cuts = sorted(random.sample(range(1, len(data)), 2))
            pieces = [data[: cuts[0]], data[cuts[0] : cuts[1]], data[cuts[1] :]]
        for piece in pieces:
            if len(pieces) > 1:
                time.sleep(0.03)  # what a network may let pass between two packets
            self.socket.sendall(piece)
        if reply.startswith("421"):
            raise Gone

    def _moment(self, name: str) -> None:
        if self.spec["silent"] == name:
            raise Silence
        if self.spec["hangs_up"] == name:
            raise Gone

    def _reply_at(self, moment: str, usual: str) -> str:
        """The reply at a moment, unless the server falls silent or hangs up there."""
        self._moment(moment)
        other: str | None = self.spec["answers"].get(moment)
        reply = usual if other is None or (self.spec["once"] and not self.first) else other
        if self.spec["pieces"] and reply[3] == " " and not reply.startswith(("334", "220 go")):
            return f"{reply[:3]}-A word more.\n{reply}"
        return reply

    def _command(self, line: bytes) -> None:
        text = line.decode("utf-8", "replace").strip()
        verb, _, argument = text.partition(" ")
        handlers: dict[str, Callable[[bytes, str], None]] = {
            "EHLO": self._ehlo, "HELO": self._helo, "STARTTLS": self._starttls, "AUTH": self._auth,
            "MAIL": self._mail, "RCPT": self._rcpt, "DATA": self._data, "QUIT": self._quit, "RSET": self._rset,
        }  # fmt: skip
        handler = handlers.get(verb.upper())
        if handler:
            handler(line, argument.strip())
        else:
            self._say(
                "command", line, "250 2.0.0 Ok" if verb.upper() == "NOOP" else "502 5.5.1 Unknown command"
            )

    def _ehlo(self, line: bytes, argument: str) -> None:
        self.recipients = None
        offered = [self.spec["name"], "PIPELINING", f"SIZE {self.spec['size']}"]
        may_log_in = self.tls or self.spec["tls"] in ("stripped", "refused")
        if self.spec["tls"] in ("starttls", "refused") and not self.tls:
            offered.append("STARTTLS")
        if may_log_in:
            offered.append(f"AUTH {' '.join(self.spec['mechanisms'])}")
        offered += ["8BITMIME", "SMTPUTF8"]
        usual = "\n".join([*(f"250-{word}" for word in offered[:-1]), f"250 {offered[-1]}"])
        self._say("command", line, self._reply_at("ehlo", usual if argument else "501 5.5.4 EHLO who"))

    def _helo(self, line: bytes, argument: str) -> None:
        self.recipients = None
        self._say("command", line, f"250 {self.spec['name']}" if argument else "501 5.5.4 HELO who")

    def _starttls(self, line: bytes, argument: str) -> None:
        if self.tls or self.spec["tls"] in ("stripped", "implicit"):
            self._say("command", line, "502 5.5.1 No STARTTLS here")
            return
        reply = self._reply_at("starttls", "220 go ahead")
        self._say("command", line, reply)
        if reply.startswith("220"):
            self._wrap()

    def _auth(self, line: bytes, argument: str) -> None:
        mechanism, _, response = argument.partition(" ")
        mechanism = mechanism.upper()
        said = line
        if not self.tls and self.spec["tls"] not in ("stripped", "refused"):
            self._say("auth", line, "538 5.7.11 Encryption required")
            return
        if mechanism not in self.spec["mechanisms"] or self.logged_in:
            self._say("auth", line, "503 5.5.1 You are" if self.logged_in else "504 5.5.4 Not offered")
            return
        given: list[bytes] = []
        prompts = ["VXNlcm5hbWU6", "UGFzc3dvcmQ6"] if mechanism == "LOGIN" else [""]
        for prompt in prompts:
            if not response:
                self._moment("auth")
                self.socket.sendall(f"334 {prompt}\r\n".encode())
                more = self._line()
                said += more
                response = more.decode("ascii", "replace").strip()
            try:
                given.append(base64.b64decode(response, validate=True))
            except ValueError:
                self._say("auth", said, "501 5.5.2 Not base64")
                return
            response = ""
        login = b"\0".join(given) if mechanism == "LOGIN" else given[0].partition(b"\0")[2]
        right = login == f"{self.spec['user']}\0{self.spec['password']}".encode()
        usual = "235 2.7.0 Welcome" if right or not self.spec["honest"] else "535 5.7.8 Not so"
        reply = self._reply_at("auth", usual)
        self.logged_in = reply.startswith("235")
        self._say("auth", said, reply)

    def _mail(self, line: bytes, argument: str) -> None:
        if not self.logged_in:
            usual = "530 5.7.0 Log in first"
        elif self.recipients is not None:
            usual = "503 5.5.1 One at a time"
        elif not re.match(r"FROM:\s*<", argument, re.IGNORECASE):
            usual = "501 5.5.4 MAIL FROM:<address>"
        elif self._announced(argument) > self.spec["size"]:
            usual = "552 5.3.4 Too big"
        else:
            usual = "250 2.1.0 Ok"
        reply = self._reply_at("mail", usual)
        if reply[0] == "2":
            self.recipients = []
        self._say("command", line, reply)

    @staticmethod
    def _announced(argument: str) -> int:
        sizes = [word[5:] for word in argument.upper().split() if word.startswith("SIZE=")]
        return int(sizes[0]) if sizes and sizes[0].isdigit() else 0

    def _rcpt(self, line: bytes, argument: str) -> None:
        if self.recipients is None:
            self._say("command", line, "503 5.5.1 MAIL first")
            return
        # A blank before the address is not allowed (RFC 5321 section 3.3), and taken by most servers.
        if not (found := re.match(r"TO:\s*<(.*)>", argument, re.IGNORECASE)):
            self._say("command", line, "501 5.5.4 RCPT TO:<address>")
            return
        path = found[1]
        self._moment("rcpt")
        reply = self._reply_at(f"rcpt:{path}", "250 2.1.5 Ok")
        if reply[0] == "2":
            self.recipients.append(path)
        self._say("command", line, reply)

    def _data(self, line: bytes, argument: str) -> None:
        if not self.recipients:
            self._say("command", line, "503 5.5.1 RCPT first")
            return
        reply = self._reply_at("data", "354 Go on")
        self._say("command", line, reply)
        if reply[0] != "3":
            return
        end = b"\r\n.\r\n"
        self.pending = b"\r\n" + self.pending
        try:
            while end not in self.pending:
                self._more()
        except Gone:
            self._note("broken-off-text", self.pending[2:], "")
            raise
        text, _, self.pending = self.pending.partition(end)
        usual = "250 2.0.0 Taken" if len(text) <= self.spec["size"] else "552 5.3.4 Too big"
        try:
            reply = self._reply_at("text", usual)
        except (Silence, Gone):
            self._note("text", text[2:] + b"\r\n", "")
            raise
        self.recipients = None
        self._say("text", text[2:] + b"\r\n", reply)

    def _rset(self, line: bytes, argument: str) -> None:
        self.recipients = None
        self._say("command", line, "250 2.0.0 Ok")

    def _quit(self, line: bytes, argument: str) -> None:
        self._say("command", line, self._reply_at("quit", "221 2.0.0 Bye"))
        raise Gone
