"""Many submissions: who they are, who does the work, what is kept, and the gradebook.

``grade_class`` is the way in. ``submissions`` finds them, ``schedule`` shares them out to workers, ``grading`` is
what a worker does with one, and ``digests`` tells what need not be done again.
"""

from grader.course.conduct import Settings, Summary, grade_class
from grader.course.rows import Row

__all__ = ["Row", "Settings", "Summary", "grade_class"]
