"""Judges answers to questions: what a student's text means, what it is worth, and what there is to say to it."""
