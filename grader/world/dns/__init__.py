"""DNS for the world: what it answers, and asking it."""

import grader.formats.dns.library  # noqa: F401, before all that imports dnspython
