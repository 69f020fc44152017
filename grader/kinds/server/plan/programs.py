"""The programs that a submission brings along, and the words in them that may decide about a mail.

A program that speaks on a port, or that Postfix asks (spawn(8), a milter, a policy server, a filter), may relay for
anything that a client says: a verb, a parameter, a field, the hundredth recipient. What it waits for stands in its
text, most often. Nothing is concluded from that: the words only choose what is tried.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from msgspec import Struct

from grader.formats.settings.files import logical_lines
from grader.kinds.server.facts import UntoldProgram
from grader.kinds.server.plan.folding import assembled, syntax
from grader.kinds.server.plan.opacity import sign_in
from grader.kinds.server.plan.patterns import HOLE, PatternText, samples
from grader.model.latepattern import late_pattern

MOST_FIELDS = 10
MOST_WORDS = 16
MOST_HOSTS = 4
MOST_VERBS = 6
"""All are said in one session, in which Postfix bears nine errors."""
MOST_PARAMETERS = 8
MOST_PIECES = 2_000
LONGEST = 200_000
"""Characters of a program that are read: whoever writes more did not write it for this lab."""
LARGEST_NUMBER = 1 << 30

_NAME = late_pattern(r"\.(?:py|pl|sh|rb|lua|js|php)\Z")
_COMPILED = late_pattern(r"\.(?:db|lmdb|cdb|dir|pag)\Z")
_DOTTED = late_pattern(r"\.(?:py|rb|lua|js)\Z")
_DOTTED_FIRST_LINE = late_pattern(r"#!.*\b(?:python|ruby|lua|node)")
"""Languages in which a dot stands between names, so that ``self.wire`` looks like a domain."""
_RUN = late_pattern(r"argv=(.*)|\"?\|(.*)")
_CODE = late_pattern(r"\s-[a-z]*[ce]\s")
_TEXT = late_pattern(
    r"#[^\n]*|(\"\"\"|''')((?:[^\\]|\\.)*?)(?:\1|\Z)|\"((?:[^\"\\\n]|\\.)*)\"?|'((?:[^'\\\n]|\\.)*)'?",
    re.DOTALL,
)
"""A comment, or a text in quotation marks as most languages write it. One without an end takes the rest, once."""
_ESCAPE = late_pattern(r"\\(?:[rnt0]|x[0-9A-Fa-f]{2})")
_PATTERN = late_pattern(r"[\\^$*+?\[(|]")
_SURELY_PATTERN = late_pattern(r"\\[.dDwWsSbB]|^\^|\$$|[.\])][*+]|\[[^\]]{1,60}\]|\(\w{1,60}\|")
"""What stands in a regular expression and hardly in any other text."""
_BETWEEN_SLASHES = late_pattern(
    r"(?:=~ ?m?|\bqr)/((?:[^/\\\n]|\\.){1,500})/|/((?:[^/\\\n]|\\.){1,500})/\.test\("
)
"""How Perl, Ruby and JavaScript write one."""
_PRINTABLE = late_pattern(r"[ -~]{3,60}")
_STRINGS = late_pattern(rb"[ -~]{3,60}")
_NUMBER = late_pattern(
    r"(?<![\w.])(\d[\d_]{0,9})(?:\s{0,3}(\*\*?|<<)\s{0,3}(\d{1,7}))?(?:\s{0,3}\*\s{0,3}(\d{1,7}))?(?![\w.])"
)
_PARAMETER = late_pattern(r"[A-Z][A-Z0-9-]{1,18}(?:=[!-<>-~]*)?")
_VERB = late_pattern(r"[A-Z]{3,12}|[a-z]{3,12}")
_FIELD = late_pattern(r"([A-Za-z][A-Za-z0-9-]{1,30}):(?: ?([!-~][ -~]*)|\s*)")
_FIELD_NAME = late_pattern(r"[Xx]-[A-Za-z0-9-]{1,30}|[A-Z][a-z]+(?:-[A-Z][A-Za-z]+)+")
_KNOWN_FIELD = late_pattern(
    r"subject|comments|keywords|organization|precedence|priority|importance|sensitivity|sender|reply-to|b?cc|user-agent",
    re.IGNORECASE,
)
_OF_SMTP = late_pattern(
    r"ehlo|helo|mail|rcpt|data|bdat|rset|noop|quit|help|vrfy|expn|etrn|starttls|auth|pipelining|chunking|size|dsn|"
    r"8bitmime|smtputf8|enhancedstatuscodes|body=?(?:8bitmime|7bit)?|ret=?(?:full|hdrs)?|envid=?|notify=?|orcpt=?|"
    r"size=?|from|to|last|connect|get|post|e?smtp|plain|login|utf-?8|ascii|latin-?1|replace|ignore|strict|[rwab]b?",
    re.IGNORECASE,
)
"""Words of the protocol, which are tried anyway, and of reading and writing."""
_HOST = late_pattern(r"[a-z][a-z0-9-]{0,30}\.?")
_HOSTS = ("mail", "mailhost", "mta", "mx", "outbound", "relay")
"""What mail servers are called everywhere. Other words are compared with a name's beginning where a dot ends them."""
_COMPARED = late_pattern(r"\b(?:helo|(?:reverse_)?client)_name=([\w.-]{2,60})")
"""What a program in the shell compares a line of Postfix's question with, without quotation marks."""
_HOST_NAME = late_pattern(r"[A-Za-z0-9][A-Za-z0-9.-]{1,60}")
_REPLY = late_pattern(r"[2-5]\d\d[ -]")


