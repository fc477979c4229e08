"""What may become of a message on its way out."""

from __future__ import annotations

from base.errors import UpstreamError


class SendError(UpstreamError):
    """A message was not taken. ``detail`` is kept and logged: it names no address.

    Args:
        detail: what happened, in a few words of ours or a code of theirs.
        down: whether the whole system is away, so that nothing else needs to be tried now.
    """

    def __init__(self, detail: str, *, down: bool = False) -> None:
        super().__init__("notice_not_sent", "消息暂时没有发出去。", detail[:200])
        self.down = down


class RefusedError(SendError):
    """The address or the message was refused for good; sending it again would not help."""
