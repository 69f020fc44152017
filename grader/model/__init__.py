"""Typed values that every other package speaks in. No input, no output, no clocks."""
