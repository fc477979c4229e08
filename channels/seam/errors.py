"""What may become of a message on its way to a citizen.

::

    DeliveryError                the call failed
    ├── TryLaterError            the platform is away, busy, or asks for a pause
    ├── WindowClosedError        the platform allows nothing before the citizen writes again
    ├── UnwelcomeError           the citizen has blocked us or is gone: nothing more is sent
    └── RefusedError             the message is refused for good: an operator must see it

``detail`` is kept with the message and logged: it holds no words of a citizen and no secret.
"""

from __future__ import annotations

from base.errors import UpstreamError


class DeliveryError(UpstreamError):
    """A platform did not take a message."""

    def __init__(self, detail: str) -> None:
        super().__init__("message_not_delivered", "消息暂时没有发出去。", detail[:200])


class TryLaterError(DeliveryError):
    """Trying again may help.

    Args:
        detail: what happened.
        after: seconds the platform asks us to wait; None: the sender's own pauses.
        everyone: whether the whole channel has to wait, not this citizen alone.
    """

    def __init__(self, detail: str, after: float | None = None, *, everyone: bool = False) -> None:
        super().__init__(detail)
        self.after = after
        self.everyone = everyone


class WindowClosedError(DeliveryError):
    """Nothing may be sent to the citizen now; it is kept until he writes."""


class UnwelcomeError(DeliveryError):
    """The citizen has blocked us, or is gone: he is unsubscribed and his queue closed."""


class RefusedError(DeliveryError):
    """The message will never be taken as it is."""
