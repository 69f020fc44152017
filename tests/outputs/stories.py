"""Evidence that looks like that of a real run, written session by session."""

from __future__ import annotations

import msgspec

from grader.kinds.server.declare import Expect, ServerCheck, ServerLab, ServerSubmission
from grader.kinds.server.facts import ServerEvidence, ServerFacts
from grader.model.evidence import Evidence
from grader.model.traffic import Arrival, AttemptFacts, Command, Line, Outcome, Query, Queued, Reply, Session

IMAGE = "sha256:5c9f7d1b9a3f4e1c8a27d0b6f2f5c1e0d7a9b3c4e5f60718293a4b5c6d7e8f90"
MTA = "Postfix 3.10.5"

CHECKS = {
    "starts": ("Your server starts and greets on ports 25, 587 and 465", 10),
    "local": ("Mail for alice@example.com arrives in her mailbox", 15),
    "unknown": ("Mail for nobody you know is refused while the sender is still connected", 10),
    "office": ("The office can send mail to the outside", 10),
    "login": ("alice can send mail to the outside after logging in, over TLS", 15),
    "stranger": ("Strangers cannot send mail through your server to other people", 25),
    "allow-lists": ("No sender, HELO or client name opens the server", 10),
    "leaks": ("VRFY, EXPN and ETRN tell strangers nothing", 5),
}
WHY = {
    "starts": "A server that does not greet receives nothing; other servers give up after some days.",
    "local": "Receiving its own domain's mail is what the server is for.",
    "unknown": "A bounce sent later goes to whoever the spammer wrote into MAIL FROM. Servers that send such "
    "backscatter are put on block lists.",
    "office": "Colleagues send their mail through this server.",
    "login": "People outside the office are known by their password, and one sent in the clear is everybody's.",
    "stranger": "An open relay is found by spammers within hours and then blocked by everybody else.",
    "allow-lists": "MAIL FROM, HELO and PTR names are what the stranger says they are.",
    "leaks": "Address harvesters ask with VRFY and EXPN; ETRN lets anybody start queue runs.",
}
SEE = {
    "stranger": ["RFC 5321 section 7.9", "sheet open-relay"],
    "unknown": ["RFC 5321 section 6.1", "sheet backscatter"],
}


def lab() -> ServerLab:
    return ServerLab(
        id="open-relay",
        title="A mail server that relays for its own people and for nobody else",
        version="1.0",
        summary="Configure Postfix.",
        submission=ServerSubmission(required=["main.cf"], installs="/etc/postfix"),
        checks=[
            ServerCheck(
                code=code,
                title=title,
                points=points,
                expect=Expect(greets=True),
                why=WHY[code],
                next="End the relay restrictions with reject_unauth_destination.",
                see=SEE.get(code, ["RFC 5321"]),
                explain=EXPLAIN,
            )
            for code, (title, points) in CHECKS.items()
        ],
    )


EXPLAIN = """\
A mail server *relays* when it takes a message from somebody else's client for somebody else's mailbox.

- Relaying for your own people is your job.
- Relaying for strangers makes you an **open relay**.

Look at every listener of `master.cf`:

    postconf -P | grep restrictions
"""


NOBODY = "550 5.1.1 <nobody>: Recipient address rejected: User unknown in local recipient table"

LOG = [
    "0.041 postfix/master[1]: daemon started -- version 3.10.5, configuration /etc/postfix",
    *(
        f"{0.06 + n / 100:.3f} postfix/smtpd[{40 + n}]: NOQUEUE: reject: RCPT from unknown[198.51.100.66]: 554 5.7.1 "
        f"<rosa.k{n}v0@elsewhere.example>: Relay access denied; proto=ESMTP helo=<relay.stranger.example>"
        for n in range(1, 9)
    ),
    "0.150 postfix/smtpd[44]: warning: hostname office.example.com does not resolve to address 10.20.30.50",
    "0.162 postfix/qmgr[20]: 4Xb002Zk: from=<victor@elsewhere.example>, size=412, nrcpt=1 (queue active)",
    "0.171 postfix/smtp[51]: 4Xb002Zk: to=<rosa.k2v1@elsewhere.example>, relay=mx.elsewhere.example[198.51.100.25]:25, "
    "delay=0.02, dsn=2.0.0, status=sent (250 OK)",
    "0.172 postfix/qmgr[20]: 4Xb002Zk: removed",
]

