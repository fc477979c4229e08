"""The trace of a request through every process (W3C Trace Context, level 1).

A trace begins where a request enters and travels in the header ``traceparent``: gateway, Rasa,
action server, outbox, dispatch system. Every log line of a process carries it as ``trace``.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace

import httpx
from structlog.contextvars import bound_contextvars

HEADER = "traceparent"
"""Name of the request header, and of the key of a message's metadata."""

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True)
class Trace:
    """One step of a trace.

    Attributes:
        trace_id: 32 hexadecimal digits, the same in every process.
        span_id: 16 hexadecimal digits, of this step.
        flags: 2 hexadecimal digits; ``01`` asks for recording.
    """

    trace_id: str
    span_id: str
    flags: str = "01"

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def parse(header: str | None) -> Trace | None:
    """Read a ``traceparent`` header; None when it is absent or malformed (sections 2.2 and 3.2).

    A later version than 00 may have more fields, which are passed over.
    """
    match = _FORM.fullmatch(header or "")
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more) or not int(trace_id, 16):
        return None
    return Trace(trace_id, span_id, flags) if int(span_id, 16) else None


def current() -> Trace | None:
    """Return the step this code runs in, None outside every trace."""
    return _current.get()


@contextmanager
def traced(header: str | None) -> Iterator[Trace]:
    """Run a block as a step of the trace in ``header``, or of a new one when it names none."""
    before = parse(header)
    span = secrets.token_hex(8)
    step = replace(before, span_id=span) if before else Trace(secrets.token_hex(16), span)
    token = _current.set(step)
    try:
        with bound_contextvars(trace=step.trace_id):
            yield step
    finally:
        _current.reset(token)


def pass_on(request: httpx.Request) -> None:
    """Give an outgoing request the present trace; an event hook of httpx clients."""
    step = _current.get()
    if step is not None:
        request.headers[HEADER] = str(step)
