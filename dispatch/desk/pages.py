"""The dispatcher's pages: log in, list, read one request, take a step. Plain HTML, no script."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.templating import Jinja2Templates

from base.errors import InputError, ShiminError, StateError
from dispatch.desk import views
from dispatch.desk.courier import Courier
from dispatch.desk.office import Filter, Office, Step
from dispatch.desk.sessions import COOKIE, SESSION_SECONDS, DeskSession, LoginLimiter, SessionKeeper
from dispatch.desk.status import ACTIONS, Status, actions_for
from dispatch.desk.tables import RequestRow
from dispatch.desk.web import PostedForm, read_form

_HERE = Path(__file__).parent
STATIC_DIR = _HERE / "static"
DEFAULT_OPERATOR = "值班调度员"
_MAX_OPERATOR_CHARS = 20

FormBody = Annotated[PostedForm, Depends(read_form)]


class PageError(Exception):
    """A page the visitor may not see or a form that is not ours; shown as a small page."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class LoginNeededError(Exception):
    """The visitor has to log in first."""


@dataclass(frozen=True)
class PageParts:
    """What the pages work with; ``photo_origins`` are the sites photos are shown from."""

    office: Office
    courier: Courier
    keeper: SessionKeeper
    limiter: LoginLimiter
    password: str
    photo_origins: tuple[str, ...]


def build_templates() -> Jinja2Templates:
    """Load the templates; everything is escaped, a misspelt name is an error."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(views.FILTERS)
    return Jinja2Templates(env=environment)


def build_router(parts: PageParts, templates: Jinja2Templates) -> APIRouter:
    """Return the pages' routes."""
    router = APIRouter(include_in_schema=False)
    pages = _Pages(parts, templates)
    router.get("/")(pages.root)
    router.get("/desk/login")(pages.login_form)
    router.post("/desk/login")(pages.login)
    router.post("/desk/logout")(pages.logout)
    router.get("/desk")(pages.listing)
    router.get("/desk/requests/{request_id}")(pages.detail)
    router.post("/desk/requests/{request_id}/actions")(pages.act)
    return router


class _Pages:
    def __init__(self, parts: PageParts, templates: Jinja2Templates) -> None:
        self._parts = parts
        self._templates = templates

    def root(self) -> Response:
        return RedirectResponse("/desk", 303)

    def login_form(self, request: Request) -> Response:
        return self._login_page(request)

    def login(self, request: Request, posted: FormBody) -> Response:
        self._checked(request, posted)
        parts = self._parts
        if not parts.password:
            return self._login_page(request, "尚未设置调度台口令，请联系管理员。", 503)
        address = request.client.host if request.client else "unknown"
        if not parts.limiter.allows(address):
            return self._login_page(request, "口令错误次数过多，请五分钟后再试。", 429)
        given = posted.one("password").encode()
        if not hmac.compare_digest(given, parts.password.encode()):
            parts.limiter.failed(address)
            return self._login_page(request, "口令不正确。", 403)
        operator = posted.one("operator").strip()[:_MAX_OPERATOR_CHARS] or DEFAULT_OPERATOR
        response = RedirectResponse("/desk", 303)
        self._set_cookie(request, response, parts.keeper.issue(operator))
        return response

    def logout(self, request: Request, posted: FormBody) -> Response:
        self._parts.keeper.end(self._checked(request, posted))
        response = RedirectResponse("/desk/login", 303)
        response.delete_cookie(COOKIE, path="/desk")
        return response

    def listing(
        self, request: Request, status: str = "", category: str = "", q: str = "", page: str = "1"
    ) -> Response:
        session = self._operator(request)
        office = self._parts.office
        chosen = views.status_group(status)
        wanted = Filter(
            statuses=chosen.statuses,
            service_code=category if category in office.categories else "",
            request_id=q.strip()[:64],
            page=int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        )
        found = office.page(wanted)
        context = {
            "page": found,
            "cards": [views.card_of(row) for row in found.rows],
            "groups": views.counted_groups(office.counts()),
            "group": chosen,
            "categories": tuple(office.categories),
            "category": wanted.service_code,
            "q": wanted.request_id,
            "backlog": self._parts.courier.backlog(),
        }
        return self._page(request, "list.html", session, context)

    def detail(self, request: Request, request_id: str, done: str = "") -> Response:
        session = self._operator(request)
        title = next((action.title for action in ACTIONS if action.key == done), "")
        notice = f"“{title}”已完成，市民会收到通知。" if title else ""
        return self._detail_page(request, session, self._row(request_id), notice=notice)

    def act(self, request: Request, request_id: str, posted: FormBody) -> Response:
        session = self._operator(request)
        self._checked(request, posted)
        step = Step(
            key=posted.one("action"),
            explanation=posted.one("explanation"),
            agency=posted.one("agency") or None,
            operator=session.operator,
        )
        try:
            row = self._parts.office.act(request_id, step)
        except (InputError, StateError) as error:
            status = 422 if isinstance(error, InputError) else 409
            row = self._row(request_id)
            return self._detail_page(
                request, session, row, problem=error, refused=step, status=status
            )
        return RedirectResponse(f"/desk/requests/{row.request_id}?done={step.key}", 303)

    def _row(self, request_id: str) -> RequestRow:
        row = self._parts.office.request(request_id)
        if row is None:
            raise PageError(404, "没有这个工单。")
        return row

    def _detail_page(  # noqa: PLR0913 - what the page shows, all optional
        self,
        request: Request,
        session: DeskSession,
        row: RequestRow,
        *,
        notice: str = "",
        problem: ShiminError | None = None,
        refused: Step | None = None,
        status: int = 200,
    ) -> Response:
        context = {
            "row": row,
            "card": views.card_of(row),
            "photos": views.photos_of(row.media_urls, self._parts.photo_origins),
            "timeline": views.timeline_of(row, self._parts.photo_origins),
            "actions": actions_for(Status(row.status)),
            "departments": self._parts.office.departments(),
            "notice": notice,
            "problem": problem.message if problem else "",
            "refused": refused,
        }
        return self._page(request, "detail.html", session, context, status)

    def _login_page(self, request: Request, problem: str = "", status: int = 200) -> Response:
        session = self._visitor(request) or self._parts.keeper.issue()
        response = self._page(request, "login.html", session, {"problem": problem}, status)
        self._set_cookie(request, response, session)
        return response

    def _page(
        self,
        request: Request,
        name: str,
        session: DeskSession,
        context: Mapping[str, Any],
        status: int = 200,
    ) -> Response:
        everywhere = {"operator": session.operator, "csrf": self._parts.keeper.csrf(session)}
        return self._templates.TemplateResponse(
            request, name, {**everywhere, **context}, status_code=status
        )

    def _visitor(self, request: Request) -> DeskSession | None:
        return self._parts.keeper.read(request.cookies.get(COOKIE))

    def _operator(self, request: Request) -> DeskSession:
        session = self._visitor(request)
        if session is None or session.operator is None:
            raise LoginNeededError
        return session

    def _checked(self, request: Request, posted: PostedForm) -> DeskSession:
        session = self._visitor(request)
        if session is None or not self._parts.keeper.csrf_matches(session, posted.one("csrf")):
            raise PageError(403, "页面已过期，请返回刷新后重试。")
        return session

    def _set_cookie(self, request: Request, response: Response, session: DeskSession) -> None:
        response.set_cookie(
            COOKIE,
            self._parts.keeper.cookie(session),
            max_age=SESSION_SECONDS,
            path="/desk",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
