"""Traces and figures of the gateway."""

from __future__ import annotations

from typing import Any

import httpx
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from base.metrics import serve_metrics
from tests.channels.conftest import Gateway, replying
from tests.channels.photos import attachment, encoded, scene
from tests.stack import free_port

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def said(*attachments: dict[str, Any]) -> dict[str, Any]:
    return {
        "conversation_id": "c-1",
        "channel": "api",
        "text": "你好",
        "attachments": list(attachments),
    }


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_message_keeps_its_trace_on_the_way_to_rasa(gateway: Gateway) -> None:
    gateway.rasa.traces.clear()
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    with gateway.api() as http, capture_logs([merge_contextvars]) as lines:
        body = said(attachment(encoded(scene())))
        known = http.post("/api/v1/messages", json=body, headers=headers)
        other = http.post("/api/v1/messages", json=said())
    traces = [answer.headers["X-Trace-Id"] for answer in (known, other)]
    assert traces[0] == TRACE != traces[1]
    heard = [header.split("-")[1] for header in gateway.rasa.traces]
    assert heard == [TRACE, *traces]  # read ahead, sent, sent
    assert [line["trace"] for line in lines if line["event"] == "message"] == traces


def test_a_refusal_names_its_trace_too(gateway: Gateway) -> None:
    with gateway.client() as http, capture_logs([merge_contextvars]) as lines:
        answer = http.post("/api/v1/messages", json=said())
    (line,) = [line for line in lines if line["event"] == "refused"]
    assert (answer.status_code, answer.headers["X-Trace-Id"]) == (401, line["trace"])


def test_requests_and_messages_are_counted_without_their_words(gateway: Gateway) -> None:
    route = {"method": "POST", "route": "/api/v1/messages", "status": "200"}
    failure = {"kind": "HTTPStatusError"}

    def counts() -> tuple[float, float, float]:
        return (
            value("shimin_http_request_seconds_count", **route),
            value("shimin_messages_total", intent="greet"),
            value("shimin_rasa_errors_total", **failure),
        )

    before = counts()
    with gateway.api() as http:
        assert http.post("/api/v1/messages", json=said()).status_code == 200
        gateway.rasa.answer = lambda _: (500, b"")
        assert http.post("/api/v1/messages", json=said()).status_code == 503
        assert http.get("/anything/zebra").status_code == 404
    assert counts() == tuple(count + 1 for count in before)
    lost = {"method": "any", "route": "unmatched", "status": "404"}
    assert value("shimin_http_request_seconds_count", **lost) >= 1
    assert b"zebra" not in generate_latest()


def test_the_fallback_rate_can_be_read_where_prometheus_reads(gateway: Gateway) -> None:
    port = free_port()
    server = serve_metrics(gateway.settings, port)
    assert server is not None

    def scraped() -> tuple[float, float]:
        text = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        families = {family.name: family for family in text_string_to_metric_families(text)}
        counts = {
            sample.labels["intent"]: sample.value
            for sample in families["shimin_messages"].samples
            if sample.name.endswith("_total")
        }
        return counts.get("nlu_fallback", 0.0), sum(counts.values())

    try:
        with gateway.api() as http:
            http.post("/api/v1/messages", json=said())
            before = scraped()
            fallback = {"name": "nlu_fallback", "confidence": 0.2}
            gateway.rasa.answer = replying({"text": "我没听明白。"}, intent=fallback)
            for _ in range(2):
                assert http.post("/api/v1/messages", json=said()).status_code == 200
        after = scraped()
    finally:
        server.shutdown()
        server.server_close()
    assert (after[0] - before[0], after[1] - before[1]) == (2, 2)
