"""One readable log format for every process; personal data is masked on the way out."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

from base.masking import mask

_RANDOM = frozenset({"trace"})
"""What is drawn at random: digits in it look like a telephone's, and it must stay whole."""


def _mask_values(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if not key.startswith("_") and key not in _RANDOM:  # structlog's own
            event[key] = _masked(value)
    return event


_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
_IN_TRACEBACK = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def _keep_in_line(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Write control characters as escapes: what a citizen says never begins a line of its own.

    The lines of a traceback are kept and indented.
    """
    for key, value in event.items():
        if isinstance(value, str) and not key.startswith("_"):
            if key == "exception":
                event[key] = _IN_TRACEBACK.sub(_escaped, value).replace("\n", "\n    ")
            else:
                event[key] = _CONTROL.sub(_escaped, value)
    return event


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _masked(value: Any) -> Any:
    """Mask text wherever it stands; a value that needs masking is logged as text."""
    if value is None or isinstance(value, bool | float):
        return value
    shown = value if isinstance(value, str) else repr(value)
    hidden = mask(shown)
    return value if hidden == shown else hidden


def configure_logs(level: int = logging.INFO, form: Literal["text", "json"] = "text") -> None:
    """Send structlog and standard logging to stderr, what is bound in context (trace) included.

    Args:
        level: of the standard library; less is not written.
        form: ``text`` is ``time level event key=value`` for people; ``json`` is one object a
            line, with the moment in UTC, for a log store.
    """
    as_json = form == "json"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper("iso" if as_json else "%H:%M:%S", utc=as_json),
        structlog.processors.format_exc_info,
        _mask_values,
        _keep_in_line,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "alembic", "faiss"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
