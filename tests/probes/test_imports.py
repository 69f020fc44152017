"""What is imported late is the same thing each time that it is asked for."""

from __future__ import annotations

import subprocess
import sys


def test_the_second_submission_of_a_process_is_conducted_like_the_first() -> None:
    script = "from grader import probes; a = probes.conduct; assert callable(a); assert probes.conduct is a"
    subprocess.run([sys.executable, "-c", script], check=True)
