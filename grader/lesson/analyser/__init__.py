"""The header analyser: the way of a message, what was checked on it, and who it says it is from.

``analyse`` is pure and asks no server: it explains what stands in the message. What is wrong with the message's form
is told by ``grader.formats.message``. The page's scripts do the same in the browser, and a test holds both together.
"""

from __future__ import annotations

from grader.lesson.analyser.analyse import Analysis, analyse
from grader.lesson.analyser.tables import Wordings, wordings

__all__ = ["Analysis", "Wordings", "analyse", "wordings"]
