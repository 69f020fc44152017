"""TLS that counts what its client says, so that one who says nothing is told from one who fails."""

from __future__ import annotations

from asyncio import sslproto


class Listening(sslproto.SSLProtocol):
    """A server's side of TLS; ``heard`` octets have come so far."""

    heard = 0

    def buffer_updated(self, nbytes: int) -> None:
        """See ``asyncio.BufferedProtocol``."""
        self.heard += nbytes
        super().buffer_updated(nbytes)
