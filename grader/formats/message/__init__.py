"""Whether a message keeps the rules of the Internet Message Format (RFC 5322) and of MIME (RFC 2045 to 2049).

``check_message`` takes a message as it is sent, byte for byte, and says what is wrong with it, each fault with the
rule it breaks, its place and the RFC's section. It reads nothing, raises on no input, and takes time linear in
the message's size.
"""

from __future__ import annotations

from grader.formats.message.check import check_message
from grader.formats.message.report import Fault
from grader.formats.message.rules import Rule, Severity

__all__ = ["Fault", "Rule", "Severity", "check_message"]
