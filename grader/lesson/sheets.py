"""The reference sheets: their names are those of the lesson's pages, and what ``smtplab explain`` takes."""

from __future__ import annotations

from dataclasses import dataclass

from grader.lesson import entries
from grader.lesson.entries import LessonEntry


@dataclass(frozen=True)
class Sheet:
    """A sheet and the kinds of entries on it; none where it shows rules or standards.

    ``selection`` says what was chosen, and ``left_out`` names what was not, where it can be listed.
    """

    name: str
    title: str
    summary: str
    kinds: tuple[type[LessonEntry], ...]
    selection: str
    left_out: tuple[str, ...] = ()

    @property
    def rest(self) -> str:
        """What the sheet leaves out, as a sentence; empty where that cannot be listed."""
        if not self.left_out:
            return ""
        return f"Left out: {', '.join(self.left_out[:-1])} and {self.left_out[-1]}."


SHEETS: dict[str, Sheet] = {
    sheet.name: sheet
    for sheet in (
        Sheet(
            "commands",
            "Commands",
            "What a client may say, when, and what it may be answered.",
            (entries.CommandEntry,),
            "A selection: the commands of RFC 5321, and those of extensions that Postfix has. "
            "XCLIENT and XFORWARD stand among the extensions.",
            ("SEND", "SOML", "SAML", "TURN", "ATRN", "BURL"),
        ),
        Sheet(
            "extensions",
            "Extensions",
            "What a server offers in its answer to EHLO, and what a client may do then.",
            (entries.Extension,),
            "A selection: what Postfix offers, what large providers offer, and what one reads about. "
            "IANA has the whole list, obsolete ones among them.",
            (
                *(
                    "ATRN",
                    "BURL",
                    "CHECKPOINT",
                    "CONNEG",
                    "CONPERM",
                    "FUTURERELEASE",
                    "MTRK",
                    "NO-SOLICITING",
                    "RRVS",
                ),
                "EXPN and HELP as keywords",
                "what single vendors made",
            ),
        ),
        Sheet(
            "replies",
            "Reply codes",
            "Three digits that programs go by, and the finer enhanced codes behind them.",
            (entries.Class, entries.ReplyEntry, entries.Enhanced),
            "A selection: the codes of RFC 5321, and those of its extensions that administrators meet. Servers may use "
            "others, and clients go by the first digit then. IANA has the whole list of enhanced codes.",
            (
                *("355", "453", "523", "524", "525", "533"),
                *("X.3.6", "X.6.1", "X.6.2", "X.6.4", "X.6.5", "X.6.6", "X.6.8", "X.6.9"),
                *("X.7.2", "X.7.3", "X.7.4", "X.7.5", "X.7.6", "X.7.7", "X.7.10"),
                *("X.7.14", "X.7.15", "X.7.16", "X.7.17", "X.7.18", "X.7.19"),
            ),
        ),
        Sheet(
            "ports",
            "Ports and security",
            "Who knocks where, what has to be encrypted, and who may send mail to whom through a server.",
            (entries.Port,),
            "A selection: where mail is sent and fetched.",
            ("4190 (ManageSieve)", "628 (QMQP)", "web mail on 443"),
        ),
        Sheet(
            "headers",
            "Header fields",
            "The lines above a message's text: what people wrote, what servers added, and which of it to believe.",
            (entries.Header,),
            "A selection: what stands in the header of a message that one opens today. IANA has the whole list.",
            (
                "fields of X.400 and of news",
                "those of single vendors, such as X-Google-… and X-MS-…",
                "Content-ID and other MIME fields of parts",
            ),
        ),
        Sheet(
            "header-rules",
            "Rules for headers",
            "What a message must keep to, so that every program reads it alike.",
            (),
            "A selection: the rules that `smtplab header analyse` and the labs prove. "
            "What standards say about rare fields is left out.",
        ),
        Sheet(
            "authentication",
            "Authentication",
            "How users, domains and servers prove who they are: logins, SPF, DKIM, DMARC, ARC, TLS.",
            (entries.Mechanism,),
            "A selection: what is in use, and what is still read about.",
            (
                "DIGEST-MD5, NTLM, GSSAPI and ANONYMOUS",
                "S/MIME and OpenPGP, which are between people",
                "DomainKeys, ADSP and Sender ID, which are history",
            ),
        ),
        Sheet(
            "glossary",
            "Glossary",
            "The words of the field, each in one sentence.",
            (entries.Concept,),
            "A selection: words that have no entry of their own on the other sheets. The search finds those, too.",
        ),
        Sheet(
            "standards",
            "Standards",
            "The RFCs behind these pages, which of them are in force, and what replaced the others.",
            (),
            "A selection: the RFCs to which these pages refer, and what obsoleted them, after the RFC index. "
            "Updates are told where the newer document is in this list. What vendors do alone has no RFC.",
        ),
    )
}
