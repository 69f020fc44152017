"""DNS as text: master files (RFC 1035 section 5), names and answers."""
