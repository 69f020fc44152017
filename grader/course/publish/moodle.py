"""Moodle: a grade with feedback by its web service ``mod_assign_save_grade``.

A student is looked for by login (``username``), else by address, else by ID number. Moodle answers 200 to all, and says
in the body whether it has refused. It says nothing where it drops a grade: one that is above the assignment's maximum,
or locked or overridden in the gradebook (``update_grade`` and ``grading_disabled`` in ``mod/assign/locallib.php``). So
each is read again by ``mod_assign_get_submission_status``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grader.course.publish.outgoing import Outgoing
from grader.course.publish.web import NotTaken, PlatformError, ask

PLAIN = "2"
"""Moodle's number for plain text (``FORMAT_PLAIN``)."""
RELEASED = "released"
"""The state of marking workflow in which students see a grade (``ASSIGN_MARKING_WORKFLOW_STATE_RELEASED``)."""
OF_THE_TOKEN = (
    "invalidtoken",
    "accessexception",
    "servicenotavailable",
    "nopermission",
    "nopermissions",
    "passwordisexpired",
    "requireloginerror",
    "usernotconfirmed",
)
"""Its errors that no other student's grade would go around."""
FOR_NOW = ("sitemaintenance", "upgraderunning")


@dataclass(frozen=True)
class Moodle:
    """An assignment on Moodle, by its own number; ``token`` is one for web services."""

    url: str
    assignment: str
    token: str
    name: str = "moodle"
    says_states: bool = False

    @property
    def place(self) -> str:
        """Where grades go."""
        return f"{self.url}#{self.assignment}"

    def user(self, one: Outgoing) -> str:
        """How Moodle is asked who it is."""
        return "{}={}".format(*self._known_by(one))

    @staticmethod
    def _known_by(one: Outgoing) -> tuple[str, str]:
        if one.person.login:
            return "username", one.person.login
        return ("email", one.person.email) if one.person.email else ("idnumber", one.student)

    def send(self, one: Outgoing) -> None:
        """Send a grade. Raises ``NotTaken``, ``PlatformError``."""
        field, value = self._known_by(one)
        found = self._call("core_user_get_users_by_field", {"field": field, "values[0]": value})
        if not isinstance(found, list) or len(found) != 1 or not isinstance(found[0], dict):
            raise NotTaken(f"Moodle knows no single user with {field} {value!r}")
        user = str(found[0].get("id"))
        self._call(
            "mod_assign_save_grade",
            {
                "assignmentid": self.assignment,
                "userid": user,
                "grade": str(one.score),
                "attemptnumber": "-1",
                "addattempt": "0",
                "workflowstate": RELEASED,
                "applytoall": "0",
                "plugindata[assignfeedbackcomments_editor][text]": one.comment,
                "plugindata[assignfeedbackcomments_editor][format]": PLAIN,
            },
        )

        if self._kept(user) != one.score:
            raise NotTaken(
                "Moodle did not keep it, and does not say why: the grade may be locked or overridden in its gradebook, "
                "be more than the assignment's maximum, or be given by a rubric or a scale"
            )

    def _kept(self, user: str) -> float | None:
        """The grade that Moodle has of a user by now."""
        status = self._call("mod_assign_get_submission_status", {"assignid": self.assignment, "userid": user})
        try:
            return float(status["feedback"]["grade"]["grade"])
        except (TypeError, KeyError, ValueError):
            return None

    def _call(self, function: str, values: dict[str, str]) -> Any:
        told = {"wstoken": self.token, "wsfunction": function, "moodlewsrestformat": "json", **values}
        answer = ask("POST", f"{self.url}/webservice/rest/server.php", form=told)
        if isinstance(answer, dict) and "exception" in answer:
            code, said = str(answer.get("errorcode", "")), str(answer.get("message", ""))[:200]
            if code in OF_THE_TOKEN:
                raise PlatformError(f"Moodle refuses the token for {function} ({code}: {said}): give another")
            if code in FOR_NOW:
                raise PlatformError(f"Moodle takes nothing for now ({code}: {said}): send the rest later")
            raise NotTaken(f"{code}: {said}")
        return answer
