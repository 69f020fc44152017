"""Signals by their numbers, as ``signal`` has them: to import that takes longer, for the enumerations that it makes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from signal import SIG_DFL, SIG_IGN, SIGCHLD, SIGINT, SIGKILL, SIGPIPE, set_wakeup_fd, signal
else:
    from _signal import SIG_DFL, SIG_IGN, SIGCHLD, SIGINT, SIGKILL, SIGPIPE, set_wakeup_fd, signal

__all__ = ["SIGCHLD", "SIGINT", "SIGKILL", "SIGPIPE", "SIG_DFL", "SIG_IGN", "set_wakeup_fd", "signal"]
