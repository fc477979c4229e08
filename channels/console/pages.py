"""The base of every page of the console: templates, headers, routers, login."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from base.calendar import CITY_TIME
from base.errors import InputError, StateError
from base.settings import Settings
from channels.console.areas import ROLES, arrived, home_of, open_to, visitor_of
from channels.console.doorkeeper import (
    PATH,
    Doorkeeper,
    DutyFirstError,
    ForbiddenError,
    ForeignFormError,
    LoginNeededError,
    RefusedError,
    Visitor,
)
from channels.console.forms import Posted, own_form
from store.agent_models import Agent

log = structlog.get_logger(__name__)

HERE = Path(__file__).parent
STATIC = HERE / "static"
ROOMS = (HERE, HERE.parent / "agents", HERE.parent / "officials")
"""The folders whose pages share this frame; each has its ``templates``."""
HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}
LONGEST_CODE = 40
"""Characters of a code of the second factor: a recovery code with its dashes is longest."""


class Console:
    """What the console's pages are made with; one of it a gateway."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.door = Doorkeeper(settings)
        self._pages = Environment(
            loader=FileSystemLoader([room / "templates" for room in ROOMS]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._pages.filters.update(moment=moment, clock=clock)

    def page(
        self, visitor: Visitor, template: str, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """Return a page of a template for a visitor."""
        text = self._pages.get_template(template).render(
            agent=visitor.agent,
            csrf=visitor.csrf,
            roles=ROLES,
            areas=open_to(visitor.agent.role) if visitor.agent and not visitor.duty else (),
            **values,
        )
        return HTMLResponse(text, status, HEADERS)

    def login(self, visitor: Visitor, status: int = 200, problem: str = "") -> HTMLResponse:
        """Return the login page; its visitor holds the cookie its token belongs to."""
        response = self.page(visitor, "login.html", status, problem=problem)
        self.door.set_cookie(response, visitor.token)
        return response

    def moved(self, path: str, token: str = "") -> Response:
        """Lead to another page, with the cookie of a new session if there is one."""
        response = see_other(path)
        if token:
            self.door.set_cookie(response, token)
        return response


def see_other(path: str) -> Response:
    """Lead to another page after a form (RFC 9110, 15.4.4)."""
    return RedirectResponse(path, 303, HEADERS)


def console_of(request: Request) -> Console:
    """Return the console of the application."""
    console: Console = request.app.state.console
    return console


def console_router(prefix: str, entering: Callable[[Request], Visitor]) -> APIRouter:
    """Return the router of the pages under ``prefix``; the console has no other kind.

    First ``entering`` says who may come (``channels.console.areas``), then a request that may
    change something has to bring the token of its session (``own_form``): a route that is added
    cannot do without either.
    """
    return APIRouter(
        prefix=prefix,
        include_in_schema=False,
        route_class=_Guarded,
        dependencies=[Depends(entering), Depends(own_form)],
    )


class _Guarded(APIRoute):
    """A route of the console: what goes wrong becomes a page, never JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler."""
        inner = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                return await inner(request)
            except LoginNeededError:
                if request.headers.get("X-Background"):
                    return Response(status_code=401, headers=HEADERS)
                return see_other("/console/login")
            except DutyFirstError as first:
                return see_other(first.path)
            except RefusedError as refused:
                return _refused(request, refused.status, refused.message)
            except ForbiddenError:
                _note(request, "console_forbidden")
                return _refused(request, 403, "您的角色没有这项权限，需要时请联系管理员。")
            except ForeignFormError:
                _note(request, "console_form_refused")
                return _refused(request, 403, "页面已过期，刚才的操作没有执行，请刷新后再试。")
            except (InputError, StateError) as error:
                return _refused(request, 409, error.message)

        return guarded


def _note(request: Request, event: str) -> None:
    agent = visitor_of(request).agent
    log.warning(event, path=request.url.path, agent=agent.id if agent else None)


def _refused(request: Request, status: int, message: str) -> Response:
    console = console_of(request)
    visitor = console.door.visitor(request)
    return console.page(visitor, "refused.html", status, message=message)


router = console_router("", arrived)


@router.get("/console")
def root(request: Request) -> Response:
    """Lead to the first page of one's role."""
    return _home(visitor_of(request).at(PATH))


@router.get("/console/login")
def login_form(request: Request) -> Response:
    """Show the login form."""
    console, visitor = console_of(request), visitor_of(request)
    if visitor.agent is not None:
        return _home(visitor.agent)
    return console.login(visitor)


@router.post("/console/login")
def log_in(request: Request, form: Posted) -> Response:
    """Check name and password."""
    console, visitor = console_of(request), visitor_of(request)
    try:
        token, whole = console.door.log_in(request, form.one("name"), form.one("password"))
    except RefusedError as refused:
        return console.login(visitor, refused.status, refused.message)
    return console.moved("/console" if whole else "/console/login/code", token)


@router.get("/console/login/code")
def code_form(request: Request) -> Response:
    """Ask for the code of the second factor."""
    console, visitor = console_of(request), visitor_of(request)
    if not console.door.owes_code(visitor):
        raise LoginNeededError
    return console.page(visitor, "login_code.html", problem="")


@router.post("/console/login/code")
def give_code(request: Request, form: Posted) -> Response:
    """Check the code; the session gets another cookie."""
    console, visitor = console_of(request), visitor_of(request)
    try:
        token = console.door.give_code(request, visitor, form.one("code")[:LONGEST_CODE])
    except RefusedError as refused:
        return console.page(visitor, "login_code.html", refused.status, problem=refused.message)
    return console.moved("/console", token)


@router.post("/console/logout")
def log_out(request: Request) -> Response:
    """End the session."""
    console_of(request).door.log_out(visitor_of(request))
    return see_other("/console/login")


def _home(agent: Agent) -> Response:
    return see_other(home_of(agent.role))


def moment(at: datetime) -> str:
    """Return day and time in the city."""
    there = at.astimezone(CITY_TIME)
    return f"{there.month}月{there.day}日 {there:%H:%M}"


def clock(at: datetime) -> str:
    """Return the time in the city."""
    return f"{at.astimezone(CITY_TIME):%H:%M}"
