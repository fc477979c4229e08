"""The areas of the console and the roles that may enter each: least privilege, in one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from channels.console.doorkeeper import ForbiddenError, Visitor

ROLES = {
    "agent": "坐席",
    "dispatcher": "派单员",
    "editor": "政策与知识编辑",
    "auditor": "审计员",
    "admin": "管理员",
}
"""What staff read for the roles of ``store.agents.ROLES``."""


@dataclass(frozen=True)
class Area:
    """A group of pages: ``key`` marks it in the menu, ``roles`` may enter."""

    key: str
    title: str
    path: str
    roles: frozenset[str]


def _area(key: str, title: str, *roles: str) -> Area:
    return Area(key, title, f"/console/{key}", frozenset(roles))


AREAS = (
    _area("agents", "排队与对话", "agent", "admin"),
    _area("agents/calls", "回电", "agent", "admin"),
    _area("complaints", "工单", "dispatcher", "admin"),
    _area("hotspots", "热点", "dispatcher", "admin"),
    _area("policies", "政策覆盖", "editor", "admin"),
    _area("simulation", "政策测算", "editor", "admin"),
    _area("unanswered", "未答问题", "editor", "admin"),
    _area("deliveries", "投递", "dispatcher", "admin"),
    _area("audit", "审计", "auditor"),
    _area("accounts", "账号", "admin"),
)
"""In the menu's order. An administrator does not read the trail that is about him (GB/T 22239,
8.1.5.2: the auditing administrator is another person than the system's)."""

_BY_KEY = {area.key: area for area in AREAS}


def open_to(role: str) -> tuple[Area, ...]:
    """Return the areas a role may enter, in the menu's order."""
    return tuple(area for area in AREAS if role in area.roles)


def home_of(role: str) -> str:
    """Return the path of the first area of a role."""
    return open_to(role)[0].path


def staff_of(key: str) -> Callable[[Request], Visitor]:
    """Return the dependency that lets only the staff of an area in, and returns who it is.

    It raises :class:`LoginNeededError` when nobody is logged in, :class:`DutyFirstError` when he
    has to do something else first, and :class:`ForbiddenError` when the role may not enter.
    """
    area = _BY_KEY[key]

    def entering(request: Request) -> Visitor:
        visitor = entered(request)
        if visitor.staff.role not in area.roles:
            raise ForbiddenError
        return visitor

    return entering


def entered(request: Request) -> Visitor:
    """Let anybody of the staff in who has nothing else to do first, and return who it is.

    Raises:
        LoginNeededError: nobody is logged in.
        DutyFirstError: a password or a second factor comes first.
    """
    visitor = arrived(request)
    visitor.at(request.url.path)
    return visitor


def arrived(request: Request) -> Visitor:
    """Let anybody in, logged in or not, and return who it is."""
    visitor: Visitor = request.app.state.console.door.visitor(request)
    request.state.visitor = visitor
    return visitor


def visitor_of(request: Request) -> Visitor:
    """Return whom :func:`staff_of`, :func:`entered` or :func:`arrived` has let in."""
    visitor: Visitor = request.state.visitor
    return visitor
