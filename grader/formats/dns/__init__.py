"""DNS as text and on the wire: master files (RFC 1035 section 5), names, messages. The library behind is dnspython."""

LONGEST_MESSAGE = 65_535
"""Octets that the two octets before a message over TCP can count (RFC 1035 section 4.2.2)."""
