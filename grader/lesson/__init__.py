"""The lesson: reference entries, quiz bank and header rules as validated data, and what is built from them."""

from __future__ import annotations

from grader.lesson.entries import LessonEntry
from grader.lesson.library import Library, library, read_library
from grader.lesson.search import look_up, near_matches

__all__ = ["LessonEntry", "Library", "library", "look_up", "near_matches", "read_library"]
