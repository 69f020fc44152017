"""The pages of the lesson, in the order in which it is read, and where each entry of the reference is at home."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from grader.lesson import entries
from grader.lesson.entries import LessonEntry
from grader.lesson.library import Library
from grader.lesson.sheets import SHEETS
from grader.lesson.simulator import page as simulator
from grader.lesson.site import mail, quiz, values
from grader.lesson.site.handouts import Handout, handouts

Group = Literal["Learn", "Look up", "Practise", "Labs"]
GROUPS: tuple[Group, ...] = ("Learn", "Look up", "Practise", "Labs")


def _nothing(library: Library) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True)
class Page:
    """A page: ``name`` is its file's, its template's and that of its style sheet and script, where it has them.

    ``label`` is a shorter title for the menu. ``kinds`` and ``topics`` say which entries are at home on the page, whole
    kinds or single ones: there their anchors stand. ``values`` are for the template; ``data``, made of the library and
    the addresses of its entries, is what the page's script reads, and must be fit for JSON. ``styles`` and ``scripts``
    name files besides the page's own, which come first. ``sheet`` marks a reference sheet, which fits one or two
    printed pages; ``selection`` and ``left_out`` say of what it is a part. ``practises`` names the entries that one
    tries out on the page: those lead to it.
    """

    name: str
    title: str
    summary: str
    group: Group
    label: str = ""
    kinds: tuple[type[LessonEntry], ...] = ()
    topics: tuple[str, ...] = ()
    values: Callable[[Library], Mapping[str, object]] = _nothing
    data: Callable[[Library, Mapping[str, str]], object] | None = None
    template: str = ""
    styles: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    sheet: bool = False
    practises: tuple[str, ...] = ()
    selection: str = ""
    left_out: str = ""

    @property
    def file(self) -> str:
        """The page's file in the site's folder."""
        return f"{self.name}.html"


def _sheet(
    name: str,
    *,
    topics: tuple[str, ...] = (),
    values: Callable[[Library], Mapping[str, object]] = _nothing,
) -> Page:
    sheet = SHEETS[name]
    return Page(
        name,
        sheet.title,
        sheet.summary,
        "Look up",
        kinds=sheet.kinds,
        topics=topics,
        values=values,
        styles=("entry", "sheet", "dialogue"),
        scripts=("sheet",),
        sheet=True,
        selection=sheet.selection,
        left_out=sheet.rest,
    )


PAGES: tuple[Page, ...] = (
    Page(
        "index",
        "Learn to run a mail server",
        "A way through these pages and the labs, from the first greeting to signed mail.",
        "Learn",
        label="The way through",
    ),
    Page(
        "travel",
        "How mail travels",
        "What SMTP is, who takes part, and every step from one person's keyboard to another's screen.",
        "Learn",
        kinds=(entries.WayStep,),
        topics=("smtp", "push", "connection", "command-reply", "esmtp", "roles", "store-and-forward"),
        values=values.overview,
        styles=("entry",),
    ),
    Page(
        "session",
        "Conversations",
        "What two programs say to each other while a message changes hands, and why they say it.",
        "Learn",
        kinds=(entries.Example,),
        topics=("session-order",),
        styles=("entry", "dialogue"),
    ),
    Page(
        "delivery",
        "Delivery in Postfix",
        "How Postfix decides where a message goes, and what to ask one that does not serve.",
        "Learn",
        kinds=(entries.Topic,),
        topics=("log-lines", "log-warnings", "log-faults", "bounce-report"),
        styles=("entry", "dialogue"),
    ),
    _sheet("commands"),
    _sheet("extensions"),
    _sheet("replies", values=values.replies),
    _sheet("ports", topics=("submission", "open-relay", "relay-restrictions"), values=values.ports),
    _sheet("headers", topics=("header-section", "trace-reading", "trace"), values=values.headers),
    _sheet("header-rules", values=values.rules),
    _sheet("authentication", topics=("domain-authentication", "signing"), values=values.mechanisms),
    _sheet("glossary", values=values.glossary),
    _sheet("standards", values=values.standards),
    Page(
        "header-builder",
        "Header builder",
        "Fill in fields and watch the message come about: folded, encoded, and with every line explained.",
        "Practise",
        values=mail.builder_values,
        data=mail.builder_data,
        styles=("message",),
        scripts=mail.BUILDER_SCRIPTS,
        practises=("header-section",),
    ),
    Page(
        "header-analyser",
        "Header analyser",
        "Open a message and see which way it came, what was proved about its sender, and what is wrong with it.",
        "Practise",
        values=mail.analyser_values,
        data=mail.analyser_data,
        styles=("message",),
        scripts=mail.ANALYSER_SCRIPTS,
        practises=("trace-reading", "trace"),
    ),
    Page(
        "search",
        "Find a word",
        "Every command, code, port, field, mechanism and term of these pages, from A to Z.",
        "Look up",
        label="Search and index",
        values=values.index,
        data=values.search,
        scripts=("search-find",),
    ),
    Page(
        "simulator",
        "SMTP simulator",
        "Talk to a mail server as a mail client does, line by line, and see what it says and why.",
        "Practise",
        values=simulator.values,
        data=simulator.data,
        scripts=("simulator-words", "simulator-facts", "simulator-session", "simulator-transcript"),
        practises=("session-order", "session", "session-refused"),
    ),
    Page(
        "quiz",
        "Knowledge check",
        "Ten questions on commands, codes, ports, security, headers and delivery, with a word on every answer.",
        "Practise",
        values=quiz.values,
        data=quiz.data,
        scripts=("quiz-core", "quiz-typed", "quiz-fields"),
    ),
)  # fmt: skip


def lab_pages() -> tuple[Page, ...]:
    """A page for the handout of each lab. Raises ``LabError`` as ``handouts`` does."""
    return tuple(_lab_page(handout) for handout in handouts())


def _lab_page(handout: Handout) -> Page:
    lab = handout.lab
    shown = {"lab": lab, "handout": handout.html, "sheets": handout.sheets}
    return Page(
        f"lab-{lab.id}",
        lab.title,
        lab.summary,
        "Labs",
        values=lambda library: shown,
        template="lab.html.j2",
        styles=("entry", "lab"),
        practises=handout.sheets,
    )


def homes(pages: tuple[Page, ...], library: Library) -> dict[str, Page]:
    """The page on which each entry stands, by the entry's id."""
    single = {id_: page for page in pages for id_ in page.topics}
    whole = {kind: page for page in pages for kind in page.kinds}
    found = {}
    for entry in library.entries.values():
        page = single.get(entry.id) or whole.get(type(entry))
        if page is not None:
            found[entry.id] = page
    return found


def addresses(pages: tuple[Page, ...], library: Library) -> dict[str, str]:
    """Where each entry stands on the site, by the entry's id: its page's file and its anchor there."""
    return {id_: f"{page.file}#{id_}" for id_, page in homes(pages, library).items()}