class Program(Struct, frozen=True):
    """A program's text. In a ``dotted`` language a dot between two words is no domain's.

    ``assembled`` are the words that it puts together, ``untold`` says why a run cannot tell all that it decides.
    """

    text: str
    dotted: bool = False
    assembled: list[str] = []
    untold: UntoldProgram | None = None


class Programs(Struct, frozen=True):
    """What all programs of a submission hold. Without one, all is empty, and ``brought`` is false."""

    brought: bool = False
    verbs: list[str] = []
    """Words that may be commands."""
    parameters: list[str] = []
    """Words that may stand behind MAIL or RCPT."""
    fields: list[str] = []
    """Fields of a header, whole."""
    hosts: list[str] = []
    """Words that may be a host's name."""
    words: list[str] = []
    """Texts that a letter may hold."""
    numbers: list[int] = []
    untold: list[UntoldProgram] = []
    """Those of which a run cannot tell all that they decide."""

    def largest(self, most: int, least: int) -> int:
        """The largest number up to ``most``, ``least`` where there is none: whoever counts, counts up to a number."""
        if not self.numbers:
            return least
        return max((number for number in self.numbers if number <= most), default=least)


def host_names(found: Programs, domain: str) -> list[str]:
    """Names of hosts below a domain that begin as a program's words do: whoever owns one may call a client so."""
    words = [word for word in found.words if _HOST.fullmatch(word) and (word[-1] == "." or word in _HOSTS)]
    return [f"{word.rstrip('.')}.{domain}" for word in words[:MOST_HOSTS]]


def programs(files: Mapping[str, bytes]) -> dict[str, Program]:
    """The programs among the files, by their names, and what ``argv=`` itself tells a shell or the like to do."""
    run = [" ".join(filter(None, found)) for line in _settings(files) for found in _RUN.findall(line)]
    named = {word.rpartition("/")[2]: line for line in run for word in re.split(r"[\s\"',{}]+", line)}
    found = {f"argv {number}": Program(line) for number, line in enumerate(run) if _CODE.search(line)}
    read = logical_lines(files.get("master.cf", b"")[:LONGEST].decode("utf-8", "replace"))
    master = [" ".join(text for _, text in parts) for parts in read]
    for name, data in sorted(files.items()):
        if name.endswith(".cf") or _COMPILED.search(name):
            continue
        base = name.rpartition("/")[2]
        if data.startswith(b"\x7fELF"):
            found[name] = Program(
                "\n".join(f'"{text.decode()}"' for text in _STRINGS.findall(data, 0, LONGEST))
            )
        elif b"\0" not in data and (data.startswith(b"#!") or _NAME.search(name) or base in named):
            text = data[:LONGEST].decode("utf-8", "replace")
            first = text.partition("\n")[0]
            by_name = (
                _DOTTED.search(name) or _DOTTED_FIRST_LINE.match(first) or "python" in named.get(base, "")
            )
            found[name] = _program(name, text, bool(by_name), _services(master, base))
    return found


def _program(name: str, text: str, dotted: bool, services: list[str]) -> Program:
    tree = syntax(text) if dotted else None
    words = assembled(text, quoted(Program(text)), tree)
    sign = sign_in(text, tree)
    untold = UntoldProgram(name, services, sign.words, sign.line) if sign is not None else None
    return Program(text, dotted, words, untold)


def _services(master: list[str], base: str) -> list[str]:
    """The services of master.cf (master(5)), by its lines, that run a file of this name."""
    named = ((line.split(), re.split(r"[\s/\"',{}=]+", line)) for line in master if base in line)
    return [fields[0] for fields, words in named if len(fields) > 7 and base in words]


def _settings(files: Mapping[str, bytes]) -> Iterator[str]:
    """Lines that may say what is run: in master.cf and main.cf, and in tables of aliases."""
    for name, data in sorted(files.items()):
        if b"\0" in data or data.startswith(b"#!"):
            continue
        for line in data[:LONGEST].decode("utf-8", "replace").splitlines():
            if not line.lstrip().startswith("#") and ("argv=" in line or (":" in line and "|" in line)):
                yield line[:1_000] if name.endswith(".cf") else line.partition(":")[2][:1_000]


def expressions(found: Iterable[Program]) -> list[str]:
    """The regular expressions with which programs compare what they are told, each once."""
    texts: dict[str, None] = {}
    for program in found:
        literal = (match[1] or match[2] for match in _BETWEEN_SLASHES.finditer(program.text))
        texts |= dict.fromkeys([*literal, *filter(_SURELY_PATTERN.search, quoted(program))])
    return list(texts)


