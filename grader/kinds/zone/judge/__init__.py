"""Judges what receivers concluded from a zone.

``expectations`` holds one function for each key of a lab's ``expect.zone``, ``lint`` finds what is odd in the file, and
``table`` sets every message beside what was expected of it. ``source`` leads from a text in DNS to its characters.
"""
