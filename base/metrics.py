"""What Prometheus reads: every metric of ours, and the small server that shows them.

Each process has a port of its own for them (docs/observability.md), so several gateways on one
machine are several targets and nothing has to be summed up in a shared folder.
"""

from __future__ import annotations

import hmac
import ipaddress
import threading
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import structlog
from prometheus_client import Counter, Gauge, Histogram, make_wsgi_app

from base.errors import ConfigurationError
from base.settings import Settings

log = structlog.get_logger(__name__)

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 2.0, 5.0, 10.0, 20.0)

REQUEST_SECONDS = Histogram(
    "shimin_http_request_seconds",
    "From a request's head to the head of its answer, by pattern of the route.",
    ("method", "route", "status"),
    buckets=_SECONDS,
)
MESSAGES = Counter(
    "shimin_messages_total", "Messages of citizens by what they were understood as.", ("intent",)
)
RASA_ERRORS = Counter(
    "shimin_rasa_errors_total", "Messages that Rasa did not answer, by kind of failure.", ("kind",)
)
ACTION_SECONDS = Histogram(
    "shimin_action_seconds", "Run time of custom actions.", ("action",), buckets=_SECONDS
)
ACTION_FAILURES = Counter(
    "shimin_action_failures_total", "Custom actions that failed, by cause.", ("action", "cause")
)
DELIVERIES = Counter(
    "shimin_outbox_deliveries_total",
    "Tries to hand an entry to the dispatch system: sent, retry, shut_out, dead.",
    ("result",),
)
LINE_CUT = Gauge(
    "shimin_dispatch_line_cut", "1 while nobody calls the dispatch system after failures."
)
OUTBOX = Gauge("shimin_outbox_entries", "Entries for the dispatch system.", ("state",))
OUTBOX_AGE = Gauge("shimin_outbox_oldest_seconds", "How long the oldest pending entry waits.")
HANDOVERS = Gauge("shimin_handovers", "Hand-overs to a person that are open.", ("state",))
HANDOVER_AGE = Gauge(
    "shimin_handover_oldest_seconds", "How long the first in the queue waits for a person."
)
NOTICES = Gauge("shimin_notice_deliveries", "Notices of policies, per channel told.", ("state",))
OVERDUE = Gauge("shimin_tickets_overdue", "Open tickets past a limit.", ("limit",))
ERASED_EVENTS = Counter(
    "shimin_conversation_events_erased_total",
    "Events of conversations that were deleted, and why: expired, requested.",
    ("reason",),
)
ERASURE_AGE = Gauge(
    "shimin_conversation_erasure_oldest_seconds",
    "How long the oldest request to erase a conversation waits.",
)
FIGURES_AT = Gauge(
    "shimin_figures_timestamp_seconds", "When the figures of the store were last taken (Unix time)."
)

_Start = Callable[..., Any]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Write nothing: a scrape every few seconds is no event."""


def serve_metrics(settings: Settings, port: int) -> WSGIServer | None:
    """Show the metrics of this process at ``/metrics`` of ``port`` in a thread; 0: nowhere.

    A port that is taken is logged and no reason not to serve citizens.

    Raises:
        ConfigurationError: the address is not loopback and there is no token.
    """
    token = settings.metrics_token.get_secret_value()
    if not port:
        return None
    if not token and not _is_loopback(settings.metrics_host):
        raise ConfigurationError(
            "SHIMIN_METRICS_HOST is not a loopback address: SHIMIN_METRICS_TOKEN must be set"
        )
    try:
        server = make_server(
            settings.metrics_host, port, _guarded(token), _Server, handler_class=_Quiet
        )
    except OSError as error:
        log.error("metrics_not_shown", port=port, error=str(error))
        return None
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def _guarded(token: str) -> Callable[[dict[str, Any], _Start], Iterable[bytes]]:
    shown: Callable[[dict[str, Any], _Start], Iterable[bytes]] = make_wsgi_app()

    def application(environ: dict[str, Any], start: _Start) -> Iterable[bytes]:
        given = environ.get("HTTP_AUTHORIZATION", "")
        if token and not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            start("401 Unauthorized", [("WWW-Authenticate", "Bearer")])
            return [b""]
        if environ["PATH_INFO"] != "/metrics":
            start("404 Not Found", [])
            return [b""]
        return shown(environ, start)

    return application


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
