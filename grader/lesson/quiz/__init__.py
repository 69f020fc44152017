"""The knowledge check in the terminal, and the bank for other programs."""
