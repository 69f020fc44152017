"""Any platform that speaks LTI Advantage: scores by its Assignment and Grade Services 2.0.

The access token comes by OAuth 2 client credentials with a signed assertion (1EdTech Security Framework 1.0 section
4.1). A platform's ids of users say nothing outside of it: a launch must have kept which student has which ``sub``.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import msgspec

from grader.course.publish.outgoing import Outgoing, State
from grader.course.publish.web import NotTaken, PlatformError, ask
from grader.model.errors import UsageError
from grader.model.variant import composed

SCOPE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
SCORE = "application/vnd.ims.lis.v1.score+json"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PROGRESS: dict[State, str] = {
    "grade": "FullyGraded",
    "by-hand": "PendingManual",
    "failed": "Failed",
    "refused": "NotReady",
}
"""How a platform is told of each; only ``FullyGraded`` comes with a score."""
LASTS_SECONDS = 300
OF_SUBMISSION = "https://canvas.instructure.com/lti/submission"
"""Canvas's own field of a score. Without it, each score is a new attempt of the student's, handed in by the tool."""


@dataclass
class Lti:
    """A line item of a platform. ``users`` are its ids of students, by ours; ``key`` is the tool's, in PEM."""

    line_item: str
    token_url: str
    client: str
    key: bytes
    users: dict[str, str]
    key_id: str | None = None
    name: str = "lti"
    says_states: bool = True
    _token: str = field(default="", repr=False)
    _until: float = 0.0

    @property
    def place(self) -> str:
        """Where grades go."""
        return self.line_item

    def user(self, one: Outgoing) -> str:
        """The platform's id of the student; empty where no launch has told it."""
        return self.users.get(one.student, "")

    def send(self, one: Outgoing) -> None:
        """Send a score, or why there is none. Raises ``NotTaken``, ``PlatformError``."""
        if not (user := self.user(one)):
            raise NotTaken("no launch has told the platform's id of this student")
        score: dict[str, object] = {
            "userId": user,
            "timestamp": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "activityProgress": "Submitted" if one.state == "refused" else "Completed",
            "gradingProgress": PROGRESS[one.state],
            "comment": one.comment,
            OF_SUBMISSION: {"new_submission": False},
        }
        if one.score is not None:
            score |= {"scoreGiven": one.score, "scoreMaximum": one.max_score}
        # A line item's address may have a query, which stays at the end.
        parts = urlsplit(self.line_item)
        address = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/scores"))
        headers = {"Authorization": f"Bearer {self._access()}", "Content-Type": SCORE}
        ask("POST", address, headers=headers, body=msgspec.json.encode(score))

    def _access(self) -> str:
        if time.monotonic() < self._until:
            return self._token
        try:
            import jwt
        except ImportError as error:
            raise UsageError(
                "LTI takes a library that is not installed: install smtplab with its extra 'publish'"
            ) from error
        now = int(time.time())
        claims = {
            "iss": self.client, "sub": self.client, "aud": self.token_url, "iat": now, "exp": now + LASTS_SECONDS,
            "jti": uuid4().hex,
        }  # fmt: skip
        headers = {"kid": self.key_id} if self.key_id else None
        try:
            assertion = jwt.encode(claims, self.key, algorithm="RS256", headers=headers)
        except (ValueError, TypeError, jwt.PyJWTError) as error:
            raise UsageError("the tool's key is no RSA key in PEM: give that of its registration") from error
        form = {
            "grant_type": "client_credentials", "client_assertion_type": ASSERTION,
            "client_assertion": assertion, "scope": SCOPE,
        }  # fmt: skip
        try:
            answer = ask("POST", self.token_url, form=form)
            self._token = str(answer["access_token"])
            lasts = float(answer.get("expires_in", LASTS_SECONDS))
        except (NotTaken, TypeError, KeyError, ValueError) as error:
            raise PlatformError(
                f"the platform gives no token ({error}): check the tool's registration"
            ) from error
        self._until = time.monotonic() + max(0.0, lasts - 60)
        return self._token


def read_users(path: Path) -> dict[str, str]:
    """The platform's ids in a CSV file with the columns ``student`` and ``sub``. Raises ``UsageError``."""
    import csv

    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if not {"student", "sub"} <= set(rows.fieldnames or ()):
                raise UsageError(f"{str(path)!r} needs the columns 'student' and 'sub'")
            return {composed(row["student"]): row["sub"] for row in rows if row["student"] and row["sub"]}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(
            f"cannot read {str(path)!r} as CSV: check the path, and save it as 'CSV UTF-8'"
        ) from error
