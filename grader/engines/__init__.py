"""Engines build the student's host and the network around it. ``base`` is the interface; each engine is a module."""
