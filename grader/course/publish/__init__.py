"""Gives grades back to a course platform by its interface for programs.

``outgoing`` is what there is to send, ``canvas``, ``moodle`` and ``lti`` say it as each takes it, ``sending`` sends it
and keeps a log. A score that is no grade is never sent.
"""
