"""What can go wrong between a decision and a telephone. Whether trying again may help is data on the error.

AlertError
├── ChannelError                a message did not reach its receiver
│   ├── TransientError          later may be better: timeout, connection refused, 4xx of SMTP, 429, 5xx of HTTP
│   ├── SetupError              somebody here can put it right: missing secret, certificate, address, settings
│   └── PermanentError          no use trying again: the receiver refuses this message, no such mailbox
├── LinkError                   an acknowledgement link that opens nothing
│   ├── BadLink                 malformed, or signed by somebody else
│   └── ExpiredLink             ours, but too old
└── LineError                   an object given to ``vigie route`` that is no replay line
"""

from __future__ import annotations

from typing import ClassVar


class AlertError(Exception):
    """Any fault of this room that a caller may want to handle."""


class ChannelError(AlertError):
    """A message did not reach its receiver. ``code`` is a short word for the ledger, without addresses or text."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    @property
    def fault(self) -> str:
        """The code as a delivery keeps it."""
        return self.code


class TransientError(ChannelError):
    """Worth trying again; ``retry_after`` is what the receiver asked for, in seconds."""

    def __init__(self, code: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after = retry_after


class SetupError(ChannelError):
    """Worth trying again once somebody has put something right: the message says what."""

    prefix: ClassVar[str] = "repair:"

    @property
    def fault(self) -> str:
        """The code, marked as one that waits for a repair."""
        return self.prefix + self.code


class PermanentError(ChannelError):
    """Not worth trying again."""


class LinkError(AlertError):
    """An acknowledgement link that opens nothing."""


class BadLink(LinkError):
    """Malformed, or not signed with our key."""


class ExpiredLink(LinkError):
    """Signed with our key, but its time has passed."""


class LineError(AlertError):
    """An object that does not have the fields of a replay line; the message names the field."""
