"""The base of every page of the console: templates, forms, headers, login."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from base.calendar import CITY_TIME
from base.errors import InputError, StateError
from base.settings import Settings
from channels.console.areas import ROLES, entered, home_of, open_to
from channels.console.doorkeeper import (
    Doorkeeper,
    DutyFirstError,
    ForbiddenError,
    LoginNeededError,
    RefusedError,
    Visitor,
)
from store.agent_models import Agent

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
_LARGEST_FORM = 100_000
_MOST_FIELDS = 80
LONGEST_CODE = 40
"""Characters of a code of the second factor: a recovery code with its dashes is longest."""


class Form:
    """The fields of a posted form."""

    def __init__(self, fields: dict[str, list[str]]) -> None:
        self._fields = fields

    def one(self, name: str) -> str:
        """Return a field, empty when it was not sent."""
        return self._fields.get(name, [""])[0]


async def read_form(request: Request) -> Form:
    """Read an urlencoded body of at most 100 kB; anything else is an empty form."""
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _LARGEST_FORM:
            return Form({})
    try:
        text = raw.decode("ascii")
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return Form({})
    return Form(fields)


Posted = Annotated[Form, Depends(read_form)]


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


class Guarded(APIRoute):
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
                return _refused(request, 403, "页面已过期或没有权限，请刷新后再试。")
            except (InputError, StateError) as error:
                return _refused(request, 409, error.message)

        return guarded


def _refused(request: Request, status: int, message: str) -> Response:
    console = console_of(request)
    visitor = console.door.visitor(request)
    return console.page(visitor, "refused.html", status, message=message)


router = APIRouter(include_in_schema=False, route_class=Guarded)


@router.get("/console")
def root(request: Request) -> Response:
    """Lead to the first page of one's role."""
    return _home(entered(request).staff)


@router.get("/console/login")
def login_form(request: Request) -> Response:
    """Show the login form."""
    console = console_of(request)
    visitor = console.door.visitor(request)
    if visitor.agent is not None:
        return _home(visitor.agent)
    return console.login(visitor)


@router.post("/console/login")
def log_in(request: Request, form: Posted) -> Response:
    """Check name and password."""
    console = console_of(request)
    visitor = console.door.visitor(request)
    console.door.check(visitor, form.one("csrf"))
    try:
        token, whole = console.door.log_in(request, form.one("name"), form.one("password"))
    except RefusedError as refused:
        return console.login(visitor, refused.status, refused.message)
    return console.moved("/console" if whole else "/console/login/code", token)


@router.get("/console/login/code")
def code_form(request: Request) -> Response:
    """Ask for the code of the second factor."""
    console = console_of(request)
    visitor = console.door.visitor(request)
    if not console.door.owes_code(visitor):
        raise LoginNeededError
    return console.page(visitor, "login_code.html", problem="")


@router.post("/console/login/code")
def give_code(request: Request, form: Posted) -> Response:
    """Check the code; the session gets another cookie."""
    console = console_of(request)
    visitor = console.door.visitor(request)
    console.door.check(visitor, form.one("csrf"))
    try:
        token = console.door.give_code(request, visitor, form.one("code")[:LONGEST_CODE])
    except RefusedError as refused:
        return console.page(visitor, "login_code.html", refused.status, problem=refused.message)
    return console.moved("/console", token)


@router.post("/console/logout")
def log_out(request: Request, form: Posted) -> Response:
    """End the session."""
    console = console_of(request)
    visitor = console.door.visitor(request)
    console.door.check(visitor, form.one("csrf"))
    console.door.log_out(visitor)
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