def parts(found: Iterable[Program], domain: str, lan: str) -> list[PatternText]:
    """Beginnings of the LAN's addresses, and names in the domain, that programs hold and may look for anywhere.

    ``in`` and ``endswith`` say yes to 110.20.30.7 and to notexample.com, which are other people's.
    """
    octets = [re.escape(octet) for octet in lan.split(".")[:3]]
    address = re.compile(rf"(?<![\d.]){octets[0]}\.{octets[1]}(?:\.{octets[2]})?\.?(?![\d.])")
    name = re.compile(rf"(?<![\w@.-])\.?(?:[\w-]{{1,63}}\.){{0,4}}{re.escape(domain)}(?![\w-]|\.\w)")
    texts = [text for program in found for kind in (address, name) for text in kind.findall(program.text)]
    return [PatternText(text, begins=False, ends=False) for text in dict.fromkeys(texts)]


def quoted(program: Program) -> list[str]:
    """What a program quotes, without escapes and replies of SMTP, each once. What is a key of something comes last."""
    matches = [match for match in _TEXT.finditer(program.text) if match[0][0] != "#"]
    found: dict[str, None] = {}
    for match in sorted(matches, key=_is_key):
        for line in (match[2] or match[3] or match[4] or "").splitlines():
            found |= dict.fromkeys(piece.strip() for piece in _ESCAPE.split(line))
    found |= dict.fromkeys(program.assembled)
    return [piece for piece in found if piece and not _REPLY.match(piece)]


def _is_key(match: re.Match[str]) -> bool:
    before, behind = (
        match.string[match.start() - 1 : match.start()],
        match.string[match.end() : match.end() + 1],
    )
    return (before == "[" and behind == "]") or match.string.endswith((".get(", "{"), 0, match.start())


def read(found: Iterable[Program]) -> Programs:
    """The words of all these programs."""
    texts = list(found)
    pieces = dict.fromkeys(piece for program in texts for piece in _pieces(program))
    words = [piece for piece in list(pieces)[:MOST_PIECES] if not _OF_SMTP.fullmatch(piece)]
    compared = [word for program in texts for word in _COMPARED.findall(program.text)]
    sizes = [f"SIZE={word}" for word in words if word.isdigit() and len(word) < 9]
    parameters = [*sizes, *(piece for piece in words if _PARAMETER.fullmatch(piece))]
    return Programs(
        brought=bool(texts),
        verbs=sorted((word for word in words if _VERB.fullmatch(word)), key=str.islower)[:MOST_VERBS],
        parameters=[f"{p}1" if p.endswith("=") else p for p in parameters][:MOST_PARAMETERS],
        fields=list(dict.fromkeys(_fields(words)))[:MOST_FIELDS],
        hosts=list(dict.fromkeys(filter(_HOST_NAME.fullmatch, [*compared, *words])))[:MOST_WORDS],
        words=[word for word in words if not word.startswith("/")][:MOST_WORDS],
        numbers=sorted({number for program in texts for number in _numbers(program)}),
        untold=[program.untold for program in texts if program.untold is not None],
    )


def _pieces(program: Program) -> Iterator[str]:
    """What it quotes; of a regular expression what that matches."""
    for piece in quoted(program):
        made = [piece]
        if _PATTERN.search(piece):
            made = [sample.text.replace(HOLE, "x1").strip() for sample in samples(piece)[:2]]
        yield from (one for one in made if _PRINTABLE.fullmatch(one))


def _fields(words: list[str]) -> Iterator[str]:
    """Fields that stand there whole, and names of fields with the word that comes next."""
    for word, then in itertools.zip_longest(words, words[1:], fillvalue="yes"):
        if (found := _FIELD.fullmatch(word)) is not None and not found[1].isupper():
            yield f"{found[1]}: {found[2] or then}"
        elif _FIELD_NAME.fullmatch(word) or _KNOWN_FIELD.fullmatch(word):
            yield f"{word}: {then}"


def _numbers(program: Program) -> Iterator[int]:
    """The numbers outside its texts, with what is reckoned of two or three."""
    for first, sign, second, third in _NUMBER.findall(_TEXT.sub(" ", program.text)):
        number = int(first.replace("_", "") or 0)
        if sign == "<<":
            number = number << min(int(second), 40)
        elif sign == "**":
            number = number ** min(int(second), 12)
        elif sign:
            number *= int(second)
        number *= int(third or 1)
        if 1 < number <= LARGEST_NUMBER:
            yield number


OF_PROGRAMS: Mapping[str, Callable[[Programs], list[str]]] = MappingProxyType(
    {
        "program_field": lambda found: found.fields,
        "program_field_name": lambda found: list(dict.fromkeys(f.partition(":")[0] for f in found.fields)),
        "program_fields": lambda found: _together(found.fields),
        "program_host": lambda found: found.hosts,
        "program_parameter": lambda found: found.parameters,
        "program_verbs": lambda found: _together(found.verbs),
        "program_word": lambda found: found.words,
        "program_words": lambda found: _together(found.words),
    }
)
"""The names of lab.yaml that stand for what programs hold, with their values; some are all in one, a line each."""


def _together(texts: list[str]) -> list[str]:
    return ["\n".join(texts)] if texts else []
