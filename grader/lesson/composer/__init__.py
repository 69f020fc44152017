"""The header builder: makes a whole message (RFC 5322, MIME) of what somebody typed into fields.

``compose`` is pure. The page's scripts do the same in the browser, from the same tables, and a test holds both to the
same bytes.
"""

from __future__ import annotations

from grader.lesson.composer.compose import compose
from grader.lesson.composer.draft import Complaint, Draft, Finished
from grader.lesson.composer.stamps import date_now, fresh_identifier
from grader.lesson.composer.tables import Tables, tables

__all__ = ["Complaint", "Draft", "Finished", "Tables", "compose", "date_now", "fresh_identifier", "tables"]
