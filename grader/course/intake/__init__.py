"""Taking work in: from what a platform, a mail program or a classroom gives to hand-ins with students.

``take_in`` is the way in. ``layouts`` read downloads of platforms, each in a file of its own; ``roster`` knows the
class; ``handouts`` compares what was handed out with what is graded. Nothing is guessed from free text: whoever
cannot be told is named.
"""

from grader.course.intake.handin import HandIn
from grader.course.intake.taking import Choices, Intake, take_in

__all__ = ["Choices", "HandIn", "Intake", "take_in"]
