"""An ASGI layer that every HTTP server of ours has: each request is a step of a trace."""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from base.tracing import HEADER, traced

ANSWER_HEADER = "X-Trace-Id"
"""Tells the client the trace, so that what became of his message can be looked up."""


class TraceRequests:
    """Runs each request in its caller's trace or a new one, and names it in the answer.

    The step is left in ``scope["traceparent"]`` for handlers that run outside of this layer.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with traced(Headers(scope=scope).get(HEADER)) as step:
            scope[HEADER] = str(step)

            async def named(message: Message) -> None:
                if message["type"] == "http.response.start":
                    MutableHeaders(scope=message)[ANSWER_HEADER] = step.trace_id
                await send(message)

            await self._app(scope, receive, named)
