"""The edges of the gateway: how often, how much, by which name, from which page."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import ConfigurationError, TooManyError
from base.settings import Settings
from channels.gateway.hosts import ANY, known_hosts
from channels.gateway.rates import Rates, neighbourhood
from tests.channels.conftest import (
    Gateway,
    Neighbour,
    fine,
    neighbouring,
    refusal,
    replying,
    running_gateway,
)
from tests.channels.photos import attachment, encoded, scene
from tests.channels.scanners import EICAR, clamd
from tests.isolated import isolated
from tests.stack import free_port

GUARD = {"X-Shimin-Web": "1"}
PAGE = "https://bot.yunzhou.example"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway behind a proxy, with small limits and a scanner."""
    rasa, actions, desk = (Neighbour(free_port(), fine) for _ in range(3))
    rasa.answer = replying({"text": "您好"})
    with clamd() as port:
        changes = {
            "gateway_port": free_port(),
            "rasa_port": rasa.port,
            "actions_port": actions.port,
            "desk_port": desk.port,
            "public_url": "https://shimin.yunzhou.example",
            "allowed_hosts": "gateway.internal",
            "trusted_proxies": "127.0.0.0/8",
            "cors_origins": PAGE,
            "rate_citizen": "3/minute",
            "rate_address": "8/minute",
            "max_streams": 2,
            "upload_scanner": f"tcp://127.0.0.1:{port}",
        }
        with (
            isolated(tmp_path_factory.mktemp("edges"), **changes) as settings,
            neighbouring(rasa),
            running_gateway(settings, rasa, actions, desk) as gateway,
        ):
            yield gateway


def say(http: httpx.Client, who: str, text: str = "你好", *files: dict[str, Any]) -> httpx.Response:
    body = {"conversation_id": who, "channel": "api", "text": text, "attachments": list(files)}
    return http.post("/api/v1/messages", json=body)


def from_address(gateway: Gateway, address: str, **headers: str) -> httpx.Client:
    return gateway.client(**{"X-Forwarded-For": address, **headers})


# --- how often --------------------------------------------------------------------------


def test_a_citizen_who_sends_too_fast_is_asked_to_wait_and_nobody_else(strict: Gateway) -> None:
    with strict.api() as http:
        assert [say(http, "fast").status_code for _ in range(3)] == [200] * 3
        heard = len(strict.rasa.heard)
        refused = say(http, "fast")
        assert refusal(refused) == (429, "too_many_messages")
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert "秒再发" in refused.json()["error"]["message"]
        assert len(strict.rasa.heard) == heard
        assert say(http, "slow").status_code == 200


def test_an_address_that_asks_too_often_is_asked_to_wait_and_no_other(strict: Gateway) -> None:
    with from_address(strict, "203.0.113.9") as http:
        assert [http.post("/web/session", headers=GUARD).status_code for _ in range(8)] == [200] * 8
        refused = http.post("/web/session", headers=GUARD)
        assert refusal(refused) == (429, "too_many_requests")
        assert int(refused.headers["Retry-After"]) >= 1
        assert refused.headers["X-Content-Type-Options"] == "nosniff"
        assert http.get("/static/css/base.css").status_code == 200
    with from_address(strict, "203.0.113.10") as http:
        assert http.post("/web/session", headers=GUARD).status_code == 200


def test_who_has_the_key_speaks_for_many(strict: Gateway) -> None:
    key = {"Authorization": "Bearer test-api-key"}
    with from_address(strict, "203.0.113.20", **key) as http:
        assert {say(http, f"one-of-many-{n}").status_code for n in range(20)} == {200}


def test_an_address_cannot_be_made_up_in_front_of_the_proxy(strict: Gateway) -> None:
    """The proxy adds the address it sees at the end; what stands before it anybody may write."""
    codes = set()
    for number in range(9):
        with from_address(strict, f"198.51.100.{number}, 203.0.113.30") as http:
            codes.add(http.get("/api/v1/messages").status_code)
    assert codes == {401, 429}


def test_a_session_has_few_streams(strict: Gateway) -> None:
    with ExitStack() as open_ones, from_address(strict, "203.0.113.40") as http:
        http.post("/web/session", headers=GUARD)
        cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        heard = []
        for _ in range(2):
            stream = open_ones.enter_context(
                http.stream("GET", "/web/events", headers={"Cookie": cookies})
            )
            heard.append(stream.iter_lines())  # an iterator that is dropped closes its stream
            assert next(heard[-1]) == ": connected"
        refused = http.get("/web/events", headers={"Cookie": cookies})
        assert refusal(refused) == (429, "too_many_streams")


