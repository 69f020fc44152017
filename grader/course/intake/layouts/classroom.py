"""A classroom's repositories, cloned side by side: a folder ``ASSIGNMENT-LOGIN`` each.

A login may hold hyphens, and so may an assignment's name: where the one ends is known from the name alone, which is
the lab's unless it is given (``--layout classroom:NAME``).
"""

from __future__ import annotations

from grader.course.intake.handin import Found
from grader.course.intake.listing import Asked, Listing, Reading


def knows(name: str, asked: Asked) -> bool:
    """Whether a name is below a folder of this assignment's."""
    head, slash, _ = name.partition("/")
    return bool(slash) and bool(_login(head, asked))


def read(listing: Listing, asked: Asked) -> Reading:
    """A hand-in for each repository."""
    files: dict[str, list[tuple[str, str]]] = {}
    strays = []
    for name in listing.names:
        head, slash, rest = name.partition("/")
        login = _login(head, asked) if slash else ""
        if login:
            files.setdefault(login, []).append((rest, name))
        else:
            strays.append(name)
    found = [
        Found(
            members=({"login": login},),
            files=tuple(parts),
            label=f"{listing.path.name}/{_assignment(asked)}-{login}",
        )
        for login, parts in sorted(files.items())
    ]
    return Reading(found, strays)


def _assignment(asked: Asked) -> str:
    return asked.argument or asked.lab


def _login(folder: str, asked: Asked) -> str:
    prefix = f"{_assignment(asked)}-"
    return folder[len(prefix) :] if folder.startswith(prefix) else ""
