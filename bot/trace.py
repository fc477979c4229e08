"""The trace of a message (W3C Trace Context) in Rasa: in every log line, and on to the actions.

The gateway sends it in the header ``traceparent``; it goes on in the metadata of the message,
which is what the action protocol carries. base/tracing.py is the same thing in the other runtime.
"""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any, ContextManager, Optional, Text

from structlog.contextvars import bound_contextvars, get_contextvars

HEADER = "traceparent"

_FORM = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def traced(header: Optional[Text]) -> ContextManager[Any]:
    """Have the log lines of a block tell the trace of ``header``, if it is one."""
    match = _FORM.fullmatch(header or "")
    return bound_contextvars(**({"trace": match.group(1)} if match else {}))


@lru_cache(maxsize=1)
def mark_log_lines() -> None:
    """Have what is logged without structlog, which is most of Rasa, tell the trace as well."""
    plain = logging.getLogRecordFactory()

    def marked(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = plain(*args, **kwargs)
        trace = get_contextvars().get("trace")
        if trace and trace not in str(record.msg):
            record.msg = f"{record.msg} trace={trace}"
        return record

    logging.setLogRecordFactory(marked)
