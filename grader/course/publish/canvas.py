"""Canvas: a grade and a comment by its submissions API (PUT …/submissions/:user_id).

A student is taken by Canvas's number where the roster has it, else by login, else by SIS id.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from grader.course.publish.outgoing import Outgoing
from grader.course.publish.web import ask


@dataclass(frozen=True)
class Canvas:
    """An assignment of a course on Canvas; ``token`` is an access token of a teacher's."""

    url: str
    course: str
    assignment: str
    token: str
    name: str = "canvas"
    says_states: bool = False

    @property
    def place(self) -> str:
        """Where grades go."""
        return f"{self.url}/courses/{self.course}/assignments/{self.assignment}"

    def user(self, one: Outgoing) -> str:
        """How Canvas is told who it is."""
        if one.person.canvas:
            return one.person.canvas
        kind, name = ("sis_login_id", one.person.login) if one.person.login else ("sis_user_id", one.student)
        # Canvas's own way for ids that its router would cut at a slash or a dot.
        return f"hex:{kind}:{name.encode().hex()}" if set(name) & set("/.") else f"{kind}:{name}"

    def send(self, one: Outgoing) -> None:
        """Send a grade. Raises ``NotTaken``, ``PlatformError``."""
        path = [self.course, "assignments", self.assignment, "submissions", self.user(one)]
        ask(
            "PUT",
            f"{self.url}/api/v1/courses/" + "/".join(quote(part, safe="") for part in path),
            headers={"Authorization": f"Bearer {self.token}"},
            form={
                "submission[posted_grade]": str(one.score),
                # A grading scheme may have a grade by the name of a number.
                "prefer_points_over_scheme": "true",
                "comment[text_comment]": one.comment,
            },
        )
