"""What the schema cannot say about a lab of the kind ``server``: names that nothing bears, what judges nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path as Folder

import msgspec

from grader.kinds.base import Words
from grader.kinds.server.declare import (
    BODY,
    LISTENERS,
    UNWANTED,
    USERS,
    WANTED,
    Expect,
    ServerCheck,
    ServerLab,
    SignatureExpect,
    Try,
)
from grader.kinds.server.functions import functions
from grader.kinds.server.places import INSTALLABLE, folder_of, installable
from grader.labs.world import ATTEMPT_NAMES, MADE_SOURCES, LabWorld, read_world
from grader.model.attempt import Mail
from grader.model.diagnostic import Diagnostic, Path, fault_at
from grader.model.templates import names_in, nearest, unknown_name

FIELDS = (
    BODY, "from", "to", "cc", "subject", "date", "message-id", "reply-to", "sender", "mime-version", "content-type",
    "content-transfer-encoding", "list-unsubscribe", "list-unsubscribe-post", "in-reply-to", "references",
)  # fmt: skip
"""What signatures cover, as a rule: a word that comes near to one of these, and is none, is a slip."""
WITHOUT_ATTEMPTS = ("running", "published")
"""Keys of ``expect`` that are judged of the server as a whole."""
OF_DIALOGUES = ("replies", "alike")
"""Those judged of what the commands of ``say`` were answered."""
OF_MAIL = ("arrives", "accounted", "legible", "refused", "arrivals-at-most", "signature", "kept")
"""Those judged of what became of a mail. All others look at whatever is tried."""


def complaints(lab: ServerLab) -> Iterator[Diagnostic]:
    """See ``grader.kinds.base.Author``: a complaint for each fault that is the kind's own."""
    world = read_world()
    yield from _not_installed(lab)
    codes = [check.code for check in lab.checks]
    for position, check in enumerate(lab.checks):
        here = ("checks", position)
        for number, attempt in enumerate(check.attempts):
            yield from _try_complaints(attempt, codes, world, (*here, "try", number))
        yield from _idle(check, here)
        yield from _not_there(lab, check, here)


def _not_installed(lab: ServerLab) -> Iterator[Diagnostic]:
    """Folders of the host in which nothing may be put, and files that are asked for and go nowhere."""
    rules, here = lab.submission, ("submission", "installs")
    named = rules.installs.items() if isinstance(rules.installs, dict) else [("", rules.installs)]
    for folder, place in named:
        to = place if isinstance(place, str) else place.to
        if not installable(to):
            sentence = f"nothing may be installed in {to}: choose a folder below {', '.join(INSTALLABLE)}"
            yield fault_at((*here, folder) if folder else here, sentence)
    for number, name in enumerate(rules.required):
        if folder_of(name, rules) is None:
            yield fault_at(
                ("submission", "required", number),
                f"{name!r} is asked for, and no folder of 'installs' takes it",
            )


def _not_there(lab: ServerLab, check: ServerCheck, here: Path) -> Iterator[Diagnostic]:
    """Expectations of services that the host does not run, and of records that nobody hands in."""
    for number, service in enumerate(check.expect.running):
        if service not in lab.host.services:
            yield fault_at(
                (*here, "expect", "running", number),
                f"{service!r} is not started: name it in 'services' of 'host'",
            )
    covers = check.expect.signature.covers if check.expect.signature else []
    for number, field in enumerate(covers):
        if field.lower() not in FIELDS and (hint := nearest("%r", field.lower(), FIELDS)):
            place = (*here, "expect", "signature", "covers", number)
            yield fault_at(place, f"no message of smtplab's has the field {field!r}{hint}")
    if check.expect.published and lab.submission.publishes is None:
        yield fault_at(
            (*here, "expect", "published"),
            "'published' is judged of records: name their folder in 'publishes' of 'submission'",
        )


def _idle(check: ServerCheck, here: Path) -> Iterator[Diagnostic]:
    """Expectations that would judge nothing: such a check would pass whatever the server does."""
    expected = {
        field.encode_name
        for field in msgspec.structs.fields(Expect)
        if getattr(check.expect, field.name) not in (False, None, [])
        or (field.name == "authenticates" and check.expect.authenticates is False)
    }
    if not expected:
        yield fault_at(
            (*here, "expect"),
            "nothing is expected, so that the check would judge nothing: say what must hold",
        )
    if not check.attempts and expected - set(WITHOUT_ATTEMPTS):
        key = sorted(expected - set(WITHOUT_ATTEMPTS))[0]
        yield fault_at(
            (*here, "expect", key), f"{key!r} is judged of what is tried, and nothing is: add 'try'"
        )
    if check.attempts:
        yield from _unlooked_at(check, expected, here)
    if check.expect.function is not None and check.expect.function not in (known := functions()):
        hint = nearest("%r", check.expect.function, known) or (
            f" (there are {', '.join(known)})" if known else " (no installed package brings any)"
        )
        yield fault_at(
            (*here, "expect", "function"), f"there is no judge function {check.expect.function!r}{hint}"
        )
    for key, given in (("accounted", check.expect.accounted), ("legible", check.expect.legible)):
        if given and check.expect.arrives not in UNWANTED:
            yield fault_at(
                (*here, "expect", key),
                f"'{key}' is judged of mail that is to arrive nowhere: write 'arrives: nowhere' beside it",
            )
    if check.expect.refused and check.expect.arrives in WANTED:
        yield fault_at(
            (*here, "expect", "refused"),
            f"what is refused does not arrive: make two checks of 'refused' and 'arrives: {check.expect.arrives}'",
        )
    if check.expect.signature is not None and check.expect.signature == SignatureExpect():
        yield fault_at(
            (*here, "expect", "signature"), "nothing is expected of signatures: say what must hold"
        )


