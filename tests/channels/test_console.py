"""The door of the console: passwords, sessions, forms of others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from channels.console.areas import AREAS
from channels.console.doorkeeper import COOKIE
from store.agent_models import Agent, AgentSession
from store.agents import IDLE, ROLES, SESSION, WRONG_PASSWORDS, set_locked
from store.database import unit_of_work
from store.handover_models import Handover
from store.models import utc_now
from tests.channels.agents import (
    PASSWORD,
    Person,
    Staff,
    citizen,
    day_off,
    gateway,
    only_id,
    open_gateway,
    staff,
)
from tests.channels.conftest import Gateway

__all__ = ["citizen", "day_off", "gateway", "open_gateway", "staff"]


def test_nobody_gets_in_without_logging_in(gateway: Gateway) -> None:
    with gateway.client() as http:
        for path in ("", "/queue", "/calls", "/1", "/1/new"):
            answer = http.get(f"/console/agents{path}")
            assert (answer.status_code, answer.headers["Location"]) == (303, "/console/login")
        for path in ("/1/claim", "/1/reply", "/1/end", "/calls/1/number", "/1/transfer"):
            assert http.post(f"/console/agents{path}").status_code == 303
        background = http.get("/console/agents/queue", headers={"X-Background": "1"})
        assert background.status_code == 401


def test_the_cookie_is_hidden_strict_and_new(gateway: Gateway) -> None:
    with gateway.client() as http:
        door = Staff(http)
        before = http.get("/console/login").headers["Set-Cookie"]
        after = door.log_in().headers["Set-Cookie"]
    for cookie in (before, after):
        assert "HttpOnly" in cookie and "SameSite=strict" in cookie and "Path=/console" in cookie
        assert "Secure" not in cookie  # plain http on loopback
    assert before.split(";")[0] != after.split(";")[0]
    with unit_of_work() as session:
        token = after.split(";")[0].removeprefix(f"{COOKIE}=")
        assert token not in session.scalars(select(AgentSession.id)).one()


def test_a_form_without_our_token_does_nothing(
    gateway: Gateway, citizen: Callable[..., Person], staff: Callable[..., Staff]
) -> None:
    citizen().say("/ask_human")
    agent = staff()
    for token in ("", "0" * 64):
        answer = agent.http.post(f"/console/agents/{only_id()}/claim", data={"csrf": token})
        assert answer.status_code == 403
    with gateway.client() as http:
        data = {"csrf": "", "name": "小李", "password": PASSWORD}
        assert http.post("/console/login", data=data).status_code == 403
    with unit_of_work() as session:
        assert session.scalars(select(Handover.state)).one() == "waiting"


def test_wrong_passwords_let_the_account_rest(gateway: Gateway) -> None:
    with gateway.client() as http:
        door = Staff(http)
        for name, password in (("小李", "wrong"), ("谁", PASSWORD), ("", ""), ("小李", "")):
            answer = door.log_in(name, password)
            assert answer.status_code == 403
            assert "账号或口令不对" in answer.text
        for _ in range(WRONG_PASSWORDS):
            door.log_in("小王", "wrong")
        assert door.log_in("小王").status_code == 403  # the right one, too early
        with unit_of_work() as session:
            agent = session.scalars(select(Agent).where(Agent.name == "小王")).one()
            assert agent.blocked_until is not None
            agent.blocked_until = utc_now() - timedelta(seconds=1)
        assert door.log_in("小王").status_code == 303


def test_a_locked_account_is_out_at_once(gateway: Gateway, staff: Callable[..., Staff]) -> None:
    agent = staff("小王")
    with unit_of_work() as session:
        found = session.scalars(select(Agent).where(Agent.name == "小王")).one()
        set_locked(session, found, locked=True)
    assert "工作台登录" in agent.page()
    assert agent.log_in("小王").status_code == 403


@pytest.mark.parametrize(("field", "age"), [("seen_at", IDLE), ("created_at", SESSION)])
def test_sessions_end(staff: Callable[..., Staff], field: str, age: timedelta) -> None:
    agent = staff()
    with unit_of_work() as session:
        found = session.scalars(select(AgentSession)).one()
        setattr(found, field, utc_now() - age - timedelta(seconds=1))
    assert "工作台登录" in agent.page()


def test_logging_out_ends_the_session(staff: Callable[..., Staff]) -> None:
    agent = staff()
    kept = agent.http.cookies[COOKIE]
    agent.http.post("/console/logout", data={"csrf": agent.csrf(agent.page())})
    agent.http.cookies.set(COOKIE, kept)
    assert "工作台登录" in agent.page()


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=1&" * 100, b"csrf=" + b"x" * 200_000])
def test_odd_forms_are_refused_friendly(gateway: Gateway, body: bytes) -> None:
    with gateway.client() as http:
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = http.post("/console/login", content=body, headers=kind)
    assert answer.status_code == 403
    assert "页面已过期" in answer.text


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sees_and_enters_its_own_areas_only(
    gateway: Gateway, staff: Callable[..., Staff], role: str
) -> None:
    one = staff(role)
    paths = {area.path for area in AREAS if role in area.roles}
    page = one.page("/console")
    assert {area.path for area in AREAS if f'href="{area.path}"' in page} == paths
    for area in AREAS:
        status = one.http.get(area.path).status_code
        assert status == (200 if area.path in paths else 403), area
