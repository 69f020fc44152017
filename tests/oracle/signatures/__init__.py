"""The hunt in the lab dkim: who gets a signature, and what it is worth to a receiver that is not ours.

Signatures are verified by dkimpy, and records are read by dnspython's reader of master files: neither shares code with
what the product uses for the one or the other.
"""
