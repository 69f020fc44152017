"""Turns a command into facts: what the table's rules about it ask for, and what its replies name."""

from __future__ import annotations

import re

from grader.lesson.simulator import addresses, logins, parameters
from grader.lesson.simulator.state import Facts, Names, State
from grader.lesson.simulator.words import Word, until_nul

HEADER = re.compile(r"[!-9;-~]+[ \t]*:")
FOREIGN = re.compile(r"[^A-Za-z]")


def is_foreign(state: State, verb: str) -> bool:
    """Whether a line begins like another protocol, or like the header of a message."""
    return bool(verb in state.server.foreign or FOREIGN.match(verb) or HEADER.match(verb))


def of_command(state: State, verb: str, parts: list[Word]) -> tuple[Facts, Names]:
    """Facts of a command with its words; what MAIL declares is noted in the state, as Postfix does it."""
    match verb:
        case "MAIL" | "RCPT":
            return _envelope(state, verb, parts)
        case "AUTH":
            return _auth(state, parts)
        case "BDAT":
            return _chunk(state, parts)
        case "VRFY":
            return _vrfy(state, parts)
        case "ETRN":
            return _etrn(parts)
    return {}, {}


def _envelope(state: State, verb: str, parts: list[Word]) -> tuple[Facts, Names]:
    mail, wanted = state.mail, "FROM:" if verb == "MAIL" else "TO:"
    if verb == "MAIL":
        mail.utf8 = False  # Postfix forgets it even where the command is refused.
    if len(parts) < 3 or parts[1].text.upper() != wanted:
        return {"syntax": False}, {}
    options = [part.text for part in parts[3:]]
    if verb == "MAIL" and not mail.open:
        mail.utf8 = any(option.upper() == "SMTPUTF8" for option in options)
    strict = "strict-addresses" in state.switches
    address, good = _address(state, parts[2], utf8=mail.utf8, empty=verb == "MAIL", strict=strict)
    read = parameters.read(
        options, state.server.parameters[verb], submitter=verb == "MAIL" and mail.submitter
    )
    facts: Facts = {"syntax": True, "address": "good" if good else "bad", "parameter": read.fault}
    if verb == "MAIL":
        if good and not mail.open and mail.chunking == "none":
            # Postfix keeps what it read before a fault, until the next reset.
            mail.submitter = read.submitter
            mail.declared = mail.declared if read.declared is None else read.declared
        facts["size"] = "over" if mail.declared > state.limit else "fits"
    else:
        facts["recipients-full"] = mail.recipients >= state.server.limits.recipients
        facts |= _recipient(state, address)
    return facts, {"address": address, "parameter": read.text}


def _address(state: State, word: Word, *, utf8: bool, empty: bool, strict: bool) -> tuple[str, bool]:
    """The address in a word, without quotes, and whether it is a good one."""
    found = addresses.extract(word.text)
    bad = word.broken or found.parts > 1 or (not found.address and not empty)
    if strict:
        bad = bad or found.others > 0 or not word.text.startswith("<") or found.address.startswith("@")
    if found.address and not bad:
        place = addresses.resolve(state.server, found.address)
        bad = place.kind == "invalid" or not (utf8 or place.domain.isascii())
    return found.address, not bad


def _recipient(state: State, address: str) -> Facts:
    sender = addresses.resolve(state.server, state.mail.sender)
    owner = f"{_base(state, sender.user)}@{sender.domain}".lower()
    met = state.met.get(greylist_key(state, address), state.transactions)
    return {
        "recipient": _kind(state, address),
        "seen-before": met != state.transactions,
        "sender-foreign": state.user != ""
        and state.mail.sender != ""
        and owner != f"{state.user}@{state.server.domain}",
    }


def greylist_key(state: State, address: str) -> str:
    """How the greylist knows the sender of the transaction together with a recipient."""
    return f"{state.mail.sender}\n{address}".lower()


def _kind(state: State, address: str) -> str:
    """What a recipient is to this server; ``postmaster`` without a domain is above all checks."""
    if address.lower() == "postmaster":
        return "postmaster"
    place = addresses.resolve(state.server, address)
    if place.kind != "local":
        return "routed" if place.kind == "routed" else "outside"
    server, user = state.server, _base(state, place.user).lower()
    gone = "bob" if "no-such-user" in state.switches else ""
    if user == gone or user not in (*server.users, *server.aliases, *server.system):
        return "unknown"
    return "bob" if user == "bob" and place.domain.lower() in server.domains else "known"


def _base(state: State, user: str) -> str:
    """The user without an extension behind the delimiter (``bob+lists``)."""
    return user.partition(state.server.extension)[0] or user


def _vrfy(state: State, parts: list[Word]) -> tuple[Facts, Names]:
    texts = [part.text for part in parts[1:]]
    utf8 = bool(texts) and texts[-1].upper() == "SMTPUTF8"
    texts = texts[:-1] if utf8 else texts
    argument = " ".join(texts)
    address, good = _address(state, Word(argument), utf8=utf8, empty=False, strict=False)
    facts: Facts = {"syntax": bool(texts), "address": "good" if good else "bad"}
    if good:
        facts |= _recipient(state, address)
    return facts, {"address": address, "argument": argument}


def _etrn(parts: list[Word]) -> tuple[Facts, Names]:
    domain = parts[1].text if len(parts) > 1 else ""
    domain = domain[1:] if domain.startswith(("@", "#")) else domain
    valid = (domain.isascii() and addresses.is_hostname(domain)) or addresses.is_literal(domain)
    return {"domain-valid": valid}, {"argument": domain}


def _auth(state: State, parts: list[Word]) -> tuple[Facts, Names]:
    if not 2 <= len(parts) <= 3:
        return {}, {}
    state.mechanism = parts[1].text
    response = parts[2].text if len(parts) == 3 else None
    state.step = logins.begin(state.mechanism, response, state.server.users)
    return {"login": state.step.result}, {"mechanism": state.mechanism, "user": state.step.user}


def of_answer(state: State, line: str) -> tuple[Facts, Names]:
    """Facts of an answer to the server's question in a login."""
    too_long, line = len(line) >= state.server.limits.response, until_nul(line)
    if too_long:
        state.step = logins.LoginStep("long")
    elif line == "*":
        state.step = logins.LoginStep("aborted")
    else:
        state.step = logins.go_on(state.mechanism, state.step, line, state.server.users)
    return {"login": state.step.result}, {"user": state.step.user}


def _chunk(state: State, parts: list[Word]) -> tuple[Facts, Names]:
    size = parts[1].text if len(parts) > 1 else ""
    final = len(parts) == 3 and parts[2].text.upper() == "LAST"
    bad = len(parts) > 3 or (len(parts) == 3 and not final) or not parameters.NUMBER.fullmatch(size)
    if bad or parameters.is_beyond(size, parameters.LARGEST_FILE):
        return {"chunk": "bad"}, {}
    length = parameters.number(size)
    state.coming = (length, final)
    large = state.mail.size > state.limit - length
    return {"chunk": "empty" if not length and not final else "large" if large else "good"}, {}