SOURCES = {
    "stranger": "198.51.100.66",
    "neighbour": "10.99.0.66",
    "stranger-v6": "2001:db8:bad::66",
    "office": "10.20.30.50",
}
FORMS = [
    ("plain relay", "{token}@elsewhere.example"),
    ("percent hack", "{token}%elsewhere.example@mail.example.com"),
    ("quoted", '"{token}@elsewhere.example"'),
    ("source route", "@mail.example.com:{token}@elsewhere.example"),
    ("bang path", "elsewhere.example!{token}"),
]
LISTENERS = ["25", "25+starttls", "465", "587"]


class Story:
    """Evidence written line by line."""

    def __init__(self) -> None:
        self.at = 60.0
        self.attempts: list[AttemptFacts] = []
        self.outcomes: list[Outcome] = []
        self.sessions: list[Session] = []
        self.arrivals: list[Arrival] = []
        self.queued: list[Queued] = []

    def session(
        self, source: str, listener: str, check: str, *, relays: bool = False, banner: str = ""
    ) -> None:
        """One session with an attempt for each form; ``relays`` says whether the percent hack gets through."""
        number = len(self.sessions) + 1
        lines: list[Line] = []

        def say(who: str, *texts: str) -> None:
            for text in texts:
                self.at += 0.7
                lines.append(Line(round(self.at, 1), who, text))  # type: ignore[arg-type]

        say("S", banner or "220 mail.example.com ESMTP Postfix")
        say("C", "EHLO relay.stranger.example")
        say(
            "S", "250-mail.example.com", "250-PIPELINING", "250-SIZE 10240000", "250-STARTTLS", "250 8BITMIME"
        )
        if "starttls" in listener:
            say("C", "STARTTLS")
            say("S", "220 2.0.0 Ready to start TLS")
            say("*", "TLSv1.3, TLS_AES_256_GCM_SHA384")
            say("C", "EHLO relay.stranger.example")
            say("S", "250-mail.example.com", "250 8BITMIME")
        for index, (title, form) in enumerate(FORMS):
            token = f"rosa.k{number}v{index}"
            recipient = form.format(token=token)
            sender = "victor@elsewhere.example"
            attempt = f"{check}/{number}-{index}"
            first = len(lines)
            say("C", f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>")
            say("S", "250 2.1.0 Ok")
            if relays and title == "percent hack":
                say("S", "250 2.1.5 Ok")
                say("C", "DATA")
                say("S", "354 End data with <CR><LF>.<CR><LF>")
                say(
                    "C",
                    f"From: {sender}",
                    f"To: {recipient}",
                    f"Subject: About {token}",
                    "",
                    f"See you, {token}.",
                    ".",
                )
                say("S", f"250 2.0.0 Ok: queued as 4Xb{number:03d}Zk")
                stage, text = "accepted", lines[-1].text
                arrival = len(self.arrivals)
                raw = (
                    f"Received: from mail.example.com (mail.example.com [203.0.113.10])\r\n"
                    f"\tby mx.elsewhere.example with ESMTP; Mon, 02 Mar 2026 09:15:04 +0000\r\n"
                    f"Received: from relay.stranger.example (unknown [{SOURCES[source]}])\r\n"
                    f"\tby mail.example.com (Postfix) with ESMTP id 4Xb{number:03d}Zk\r\n"
                    f"From: {sender}\r\nTo: {recipient}\r\nSubject: About {token}\r\n\r\nSee you, {token}.\r\n"
                )
                self.arrivals.append(
                    Arrival(
                        id=arrival,
                        place="outside",
                        where="mx.elsewhere.example",
                        attempts=[attempt],
                        raw=raw.encode(),
                        at=round(self.at + 21, 1),
                        client="203.0.113.10",
                        sender=sender,
                        recipients=[f"{token}@elsewhere.example"],
                    )
                )
            else:
                say("S", f"554 5.7.1 <{recipient}>: Relay access denied")
                stage, text = "rcpt", lines[-1].text
                say("C", "RSET")
                say("S", "250 2.0.0 Ok")
            self.attempts.append(
                AttemptFacts(
                    id=attempt,
                    check=check,
                    title=title,
                    source=source,
                    address=SOURCES[source],
                    listener=listener,
                    token=token,
                    sender=sender,
                    recipients=[recipient],
                )
            )
            decisive = next(i for i in range(len(lines) - 1, -1, -1) if lines[i].text == text)
            reply = Reply(f"RCPT TO:<{recipient}>", int(text[:3]), text, decisive)
            self.outcomes.append(
                Outcome(attempt, stage, number, [reply], first_line=first, last_line=len(lines) - 1)  # type: ignore[arg-type]
            )
        say("C", "QUIT")
        say("S", "221 2.0.0 Bye")
        self.sessions.append(
            Session(number, source, SOURCES[source], "203.0.113.10", listener, "quit", lines)
        )

    def dialogue(self, source: str, check: str, exchanges: list[tuple[str, str]]) -> None:
        """One session in which commands are spoken and no mail is sent."""
        number = len(self.sessions) + 1
        spoken = [("S", "220 mail.example.com ESMTP Postfix"), ("C", "EHLO relay.stranger.example")]
        spoken += [("S", "250-mail.example.com"), ("S", "250 8BITMIME")]
        first = len(spoken)
        replies = []
        for command, reply in exchanges:
            spoken += [("C", command), ("S", reply)]
            replies.append(Reply(command, int(reply[:3]), reply, len(spoken) - 1))
        last = len(spoken) - 1
        spoken += [("C", "QUIT"), ("S", "221 2.0.0 Bye")]
        lines = [Line(self.at + index, who, text) for index, (who, text) in enumerate(spoken)]  # type: ignore[arg-type]
        self.sessions.append(Session(number, source, SOURCES[source], "203.0.113.10", "25", "quit", lines))
        facts = AttemptFacts(
            id=f"{check}/{number}",
            check=check,
            title="VRFY",
            source=source,
            address=SOURCES[source],
            listener="25",
        )
        self.attempts.append(facts)
        self.outcomes.append(Outcome(facts.id, "said", number, replies, first_line=first, last_line=last))

    def evidence(self, **fields: object) -> ServerEvidence:
        known = {
            "lab": lab(),
            "student": None,
            "variant": "canonical",
            "names": {"domain": "example.com", "host": "mail.example.com"},
            "started": "2026-03-02T09:15:04.218Z",
            "duration": 0.412,
            "engine": "local",
            "image": IMAGE,
            "mta": MTA,
            "attempts": self.attempts,
            "outcomes": self.outcomes,
            "sessions": self.sessions,
            "arrivals": self.arrivals,
            "queued": self.queued,
            "queries": [
                Query(141.2, "203.0.113.10", "elsewhere.example", "MX", "10 mx.elsewhere.example"),
                Query(141.9, "203.0.113.10", "mx.elsewhere.example", "A", "198.51.100.25"),
                Query(142.3, "203.0.113.10", "mx.elsewhere.example", "AAAA", "no data"),
            ],
            "commands": [
                Command(["postfix", "check"], 0, ""),
                Command(
                    ["postconf", "-n"],
                    0,
                    "inet_protocols = all\nmydestination = $mydomain, localhost\nmydomain = example.com\n"
                    "mynetworks = 127.0.0.0/8 10.0.0.0/8\nmyhostname = mail.example.com\n",
                ),
            ],
            "log": LOG,
            "listening": [25, 465, 587],
            "files": ["main.cf", "master.cf"],
            **fields,
        }
        of_facts = {field.name for field in msgspec.structs.fields(ServerFacts)}
        facts = ServerFacts(**{key: value for key, value in known.items() if key in of_facts})  # type: ignore[arg-type]
        head = {key: value for key, value in known.items() if key not in of_facts}
        return Evidence(facts=facts, **head)  # type: ignore[arg-type]
