"""The real server's side of the terminal, where it does not say what the simulated one expects."""

from __future__ import annotations

from collections import deque
from typing import Any, cast

from grader.lesson.simulator.peers import Real, Simulated
from grader.lesson.simulator.real import RealServer
from grader.lesson.simulator.table import table
from grader.lesson.simulator.transcript import Scene
from grader.model.protocol.world import Answer


class Scripted:
    """A server that gives these answers, whatever is asked; it is its own conversation."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = deque(answers)
        self.asked: list[tuple[bytes, int]] = []
        self.ended = self.remark = ""

    def connect(self, *_: Any) -> tuple[Scripted, Answer]:
        return self, self._next()

    def say(self, data: bytes, replies: int, *, closes: bool = False) -> Answer:
        self.asked.append((data, replies))
        return self._next()

    def _next(self) -> Answer:
        answer = self.answers.popleft()
        self.ended, self.remark = answer.end, answer.remark
        return answer


def talk(*answers: Answer) -> tuple[Real, Scripted]:
    server = Scripted(Answer([["220 mail.example.com ESMTP Postfix"]]), *answers)
    real = Real(table(), Scene(), cast(RealServer, server))
    assert real.connect().notes == []
    return real, server


def test_where_they_agree_the_reason_is_given() -> None:
    real, server = talk(Answer([["250 2.0.0 Ok"]]))
    heard = real.say(["NOOP"])
    assert heard.replies[0].rule == "noop-done"
    assert server.asked == [(b"NOOP\r\n", 1)]


def test_queue_ids_are_no_disagreement() -> None:
    real, _ = talk(
        Answer([["250 2.1.0 Ok"]]),
        Answer([["250 2.1.5 Ok"]]),
        Answer([["354 End data with <CR><LF>.<CR><LF>"]]),
        Answer([["250 2.0.0 Ok: queued as 4XyZ"]]),
    )
    for line in ("MAIL FROM:<a@b>", "RCPT TO:<bob@example.com>", "DATA", "."):
        assert real.say([line]).notes == []


def test_where_they_do_not_it_is_said_once_and_the_real_one_goes_on() -> None:
    real, server = talk(
        Answer([["451 4.3.0 Mail server temporarily rejected message"]]),
        Answer([["354 Go on"]]),
        Answer([]),
        Answer([["250 2.0.0 Ok: queued as 1"]]),
        Answer([["221 2.0.0 Bye"]], "closed"),
    )
    heard = real.say(["MAIL FROM:<a@b>"])
    assert heard.notes == ["the simulator would have said here: 250 2.1.0 Ok"]
    assert heard.replies[0].lines == ["451 4.3.0 Mail server temporarily rejected message"]
    assert heard.replies[0].why == ""
    for line, mode in (("DATA", "message"), ("text", "message"), (".", "command")):
        assert real.say([line]).notes == []
        assert real.status().mode == mode
    assert [replies for _, replies in server.asked] == [1, 1, 0, 1]
    assert real.say(["QUIT"]).notes == ["the server hangs up"]
    assert not real.status().connected


def test_a_server_that_hangs_up_is_noticed() -> None:
    real, _ = talk(Answer([["421 4.4.2 mail.example.com Error: timeout exceeded"]], "closed"))
    heard = real.say(["NOOP"])
    assert heard.notes == ["the simulator would have said here: 250 2.0.0 Ok", "the server hangs up"]
    assert not real.status().connected


def test_what_is_typed_for_a_line_feed_smuggles_nothing() -> None:
    peer = Simulated(table(), Scene())
    peer.connect()
    for line in (
        "EHLO client.example",
        "MAIL FROM:<someone@third.example>",
        "RCPT TO:<bob@example.com>",
        "DATA",
    ):
        peer.say([line])
    hidden = "Hello␊.␊MAIL FROM:<boss@third.example>␊RCPT TO:<alice@example.com>␊DATA␊Pay␊."
    assert peer.say([hidden]).replies == []
    assert peer.status().mode == "message"
    [reply] = peer.say(["."]).replies
    assert reply.lines[0].startswith("250 2.0.0 Ok: queued as ")
