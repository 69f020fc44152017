"""Kinds of lab, one folder each."""
