"""Dialogues with the lesson's simulator and with the real Postfix, drawn from the grammar: they say the same."""
