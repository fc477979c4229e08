"""The accounts of the console: who may log in, as what, and how he gets in again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Path, Request, Response

from channels.console.areas import ROLES, open_to, staff_of, visitor_of
from channels.console.forms import Posted
from channels.console.pages import console_of, console_router
from store.accounts import Accounts, temporary_password
from store.agent_models import Agent
from store.agents import all_agents, is_expired
from store.database import reading, unit_of_work
from store.models import utc_now
from store.second_factor import is_enrolled

HOME = "/console/accounts"
LARGEST_ID = 2**31 - 1
Number = Annotated[int, Path(ge=1, le=LARGEST_ID)]
_DONE = {
    "locked": "账号已停用，正在进行的登录已退出。",
    "unlocked": "账号已启用。",
    "role": "角色已更改，对方需要重新登录。",
    "factor": "两步验证已重置，对方下次登录后可重新绑定。",
}
router = console_router(HOME, staff_of("accounts"))


@dataclass(frozen=True)
class Account:
    """An account as the pages show it; ``until``: the end of a temporary password."""

    id: int
    name: str
    role: str
    state: str
    is_locked: bool
    enrolled: bool
    until: datetime | None
    expired: bool
    own: bool


def _shown(agent: Agent, own: Agent) -> Account:
    now = utc_now()
    rests = agent.blocked_until is not None and agent.blocked_until > now
    state = "已停用" if agent.locked_at else "口令错误过多，暂停登录" if rests else "正常"
    return Account(
        id=agent.id,
        name=agent.name,
        role=agent.role,
        state=state,
        is_locked=agent.locked_at is not None or rests,
        enrolled=is_enrolled(agent),
        until=agent.password_expires_at,
        expired=is_expired(agent, now),
        own=agent.id == own.id,
    )


@router.get("")
def list_page(request: Request) -> Response:
    """Show every account."""
    console, visitor = console_of(request), visitor_of(request)
    with reading() as session:
        found = [_shown(agent, visitor.staff) for agent in all_agents(session)]
    reaches = {role: "、".join(area.title for area in open_to(role)) for role in ROLES}
    return console.page(
        visitor,
        "accounts.html",
        accounts=found,
        reaches=reaches,
        hours=console.settings.temporary_password_hours,
    )


@router.post("")
def create(request: Request, form: Posted) -> Response:
    """Create an account with a temporary password, which is shown once."""
    password = temporary_password()
    with unit_of_work() as session:
        accounts = Accounts(session, visitor_of(request).staff)
        agent = accounts.create(form.one("name"), password, form.one("role"), temporary=True)
    return _secret_page(request, agent, password, is_new=True)


@router.get("/{agent_id}")
def account_page(request: Request, agent_id: Number, done: str = "") -> Response:
    """Show one account and what can be done with it."""
    visitor = visitor_of(request)
    with unit_of_work() as session:
        account = _shown(Accounts(session, visitor.staff).find(agent_id), visitor.staff)
    return console_of(request).page(
        visitor, "account.html", account=account, done=_DONE.get(done, "")
    )


@router.post("/{agent_id}/lock")
def lock(request: Request, agent_id: Number) -> Response:
    """Lock an account."""
    return _changed(request, agent_id, "locked", lambda a, agent: a.lock(agent))


@router.post("/{agent_id}/unlock")
def unlock(request: Request, agent_id: Number) -> Response:
    """Open a locked account, or one that rests."""
    return _changed(request, agent_id, "unlocked", lambda a, agent: a.unlock(agent))


@router.post("/{agent_id}/role")
def change_role(request: Request, agent_id: Number, form: Posted) -> Response:
    """Give an account another role."""
    role = form.one("role")
    return _changed(request, agent_id, "role", lambda a, agent: a.change_role(agent, role))


@router.post("/{agent_id}/second-factor")
def reset_second_factor(request: Request, agent_id: Number) -> Response:
    """Take the second factor away: the phone is lost."""
    return _changed(request, agent_id, "factor", lambda a, agent: a.reset_second_factor(agent))


@router.post("/{agent_id}/password")
def reset_password(request: Request, agent_id: Number) -> Response:
    """Give an account a temporary password, which is shown once."""
    password = temporary_password()
    with unit_of_work() as session:
        accounts = Accounts(session, visitor_of(request).staff)
        agent = accounts.find(agent_id)
        accounts.give_password(agent, password, temporary=True)
    return _secret_page(request, agent, password, is_new=False)


def _secret_page(request: Request, agent: Agent, password: str, *, is_new: bool) -> Response:
    visitor = visitor_of(request)
    return console_of(request).page(
        visitor,
        "account_secret.html",
        account=_shown(agent, visitor.staff),
        password=password,
        is_new=is_new,
    )


def _changed(
    request: Request, agent_id: int, done: str, step: Callable[[Accounts, Agent], None]
) -> Response:
    with unit_of_work() as session:
        accounts = Accounts(session, visitor_of(request).staff)
        step(accounts, accounts.find(agent_id))
    return console_of(request).moved(f"{HOME}/{agent_id}?done={done}")
