"""Small servers on loopback that take grades as Canvas, Moodle and a platform with LTI Advantage do."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt

TOKEN = "token-of-a-teacher"
CANVAS_USERS = {"1001", "sis_login_id:bob", "hex:sis_user_id:7a6fc3ab2f31"}
MOODLE_USERS = {("username", "bob"): 7, ("email", "alice@school.example"): 8, ("idnumber", "zoë/1"): 9}
LINE_ITEM = "/api/lti/courses/3/line_items/34"
SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"


@dataclass
class Platforms:
    """What they were sent. ``down`` is after how many grades they take nothing more."""

    public_key: bytes = b""
    grades: list[dict[str, Any]] = field(default_factory=list)
    tokens: int = 0
    down: int | None = None
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    platforms: Platforms

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _answer(self, status: int, value: Any) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _take(self, **grade: Any) -> bool:
        if self.platforms.down is not None and len(self.platforms.grades) >= self.platforms.down:
            self._answer(503, {"error": "maintenance"})
            return False
        self.platforms.grades.append(grade)
        return True

    def do_PUT(self) -> None:
        """Canvas: ``PUT /api/v1/courses/:course_id/assignments/:assignment_id/submissions/:user_id``."""
        form = {name: values[0] for name, values in parse_qs(self._body().decode()).items()}
        head = "/api/v1/courses/12/assignments/34/submissions/"
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {"errors": [{"message": "Invalid access token."}]})
        elif not self.path.startswith(head) or unquote(self.path.removeprefix(head)) not in CANVAS_USERS:
            self._answer(404, {"errors": [{"message": "The specified resource does not exist."}]})
        elif self._take(user=unquote(self.path.removeprefix(head)), **form):
            self._answer(200, {"grade": form["submission[posted_grade]"]})

    def do_POST(self) -> None:
        """Moodle's web services; LTI's access tokens and scores."""
        path, body = urlsplit(self.path).path, self._body()
        if path == "/webservice/rest/server.php":
            self._moodle({name: values[0] for name, values in parse_qs(body.decode()).items()})
        elif path == "/token":
            self._token({name: values[0] for name, values in parse_qs(body.decode()).items()})
        elif path == f"{LINE_ITEM}/scores":
            self._score(json.loads(body))
        else:
            self._answer(404, {})

    def _moodle(self, form: dict[str, str]) -> None:
        if form.get("wstoken") != TOKEN:
            self._answer(
                200,
                {"exception": "moodle_exception", "errorcode": "invalidtoken", "message": "Invalid token"},
            )
        elif form["wsfunction"] == "core_user_get_users_by_field":
            found = MOODLE_USERS.get((form["field"], form["values[0]"]))
            self._answer(200, [] if found is None else [{"id": found}])
        elif form["wsfunction"] == "mod_assign_save_grade" and self._take(**form):
            self._answer(200, None)

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
        """AGS 2.0: what is required, and a score only with its maximum."""
        required = {"userId", "timestamp", "activityProgress", "gradingProgress"}
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(401, {})
        elif (
            self.headers.get("Content-Type") != "application/vnd.ims.lis.v1.score+json"
            or not required <= set(score)
            or ("scoreGiven" in score and "scoreMaximum" not in score)
            or urlsplit(self.path).query != "type=1"
        ):
            self._answer(400, {})
        elif self._take(**score):
            self._answer(204, None)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


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
