"""Address lists (RFC 5322 section 3.4) without the obsolete forms of its section 4.4, which may not be written."""

from __future__ import annotations

from msgspec import Struct

from grader.formats.message.lexer import HeaderToken, Malformed, tokens

END = HeaderToken("", "", -1, False)


class Mailbox(Struct, frozen=True):
    """An address. ``dotted`` says whether its display name has a dot outside quotes."""

    name: str
    local: str
    domain: str
    dotted: bool = False


class Addresses(Struct, frozen=True):
    """An address list: its mailboxes, those in groups included, and the names of the groups.

    ``count`` is how many addresses it holds, where a group counts as one (RFC 5322 section 3.4).
    """

    mailboxes: list[Mailbox]
    groups: list[str]
    count: int


def parse_addresses(text: str) -> Addresses:
    """The addresses in a field's body. Raises ``Malformed``."""
    return _Parser(text).addresses()


class _Parser:
    def __init__(self, text: str) -> None:
        self._length = len(text)
        self._tokens = tokens(text)
        self._next = 0

    def addresses(self) -> Addresses:
        mailboxes: list[Mailbox] = []
        groups: list[str] = []
        count = 0
        while True:
            self._address(mailboxes, groups)
            count += 1
            if self._peek() is END:
                return Addresses(mailboxes, groups, count)
            self._take(",", "a comma is missing between two addresses")

    def _peek(self) -> HeaderToken:
        return self._tokens[self._next] if self._next < len(self._tokens) else END

    def _pop(self) -> HeaderToken:
        token = self._peek()
        self._next += 1
        return token

    def _wrong(self, what: str) -> Malformed:
        token = self._peek()
        return Malformed(what, self._length if token is END else token.position)

    def _take(self, kind: str, otherwise: str) -> HeaderToken:
        if self._peek().kind != kind:
            raise self._wrong(otherwise)
        return self._pop()

    def _address(self, mailboxes: list[Mailbox], groups: list[str]) -> None:
        words = self._words()
        if self._peek().kind == ":" and words:
            self._pop()
            groups.append(_joined(words))
            self._group(mailboxes)
        else:
            mailboxes.append(self._mailbox(words))

    def _group(self, mailboxes: list[Mailbox]) -> None:
        while self._peek().kind != ";":
            mailboxes.append(self._mailbox(self._words()))
            if self._peek().kind != ";":
                self._take(",", "the group is not closed by a semicolon")
        self._pop()

    def _words(self) -> list[HeaderToken]:
        words: list[HeaderToken] = []
        while self._peek().kind in ("atom", "quoted", "."):
            words.append(self._pop())
        return words

    def _mailbox(self, words: list[HeaderToken]) -> Mailbox:
        if self._peek().kind != "<":
            return self._address_spec(words, "", False)
        self._pop()
        if words and words[0].kind == ".":
            raise Malformed("a display name begins with a dot", words[0].position)
        dotted = any(word.kind == "." for word in words)
        if self._peek().kind == "@":
            raise self._wrong("a source route, which is no longer used, stands before the address")
        mailbox = self._address_spec(self._words(), _joined(words), dotted)
        self._take(">", "the angle bracket is not closed")
        return mailbox

    def _address_spec(self, words: list[HeaderToken], name: str, dotted: bool) -> Mailbox:
        if self._peek().kind != "@":
            raise self._wrong("an address has no @" if words else "an address is missing")
        if not words:
            raise self._wrong("nothing stands before the @")
        local = _dotted(words, "before the @")
        at = self._pop()
        if at.spaced:
            raise Malformed("white space stands before the @", at.position)
        return Mailbox(name, local, self._domain(), dotted)

    def _domain(self) -> str:
        token = self._peek()
        if token.spaced:
            raise self._wrong("white space stands behind the @")
        if token.kind == "literal":
            return self._pop().text
        labels: list[HeaderToken] = []
        # A word after white space is no part of the domain: it is what follows the address.
        while self._peek().kind in ("atom", ".") and not self._peek().spaced:
            labels.append(self._pop())
        if not labels:
            raise self._wrong("no domain stands behind the @")
        return _dotted(labels, "in the domain")


def _joined(words: list[HeaderToken]) -> str:
    return "".join((" " if word.spaced and place else "") + word.text for place, word in enumerate(words))


def _dotted(words: list[HeaderToken], where: str) -> str:
    """Words parted by single dots (dot-atom), or one quoted string. Raises ``Malformed``."""
    if len(words) > 1 and any(word.kind == "quoted" for word in words):
        raise Malformed(f"a quoted string and other words are mixed {where}", words[0].position)
    for place, word in enumerate(words):
        if (word.kind == ".") != (place % 2 == 1):
            what = "a dot has no word beside it" if word.kind == "." else "two words stand side by side"
            raise Malformed(f"{what} {where}", word.position)
        if place and word.spaced:
            raise Malformed(f"white space stands {where}", word.position)
    if words[-1].kind == ".":
        raise Malformed(f"a dot has no word beside it {where}", words[-1].position)
    return "".join(word.text for word in words)
