"""What can go wrong with a dispatch system, told apart by whether trying again can help.

::

    UpstreamError
    └── DispatchError
        ├── DispatchUnreachableError   dispatch_unreachable   try again (network, timeout, 429, 5xx)
        ├── DispatchRejectedError      dispatch_rejected      permanent (4xx, redirects)
        │   └── DispatchNotFoundError  dispatch_rejected      the thing asked for is not there
        └── DispatchUnreadableError    dispatch_unreadable    the answer makes no sense
"""

from __future__ import annotations

from base.errors import UpstreamError

__all__ = [
    "DispatchError",
    "DispatchNotFoundError",
    "DispatchRejectedError",
    "DispatchUnreachableError",
    "DispatchUnreadableError",
]


class DispatchError(UpstreamError):
    """Root of the dispatch errors.

    Attributes:
        retryable: whether sending the same thing again later can succeed.
        status: HTTP status of the answer, ``None`` when there was none.
    """

    retryable = False

    def __init__(self, code: str, message: str, detail: str, *, status: int | None = None) -> None:
        super().__init__(code, message, detail)
        self.status = status


class DispatchUnreachableError(DispatchError):
    """No usable answer for now: network, timeout, 408, 425, 429 or any 5xx.

    Attributes:
        retry_after: seconds the server asked to be left alone, ``None`` when it did not say.
    """

    retryable = True

    def __init__(
        self, detail: str, *, status: int | None = None, retry_after: float | None = None
    ) -> None:
        message = "调度系统暂时连接不上，我们会自动重试。"
        super().__init__("dispatch_unreachable", message, detail, status=status)
        self.retry_after = retry_after


class DispatchRejectedError(DispatchError):
    """The server understood and refused; the same request will be refused again."""

    def __init__(self, detail: str, *, status: int) -> None:
        message = "调度系统没有接收这条信息，工作人员会人工处理。"
        super().__init__("dispatch_rejected", message, detail, status=status)


class DispatchNotFoundError(DispatchRejectedError):
    """The request, service or token asked for is not known to the server."""


class DispatchUnreadableError(DispatchError):
    """The server answered with success, but not with GeoReport v2.

    Not retryable by itself: what was sent may have been taken, so a server without
    idempotency keys could file it twice. An operator decides.
    """

    def __init__(self, detail: str, *, status: int | None = None) -> None:
        message = "调度系统的答复无法识别，工作人员会人工核对。"
        super().__init__("dispatch_unreadable", message, detail, status=status)
