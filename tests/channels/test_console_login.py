"""The second factor, temporary passwords and one's own page, over HTTP."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from channels.console.doorkeeper import COOKIE
from store.accounts import Accounts
from store.agent_models import Agent, AgentSession
from store.agents import CODE_WAITS, WRONG_PASSWORDS, by_name
from store.database import unit_of_work
from store.models import AuditEntry, utc_now
from store.second_factor import RECOVERY_CODES, begin, confirm, forget, pending_secret
from tests.channels.agents import (
    PASSWORD,
    Staff,
    day_off,
    gateway,
    open_gateway,
    staff,
)
from tests.channels.authenticator import Authenticator
from tests.channels.conftest import Gateway

__all__ = ["day_off", "gateway", "open_gateway", "staff"]

NEW_PASSWORD = "andere-horse-22"


def enrolled(name: str) -> tuple[Authenticator, tuple[str, ...]]:
    """Give an account a second factor, long ago; return its app and its recovery codes."""
    with unit_of_work() as session:
        agent = by_name(session, name, lock=True)
        assert agent is not None
        begin(session, agent)
        secret = pending_secret(session, agent)
        assert secret is not None
        codes = confirm(session, agent, Authenticator(secret).next(), utc_now())
        agent.totp_step = 0
    return Authenticator(secret), codes


@pytest.fixture(autouse=True)
def plain_accounts(gateway: Gateway) -> Iterator[None]:
    """Every account as it was: the common password, no second factor."""
    with unit_of_work() as session:
        kept = {agent.id: agent.password_hash for agent in session.scalars(select(Agent))}
    yield
    with unit_of_work() as session:
        for agent in session.scalars(select(Agent)):
            forget(session, agent)
            agent.password_hash = kept[agent.id]
            agent.password_temporary, agent.password_expires_at = False, None


@pytest.fixture
def door(gateway: Gateway) -> Iterator[Staff]:
    """Somebody in front of the login page."""
    with gateway.client() as http:
        http.follow_redirects = True
        yield Staff(http)


def typed(door: Staff, code: str) -> httpx.Response:
    token = door.csrf(door.http.get("/console/login/code").text)
    return door.http.post("/console/login/code", data={"csrf": token, "code": code})


def posted(one: Staff, page: str, path: str, **data: str) -> httpx.Response:
    token = one.csrf(one.page(page))
    return one.http.post(path, data={"csrf": token, **data})


# --- two steps ----------------------------------------------------------------------------


def test_a_password_alone_opens_only_the_form_for_the_code(door: Staff) -> None:
    phone, _ = enrolled("小李")
    answer = door.log_in()
    assert "输入动态码" in answer.text and "退出" not in answer.text
    half = door.http.cookies[COOKIE]
    assert "工作台登录" in door.page("/console/agents")
    assert "工作台登录" in door.page("/console/me")
    assert "排队与对话" in typed(door, phone.next()).text
    assert door.http.cookies[COOKIE] != half
    door.http.cookies.set(COOKIE, half, path="/console")
    with unit_of_work() as session:
        assert session.scalars(select(AgentSession.whole)).all() == [True]


def test_a_wrong_password_says_nothing_of_a_second_factor(door: Staff) -> None:
    enrolled("小李")
    pages = [door.log_in(name, "wrong-horse-9").text for name in ("小李", "小王", "谁")]
    without_token = {re.sub(r'value="[0-9a-f]{64}"', "", page) for page in pages}
    assert len(without_token) == 1
    assert "工作台登录" in door.page("/console/login/code")


def test_a_code_counts_once(door: Staff, gateway: Gateway) -> None:
    phone, _ = enrolled("小李")
    door.log_in()
    code = phone.next()
    assert "排队与对话" in typed(door, code).text
    with gateway.client() as http:
        http.follow_redirects = True
        other = Staff(http)
        other.log_in()
        assert "动态码不对或已经用过" in typed(other, code).text
        assert "排队与对话" in typed(other, phone.next()).text


def test_wrong_codes_let_the_account_rest_and_the_password_gives_no_new_ones(door: Staff) -> None:
    phone, _ = enrolled("小李")
    for guess in range(WRONG_PASSWORDS - 1):
        door.log_in()
        assert typed(door, f"{guess:06d}x").status_code == 403
    door.log_in()
    assert typed(door, "").status_code == 403
    assert "工作台登录" in typed(door, phone.next()).text
    assert door.log_in().status_code == 403
    with unit_of_work() as session:
        purposes = session.scalars(select(AuditEntry.purpose)).all()
    assert "account_rests" in purposes


def test_the_code_is_waited_for_some_minutes_only(door: Staff) -> None:
    enrolled("小李")
    door.log_in()
    with unit_of_work() as session:
        found = session.scalars(select(AgentSession)).one()
        found.created_at = utc_now() - CODE_WAITS - CODE_WAITS
    assert "工作台登录" in door.page("/console/login/code")


def test_a_recovery_code_lets_in_once(door: Staff, gateway: Gateway) -> None:
    _, codes = enrolled("小李")
    assert len(set(codes)) == RECOVERY_CODES
    door.log_in()
    assert "排队与对话" in typed(door, f" {codes[0].lower()} ").text
    assert f"还剩 {RECOVERY_CODES - 1} 个" in door.page("/console/me")
    with gateway.client() as http:
        http.follow_redirects = True
        other = Staff(http)
        other.log_in()
        assert typed(other, codes[0]).status_code == 403


# --- one's own page -----------------------------------------------------------------------


def test_enrolling_asks_for_a_code_and_the_password(staff: Callable[..., Staff]) -> None:
    one, elsewhere = staff(), staff()
    page = posted(one, "/console/me/second-factor", "/console/me/second-factor/start").text
    found = re.search(r'<code class="number">([A-Z2-7 ]+)</code>', page)
    assert found and "<svg" in page
    phone = Authenticator(found[1].replace(" ", ""))
    confirm_at, form = "/console/me/second-factor/confirm", "/console/me/second-factor"
    assert posted(one, form, confirm_at, code="000000", password=PASSWORD).status_code == 409
    assert posted(one, form, confirm_at, code=phone.next(), password="wrong").status_code == 403
    before = one.http.cookies[COOKIE]
    done = posted(one, form, confirm_at, code=phone.next(), password=PASSWORD)
    codes = re.findall(r"<li><code>([0-9A-Z-]{19})</code>", done.text)
    assert len(codes) == RECOVERY_CODES
    assert one.http.cookies[COOKIE] != before
    assert "已开启" in one.page("/console/me")
    assert "工作台登录" in elsewhere.page()
    renewed = posted(one, form, "/console/me/second-factor/codes", password=PASSWORD)
    again = re.findall(r"<li><code>([0-9A-Z-]{19})</code>", renewed.text)
    assert len(again) == RECOVERY_CODES and not set(again) & set(codes)


def test_changing_the_password_asks_for_the_old_one_and_ends_other_sessions(
    staff: Callable[..., Staff], door: Staff
) -> None:
    one, elsewhere = staff(), staff()
    path = "/console/me/password"
    for old, new, again, status in (
        ("wrong", NEW_PASSWORD, NEW_PASSWORD, 403),
        (PASSWORD, NEW_PASSWORD, NEW_PASSWORD + "x", 409),
        (PASSWORD, PASSWORD, PASSWORD, 409),
        (PASSWORD, "short", "short", 409),
    ):
        answer = posted(one, path, path, old=old, new=new, again=again)
        assert (answer.status_code, 'role="alert"' in answer.text) == (status, True), (old, new)
    before = one.http.cookies[COOKIE]
    done = posted(one, path, path, old=PASSWORD, new=NEW_PASSWORD, again=NEW_PASSWORD)
    assert "口令已修改" in done.text
    assert one.http.cookies[COOKIE] != before
    assert "工作台登录" in elsewhere.page()
    assert door.log_in().status_code == 403
    assert "退出" in door.log_in(password=NEW_PASSWORD).text


def test_the_own_page_is_for_every_role_and_for_nobody_else(
    staff: Callable[..., Staff], door: Staff
) -> None:
    auditor = staff("auditor")
    assert "审计员" in auditor.page("/console/me")
    assert "工作台登录" in door.page("/console/me")
    for path in ("password", "second-factor/start", "second-factor/confirm", "second-factor/codes"):
        assert "工作台登录" in door.http.post(f"/console/me/{path}").text
        assert auditor.http.post(f"/console/me/{path}").status_code == 403  # no token


# --- what comes first ---------------------------------------------------------------------


def test_where_it_is_required_enrolling_comes_before_anything_else(
    gateway: Gateway, staff: Callable[..., Staff], monkeypatch: pytest.MonkeyPatch
) -> None:
    app: Any = gateway.server.config.app
    monkeypatch.setattr(app.state.console.door, "requires_code", True)
    one = staff("主任")
    for path in ("/console", "/console/agents", "/console/accounts", "/console/me"):
        page = one.page(path)
        assert "请先绑定" in page and 'href="/console/accounts"' not in page
    posted(one, "/console/me/second-factor", "/console/me/second-factor/start")
    page = one.page("/console/me/second-factor")
    found = re.search(r'<code class="number">([A-Z2-7 ]+)</code>', page)
    assert found
    code = Authenticator(found[1].replace(" ", "")).next()
    data = {"code": code, "password": PASSWORD}
    posted(one, "/console/me/second-factor", "/console/me/second-factor/confirm", **data)
    assert "全部账号" in one.page("/console/accounts")


def test_a_temporary_password_is_changed_first(staff: Callable[..., Staff], door: Staff) -> None:
    with unit_of_work() as session:
        agent = by_name(session, "小王")
        assert agent is not None
        Accounts(session).give_password(agent, NEW_PASSWORD, temporary=True)
    page = door.log_in("小王", NEW_PASSWORD).text
    assert "您用的是临时口令" in page
    assert "您用的是临时口令" in door.page("/console/agents")
    path = "/console/me/password"
    data = {"old": NEW_PASSWORD, "new": PASSWORD, "again": PASSWORD}
    posted(door, path, path, **data)
    assert "排队与对话" in door.page("/console")


def given(name: str) -> tuple[datetime | None, int]:
    """When the password of an account ends, and how many wrong ones were counted."""
    with unit_of_work() as session:
        agent = by_name(session, name)
        assert agent is not None
        return agent.password_expires_at, agent.failures


def test_a_temporary_password_ends_and_an_admin_gives_another(
    gateway: Gateway, staff: Callable[..., Staff], door: Staff
) -> None:
    admin = staff("主任")
    with unit_of_work() as session:
        agent = by_name(session, "小王")
        assert agent is not None
        own, before = f"/console/accounts/{agent.id}", utc_now()
        Accounts(session).give_password(agent, NEW_PASSWORD, temporary=True)
    hours, (end, _) = timedelta(hours=gateway.settings.temporary_password_hours), given("小王")
    assert end is not None and before + hours <= end <= utc_now() + hours
    assert "前有效" in admin.page(own)

    with unit_of_work() as session:
        agent = by_name(session, "小王")
        assert agent is not None
        agent.password_expires_at = utc_now() - timedelta(seconds=1)
    answer = door.log_in("小王", NEW_PASSWORD)
    assert answer.status_code == 403
    assert "临时口令已过期" in answer.text and "请联系管理员重置口令" in answer.text
    assert "工作台登录" in door.page("/console/me/password")
    assert given("小王")[1] == 0, "it was the right one"
    assert "临时口令已过期" not in door.log_in("小王", "wrong-horse-9").text
    assert "临时口令已过期" in admin.page(own)
    assert "临时口令已过期" in admin.page("/console/accounts")

    found = re.search(r'id="secret">([a-z0-9]{16})<', posted(admin, own, f"{own}/password").text)
    assert found
    assert "您用的是临时口令" in door.log_in("小王", found[1]).text
    path = "/console/me/password"
    posted(door, path, path, old=found[1], new=PASSWORD, again=PASSWORD)
    assert given("小王") == (None, 0)
    assert "有效" not in admin.page(own)
