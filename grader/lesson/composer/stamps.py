"""What the builder writes by itself: the date of now, and an identifier that is new."""

from __future__ import annotations

import secrets
from datetime import datetime

from grader.formats.address import split_address
from grader.formats.message.dates import DAYS, MONTHS


def date_now(moment: datetime | None = None) -> str:
    """A moment, or now in the local zone, as RFC 5322 section 3.3 writes it. ``moment`` knows its zone."""
    when = moment or datetime.now().astimezone()
    return (
        f"{DAYS[when.weekday()]}, {when.day} {MONTHS[when.month - 1]} {when.year:04} "
        f"{when:%H:%M:%S} {when.strftime('%z')[:5]}"
    )


def fresh_identifier(address: str, moment: datetime | None = None) -> str:
    """A Message-ID at the domain of ``address``, which may lack one: RFC 5322 section 3.6.4."""
    when = moment or datetime.now().astimezone()
    domain = split_address(address).domain or "example.com"
    return f"<{when:%Y%m%d%H%M%S}.{secrets.token_hex(8)}@{domain}>"
