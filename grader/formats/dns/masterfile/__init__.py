"""Reads zones in master-file format (RFC 1035 section 5) and says of every fault where it stands."""

import grader.formats.dns.library  # noqa: F401, before all that imports dnspython
from grader.formats.dns.masterfile.data import LONGEST_STRING
from grader.formats.dns.masterfile.file import ServedRecord, ZoneFile
from grader.formats.dns.masterfile.reader import read_records, read_zone

__all__ = ["LONGEST_STRING", "ServedRecord", "ZoneFile", "read_records", "read_zone"]
