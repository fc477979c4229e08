"""Puts the desk together: one FastAPI application with its own database and courier."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates

from base.asgi import TraceRequests
from base.errors import ConfigurationError
from base.settings import Settings
from dispatch.classification.categories import load_categories
from dispatch.desk import api, pages
from dispatch.desk.api_errors import ApiError
from dispatch.desk.courier import Courier
from dispatch.desk.database import Database
from dispatch.desk.media import MediaShelf
from dispatch.desk.office import Office
from dispatch.desk.questions import load_questions
from dispatch.desk.sessions import LoginLimiter, SessionKeeper
from dispatch.desk.web import AccessLog, BodyLimit, SecurityHeaders, origin_of
from dispatch.open311.writer import Format, write_errors
from dispatch.places.atlas import Atlas
from dispatch.places.city_map import CityMap
from store.keyring import keyring

logger = logging.getLogger(__name__)

WEBHOOK_PATH = "/webhooks/dispatch"


def create_app(settings: Settings) -> FastAPI:
    """Build the desk.

    Raises:
        ConfigurationError: a secret is missing in production, SHIMIN_DATA_KEY is missing or
            malformed, or the database URL or one of the city's files is wrong.
    """
    _check_secrets(settings)
    categories = load_categories(settings.categories_file)
    questions = load_questions(settings.desk_attributes_file, categories.codes)
    city = CityMap(Atlas.load(settings.city_dir))
    database = Database(settings.desk_database_url)
    courier = Courier(
        database,
        url=settings.public_url.rstrip("/") + WEBHOOK_PATH,
        secret=settings.webhook_secret.get_secret_value(),
        poll_seconds=settings.relay_poll_seconds,
    )
    office = Office(database, categories, on_step=courier.wake)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        courier.start()
        try:
            yield
        finally:
            courier.stop()
            database.close()

    own_url = settings.dispatch_url.rstrip("/")
    photo_origins = (origin_of(settings.public_url), origin_of(own_url))
    app = FastAPI(
        title="Shimin dispatch desk",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        middleware=[
            Middleware(TraceRequests),
            Middleware(AccessLog),
            Middleware(SecurityHeaders, image_origins=photo_origins),
            Middleware(BodyLimit, max_bytes=settings.max_body_bytes),
        ],
    )
    shelf = MediaShelf(settings.desk_media_dir, settings.max_photo_bytes, settings.max_photo_pixels)
    key = settings.dispatch_api_key.get_secret_value()
    templates = pages.build_templates()
    _add_health(app, office, courier)
    app.include_router(api.build_router(api.ApiParts(office, questions, shelf, key, own_url)))
    app.include_router(
        pages.build_router(
            pages.PageParts(
                office,
                courier,
                questions,
                city,
                shelf,
                own_url,
                # Without a configured key, sessions end with the process.
                SessionKeeper(settings.session_key.get_secret_value() or secrets.token_hex(32)),
                LoginLimiter(),
                settings.desk_password.get_secret_value(),
                photo_origins,
            ),
            templates,
        )
    )
    app.mount("/desk/static", StaticFiles(directory=pages.STATIC_DIR), name="static")
    _add_error_answers(app, templates)
    return app


def _check_secrets(settings: Settings) -> None:
    keyring()  # without a key nothing could be kept
    needed = {
        "SHIMIN_DISPATCH_API_KEY": settings.dispatch_api_key,
        "SHIMIN_DESK_PASSWORD": settings.desk_password,
        "SHIMIN_WEBHOOK_SECRET": settings.webhook_secret,
        "SHIMIN_SESSION_KEY": settings.session_key,
    }
    missing = [name for name, value in needed.items() if not value.get_secret_value()]
    if missing and settings.environment == "production":
        raise ConfigurationError(f"the desk needs {', '.join(missing)} in production")
    for name in missing:
        logger.warning("%s is empty", name)


def _add_health(app: FastAPI, office: Office, courier: Courier) -> None:
    @app.get("/health")
    def health() -> dict[str, object]:
        """Touch the database and report what waits in the outbox."""
        backlog = courier.backlog()
        return {
            "status": "ok",
            "requests": sum(office.counts().values()),
            "webhooks_waiting": backlog.waiting,
            "webhooks_failing": backlog.failing,
        }


def _add_error_answers(app: FastAPI, templates: Jinja2Templates) -> None:
    def page(request: Request, status: int, message: str) -> Response:
        context = {"message": message, "operator": None}
        return templates.TemplateResponse(request, "error.html", context, status_code=status)

    @app.exception_handler(ApiError)
    def refused(request: Request, error: ApiError) -> Response:
        form: Format = "xml" if request.url.path.endswith(".xml") else "json"
        return api.answer(write_errors(error.errors, form), form, error.status)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        fields = ", ".join(str(entry["loc"][-1]) for entry in error.errors())
        return refused(request, ApiError(400, f"not valid: {fields}"))

    @app.exception_handler(HTTPException)
    def failed(request: Request, error: HTTPException) -> Response:
        if request.url.path.startswith("/desk"):
            return page(request, error.status_code, "页面不存在或无法打开。")
        return refused(request, ApiError(error.status_code, error.detail))

    @app.exception_handler(pages.PageError)
    def unshown(request: Request, error: pages.PageError) -> Response:
        return page(request, error.status, error.message)

    @app.exception_handler(pages.LoginNeededError)
    def login_needed(_request: Request, _error: pages.LoginNeededError) -> Response:
        return RedirectResponse("/desk/login", 303)

    @app.exception_handler(Exception)
    def broken(request: Request, _error: Exception) -> Response:
        if request.url.path.startswith("/desk"):
            return page(request, 500, "调度台出现内部错误，请稍后再试。")
        if request.url.path.endswith((".json", ".xml")):
            return refused(request, ApiError(500, "internal error"))
        return JSONResponse({"status": "error"}, 500)
