"""Mail::SPF and Mail::DMARC as a receiver, kept running in a process of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.oracle.perl import PerlProcess, lacking

SCRIPT = Path(__file__).with_name("evaluate.pl")
AT_ONCE = 100
"""Messages that are on their way together; what is said of them fits a pipe."""
HOW_TO_GET = (
    "the receiver needs Mail::SPF and Mail::DMARC: apt-get install libmail-spf-perl libmail-dmarc-perl"
)


@dataclass(frozen=True)
class Message:
    """A message as SPF and DMARC see it. ``dkim`` is the domain of a signature that verifies, or empty."""

    client: str
    helo: str
    sender: str
    author: str
    dkim: str = ""


@dataclass(frozen=True)
class Conclusion:
    """``spf`` and ``dmarc`` are results of RFC 7208 and of DMARC; ``disposition`` what the author's domain asks for."""

    spf: str
    dmarc: str
    disposition: str
    why: str = ""


def missing() -> str:
    """Why it cannot run here; empty when it can."""
    return HOW_TO_GET if lacking("Mail::SPF", "Mail::DMARC::PurePerl") else ""


class Evaluator:
    """A receiver. Raises ``UsageError`` with how to install what is missing."""

    def __init__(self) -> None:
        self._world = 0
        self._process = PerlProcess(SCRIPT, missing())

    def close(self) -> None:
        """End it."""
        self._process.close()

    def forget(self) -> None:
        """What DNS said, of which each question is asked once: another zone is served from now on."""
        self._world += 1

    def judge(self, message: Message, port: int, *, dmarc: bool = True) -> Conclusion:
        """What a receiver concludes that asks the name server on that port of 127.0.0.1; SPF alone unless ``dmarc``."""
        (found,) = self.judge_all([message], port, dmarc=dmarc)
        return found

    def judge_all(self, messages: Sequence[Message], port: int, *, dmarc: bool = True) -> list[Conclusion]:
        """The same for many messages, which takes less time than one after the other."""
        found: list[Conclusion] = []
        for start in range(0, len(messages), AT_ONCE):
            found += self._judged(messages[start : start + AT_ONCE], port, dmarc=dmarc)
        return found

    def _judged(self, messages: Sequence[Message], port: int, *, dmarc: bool) -> Iterator[Conclusion]:
        asked = [
            {
                "port": port,
                "world": str(self._world),
                "dmarc": dmarc,
                **{name: getattr(message, name) for name in Message.__dataclass_fields__},
            }
            for message in messages
        ]
        for answer in self._process.answers(asked):
            if "error" in answer:
                yield Conclusion("error", "error", "error", answer["error"])
            else:
                said = answer.get("dmarc", ""), answer.get("disposition", "")
                yield Conclusion(answer["spf"], *said, answer["why"])
