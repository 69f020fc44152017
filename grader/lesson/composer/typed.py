"""Reads addresses as people type them: names beyond ASCII, and with dots and parentheses, need no quotation marks."""

from __future__ import annotations

import re

from msgspec import Struct

from grader.lesson.composer.draft import UnusableText

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
DOT_ATOM = rf"{_ATOM}(?:\.{_ATOM})*"
_LOCAL = re.compile(DOT_ATOM)
_QUOTED_LOCAL = re.compile(r'"(?:[ !#-\[\]-~]|\\[ -~])*"')
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_BYTE = r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
_LITERAL = re.compile(rf"\[(?:{_BYTE}(?:\.{_BYTE}){{3}}|IPv6:[0-9A-Fa-f:.]{{2,45}})\]")
_ASCII = re.compile(r"[\x00-\x7f]*")
_LONGEST_LOCAL = 64
_LONGEST_DOMAIN = 255


class TypedMailbox(Struct, frozen=True):
    """An address with its display name, which may be empty."""

    name: str
    address: str


class Group(Struct, frozen=True):
    """A named group of mailboxes, which may be empty."""

    name: str
    mailboxes: list[TypedMailbox]


def read_addresses(text: str) -> list[TypedMailbox | Group]:
    """The addresses in a typed list. Raises ``UnusableText``."""
    return _Reader(text).addresses()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def addresses(self) -> list[TypedMailbox | Group]:
        found: list[TypedMailbox | Group] = []
        while True:
            name, spec, sign = self._item()
            if sign == ":":
                found.append(self._group(name))
            elif sign == ";":
                raise UnusableText("group", what="a semicolon stands there without a group before it")
            else:
                found.append(self._mailbox(name, spec, len(found)))
                self._at -= len(sign)
            if self._end():
                return found
            self._comma()

    def _end(self) -> bool:
        self._spaces()
        return self._at >= len(self._text)

    def _comma(self) -> None:
        if self._text[self._at] != ",":
            raise UnusableText("after-address", text=self._text[self._at :])
        self._at += 1

    def _spaces(self) -> None:
        while self._at < len(self._text) and self._text[self._at] == " ":
            self._at += 1

    def _group(self, name: str) -> Group:
        if not name:
            raise UnusableText("group", what="a colon stands there without a group's name before it")
        mailboxes: list[TypedMailbox] = []
        while True:
            inner, spec, sign = self._item()
            if sign == ":":
                raise UnusableText("group", what="a colon stands inside a group, which can hold no other")
            if inner or spec or sign == "," or mailboxes:
                mailboxes.append(self._mailbox(inner, spec, len(mailboxes)))
            if sign == ";":
                return Group(name, mailboxes)
            if sign != ",":
                raise UnusableText("group", what=f"the group '{_short(name)}' is not closed by a semicolon")

    def _mailbox(self, name: str, spec: str, place: int) -> TypedMailbox:
        if not spec:
            if name:
                raise UnusableText("at-missing", text=name)
            where = "behind a comma" if place else "before a comma" if self._text.strip(" ") else ""
            raise UnusableText("address-missing", where=where)
        check_address(spec)
        return TypedMailbox(name, spec)

    def _item(self) -> tuple[str, str, str]:
        """A display name, an address, and the sign behind them, which is taken too; each may be empty."""
        start = self._at
        name = ""
        while self._at < len(self._text):
            sign = self._text[self._at]
            if sign == '"':
                name += self._quoted()
            elif sign == "[":
                name += self._literal()
            elif sign == "<":
                return self._bracketed(_name(name, self._text[start : self._at]))
            elif sign == ">":
                raise UnusableText("bracket-stray")
            elif sign in ",;:":
                break
            else:
                name += sign
                self._at += 1
        source = self._text[start : self._at].strip(" ")
        sign = self._text[self._at : self._at + 1]
        self._at += len(sign)
        if sign == ":":
            return _name(name, source), "", sign
        return ("", source, sign) if "@" in source else (name.strip(" "), "", sign)

    def _bracketed(self, name: str) -> tuple[str, str, str]:
        end = self._text.find(">", self._at)
        if end < 0:
            raise UnusableText("bracket-open")
        spec = self._text[self._at + 1 : end].strip(" ")
        if not spec:
            raise UnusableText("address-missing", where="between the angle brackets")
        self._at = end + 1
        self._spaces()
        sign = self._text[self._at : self._at + 1]
        if sign and sign not in ",;":
            raise UnusableText("after-address", text=self._text[self._at :])
        self._at += len(sign)
        return name, spec, sign

    def _quoted(self) -> str:
        """The content of the quoted string that begins here."""
        kept = ""
        self._at += 1
        while self._at < len(self._text):
            sign = self._text[self._at]
            if sign == '"':
                self._at += 1
                return kept
            if sign == "\\" and self._at + 1 < len(self._text):
                self._at += 1
                sign = self._text[self._at]
            kept += sign
            self._at += 1
        raise UnusableText("quote-open")

    def _literal(self) -> str:
        """An address literal, which holds colons; a bracket that is none is taken by itself."""
        end = self._text.find("]", self._at)
        literal = self._text[self._at : end + 1]
        kept = literal if end > 0 and _LITERAL.fullmatch(literal) else "["
        self._at += len(kept)
        return kept


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:29] + "…"


