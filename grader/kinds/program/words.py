"""The words of a lab of the kind ``program``, with what they mean."""

from __future__ import annotations

from grader.kinds.base import Words
from grader.kinds.program.declare import ENVIRONMENT, Program, RunMessage
from grader.labs.vocabulary import keys_of
from grader.model.submission_server import ServerBehaviour

EXPECTED = {
    "connects": "the program reaches the server",
    "delivers": "the server takes a message",
    "encrypts": "neither password nor message is sent before TLS stands, nor a recipient named",
    "keeps-secrets": "this server, which has the wrong certificate, gets neither",
    "chooses-mechanism": "the login works with what the server offers; LOGIN is remarked on",
    "hides-password": "no process list, output, log or file shows the password, for a moment neither",
    "envelope": "sender and recipients are those asked for, each once",
    "hides-bcc": "nobody else reads of a blind copy",
    "header": "the message's header keeps RFC 5322 and MIME",
    "text": "the message's text is the text",
    "lines": "lines end with CR LF and have at most 998 bytes",
    "whole": "no line of a text in ASCII is lost or altered",
    "tells": "the exit status is 0 exactly if all recipients named were taken",
    "obeys-no": "the same is not tried again after a 5xx",
    "does-not-hammer": "after a 4xx it is tried a few times, each after half a second",
    "ends": "the run ends in time",
}
TLS = {
    "starttls": "TLS after STARTTLS",
    "implicit": "TLS from the first byte",
    "stripped": "no TLS, and AUTH in the clear, as after an attack",
}
CERTIFICATE = {
    "trusted": "it can be verified",
    "other-name": "it is for another name",
    "self-signed": "nobody vouches for it",
    "expired": "its time is over",
}
MECHANISMS = {
    "PLAIN": "user and password in one answer (RFC 4616)",
    "LOGIN": "user and password in two answers; older, and not standardised",
}
MOMENTS = {
    "connect": "when the client connects, before the greeting",
    "ehlo": "after EHLO",
    "starttls": "after STARTTLS; with TLS from the first byte, the handshake",
    "auth": "after AUTH",
    "mail": "after MAIL",
    "rcpt": "after RCPT",
    "data": "after DATA",
    "text": "after the message's text",
}


def made() -> tuple[Words, ...]:
    """See ``grader.kinds.base.Author.vocabulary``."""
    server = "ServerBehaviour"
    return (
        Words("Expectations", "in `program` of `expect`", EXPECTED, (("ProgramExpect", "program"),)),
        Words("Keys of program", "in `program`", keys_of(Program)),
        Words("Names for the environment", "in braces in `environment` alone", ENVIRONMENT),
        Words("Keys of a server", "in each of `servers`", keys_of(ServerBehaviour)),
        Words("TLS of a server", "in `tls`", TLS, ((server, "tls"),)),
        Words("Certificates", "in `certificate`", CERTIFICATE, ((server, "certificate"),)),
        Words("AUTH", "in `mechanisms`", MECHANISMS, ((server, "mechanisms"),)),
        Words(
            "Moments of a session",
            "in `silent` and `hangs-up`, and before each of the `answers`",
            MOMENTS,
            ((server, "silent"), (server, "hangs-up"), (server, "answers")),
        ),
        Words("Keys of a message", "in each of `messages`", keys_of(RunMessage)),
    )
