"""Receivers of mail: they ask DNS over the wire and conclude from a zone what anybody would (SPF, DKIM, DMARC)."""
