"""Sentences that several expectations share. They state what was observed and never how to fix it."""

from __future__ import annotations

from grader.kinds.traffic.index import TrafficCase
from grader.model.sources import client_called
from grader.model.traffic import Queued

LONGEST_QUOTE = 240


def quoted(text: str) -> str:
    """Somebody's words in quotation marks, whole up to 240 characters; the evidence holds the rest."""
    return (
        f"“{text}”" if len(text) <= LONGEST_QUOTE else f"“{text[:LONGEST_QUOTE]} …” (cut; see the evidence)"
    )


def client(case: TrafficCase) -> str:
    """Who connected, and from where."""
    return client_called(case.facts.source, case.facts.address)


def how_it_waits(entry: Queued) -> str:
    """Where a message still is, behind whatever says which one; with the reason, where the server gave one."""
    if entry.reason:
        return f"still waits in the queue: {quoted(entry.reason)}"
    if entry.queue == "hold":
        return "was put on hold, and waits in the queue until somebody lets it go."
    return f"still waits in the queue ({entry.queue}), and the server does not say for what."


def how_it_ended(case: TrafficCase) -> str:
    """How far an attempt came, and what stopped it."""
    where = f"port {case.facts.listener}"
    stage = case.outcome.stage
    if stage == "connect":
        return f"Nothing answers on {where}."
    if stage == "greeting" and case.last_reply is not None:
        return f"On {where} the server answered {quoted(case.last_reply.text)} instead of greeting."
    if stage == "greeting":
        return f"The server took the connection on {where} and then {_silence(case)} instead of greeting."
    if stage == "untried":
        return f"Not tried on {where}."
    who = client(case)
    reply = case.last_reply
    if reply is None:
        return f"The server {_silence(case)} while {who} was speaking on {where}."
    if stage == "auth" and not case.outcome.authenticated and reply.command.upper().startswith("EHLO"):
        return f"On {where} the server does not offer AUTH to {who}."
    return f"On {where} the server answered {quoted(reply.text)} to {quoted(reply.command)} from {who}."


def _silence(case: TrafficCase) -> str:
    end = case.session.end if case.session is not None else ""
    return {"timeout": "said nothing", "closed": "hung up", "reset": "broke the connection"}.get(
        end, "ended the conversation"
    )
