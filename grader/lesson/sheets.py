"""The reference sheets: their names are those of the lesson's pages, and what ``smtplab explain`` takes."""

from __future__ import annotations

from dataclasses import dataclass

from grader.lesson import entries
from grader.lesson.entries import LessonEntry


@dataclass(frozen=True)
class Sheet:
    """A sheet and the kinds of entries on it; none where it shows rules or standards."""

    name: str
    title: str
    summary: str
    kinds: tuple[type[LessonEntry], ...] = ()


SHEETS: dict[str, Sheet] = {
    sheet.name: sheet
    for sheet in (
        Sheet(
            "commands",
            "Commands",
            "What a client may say, when, and what it may be answered.",
            (entries.CommandEntry,),
        ),
        Sheet(
            "extensions",
            "Extensions",
            "What a server offers in its answer to EHLO, and what a client may do then.",
            (entries.Extension,),
        ),
        Sheet(
            "replies",
            "Reply codes",
            "Three digits that programs go by, and the finer enhanced codes behind them.",
            (entries.Class, entries.ReplyEntry, entries.Enhanced),
        ),
        Sheet(
            "ports",
            "Ports and security",
            "Who knocks where, what has to be encrypted, and who may send mail to whom through a server.",
            (entries.Port,),
        ),
        Sheet(
            "headers",
            "Header fields",
            "The lines above a message's text: what people wrote, what servers added, and which of it to believe.",
            (entries.Header,),
        ),
        Sheet(
            "header-rules",
            "Rules for headers",
            "What a message must keep to, so that every program reads it alike.",
        ),
        Sheet(
            "authentication",
            "Authentication",
            "How users, domains and servers prove who they are: logins, SPF, DKIM, DMARC, ARC, TLS.",
            (entries.Mechanism,),
        ),
        Sheet("glossary", "Glossary", "The words of the field, each in one sentence.", (entries.Concept,)),
        Sheet(
            "standards",
            "Standards",
            "The RFCs behind these pages, which of them are in force, and what replaced the others.",
        ),
    )
}
