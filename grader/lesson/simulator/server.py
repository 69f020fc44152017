"""The server that the simulator plays: names, people, listeners, clients and switches (``server.yaml``)."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from grader.lesson.entries import Id, Text

Settings = dict[str, str]
"""Settings of Postfix (main.cf) by name."""


class SimulatedLimits(Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """Counts and sizes in bytes at which Postfix says no."""

    errors: Annotated[int, Meta(description="smtpd_hard_error_limit")]
    idle_commands: Annotated[int, Meta(description="smtpd_junk_command_limit")]
    line: Annotated[int, Meta(description="line_length_limit")]
    response: Annotated[int, Meta(description="smtpd_sasl_response_limit")]
    recipients: Annotated[int, Meta(description="smtpd_recipient_limit")]
    recipients_over: Annotated[int, Meta(description="smtpd_recipient_overshoot_limit")]
    message: Annotated[int, Meta(description="message_size_limit")]
    small_message: Annotated[int, Meta(description="message_size_limit with the switch size-limit")]
    hops: Annotated[int, Meta(description="hopcount_limit")]


class SimulatedListener(Struct, frozen=True, forbid_unknown_fields=True):
    """A port that the server listens on. Logins are known where ``tls`` is not ``none``."""

    id: Id
    port: int
    tls: Literal["none", "starttls", "implicit"]
    title: Text
    about: Text
    see: Id
    postfix: Settings


class SimulatedClient(Struct, frozen=True, forbid_unknown_fields=True):
    """Who connects: address, name in DNS, and which of the server's addresses it connects to."""

    id: Id
    title: Text
    address: str
    name: str
    server: str
    trusted: bool = False


class Switch(Struct, frozen=True, forbid_unknown_fields=True):
    """Trouble that can be switched on, and the settings that give a real Postfix the same trouble."""

    id: Id
    title: Text
    about: Text
    see: Id
    postfix: Settings


class SimulatedServer(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything about the server that does not change during a session."""

    host: str
    domain: str
    domains: list[str]
    addresses: Annotated[list[str], Meta(description="Its own, as they stand in an address literal.")]
    extension: Annotated[str, Meta(description="recipient_delimiter")]
    users: Annotated[dict[str, str], Meta(description="Passwords by user.")]
    aliases: list[str]
    system: Annotated[list[str], Meta(description="Names that Postfix itself takes mail for.")]
    limits: SimulatedLimits
    listeners: Annotated[list[SimulatedListener], Meta(min_length=1)]
    clients: Annotated[list[SimulatedClient], Meta(min_length=1)]
    switches: list[Switch]