def _unlooked_at(check: ServerCheck, expected: set[str], here: Path) -> Iterator[Diagnostic]:
    """Expectations of what is not tried, and what is tried and nothing is expected of."""
    if missing := list(_untried(check, expected)):
        yield from (fault_at((*here, "expect", key), sentence) for key, sentence in missing)
        return
    for number, attempt in enumerate(check.attempts):
        looking = expected - set(WITHOUT_ATTEMPTS)
        if not attempt.mail and not attempt.forms:
            looking -= set(OF_MAIL)
        if not attempt.say:
            looking -= set(OF_DIALOGUES)
        if expected and not looking:
            keys = " and ".join(map(repr, sorted(expected)))
            yield fault_at((*here, "try", number), f"nothing looks at what is tried here: {keys} cannot")


def _untried(check: ServerCheck, expected: set[str]) -> Iterator[tuple[str, str]]:
    """Each key of ``expect`` that is judged of what no ``try`` has, with a sentence."""
    said = [len(attempt.say) for attempt in check.attempts]
    mails = any(attempt.mail or attempt.forms for attempt in check.attempts)
    for key in sorted(expected.intersection(OF_DIALOGUES)):
        if not any(said):
            yield key, f"{key!r} is judged of what 'say' was answered, and no 'try' has it"
        elif key == "alike" and max(said) == 1:
            yield key, "'alike' compares answers, and 'say' has one command: add another"
    if "authenticates" in expected and not any(attempt.user for attempt in check.attempts):
        yield "authenticates", "'authenticates' is judged of a login, and no 'try' logs in: add 'as'"
    for key in sorted(expected.intersection(OF_MAIL)):
        if not mails:
            yield key, f"{key!r} is judged of a mail, and no 'try' sends one: add 'mail' or 'forms'"


def _try_complaints(
    attempt: Try, codes: list[str], world: LabWorld, here: tuple[str | int, ...]
) -> Iterator[Diagnostic]:
    listeners = [str(listener) for listener in attempt.on]
    sources = [*world.sources, *sorted(MADE_SOURCES)]
    yield from _unknown_words("source", attempt.sources, sources, (*here, "from"))
    yield from _unknown_words("listener", listeners, LISTENERS, (*here, "on"))
    yield from _unknown_words("list of forms", attempt.forms, sorted(world.forms), (*here, "forms"))
    if attempt.user is not None and attempt.user.removesuffix("!") not in USERS:
        yield fault_at(
            (*here, "as"), f"there is no user {attempt.user!r}; the users are {' and '.join(USERS)}"
        )
    for code in attempt.spared_by:
        if code not in codes:
            hint = nearest("%r", code, codes)
            yield fault_at((*here, "unless-arrived"), f"no check has the code {code!r}{hint}")
    if attempt.say and (attempt.mail or attempt.forms):
        yield fault_at((*here, "say"), "'say' stands instead of 'mail' and 'forms': make two entries of it")
    known_names = world.names.keys() | ATTEMPT_NAMES.keys()
    for number, form in enumerate(attempt.forms):
        for mail in world.forms.get(form, []):
            for _, name in mail_names(mail):
                if name not in known_names:
                    sentence = f"in form {mail.title!r}: {unknown_name(name, known_names)}"
                    yield fault_at((*here, "forms", number), sentence)
    for number, text in enumerate(attempt.say):
        for name in sorted(names_in(text) - known_names):
            yield fault_at((*here, "say", number), unknown_name(name, known_names))
    for number, mail in enumerate(attempt.mail):
        for key, name in mail_names(mail):
            if name not in known_names:
                yield fault_at((*here, "mail", number, key), unknown_name(name, known_names))


def _unknown_words(
    what: str, words: Sequence[str], known: Collection[str], here: tuple[str | int, ...]
) -> Iterator[Diagnostic]:
    for number, word in enumerate(words):
        if word not in known:
            hint = nearest("%r", word, known) or f" (there are {', '.join(known)})"
            yield fault_at((*here, number), f"there is no {what} {word!r}{hint}")


def mail_names(mail: Mail) -> Iterator[tuple[str, str]]:
    """Each key of a mail with each name that its text uses."""
    texts: list[tuple[str, str | None]] = [("from", mail.sender), ("title", mail.title), ("helo", mail.helo)]
    texts += [("parameters", mail.parameters), ("preamble", mail.preamble), ("header_from", mail.header_from)]
    texts += [("header_to", mail.header_to)]
    texts += [("to", text) for text in mail.to] + [("before", text) for text in mail.before]
    texts += [("fields", text) for text in mail.fields] + [("lines", text) for text in mail.lines]
    texts += [("rcpt_parameters", mail.rcpt_parameters)]
    for entry in mail.script:
        texts += [("script", text) for text in ([entry] if isinstance(entry, str) else entry)]
    for key, text in texts:
        if text and "{" in text:
            for name in sorted(names_in(text)):
                yield key, name


def completed(lab: ServerLab, path: Folder, data: bytes) -> ServerLab:
    """See ``grader.kinds.base.Author``: the file holds the whole lab."""
    return lab


def texts(lab: ServerLab, variant: str) -> dict[str, str]:
    """See ``grader.kinds.base.Author``: there are none."""
    return {}


def vocabulary() -> Sequence[Words]:
    """See ``grader.kinds.base.Author``."""
    from grader.kinds.server.words import made

    return made()
