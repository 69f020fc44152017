"""The words of a lab of the kind ``server``, with what they mean."""

from __future__ import annotations

from grader.kinds.base import Words
from grader.kinds.server.declare import LISTENERS, USERS, Expect, SignatureExpect, Try
from grader.labs.vocabulary import form_words, keys_of
from grader.labs.world import ATTEMPT_NAMES, MADE_SOURCES, read_world
from grader.model.attempt import Mail

ARRIVES = {
    "outside": "in the outside mailbox; what is written to users of the server itself has to be taken",
    "mailbox": "in the mailbox of its recipient on the server",
    "nowhere": "in no mailbox outside, neither arrived nor queued for it",
    "nobody": "in no mailbox outside, and in none on the server either",
}
SERVICES = {
    "postfix": "Postfix, the mail server",
    "dovecot": "Dovecot, which answers at private/auth whether a password is right (SASL)",
    "opendkim": "OpenDKIM, which signs",
}


def made() -> tuple[Words, ...]:
    """See ``grader.kinds.base.Author.vocabulary``."""
    world = read_world()
    sources = {name: source.about for name, source in world.sources.items()}
    wrong = {f"{user}!": f"{user}, with a wrong password" for user in USERS}
    beside = {name: about for name, about in SERVICES.items() if name != "postfix"}
    return (
        Words("Keys of try", "in each entry of `try`", keys_of(Try)),
        Words("Sources", "in `from`: who connects", {**sources, **MADE_SOURCES}, (("Try", "from"),)),
        Words(
            "Listeners",
            "in `on`: to which port, and whether in TLS",
            LISTENERS,
            (("Try", "on"),),
            closed=False,
        ),
        Words("Users", "in `as`: who logs in", {**USERS, **wrong}, (("Try", "as"),)),
        Words("Forms", "in `forms`: lists of mails", form_words(), (("Try", "forms"),), closed=False),
        Words("Keys of a mail", "in `mail`, and in files of forms", keys_of(Mail)),
        Words("Names of attempts", "in braces in `mail`, `say` and forms alone", ATTEMPT_NAMES),
        Words("Expectations", "in `expect`; all that are given must hold for every attempt", keys_of(Expect)),
        Words("Where mail arrives", "in `arrives`", ARRIVES, (("Expect", "arrives"),)),
        Words("Signatures", "in `signature`", keys_of(SignatureExpect)),
        Words("Services", "in `services` of `host`", SERVICES, (("HostServices", "services"),)),
        Words(
            "Services beside Postfix",
            "in `running` and `stopped`",
            beside,
            (("Expect", "running"), ("Try", "stopped")),
        ),
    )
