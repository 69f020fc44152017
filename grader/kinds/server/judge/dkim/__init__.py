"""Signatures of mail (DKIM, RFC 6376): read, verified with recorded answers of DNS, and judged.

Nothing here asks DNS or looks at a clock: a signature is verified with the keys that the evidence holds, so that it
verifies, or fails, for ever.
"""
