"""What became of the password, and of the message, on the way."""

from __future__ import annotations

from grader.kinds.program.judge.runs import JudgedRun, of_runs
from grader.kinds.traffic.sentences import quoted
from grader.model.exposure import Exposure
from grader.model.finding import Finding, broken, met
from grader.model.submission_server import Conversation

WRONG_CERTIFICATE = {
    "other-name": "is for another name",
    "self-signed": "is signed by itself and by nobody whom the system trusts",
    "expired": "has expired",
}
OUT_OF_FASHION = "LOGIN"
BETTER = "PLAIN"


@of_runs
def encrypts(run: JudgedRun) -> Finding:
    """Neither the password nor the message travels before TLS stands, nor who gets it (RFC 8314 section 3)."""
    for conversation in run.facts.conversations:
        if (line := conversation.in_the_clear) is not None:
            return broken(
                run.case,
                f"{run.name} gave its password away in the clear, with {quoted(run.said(conversation, line))}.",
                run.pointers(conversation, line),
            )
        if conversation.tls is None:
            for transaction in conversation.transactions:
                return broken(
                    run.case,
                    f"{run.name} began to send its message in the clear.",
                    run.pointers(conversation, transaction.line),
                )
        if named := _named_in_the_clear(run, conversation):
            line, path = named
            return broken(
                run.case,
                f"{run.name} told in the clear that {path} gets a message: {quoted(run.said(conversation, line))}.",
                run.pointers(conversation, line),
            )
    return met(run.case)


def _named_in_the_clear(run: JudgedRun, conversation: Conversation) -> tuple[int, str] | None:
    """The first line before TLS that names a recipient, in whatever command, and whom."""
    # Evidence of earlier versions does not say where TLS began.
    clear = (conversation.encrypted or 0) if conversation.tls else None
    for number, line in enumerate(run.session(conversation).lines[:clear]):
        for path in run.facts.wanted.recipients if line.who == "C" else []:
            if path.casefold() in line.text.casefold():
                return number, path
    return None


@of_runs
def keeps_secrets(run: JudgedRun) -> Finding:
    """A server that cannot show the right certificate gets neither password nor message (RFC 6125, RFC 9525)."""
    wrong = WRONG_CERTIFICATE.get(run.server.certificate, "is not there")
    for conversation in run.facts.conversations:
        for authentication in conversation.authentications:
            return broken(
                run.case,
                f"{run.name} logged in at a server whose certificate {wrong}.",
                run.pointers(conversation, authentication.line),
            )
        for transaction in conversation.transactions:
            return broken(
                run.case,
                f"{run.name} began to send its message to a server whose certificate {wrong}.",
                run.pointers(conversation, transaction.line),
            )
    return met(run.case)


@of_runs
def chooses_mechanism(run: JudgedRun) -> Finding:
    """AUTH succeeds with a mechanism that the server offers (RFC 4954 section 4)."""
    offered = " and ".join(run.server.mechanisms)
    spoken = [
        (conversation, a) for conversation in run.facts.conversations for a in conversation.authentications
    ]
    tried = [a for _, a in spoken]
    accepted = next((a for a in tried if a.accepted), None)
    if accepted is None:
        used = " and ".join(dict.fromkeys(a.mechanism for a in tried if a.mechanism)) or "none"
        return broken(
            run.case,
            f"The server offers {offered}, the mechanism tried was {used}. {run.how_it_ended()}",
            run.pointers(),
        )
    for conversation, other in spoken:
        if other.mechanism and other.mechanism not in run.server.mechanisms:
            return broken(
                run.case,
                f"The server offers {offered}, and {run.name} tried {other.mechanism} all the same.",
                run.pointers(conversation, other.line),
            )
    if accepted.mechanism == OUT_OF_FASHION and BETTER in run.server.mechanisms:
        return met(
            run.case,
            f"{run.name} logged in by AUTH LOGIN, which no standard describes, where PLAIN was offered as well.",
        )
    return met(run.case)


@of_runs
def hides_password(run: JudgedRun) -> Finding:
    """The password shows in no process list, in no log, in no message, in nothing that the program prints or leaves."""
    if not run.facts.exposed:
        return met(run.case)
    first = run.facts.exposed[0]
    places = list(dict.fromkeys(exposure.where for exposure in run.facts.exposed))
    also = f" It also stood in: {', '.join(_PLACES[place] for place in places[1:])}." if places[1:] else ""
    return broken(run.case, _exposed(first) + also, run.output if "output" in places else [])


_PLACES = {
    "process list": "the process list",
    "output": "what the program printed",
    "log": "the system's log",
    "file": "a file that others may read",
    "message": "the message",
}


def _exposed(exposure: Exposure) -> str:
    what = quoted(exposure.what.strip())
    if exposure.where == "process list":
        return f"While the program ran, everybody on the machine could read the password in the process list: {what}"
    if exposure.where == "output":
        return f"The program printed the password, and what it prints ends up in logs: {what}"
    if exposure.where == "log":
        return f"The password stands in the system's log: {what}"
    if exposure.where == "message":
        return f"The message tells everybody who gets it the password: {what}"
    return f"The program wrote the password into a file that others may read: {what}"
