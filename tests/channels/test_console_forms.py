"""Every route of the console that may change something, found by itself and asked for its token."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from structlog.testing import capture_logs

from channels.console.areas import AREAS, Area
from channels.console.forms import SAFE_METHODS
from store.agents import ROLES
from tests.channels.agents import Staff, day_off, gateway, open_gateway, staff
from tests.channels.conftest import Gateway
from tests.store.filling import contents

__all__ = ["day_off", "gateway", "open_gateway", "staff"]

NOBODY_NEEDED = {
    "/console/login": "nobody is logged in yet",
    "/console/login/code": "the password was shown, the code is owed",
    "/console/logout": "a session that has ended may be ended",
}
"""Where no login comes first, and why; the token is asked for there too."""
URLENCODED = {"Content-Type": "application/x-www-form-urlencoded"}


def changing(gateway: Gateway, number: str = "1") -> list[tuple[str, str]]:
    """Method and path of every route of the console that may change something.

    ``number`` stands where a path names a row: the first account is one that there is.
    """
    app: Any = gateway.server.config.app
    found = [
        (method, re.sub(r"\{[^}]+\}", number, route.path))
        for route in iter_route_contexts(app.routes)
        if route.path and route.path.startswith("/console")
        for method in sorted((route.methods or set()) - SAFE_METHODS)
    ]
    assert {path for _, path in found} > set(NOBODY_NEEDED), "the walk finds nothing"
    return found


def area_of(path: str) -> Area | None:
    around = [area for area in AREAS if f"{path}/".startswith(f"{area.path}/")]
    return max(around, key=lambda area: len(area.path), default=None)


def somebody_of(path: str) -> str:
    """A role that may be there: what is refused is not refused for the role."""
    area = area_of(path)
    return min(area.roles) if area else "agent"


def rows(gateway: Gateway) -> dict[str, Any]:
    """Everything in the store but when somebody was seen last."""
    found = contents(gateway.settings.database_url)
    del found["agent_sessions"]
    return found


@pytest.fixture
def everybody(staff: Callable[..., Staff]) -> dict[str, Staff]:
    """Somebody of each role, logged in."""
    return {role: staff(role) for role in ROLES}


@pytest.fixture
def elsewhere(staff: Callable[..., Staff]) -> dict[str, str]:
    """The tokens of other sessions of the same accounts."""
    return {role: token_of(staff(role)) for role in ROLES}


def token_of(one: Staff) -> str:
    return one.csrf(one.page("/console"))


def sent(one: Staff, method: str, path: str, token: str | None) -> httpx.Response:
    data = {} if token is None else {"csrf": token}
    return one.http.request(method, path, data=data, follow_redirects=False)


def test_no_form_counts_without_the_token_of_its_session(
    gateway: Gateway, everybody: dict[str, Staff], elsewhere: dict[str, str]
) -> None:
    routes, before = changing(gateway), rows(gateway)
    with capture_logs() as logs:
        for method, path in routes:
            role = somebody_of(path)
            for token in (None, "0" * 64, "页", elsewhere[role]):
                answer = sent(everybody[role], method, path, token)
                told = (answer.status_code, "刚才的操作没有执行" in answer.text)
                assert told == (403, True), (method, path, token)
    assert rows(gateway) == before
    lines = [line for line in logs if line["event"] == "console_form_refused"]
    assert len(lines) == 4 * len(routes)
    assert {line["path"] for line in lines} == {path for _, path in routes}
    assert all(line["agent"] for line in lines)


def test_who_is_not_logged_in_is_led_to_the_login_first(gateway: Gateway) -> None:
    with gateway.client() as http:
        for method, path in changing(gateway):
            answer = http.request(method, path)
            if path in NOBODY_NEEDED:
                assert answer.status_code == 403, path
            else:
                there = (answer.status_code, answer.headers.get("Location"))
                assert there == (303, "/console/login"), path


def test_the_role_is_looked_at_before_the_form(
    gateway: Gateway, everybody: dict[str, Staff]
) -> None:
    with capture_logs() as logs:
        for method, path in changing(gateway):
            area = area_of(path)
            if area is None:
                continue
            one = everybody[min(set(ROLES) - area.roles)]
            for token in (None, token_of(one)):
                answer = sent(one, method, path, token)
                told = (answer.status_code, "您的角色没有这项权限" in answer.text)
                assert told == (403, True), (method, path, token)
    assert {line["event"] for line in logs} == {"console_forbidden"}


def test_ones_own_token_is_taken_everywhere(gateway: Gateway, everybody: dict[str, Staff]) -> None:
    """What the tests above refuse is refused for the token and for nothing else."""
    routes = sorted(changing(gateway, "999999"), key=lambda route: route[1] == "/console/logout")
    for method, path in routes:
        one = everybody[somebody_of(path)]
        answer = sent(one, method, path, token_of(one))
        assert "刚才的操作没有执行" not in answer.text, (method, path)
        assert "您的角色没有这项权限" not in answer.text, (method, path)


@pytest.mark.parametrize("size", [90_000, 110_000])
def test_a_form_is_read_up_to_its_limit(staff: Callable[..., Staff], size: int) -> None:
    one = staff()
    body = f"csrf={token_of(one)}&rest={'x' * size}"
    answer = one.http.post("/console/logout", content=body, headers=URLENCODED)
    assert answer.status_code == (200 if size < 100_000 else 403)
    assert ("工作台登录" in one.page()) == (size < 100_000)


def test_only_urlencoded_forms_bring_a_token(staff: Callable[..., Staff]) -> None:
    one = staff()
    token = token_of(one)
    for body in ({"json": {"csrf": token}}, {"files": {"csrf": (None, token)}}):
        assert one.http.post("/console/logout", **body).status_code == 403
    assert "退出" in one.page()
