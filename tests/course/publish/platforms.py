"""Small servers on loopback that take grades as Canvas, Moodle and a platform with LTI Advantage do, and as strictly.

What each takes and refuses, and how, was read in the sources of those: canvas-lms
(``submissions_api_controller.rb``, ``request_throttle.rb``, ``api.rb``, ``lti/ims/scores_controller.rb``), moodle
(``mod/assign/externallib.php``, ``mod/assign/locallib.php``, ``webservice/rest/locallib.php``, ``scores.php`` of
gradebookservices), and in the clients ucfopen/canvasapi and dmitry-viskov/pylti1.3.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt

TOKEN = "token-of-a-teacher"
CANVAS_USERS = {"1001", "sis_login_id:bob", "hex:sis_user_id:7a6fc3ab2f31"}
MOODLE_USERS = {("username", "bob"): 7, ("email", "alice@school.example"): 8, ("idnumber", "zoë/1"): 9}
MOODLE_MAXIMUM = 15
LINE_ITEM = "/api/lti/courses/3/line_items/34"
SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
CANVAS_FIELDS = {"submission[posted_grade]", "comment[text_comment]", "prefer_points_over_scheme"}
EDITOR = "plugindata[assignfeedbackcomments_editor]"
WHOLE, BOOLEAN = re.compile(r"-?\d+"), re.compile(r"[01]")
SAVE_GRADE = {
    "assignmentid": WHOLE,
    "userid": WHOLE,
    "grade": re.compile(r"-?\d+(\.\d+)?"),
    "attemptnumber": WHOLE,
    "addattempt": BOOLEAN,
    "workflowstate": re.compile(r"[a-zA-Z]*"),
    "applytoall": BOOLEAN,
}
"""What ``save_grade_parameters`` requires, by its type (PARAM_INT, PARAM_FLOAT, PARAM_BOOL, PARAM_ALPHA)."""
FEEDBACK = {f"{EDITOR}[text]": re.compile(r".*", re.DOTALL), f"{EDITOR}[format]": WHOLE}
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(Z|[+-]\d\d:\d\d)")
ACTIVITY = {"Initialized", "Started", "InProgress", "Submitted", "Completed"}
GRADING = {"FullyGraded", "Pending", "PendingManual", "Failed", "NotReady"}


@dataclass
class Platforms:
    """What they were sent. ``down`` is after how many grades they take nothing more.

    ``busy`` is how many requests are refused for their number first; ``locked`` are Moodle's users whose grade is, and
    ``unassigned`` Canvas's who have not that assignment.
    """

    public_key: bytes = b""
    grades: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0
    down: int | None = None
    busy: int = 0
    locked: set[str] = field(default_factory=set)
    unassigned: set[str] = field(default_factory=set)
    kept: dict[str, str] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    platforms: Platforms

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, value: Any, **headers: str) -> None:
        data = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        self.send_response(status)
        for name, said in headers.items():
            self.send_header(name.replace("_", "-"), said)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _take(self, **grade: Any) -> bool:
        if self.platforms.down is not None and len(self.platforms.grades) >= self.platforms.down:
            self._answer(503, {"error": "maintenance"})
            return False
        self.platforms.grades.append(grade)
        return True

    def _throttled(self) -> bool:
        if not self.platforms.busy:
            return False
        self.platforms.busy -= 1
        self._answer(403, "403 Forbidden (Rate Limit Exceeded)\n", X_Rate_Limit_Remaining="0.0")
        return True

    def do_PUT(self) -> None:
        """Canvas: ``PUT /api/v1/courses/:course_id/assignments/:assignment_id/submissions/:user_id``."""
        form = _form(self._body())
        head = "/api/v1/courses/12/assignments/34/submissions/"
        user = unquote(self.path.removeprefix(head))
        if self._throttled():
            return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(
                401, {"errors": [{"message": "Invalid access token."}]},
                WWW_Authenticate='Bearer realm="canvas-lms"',
            )  # fmt: skip
        elif not self.path.startswith(head) or user not in CANVAS_USERS:
            self._answer(404, {"errors": [{"message": "The specified resource does not exist."}]})
        elif user in self.platforms.unassigned:
            said = "user not authorized to perform that action"
            self._answer(403, {"status": "unauthorized", "errors": [{"message": said}]})
        elif set(form) != CANVAS_FIELDS or not re.fullmatch(r"\d+(\.\d+)?", form["submission[posted_grade]"]):
            self._answer(400, {"error": "not a grade"})
        elif self._take(user=user, **form):
            self._answer(200, {"grade": form["submission[posted_grade]"]})

    def do_POST(self) -> None:
        """Moodle's web services; LTI's access tokens and scores."""
        path, body = urlsplit(self.path).path, self._body()
        if path == "/webservice/rest/server.php":
            self._moodle(_form(body))
        elif path == "/token":
            self._token(_form(body))
        elif path == f"{LINE_ITEM}/scores":
            if not self._throttled():
                self._score(json.loads(body))
        else:
            self._answer(404, {})

    def _moodle(self, form: dict[str, str]) -> None:
        functions: dict[str, Callable[[dict[str, str]], None]] = {
            "core_user_get_users_by_field": self._users,
            "mod_assign_save_grade": self._save_grade,
            "mod_assign_get_submission_status": self._status,
        }
        assert form.pop("moodlewsrestformat") == "json"
        token, name = form.pop("wstoken", ""), form.pop("wsfunction")
        if token != TOKEN:
            self._refuse("invalidtoken", "Invalid token - token not found", "moodle_exception")
        elif name not in functions:
            self._refuse("accessexception", "Access control exception", "webservice_access_exception")
        else:
            functions[name](form)

    def _refuse(self, code: str, message: str, kind: str = "invalid_parameter_exception") -> None:
        """Moodle's errors have status 200."""
        self._answer(200, {"exception": kind, "errorcode": code, "message": message})

    def _users(self, form: dict[str, str]) -> None:
        if set(form) != {"field", "values[0]"}:
            self._refuse("invalidparameter", "Invalid parameter value detected")
            return
        found = MOODLE_USERS.get((form["field"], form["values[0]"]))
        self._answer(200, [] if found is None else [{"id": found}])

    def _save_grade(self, form: dict[str, str]) -> None:
        """It gives ``null`` for what it saves, and for what it does not: then a grade of -1 stays."""
        types = {**SAVE_GRADE, **FEEDBACK}
        if set(form) != set(types) or not all(types[name].fullmatch(value) for name, value in form.items()):
            self._refuse("invalidparameter", "Invalid parameter value detected")
        elif form["assignmentid"] != "34":
            self._refuse(
                "invalidrecord", "Can't find data record in database", "dml_missing_record_exception"
            )
        elif form["userid"] in self.platforms.locked or float(form["grade"]) > MOODLE_MAXIMUM:
            self.platforms.kept.setdefault(form["userid"], "-1.00000")
            self._answer(200, None)
        elif self._take(**form):
            self.platforms.kept[form["userid"]] = f"{float(form['grade']):.5f}"
            self._answer(200, None)

    def _status(self, form: dict[str, str]) -> None:
        if set(form) != {"assignid", "userid"}:
            self._refuse("invalidparameter", "Invalid parameter value detected")
            return
        user = form["userid"]
        grade = {"userid": int(user), "attemptnumber": 0, "grade": self.platforms.kept.get(user)}
        feedback = {"grade": grade, "gradefordisplay": "", "gradeddate": 0}
        self._answer(200, {"feedback": feedback, "warnings": []} if grade["grade"] else {"warnings": []})

    def _token(self, form: dict[str, str]) -> None:
        try:
            assert form["grant_type"] == "client_credentials"
            assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            claims = jwt.decode(
                form["client_assertion"], self.platforms.public_key, algorithms=["RS256"],
                audience=f"{self.platforms.url}/token", issuer="tool",
                options={"require": ["exp", "iat", "jti", "sub"]},
            )  # fmt: skip
            assert claims["sub"] == "tool"
            assert form["scope"] == SCOPE
        except (AssertionError, KeyError, jwt.PyJWTError) as error:
            self._answer(400, {"error": f"invalid_client {error}"})
            return
        self.platforms.tokens += 1
        self._answer(200, {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 3600, "scope": SCOPE})

    def _score(self, score: dict[str, Any]) -> None:
        """AGS 2.0 as Canvas and Moodle take it; Moodle has 409 for a time that is not later than the last."""
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {})
        elif (
            self.headers.get("Content-Type") != "application/vnd.ims.lis.v1.score+json"
            or urlsplit(self.path).query != "type=1"
            or not _is_score(score)
        ):
            self._answer(400, {})
        elif score.get("https://canvas.instructure.com/lti/submission") != {"new_submission": False}:
            self._answer(422, {"error": "The maximum number of allowed attempts has been reached"})
        elif self.platforms.times.get(score["userId"], datetime.min) >= _time(score):
            self._answer(409, {})
        elif self._take(**score):
            self.platforms.times[score["userId"]] = _time(score)
            self._answer(204, None)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def _form(body: bytes) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}


def _is_score(score: Mapping[str, Any]) -> bool:
    return (
        isinstance(score.get("userId"), str)
        and bool(TIMESTAMP.fullmatch(score.get("timestamp", "")))
        and score.get("activityProgress") in ACTIVITY
        and score.get("gradingProgress") in GRADING
        and ("scoreGiven" not in score or ("scoreMaximum" in score and score["scoreMaximum"] > 0))
        and all(isinstance(score.get(name, 0), int) for name in ("scoreGiven", "scoreMaximum"))
        and all(
            "://" in name
            for name in set(score)
            - {
                "userId",
                "timestamp",
                "activityProgress",
                "gradingProgress",
                "scoreGiven",
                "scoreMaximum",
                "comment",
            }
        )
    )


def _time(score: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(score["timestamp"].replace("Z", "+00:00")).replace(tzinfo=None)


@contextmanager
def serving(public_key: bytes = b"") -> Iterator[Platforms]:
    """The servers, on one port."""
    platforms = Platforms(public_key)
    handler = type("Handler", (_Handler,), {"platforms": platforms})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        platforms.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield platforms
        finally:
            server.shutdown()
            thread.join()
