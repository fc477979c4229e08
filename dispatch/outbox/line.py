"""The line to the dispatch system: a circuit breaker around every call.

When the system does not answer several times in a row, the line is cut and nobody calls for a
while; then one call is let through, and its outcome decides (docs/adr/0006-circuit-breaker.md).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import ParamSpec, TypeVar

import structlog
from pybreaker import (
    STATE_CLOSED,
    STATE_OPEN,
    CircuitBreaker,
    CircuitBreakerError,
    CircuitBreakerListener,
    CircuitBreakerState,
    CircuitMemoryStorage,
)

from base.metrics import LINE_CUT
from dispatch.open311 import DispatchUnreachableError

log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


class _Changes(CircuitBreakerListener):
    """Logs every change of state, and what went wrong last."""

    def __init__(self) -> None:
        self._problem = ""

    def failure(self, cb: CircuitBreaker, exc: BaseException) -> None:  # noqa: ARG002
        self._problem = getattr(exc, "detail", "") or type(exc).__name__

    def state_change(
        self,
        cb: CircuitBreaker,
        old_state: CircuitBreakerState | None,
        new_state: CircuitBreakerState,
    ) -> None:
        before = old_state.name if old_state else None
        LINE_CUT.set(new_state.name == STATE_OPEN)
        if new_state.name == STATE_OPEN:
            log.error(
                "dispatch_line_cut",
                before=before,
                rest_seconds=cb.reset_timeout,
                detail=self._problem,
            )
        elif new_state.name == STATE_CLOSED:
            log.info("dispatch_line_restored", before=before)
        else:
            log.info("dispatch_line_tried", before=before)


def _is_answer(error: BaseException) -> bool:
    """Tell whether an error still shows that the system answers: a refusal does."""
    return not isinstance(error, DispatchUnreachableError)


class Line:
    """Calls to one dispatch system, by one process.

    Args:
        failures: calls without an answer in a row (network, timeout, 408, 425, 429, any 5xx)
            after which the line is cut; at least 1.
        rest_seconds: how long nobody calls then, until one call is let through.
    """

    def __init__(self, failures: int, rest_seconds: float) -> None:
        self._memory = CircuitMemoryStorage(STATE_CLOSED)
        self._breaker = CircuitBreaker(
            fail_max=failures,
            reset_timeout=rest_seconds,
            exclude=[_is_answer],
            listeners=[_Changes()],
            state_storage=self._memory,
            throw_new_error_on_trip=False,
        )

    @property
    def rests(self) -> bool:
        """Whether the line is cut and not yet due for its next try."""
        opened_at = self._memory.opened_at
        if self._memory.state != STATE_OPEN or opened_at is None:
            return False
        return datetime.now(UTC) < opened_at + timedelta(seconds=self._breaker.reset_timeout)

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call ``function``, which speaks with the dispatch system.

        Raises:
            DispatchUnreachableError: the line rests, and nothing was sent.
            DispatchError: what ``function`` raises.
        """
        try:
            return self._breaker.call(function, *args, **kwargs)
        except CircuitBreakerError as error:
            raise DispatchUnreachableError("the line rests after failures") from error
