"""The declared world of the labs: fixtures/world.yaml, names.yaml, zones/ and forms/, in one value."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct, field

from grader import resources
from grader.labs import cache
from grader.model.attempt import Mail
from grader.model.errors import LabError

ANYWHERE = "anywhere"
ANYWHERE_V6 = "anywhere-v6"
MENTIONED_NETWORKS = "mentioned-networks"
MENTIONED_NAMES = "mentioned-names"
OFFICE_ANYBODY = "office-anybody"
REROUTING_NAMES = "rerouting-names"
MADE_SOURCES: Mapping[str, str] = MappingProxyType(
    {
        ANYWHERE: "an address drawn from the whole Internet, another one for each submission",
        ANYWHERE_V6: "the same over IPv6",
        MENTIONED_NAMES: "an address that DNS gives each name that the files mention, their own domain and host "
        "aside; with regular expressions in the files also names that hold one of those",
        MENTIONED_NETWORKS: "an address in each network or of each host that the files mention, the office LAN, "
        "loopback and the student's host aside; with regular expressions also addresses in which the LAN's beginning "
        "stands elsewhere",
        OFFICE_ANYBODY: "machines on the office LAN with addresses that are drawn: one in each part of it that the "
        "files name, and one in the rest",
        REROUTING_NAMES: "an address that DNS gives each name that a pattern matches which sends letters elsewhere, "
        "somebody outside in its variable parts",
    }
)
"""Sources that are made for each submission, with what they are; the others are declared in world.yaml."""

MANIFOLD_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "alias": "each local part that an alias file or another table has on its left",
        "author_fields": "a header field for each that OpenDKIM's SenderHeaders names beside From, all in one letter, "
        "with somebody at {third}",
        "lookalike_field": "header fields that a pattern matches which sends letters elsewhere for what they hold "
        "(REDIRECT, FILTER, BCC), somebody outside in its variable parts",
        "lookalike_line": "the same as lines of a letter's text",
        "lookalike_name": "names that hold the server's own or mentioned ones, as a pattern without ends "
        "matches them; "
        "none where the files hold no regular expression, as with the other lookalikes",
        "lookalike_nobody": "those of {lookalike_recipient} that a pattern may take for somebody of the domain",
        "lookalike_recipient": "recipients that the patterns in the files match, somebody outside in their "
        "variable parts",
        "lookalike_sender": "addresses that hold the own address of the user ('as', else alice), or that a "
        "pattern matches",
        "matched_field": "header fields that a pattern matches which sends letters elsewhere for what they hold, or "
        "changes that (IGNORE, PREPEND, REPLACE, STRIP)",
        "matched_line": "the same as lines of a letter's text",
        "mentioned": "each domain or host name that the files mention, their own and localhost aside; DNS leads "
        "its mail "
        "to {outside_host}",
        "mentioned_address": "each mail address that the files mention, and one made up at each domain",
        "mentioned_author": "each address of {domain} that the files mention, alice's and bob's aside",
        "mentioned_reader": "each mail address of another domain that the files mention",
        "mentioned_recipient": "somebody at each name, below each .name and at each host's address that is "
        "mentioned, and "
        "each mail address of another domain",
        "mentioned_sender": "as {mentioned_address}, without the own address of the user ('as', else alice)",
        "program_field": "header fields that the texts quoted in the submission's programs are, or may name",
        "program_field_name": "their names alone",
        "program_fields": "all of them in one letter, a line each",
        "program_host": "words that they quote and that may be names of hosts",
        "program_parameter": "words in capitals that those programs quote, as parameters of MAIL and RCPT have them",
        "program_verbs": "words that they quote and that may be commands, all in one session, a line each",
        "program_word": "each other text that they quote",
        "program_words": "all of them in one letter, a line each",
        "rerouting_name": "names of hosts that a pattern matches which sends letters elsewhere, somebody outside in "
        "its variable parts",
        "rerouting_sender": "the same as senders",
    }
)
"""Names that stand for many, with what for: an attempt is made for each of their values."""

ATTEMPT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "token": "looks like a person's local part, unique to the attempt; its message is known by it",
        "somebody": "a local part that nobody has",
        "unheard": "a domain of other people that is drawn for each submission; DNS leads its mail to {outside_host}",
        "source": "the address of the client that connects",
        "source_name": "the name that DNS gives to that address",
        "server": "the address of the student's host that it connects to",
        "sender_default": "the sender of a mail that gives none: the authenticated user's address, alice's from "
        "a source "
        "inside the office, and someone at {third} from everybody else",
        **MANIFOLD_NAMES,
    }
)
"""Names for mails and commands alone, which differ from attempt to attempt."""


class Name(Struct, frozen=True, forbid_unknown_fields=True):
    """A name that labs use: its canonical value, and whether every variant keeps it."""

    canonical: str
    about: str
    fixed: bool = False


class Source(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who connects; see the comments of world.yaml."""

    about: str
    address: str
    to: str
    name: str = ""
    helo: str = ""
    forward: bool = True
    inside: bool = False


class PeerNames(Struct, frozen=True, forbid_unknown_fields=True):
    """A mail server of other people, in names to be filled in."""

    name: str
    addresses: list[str]
    smtputf8: bool = True


class DeclaredWorld(Struct, frozen=True, forbid_unknown_fields=True):
    """world.yaml as it is written."""

    names: dict[str, Name]
    sources: dict[str, Source]
    peers: list[PeerNames]
    zones: Annotated[dict[str, str], Meta(description="Origin to file of fixtures/zones.")]


