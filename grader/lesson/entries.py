"""The entries of the lesson's reference: one type for each kind, as its YAML file declares them.

Texts are Markdown of the simplest sort: backticks for what is typed, no other marks. A fact stands in one entry; others
name the entry by its id. References have the form ``RFC 5321 section 4.1.1.1``, or ``RFC 2920`` for a whole document.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Text = Annotated[str, Meta(min_length=1)]
Id = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9.]+)*$", max_length=40)]
Reference = Annotated[str, Meta(pattern=r"^RFC [0-9]{3,5}( (section|appendix) [A-Z0-9]+(\.[0-9]+)*)?$")]
EnhancedCode = Annotated[str, Meta(pattern=r"^[245X]\.[0-9]{1,3}\.[0-9]{1,3}$")]


class LessonEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every entry has. ``remark`` tells readers of older material what they may have learnt otherwise."""

    id: Id
    title: Text
    summary: Annotated[Text, Meta(description="One line.", max_length=200)]
    text: Annotated[Text, Meta(description="The longer explanation.")]
    references: Annotated[list[Reference], Meta(min_length=1)]
    see: Annotated[list[Id], Meta(description="Ids of related entries.")] = []
    aliases: Annotated[list[Text], Meta(description="Other words under which it is looked up.")] = []
    remark: Annotated[Text | None, Meta(description="What older material says otherwise.")] = None
    defaults: Annotated[
        dict[str, str],
        Meta(description="Postfix's parameters that it tells of, as 3.10 has them unless set."),
    ] = {}


class SpokenLine(Struct, frozen=True, forbid_unknown_fields=True):
    """A line that real Postfix says, and when. ``seen`` is false for lines that stand in its documentation alone."""

    when: Text
    line: Text
    seen: bool = True


class CommandEntry(LessonEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An SMTP command. ``when`` says in which state of the session it is allowed."""

    verb: Annotated[str, Meta(pattern=r"^[A-Z]+$")]
    syntax: Annotated[list[Text], Meta(min_length=1)]
    when: Text
    example: Annotated[list[Annotated[str, Meta(pattern="^[CS]: ")]], Meta(min_length=2)]
    replies: Annotated[list[Id], Meta(min_length=1, description="Ids of the replies it may get.")]
    postfix: list[SpokenLine] = []
    extension: Annotated[Id | None, Meta(description="The extension that it belongs to.")] = None
    status: Literal["required", "optional", "extension", "obsolete"]


class Extension(LessonEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service extension: what EHLO shows, and what it adds to commands."""

    keyword: Annotated[str, Meta(pattern=r"^[A-Z0-9][A-Z0-9-]*$")]
    offer: Annotated[Text, Meta(description="The line in the answer to EHLO, without its code.")]
    adds: Annotated[list[Text], Meta(description="Commands and parameters that it adds.")] = []
    example: Annotated[list[Annotated[str, Meta(pattern="^[CS]: ")]], Meta(min_length=2)]
    postfix: Annotated[Text, Meta(description="Whether and when Postfix offers it.")]


class Class(LessonEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A class of replies: the first digit."""

    digit: Annotated[int, Meta(ge=2, le=5)]


class ReplyEntry(LessonEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reply code. ``action`` is what the client does next."""

    code: Annotated[int, Meta(ge=200, le=599)]
    cause: Text
    action: Text
    enhanced: list[EnhancedCode] = []
    postfix: list[SpokenLine] = []


class Enhanced(LessonEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An enhanced status code, class left open where several occur (``X.7.1``)."""

    code: EnhancedCode


class Port(LessonEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A TCP port. ``service`` is the name in IANA's registry; empty for a port without one."""

    port: Annotated[int, Meta(ge=1, le=65535)]
    service: str
    encryption: Text
    authentication: Text
    use: Text


Group = Literal[
    "originator",
    "destination",
    "information",
    "identification",
    "trace",
    "mime",
    "authentication",
    "list",
    "filter",
]


class Header(LessonEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A header field. ``count`` is how often it stands in a message; ``rules`` are ids of header rules."""

    name: Annotated[str, Meta(pattern=r"^[A-Za-z-]+$")]
    group: Group
    syntax: Text
    example: Text
    count: Literal["1", "0-1", "any"]
    by: Annotated[Text, Meta(description="Who writes it.")]
    rules: list[Id] = []


class TagEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A tag or term of a record or signature."""

    name: Text
    meaning: Text


class Mechanism(LessonEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How somebody proves who they are: a SASL mechanism, a DNS record, a signature, a policy."""

    kind: Literal["login", "domain", "transport"]
    example: Text
    where: Annotated[Text, Meta(description="Where it stands: a DNS name, a header field, a command.")]
    tags: list[TagEntry] = []
    pitfalls: list[Text] = []


class WayStep(LessonEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step of a message's way, in the file's order. ``actor`` does it, by ``protocol``."""

    actor: Text
    protocol: Text
    fails: Annotated[Text, Meta(description="What goes wrong here, and how one sees it.")]


class Topic(LessonEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subject that the lesson explains in prose, with an example where one helps."""

    example: str = ""


class Concept(LessonEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A word of the glossary."""


class Spoken(Struct, frozen=True, forbid_unknown_fields=True):
    """A line of an annotated conversation or message. ``who`` is empty for what is no line of the wire."""

    line: str
    note: str = ""
    who: Literal["C", "S", ""] = ""
    see: list[Id] = []


class Example(LessonEntry, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An annotated example: a session, or the trace of a message."""

    lines: Annotated[list[Spoken], Meta(min_length=1)]


class HeaderRule(Struct, frozen=True, forbid_unknown_fields=True):
    """What teaches a rule of ``grader.formats.message``: why it holds, what breaks it and what keeps it."""

    id: Id
    title: Text
    text: Text
    see: Annotated[list[Id], Meta(min_length=1)]
    wrong: str = ""
    right: str = ""
    without: Annotated[
        list[Text], Meta(description="Fields of the sample that the wrong example lacks.")
    ] = []


class HeaderRules(Struct, frozen=True, forbid_unknown_fields=True):
    """The file of header rules: a sample message, and the rules whose examples are laid over it."""

    sample: Text
    rules: list[HeaderRule]


Standing = Literal[
    "internet standard",
    "draft standard",
    "proposed standard",
    "best current practice",
    "informational",
    "experimental",
    "historic",
]


class Document(Struct, frozen=True, forbid_unknown_fields=True):
    """An RFC: its number, what it is called, its year and standing, and its relations in the RFC index.

    What obsoleted a document may be obsolete itself by now; ``Library.today`` says what is in force instead.
    """

    number: int
    title: Text
    year: int
    status: Standing
    obsoleted: Annotated[list[int], Meta(description="RFCs that obsoleted it, as the RFC index says.")] = (
        field(name="obsoleted-by", default_factory=list)
    )
    updated: Annotated[list[int], Meta(description="RFCs of this list that update it.")] = field(
        name="updated-by", default_factory=list
    )
    note: str = ""
