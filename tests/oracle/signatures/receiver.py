"""Mail::DKIM as a receiver, kept running in a process of its own, and the zone in which it finds keys."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import dns.exception
import dns.rdatatype
import dns.zone

from grader.model.plan import Zone
from tests.oracle.perl import PerlProcess, lacking

SCRIPT = Path(__file__).with_name("verify.pl")
HOW_TO_GET = "the receiver needs Mail::DKIM: apt-get install libmail-dkim-perl"
_KEY = re.compile(rb"(?:^|;)\s*p\s*=")
"""The tag that each record of a key has (RFC 6376 section 3.6.1)."""
_HEAD = "$TTL 300\n@ IN SOA ns hostmaster 1 3600 600 86400 300\n@ IN NS ns\nns IN A 203.0.113.53\n"


@dataclass(frozen=True)
class Signature:
    """What a receiver makes of one signature; ``expires`` in seconds since 1970, 0 for never."""

    domain: str
    selector: str
    algorithm: str
    result: str
    detail: str
    expires: int
    bits: int
    test: bool

    @property
    def known(self) -> bool:
        """Whether this receiver knows the algorithm. Of one that it does not know it says nothing."""
        return "unsupported algorithm" not in self.detail

    @property
    def holds(self) -> bool:
        """Whether it verifies, by a key that is no test."""
        return self.result == "pass" and not self.test


def missing() -> str:
    """Why it cannot run here; empty when it can."""
    return HOW_TO_GET if lacking("Mail::DKIM::Verifier") else ""


class Receiver:
    """A receiver that asks the name server on ``port`` of 127.0.0.1 for the keys of a zone.

    Raises ``UsageError`` with how to install it.
    """

    def __init__(self, port: int, zone: Zone) -> None:
        self._port = port
        self._zone = zone.text.lower()
        self._process = PerlProcess(SCRIPT, missing())

    def close(self) -> None:
        """End it."""
        self._process.close()

    def has_key(self, signature: Signature) -> bool:
        """Whether the zone has a record for a signature, whatever it says."""
        return f"\n{signature.selector}._domainkey.{signature.domain}. ".lower() in self._zone

    def signatures(self, raw: bytes) -> list[Signature]:
        """Every signature of a message, in its order."""
        asked = {"port": self._port, "message": base64.b64encode(raw).decode()}
        (answer,) = self._process.answers([asked])
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return [Signature(**found) for found in answer["signatures"]]


def published(files: Mapping[str, bytes], domain: str) -> tuple[Zone, list[str]]:
    """The zone that the files of ``dns/`` make, and a sentence about each that is none, or that says a name twice."""
    faults: list[str] = []
    texts: dict[str, set[str]] = {}
    for name, data in sorted(files.items()):
        if not name.startswith("dns/"):
            continue
        text = data.decode("utf-8", "replace")
        if text.lstrip().startswith("v="):
            strings = text.replace("\n", "").replace("\r", "").strip()
            pieces = " ".join(f'"{strings[i : i + 250]}"' for i in range(0, len(strings), 250))
            text = f"{PurePosixPath(name).stem}._domainkey IN TXT {pieces}\n"
        try:
            zone = dns.zone.from_text(_HEAD + text, origin=f"{domain}.", relativize=False)
        except (dns.exception.DNSException, ValueError) as error:
            faults.append(f"{name}: {error}")
            continue
        for owner, rdataset in zone.iterate_rdatasets():
            if rdataset.rdtype in (dns.rdatatype.TXT, dns.rdatatype.CNAME):
                kind = dns.rdatatype.to_text(rdataset.rdtype)
                lines = texts.setdefault(str(owner).lower(), set())
                lines |= {f"{owner} IN {kind} {data.to_text()}\n" for data in rdataset}
            if rdataset.rdtype == dns.rdatatype.TXT and "._domainkey." in str(owner):
                keys = [b"".join(data.strings) for data in rdataset]
                faults += [f"{owner}: no key" for text in keys if not _KEY.search(text)]
    faults += [f"{owner} has {len(said)} records" for owner, said in texts.items() if len(said) > 1]
    return Zone(domain, _HEAD + "".join(line for said in texts.values() for line in sorted(said))), faults
