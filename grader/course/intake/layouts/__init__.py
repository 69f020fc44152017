"""Downloads of course platforms: one file a layout, behind one table.

A layout's module is pure. Its ``knows`` tells whether a name, of what lies in the download, is one of the platform's;
its ``read`` turns a listing into hand-ins and the names that it did not understand. A new one is a module and a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType

from grader.course.intake.listing import Asked, Listing, Reading

NAMED = "named"
"""The layout of what needs none: each source is a hand-in, and has the student's id for its name."""
CLASSROOM = "classroom"


@dataclass(frozen=True)
class Layout:
    """A layout by the name that ``--layout`` takes. ``argument`` says what may follow the name after a colon."""

    name: str
    about: str
    module: str
    argument: str = ""

    def recognises(self, listing: Listing, asked: Asked) -> bool:
        """Whether most names in a download are of this layout."""
        knows: Callable[[str, Asked], bool] = import_module(self.module).knows
        known = sum(knows(name, asked) for name in listing.names)
        return known > 0 and 2 * known > len(listing.names)

    def read(self, listing: Listing, asked: Asked) -> Reading:
        """The hand-ins in a download. Raises ``UsageError`` where the platform's own list of them is damaged."""
        reading: Reading = import_module(self.module).read(listing, asked)
        return reading


LAYOUTS = MappingProxyType(
    {
        layout.name: layout
        for layout in (
            Layout("gradescope", "Gradescope's export of submissions", "grader.course.intake.layouts.gradescope"),
            Layout("moodle", "Moodle's download of an assignment", "grader.course.intake.layouts.moodle"),
            Layout("canvas", "Canvas's download of submissions", "grader.course.intake.layouts.canvas"),
            Layout(
                CLASSROOM, "repositories named ASSIGNMENT-LOGIN", "grader.course.intake.layouts.classroom",
                argument="ASSIGNMENT",
            ),
            Layout("ilias", "ILIAS's download of an assignment", "grader.course.intake.layouts.ilias"),
            Layout("mail", "attachments by sender's address", "grader.course.intake.layouts.mail"),
        )
    }
)  # fmt: skip
"""Every layout, in the order in which they are tried."""
