"""The dispatcher's pages: log in, list, read one request, take a step. Plain HTML, no script."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.templating import Jinja2Templates

from base.errors import InputError, ShiminError, StateError
from dispatch.desk import map_view, views
from dispatch.desk.api_errors import ApiError
from dispatch.desk.courier import Courier
from dispatch.desk.media import MediaShelf
from dispatch.desk.office import Filter, Office, Step
from dispatch.desk.questions import Questions
from dispatch.desk.sessions import COOKIE, SESSION_SECONDS, DeskSession, LoginLimiter, SessionKeeper
from dispatch.desk.status import ACTIONS, Status, actions_for
from dispatch.desk.tables import RequestRow
from dispatch.desk.web import PostedForm, read_form
from dispatch.places.city_map import CityMap

_HERE = Path(__file__).parent
STATIC_DIR = _HERE / "static"
DEFAULT_OPERATOR = "值班调度员"
_MAX_OPERATOR_CHARS = 20
MAX_AFTER_PHOTOS = 3

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
    """What the pages work with.

    ``own_url`` is the desk's public address, ``photo_origins`` are the sites photos are shown from.
    """

    office: Office
    courier: Courier
    questions: Questions
    city: CityMap
    shelf: MediaShelf
    own_url: str
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
    environment.globals["address"] = views.address
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
    router.get("/desk/map")(pages.map)
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

    def listing(self, request: Request) -> Response:
        session = self._operator(request)
        chosen, wanted = self._wanted(request)
        found = self._parts.office.page(wanted)
        context = {
            "page": found,
            "cards": [views.card_of(row) for row in found.rows],
            "backlog": self._parts.courier.backlog(),
            **self._choices(chosen, wanted),
        }
        return self._page(request, "list.html", session, context)

    def map(self, request: Request, district: str = "") -> Response:
        session = self._operator(request)
        chosen, wanted = self._wanted(request)
        city = self._parts.city
        shape = map_view.district_named(city, district)
        points = self._parts.office.points(wanted)
        view = map_view.overview(city, points.rows, shape)
        context = {
            "view": view,
            "unplaced": points.left_out + view.off_map,
            "district": shape.name if shape else "",
            "legend": map_view.LEGEND,
            **self._choices(chosen, wanted),
        }
        return self._page(request, "map.html", session, context)

    def _wanted(self, request: Request) -> tuple[views.Group, Filter]:
        """Read the filters of the list and the map; what is not known does not narrow."""
        given = request.query_params
        office = self._parts.office
        chosen = views.status_group(given.get("status", ""))
        category, page = given.get("category", ""), given.get("page", "1")
        agency, only = given.get("agency", ""), given.get("only", "")
        return chosen, Filter(
            statuses=chosen.statuses,
            service_code=category if category in office.categories else "",
            agency=agency if agency in office.units() else "",
            request_id=given.get("q", "").strip()[:64],
            only=only if only in dict(views.ONLY) else "",
            page=int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        )

    def _choices(self, chosen: views.Group, wanted: Filter) -> dict[str, Any]:
        """Return what the filters of the list and the map show."""
        office = self._parts.office
        narrower = (replace(wanted, only=key) for key, _ in views.ONLY)
        return {
            "groups": views.counted_groups(office.counts()),
            "group": chosen,
            "only": [
                (key, title, office.count(narrow))
                for (key, title), narrow in zip(views.ONLY, narrower, strict=True)
            ],
            "categories": tuple(office.categories),
            "units": office.units(),
            "wanted": wanted,
            "chosen": {
                "status": chosen.key,
                "category": wanted.service_code,
                "agency": wanted.agency,
                "q": wanted.request_id,
                "only": wanted.only,
            },
        }

    def detail(self, request: Request, request_id: str, done: str = "") -> Response:
        session = self._operator(request)
        title = next((action.title for action in ACTIONS if action.key == done), "")
        notice = f"“{title}”已完成，市民会收到通知。" if title else ""
        return self._detail_page(request, session, self._row(request_id), notice=notice)

    def act(self, request: Request, request_id: str, posted: FormBody) -> Response:
        session = self._operator(request)
        self._checked(request, posted)
        try:
            row = self._take(request_id, posted, session)
        except (InputError, StateError) as error:
            status = 422 if isinstance(error, InputError) else 409
            row = self._row(request_id)
            return self._detail_page(
                request, session, row, problem=error, refused=posted, status=status
            )
        done = posted.one("action")
        return RedirectResponse(f"/desk/requests/{row.request_id}?done={done}", 303)

    def _take(self, request_id: str, posted: PostedForm, session: DeskSession) -> RequestRow:
        """Take the step of a form; photos of a refused one are removed again."""
        names = self._shelved(posted.files)
        step = Step(
            key=posted.one("action"),
            explanation=posted.one("explanation"),
            agency=posted.one("agency") or None,
            operator=session.operator,
            main=posted.one("main") or None,
            media_urls=tuple(f"{self._parts.own_url}/media/{name}" for name in names),
        )
        try:
            return self._parts.office.act(request_id, step)
        except (InputError, StateError):
            for name in names:
                self._parts.shelf.discard(name)
            raise

    def _shelved(self, files: tuple[bytes, ...]) -> list[str]:
        if len(files) > MAX_AFTER_PHOTOS:
            message = f"处置照片最多{MAX_AFTER_PHOTOS}张。"
            raise InputError("too_many_photos", message, f"{len(files)} files")
        names: list[str] = []
        try:
            names.extend(self._parts.shelf.keep(data) for data in files)
        except ApiError as error:
            for name in names:
                self._parts.shelf.discard(name)
            message = (
                "照片太大，请压缩后再上传。"
                if error.status == 413
                else "照片无法识别，请上传JPG、PNG或WebP格式的照片。"
            )
            raise InputError("photo_refused", message, str(error)) from error
        return names

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
        refused: PostedForm | None = None,
        status: int = 200,
    ) -> Response:
        parts, office = self._parts, self._parts.office
        contact = office.contact_of(row, session.operator or DEFAULT_OPERATOR)
        context = {
            "row": row,
            "card": views.card_of(row),
            "contact": views.contact_lines(contact),
            "answers": views.answers_of(row, parts.questions.titles(row.service_code)),
            "photos": views.photos_of(row.media_urls, parts.photo_origins),
            "after": views.after_photos(row, parts.photo_origins),
            "timeline": views.timeline_of(row, parts.photo_origins),
            "view": map_view.close_up(parts.city, row),
            "near": [views.card_of(other) for other in office.near(row)],
            "merged": office.merged(row.request_id),
            "actions": actions_for(Status(row.status)),
            "units": office.units(),
            "max_photos": MAX_AFTER_PHOTOS,
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
