"""The hunt in the lab authenticated-message: what a program says to servers, and what its message says to a reader.

The servers are the oracle's own, on loopback addresses of the workstation, with certificates of their own; what they
hear is read here by the handout, by the grammars of RFC 5321 and RFC 5322, and by Python's decoders.
"""
