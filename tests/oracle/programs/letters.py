"""What the program is asked to send: drawn anew for each mutant, within what the handout says that there may be."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

# Short ones: longer than that, Python's `formataddr` makes an encoded word beyond 75 characters of it. And none with a
# sign that ends an atom in a word of ASCII beside one that is not: s-nail encodes the latter alone, whatever one does.
NAMES = (
    "Erika Lang", "Lang", "E. Lang", "Jürgen Lang-Weiß", "Dr. E. Lang", "Lang, Erika", "O'Brien, Pat",
    'Erika "Rikki" Lang',
    "Back\\slash", "Lang (Sales)", "[Sales] Lang", "Lang <x>", "a@b", "Sales: Lang; Weiss", "Müller, Zoë_2",
    "Jürgen Weiß", "东京太郎", "Ελένη Παπαδοπούλου", "Ångström_Berg, Åsa", "Zoë =? Q", "100 % Lang",
    "$HOME `id` $(id)", "Lang & Söhne, Zürich",
    "a*b?c", "#1 Lang", "-n Lang", "Lang  Erika", "Юрий Гагарин", "😀 Lang", "Lang!", "~root", "Lang/Weiß", "%s %d %n",
)  # fmt: skip
SUBJECTS = (
    "Minutes of Tuesday's meeting", "Grüße aus Zürich: 5 € für Frühstück ☕", "Ünïcödé", "-e is an option",
    "会議の議事録をお送りします。来週の月曜日までにご確認ください。", "a, b; c: d", "[list] Re: x",
    " blank at the beginning", "two  blanks", "$HOME `id` \\n \\x41 %s", 'The "offer" isn\'t', "<b>bold</b>", "=",
    "Größe_2 = 5? ja_", "the end is a blank ", "x" * 60 + " " + "y" * 60,
    "*", "Bcc: nobody", "\\", "😀😀😀 " * 12 + "!",
    "A subject that is quite long because whoever wrote it had a lot to say of what the letter is about, and more " * 2
    + "end", "Ä" * 20, "The subject: of it", "Fwd: Re: AW: 1/2",
)  # fmt: skip
LOCALS = (
    "{w}", "{w}", "{w}.{v}", "o'{w}", "{w}+{v}", "{w}_{v}", "Sales.{w}", "{w}-{v}", "{w}#1", "{w}/x", "{w}=x", "{w}%s",
    "{w}&{v}", "{w}*", "{w}?", "{w}!{v}", "{w}$HOME", "{w}`id`", "{w}~",
    "{w}|{v}", "{w}{{{v}}}", "{w}^{v}", "{w}%20{v}",
)  # fmt: skip
"""Local parts; behind each comes a number."""
WORDS = (
    "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heath", "inlet", "knoll", "larch", "maple",
    "north", "ocean", "pearl", "quartz", "ridge", "stone", "tulip", "umber", "vale", "willow",
)  # fmt: skip
DOMAINS = ("elsewhere.example", "partner.example", "third.example", "example.com", "mail.third.example")
LINES = (
    "Dear all,", "", "here is the report.", ".", "..", ".profile", "...and so on", "Grüße aus Zürich, 5 €.", "-- ",
    "  indented", "\ta tab", "trailing blanks  ", "=3D and =C3=BC", "%FROM% \\n $HOME `id` $(id)",
    "東京で会いましょう", "long " * 300, "ü" * 700, "one\u2028line", "one\x0cline", "one\u0085line", "<b>&amp;</b>",
    "QUIT", "> quoted", "-----BEGIN", "a\u00a0b", "x" * 1200, "Cafe\u0301 \ufb01n", "=", "end=", "# comment", "EOF",
    "END",    ".. \u00fc", "😀", "To: nobody", "\"quoted\" 'too'",
)  # fmt: skip
# None begins with a hyphen: swaks takes it for an option, however one hands it over in the environment.
PASSWORDS = (
    "{s}", "{s}", "{s}", ' {s} ', "a\"{s}'b", "{s}\\n%41", "$HOME{s}", "#{s}", "{s}\\", "{s}:@/", "`{s}`",
    "<{s}>", "{s}%", "'{s}", "{s}  {s}", "!{s}!", "*{s}?", "{{{s}}}", "{s};#", "~{s}", "={s}=",
)  # fmt: skip
WORST_NAME = 'Lang, E. "R" \\ (x) [y] <z> a@b: c;'
"""A name with every sign that ends an atom."""
WORST = " a\"{s}'\\n $HOME `id` %41 #1 &:/@|;*?<> "
"""A password with a sign for every way of handing it on."""
FILES = ("letter.txt", "the letter.txt", "-letter", "brief'1.txt")


@dataclass(frozen=True)
class Letter:
    """What a run is to send."""

    sender: str
    name: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    subject: str
    body: str
    file: str = "letter.txt"

    @property
    def recipients(self) -> tuple[str, ...]:
        """Everybody who is to get it."""
        return (*self.to, *self.cc, *self.bcc)

    @property
    def lines(self) -> list[str]:
        """The lines of its file, the last of which may lack its end."""
        lines = self.body.split("\n")
        return lines[:-1] if not lines[-1] else lines


class Writer:
    """Writes letters. No two have an address in common."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._count = 0
        self._worst, self._worst_name = WORST, WORST_NAME

    def plain(self) -> Letter:
        """A letter with nothing odd in it, and somebody in each field."""
        body = "Dear all,\n\nhere is the report of last night. Everything went well.\n\nRegards,\nErika\n"
        return Letter(
            self._address("example.com"), "Erika Lang", self._addresses(1, odd=False),
            self._addresses(2, odd=False), self._addresses(1, odd=False), "Report of last night", body,
        )  # fmt: skip

    def odd(self) -> Letter:
        """A letter with something odd in it."""
        random = self._random
        lines = random.choices(LINES, k=random.choice((0, 1, 2, 6, 12)))
        body = "\n".join(lines) + random.choice(("\n", "\n", "\n", "")) if lines else ""
        return Letter(
            self._address("example.com"), self._name(),
            self._addresses(random.choice((1, 1, 2, 3))), self._addresses(random.choice((0, 1, 2))),
            self._addresses(random.choice((0, 0, 1, 2))), random.choice(SUBJECTS), body, random.choice(FILES),
        )  # fmt: skip

    def _name(self) -> str:
        """A name, or none; the first odd one is as odd as can be."""
        name, self._worst_name = self._worst_name or self._random.choice((*NAMES, *NAMES, "")), ""
        return name

    def login(self, *, odd: bool) -> tuple[str, str]:
        """A user and a password, which stands nowhere by chance; the first odd one is as odd as can be."""
        secret = "".join(self._random.choices("abcdefghjkmnpqrstuvwxyz23456789", k=14))
        form = "{s}"
        if odd:
            form, self._worst = self._worst or self._random.choice(PASSWORDS), ""
        return f"user{self._number()}", form.format(s=secret)

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _address(self, domain: str, *, odd: bool = False) -> str:
        random = self._random
        form = random.choice(LOCALS) if odd else "{w}"
        local = form.format(w=random.choice(WORDS), v=random.choice(WORDS))
        return f"{local}{random.randrange(1000, 9999)}x{self._number()}@{domain}"

    def _addresses(self, count: int, *, odd: bool = True) -> tuple[str, ...]:
        domains = self._random.choices(DOMAINS, k=count)
        return tuple(self._address(domain, odd=odd) for domain in domains)
