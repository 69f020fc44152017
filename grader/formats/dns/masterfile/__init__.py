"""Reads zones in master-file format (RFC 1035 section 5) and says of every fault where it stands."""

from grader.formats.dns.masterfile.reader import ZoneFile, read_zone

__all__ = ["ZoneFile", "read_zone"]
