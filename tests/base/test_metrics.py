from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from base.errors import ConfigurationError
from base.metrics import MESSAGES, serve_metrics
from base.settings import Settings
from tests.stack import free_port


def settings(**changes: Any) -> Settings:
    return Settings(_env_file=None, **changes)


@contextmanager
def shown(**changes: Any) -> Iterator[str]:
    port = free_port()
    server = serve_metrics(settings(**changes), port)
    assert server is not None
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        server.server_close()


def test_prometheus_reads_what_was_counted() -> None:
    MESSAGES.labels("ask_fee").inc(3)
    with shown() as url:
        answer = httpx.get(f"{url}/metrics")
        assert httpx.get(f"{url}/").status_code == 404
    assert answer.status_code == 200
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    counted = {s.labels.get("intent"): s.value for s in families["shimin_messages"].samples}
    assert counted["ask_fee"] >= 3
    assert "process_resident_memory_bytes" in families


@pytest.mark.parametrize(
    ("given", "status"), [(None, 401), ("Bearer wrong", 401), ("t", 401), ("Bearer t", 200)]
)
def test_a_token_protects_them(given: str | None, status: int) -> None:
    headers = {"Authorization": given} if given else {}
    with shown(metrics_token="t") as url:
        assert httpx.get(f"{url}/metrics", headers=headers).status_code == status


def test_no_other_address_than_loopback_without_a_token() -> None:
    with pytest.raises(ConfigurationError, match="METRICS_TOKEN"):
        serve_metrics(settings(metrics_host="0.0.0.0"), free_port())
    with shown(metrics_host="0.0.0.0", metrics_token="t") as url:
        assert httpx.get(f"{url}/metrics").status_code == 401


def test_no_port_no_server_and_a_taken_port_stops_nothing() -> None:
    assert serve_metrics(settings(), 0) is None
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert serve_metrics(settings(), taken.getsockname()[1]) is None
