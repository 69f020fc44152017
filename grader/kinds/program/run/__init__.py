"""Runs the program against submission servers and records what happened."""