def test_counting_goes_on_when_redis_is_away() -> None:
    away = Rates(rated(rate_citizen="2/minute", rate_storage=f"redis://127.0.0.1:{free_port()}"))
    assert away.waits
    away.citizen("a")
    away.citizen("a")
    with pytest.raises(TooManyError):
        away.citizen("a")
    away.citizen("b")


def test_no_rate_is_no_limit() -> None:
    rates = Rates(rated(rate_citizen="", rate_address=""))
    for _ in range(500):
        rates.citizen("a")
        rates.address("203.0.113.9")


@pytest.mark.parametrize("change", [{"rate_citizen": "fast"}, {"rate_storage": "nowhere://"}])
def test_a_rate_that_makes_no_sense_is_refused(change: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="SHIMIN_RATE"):
        Rates(rated(**change))


def rated(**changes: str) -> Settings:
    return Settings(_env_file=None, **changes)  # type: ignore[arg-type]


@given(st.ip_addresses())
def test_one_subscriber_is_one_address(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    counted = neighbourhood(str(address))
    if address.version == 4:
        assert counted == str(address)
    else:
        assert address in ipaddress.ip_network(counted)
        assert counted.endswith("/64")


@given(st.text())
def test_an_odd_address_is_still_counted(address: str) -> None:
    assert neighbourhood(address)


# --- how much -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/web/session"),
        ("POST", "/webhooks/dispatch"),
        ("PUT", "/api/v1/profiles/resident/a"),
        ("POST", "/console/login"),
        ("POST", "/unsubscribe/a"),
        ("POST", "/nowhere"),
    ],
)
def test_only_messages_may_be_large(strict: Gateway, method: str, path: str) -> None:
    key = {"Authorization": "Bearer test-api-key"}
    with from_address(strict, "203.0.113.50", **key) as http:
        refused = http.request(method, path, content=b"x" * (1024 * 1024 + 1))
        assert refused.status_code == 413


def test_malware_is_refused_kindly(strict: Gateway) -> None:
    photo = encoded(scene())
    with strict.api() as http:
        assert refusal(say(http, "e-1", "", attachment(photo + EICAR))) == (422, "upload_infected")
        assert refusal(say(http, "e-2", "", attachment(EICAR))) == (422, "upload_infected")
        assert say(http, "e-3", "", attachment(photo)).status_code == 200


# --- by which name, from which page -----------------------------------------------------------


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("shimin.yunzhou.example", 401),
        ("SHIMIN.yunzhou.example:443", 401),
        ("gateway.internal:8000", 401),
        ("localhost", 401),
        ("[::1]:8000", 401),
        ("evil.example", 400),
        ("shimin.yunzhou.example.evil.example", 400),
        ("shimin.yunzhou.example:evil", 400),
    ],
)
def test_only_our_own_names_are_answered(strict: Gateway, host: str, status: int) -> None:
    with from_address(strict, "203.0.113.60", Host=host) as http:
        answer = http.get("/web/events")
    assert answer.status_code == status
    if status == 400:
        assert refusal(answer) == (400, "host_unknown")


def test_any_name_is_ours_only_in_development() -> None:
    assert known_hosts(rated(allowed_hosts="")) == {ANY}
    ours = known_hosts(
        rated(environment="production", allowed_hosts="", public_url="https://A.example:8443")
    )
    assert ours == {"a.example", "localhost", "127.0.0.1", "[::1]"}
    assert known_hosts(rated(environment="production", allowed_hosts="*")) == {ANY}


def test_other_pages_may_call_only_when_they_are_listed(strict: Gateway) -> None:
    asked = {"Access-Control-Request-Method": "POST"}
    with from_address(strict, "203.0.113.70") as http:
        theirs = http.options("/api/v1/messages", headers={**asked, "Origin": PAGE})
        others = http.options(
            "/api/v1/messages", headers={**asked, "Origin": "https://evil.example"}
        )
    assert theirs.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Access-Control-Allow-Credentials" not in theirs.headers
    assert "Access-Control-Allow-Origin" not in others.headers


def test_every_answer_carries_the_headers(strict: Gateway) -> None:
    with from_address(strict, "203.0.113.80") as http:
        answers = [http.get("/"), http.get("/nowhere"), http.get("/web/events")]
    for answer in answers:
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "server" not in answer.headers
    assert answers[1].headers["Cache-Control"] == "no-store"