def _name(name: str, source: str) -> str:
    """A display name. Raises ``UnusableText`` where it would need quotation marks that were not typed."""
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", source)
    if "@" in outside:
        raise UnusableText("name-needs-quotes", text=source.strip(" "), sign="@")
    return name.strip(" ")


def check_address(spec: str) -> None:
    """Hold an address against RFC 5321 section 4.1.2. Raises ``UnusableText``."""
    local, at, domain = spec.rpartition("@")
    if not at:
        raise UnusableText("at-missing", text=spec)
    if not local:
        raise UnusableText("local-missing", text=spec)
    if not domain:
        raise UnusableText("domain-missing", text=spec)
    _check_local(local, spec)
    check_domain(domain, spec)


def _check_local(local: str, spec: str) -> None:
    if not _ASCII.fullmatch(local):
        raise UnusableText("local-utf8", text=spec)
    if "=?" in local:
        raise UnusableText("encoded-place", text=spec)
    if not (_LOCAL.fullmatch(local) or _QUOTED_LOCAL.fullmatch(local)):
        if " " in local:
            raise UnusableText("address-space", text=spec)
        strange = re.search(rf"(?!\.){_NOT_ATEXT}", local)
        if strange:
            raise UnusableText("local-characters", text=spec, sign=strange[0])
        raise UnusableText("local-dots", text=spec)
    if len(local) > _LONGEST_LOCAL:
        raise UnusableText("local-length", length=len(local))


_NOT_ATEXT = r"[^A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"


def check_domain(domain: str, spec: str) -> None:
    """Hold a domain, or an address literal, against RFC 5321 section 4.1.2. Raises ``UnusableText``."""
    if " " in domain:
        raise UnusableText("address-space", text=spec)
    if not _ASCII.fullmatch(domain):
        raise UnusableText("domain-idn", text=spec, label=_a_label(domain))
    if domain.startswith("[") and _LITERAL.fullmatch(domain):
        return
    if not DOMAIN.fullmatch(domain) or len(domain) > _LONGEST_DOMAIN:
        raise UnusableText("domain-form", text=domain)


def _a_label(domain: str) -> str:
    """A hint of how a domain beyond ASCII is written; empty where no rule gives one."""
    import idna

    try:
        label = idna.encode(domain, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return ""
    # A character that IDNA drops may leave a domain that is no A-label.
    return f", {label}" if DOMAIN.fullmatch(label) and "xn--" in label else ""