class Letter(Struct, frozen=True, forbid_unknown_fields=True):
    """What a probe's mail says."""

    subject: str
    text: str


Words = Annotated[list[str], Meta(min_length=2)]


class WordLists(Struct, frozen=True, forbid_unknown_fields=True):
    """names.yaml: words from which variants and mails are drawn."""

    domains: Words
    hosts: Words
    desks: Words
    nobodies: Words
    first: Words
    last: Words
    letters: Annotated[list[Letter], Meta(min_length=1)]
    passwords: Words
    canonical_passwords: dict[str, str] = field(name="canonical-passwords")


_DOORS_OF_RUNS = frozenset({"plan", "run", "judge", "show"})
"""Folders of kinds that reading a lab takes nothing of."""

_Seen = tuple[str, int, int, int, int]
"""A file's path with its number, size and times, which are others when it is another file, or says something else."""


class LabWorld(Struct, frozen=True):
    """All that labs can name. ``forms`` are lists of mails; ``zones`` master files by origin, both to be filled in.

    ``digest`` is that of the files it was read from.
    """

    digest: str
    names: dict[str, Name]
    sources: dict[str, Source]
    peers: list[PeerNames]
    zones: dict[str, str]
    forms: dict[str, list[Mail]]
    words: WordLists


def read_world() -> LabWorld:
    """The declared world as the files say now, with the forms of instructors' own lab folders (``<folder>/forms``).

    Raises ``LabError`` where a file is broken.
    """
    return _known(_files())


def program_digest() -> bytes:
    """The digest of the code that gives cached labs their meaning: another version never reads what this one kept."""
    return _program_digest()


@lru_cache(maxsize=1)
def _program_digest() -> bytes:
    # Size and time tell whether a file is another one; to read a hundred would take longer than to load a lab.
    facts = sorted(
        f"{source.path} {known.st_size} {known.st_mtime_ns}" for source, known in program_sources()
    )
    return cache.digest(map(str.encode, facts)).encode()


def program_sources() -> Iterator[tuple[os.DirEntry[str], os.stat_result]]:
    """The program's files that reading and checking a lab takes: what acts on submissions and judges is left out."""
    package = Path(__file__).parent.parent
    for room in ("model", "labs", "kinds"):
        for source in _sources(package / room):
            yield source, source.stat()


def _sources(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """The program's files in a folder and below it. Every command asks: pathlib takes four times as long."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir():
                if entry.name not in _DOORS_OF_RUNS:
                    yield from _sources(entry.path)
            elif entry.name.endswith(".py"):
                yield entry


def _files() -> tuple[_Seen, ...]:
    """The files of the world as they lie there now. Each command asks several times, and reads them once."""
    fixtures = resources.folder("fixtures")
    folders = [fixtures / "forms", *(parent / "forms" for parent in resources.lab_folders())]
    try:
        named = [
            _seen(str(fixtures / name), (fixtures / name).stat()) for name in ("world.yaml", "names.yaml")
        ]
        found = _listed(fixtures / "zones", ".zone")
        return (*named, *found, *(seen for folder in folders for seen in _listed(folder, ".yaml")))
    except OSError as error:
        raise _unreadable(error) from error


def _listed(folder: Path, ending: str) -> list[_Seen]:
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        return sorted(_seen(entry.path, entry.stat()) for entry in entries if entry.name.endswith(ending))
    return []


def _seen(path: str, about: os.stat_result) -> _Seen:
    return path, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


def _unreadable(error: OSError) -> LabError:
    return LabError(f"cannot read {error.filename}: {error.strerror}")


@lru_cache(maxsize=4)
def _known(seen: tuple[_Seen, ...]) -> LabWorld:
    try:
        files = tuple((path, path.read_bytes()) for path in (Path(name) for name, *_ in seen))
    except OSError as error:
        raise _unreadable(error) from error
    digest = cache.digest(part for path, data in files for part in (str(path).encode(), data))
    key = cache.digest([digest.encode(), program_digest()])
    return cache.cached("worlds", key, LabWorld, lambda: _make(digest, files))


def _make(digest: str, files: tuple[tuple[Path, bytes], ...]) -> LabWorld:
    from grader.labs.yamlfile import parse

    (world_path, world_data), (names_path, names_data), *others = files
    declared = parse(world_data, world_path, DeclaredWorld)
    forms: dict[str, list[Mail]] = {}
    known: dict[str, bytes] = {}
    zones: dict[str, str] = {}
    for path, data in others:
        if path.suffix == ".zone":
            zones[path.name] = data.decode()
        elif known.setdefault(path.stem, data) != data:
            raise LabError(
                f"{path}: there are other forms named {path.stem!r} in another folder: rename the file"
            )
        else:
            forms[path.stem] = parse(data, path, list[Mail])
    missing = [name for name in declared.zones.values() if name not in zones]
    if missing:
        raise LabError(f"{world_path}: the zone file {missing[0]!r} is not in {world_path.parent / 'zones'}")
    return LabWorld(
        digest=digest,
        names=declared.names,
        sources=declared.sources,
        peers=declared.peers,
        zones={origin: zones[name] for origin, name in declared.zones.items()},
        forms=forms,
        words=parse(names_data, names_path, WordLists),
    )
