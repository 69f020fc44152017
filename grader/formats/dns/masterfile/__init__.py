"""Reads zones in master-file format (RFC 1035 section 5) and says of every fault where it stands."""

from grader.formats.dns.masterfile.data import LONGEST_STRING
from grader.formats.dns.masterfile.reader import ServedRecord, ZoneFile, read_records, read_zone

__all__ = ["LONGEST_STRING", "ServedRecord", "ZoneFile", "read_records", "read_zone"]
