"""Many submissions: who they are, who does the work, what is kept, and the gradebook.

``grade_class`` is the way in. ``intake`` finds them, ``grading`` is what a worker does with one, and ``digests``
tells what need not be done again. Who does the work is ``grader.schedule``'s affair.
"""

from grader.course.conduct import ClassSettings, Summary, grade_class
from grader.course.rows import ClassRow

__all__ = ["ClassRow", "ClassSettings", "Summary", "grade_class"]
