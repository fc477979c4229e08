"""The gateway application."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from base.asgi import TraceRequests
from base.errors import ConfigurationError
from base.settings import Settings
from channels.agents import routes as agents
from channels.console import pages as console
from channels.conversation import Conversation
from channels.gateway import api, document, errors, health, media, profiles, webhook
from channels.gateway.hosts import HostCheck, known_hosts, listed
from channels.gateway.middleware import BodyLimit, Measure, SecurityHeaders
from channels.gateway.rates import AddressLimit, Rates
from channels.officials import (
    accounts,
    audit,
    complaints,
    deliveries,
    hotspots,
    me,
    policies,
    simulation,
    unanswered,
)
from channels.public import appointments, checklists, own_data, unsubscribe
from channels.public import routes as public
from channels.rasa import RasaClient
from channels.redaction import load_finder
from channels.seam.registry import configured_channels
from channels.voice import Voice
from channels.web import pages as web_pages
from channels.web import routes as web
from channels.web.city_map import map_document
from channels.web.embedding import page_policy
from channels.web.shell import STATIC as WEB_STATIC
from dispatch.classification.categories import load_categories
from dispatch.classification.classifier import CategoryClassifier
from dispatch.places.atlas import Atlas

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(self)",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_HTTPS_HEADERS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
_TAKE_PHOTOS = ("/api/v1/messages", "/web/messages")
_SECRETS = ("api_key", "data_key", "session_key", "webhook_secret", "rasa_token")


def create_app(settings: Settings) -> FastAPI:
    """Build the gateway.

    Raises:
        ConfigurationError: a secret is missing or a data file is wrong.
    """
    missing = [name for name in _SECRETS if not getattr(settings, name).get_secret_value()]
    if missing:
        names = ", ".join(f"SHIMIN_{name.upper()}" for name in missing)
        raise ConfigurationError(f"missing secrets: {names} (`make run` generates them)")

    app = FastAPI(title="Shimin Chat API", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.settings = settings
    app.state.rasa = RasaClient(settings)
    app.state.readiness = health.Readiness(settings, app.state.rasa)
    app.state.region_finder = load_finder(settings.region_finder)
    app.state.categories = load_categories(settings.categories_file)
    app.state.conversation = Conversation(
        settings, app.state.rasa, CategoryClassifier.load(settings)
    )
    app.state.voice = Voice(settings, app.state.conversation)
    app.state.public_pages = public.PublicPages(settings, app.state.categories)
    app.state.console = console.Console(settings)
    app.state.agent_desk = agents.AgentDesk(settings, app.state.console, app.state.categories)
    app.state.coverage_desk = policies.CoverageDesk(settings)
    app.state.simulation_desk = simulation.SimulationDesk(settings)
    app.state.question_desk = unanswered.QuestionDesk(settings)
    app.state.checklist_pages = checklists.ChecklistPages(settings)
    app.state.web_page_policy = page_policy(CONTENT_SECURITY_POLICY, settings)
    app.state.web_city_map = map_document(Atlas.load(settings.city_dir))
    app.state.rates = Rates(settings)
    app.state.streams = web.Streams(settings.max_streams)
    _guard(app, settings)
    citizens = (api, document, profiles, health, media, webhook, web, web_pages)
    pages = (public, unsubscribe, own_data, checklists, appointments, console, agents)
    desks = (complaints, hotspots, policies, simulation, unanswered)
    officials = (*desks, me, accounts, audit, deliveries)
    for room in (*citizens, *pages, *officials):
        app.include_router(room.router)
    app.state.channels = configured_channels(settings)
    for channel in app.state.channels:
        if channel.routes is not None:
            app.include_router(channel.routes)
    app.mount("/static", StaticFiles(directory=WEB_STATIC), name="static")
    app.mount("/public", StaticFiles(directory=public.STATIC), name="public")
    app.mount("/console/static", StaticFiles(directory=console.STATIC), name="console")
    return app


def _guard(app: FastAPI, settings: Settings) -> None:
    """Put the layers around the application; each one added is outside those before it."""
    encrypted = settings.public_url.startswith("https://")
    headers = _HEADERS | (_HTTPS_HEADERS if encrypted else {})
    errors.install(app, headers)
    app.add_middleware(
        BodyLimit,
        limit=settings.max_body_bytes,
        small=min(settings.max_form_bytes, settings.max_body_bytes),
        large=_TAKE_PHOTOS,
    )
    app.add_middleware(
        AddressLimit, rates=app.state.rates, api_key=settings.api_key.get_secret_value()
    )
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=listed(settings.cors_origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type"],
            expose_headers=["Retry-After"],
        )
    app.add_middleware(HostCheck, hosts=known_hosts(settings))
    app.add_middleware(SecurityHeaders, headers=headers)
    if settings.trusted_proxies:
        app.add_middleware(
            ProxyHeadersMiddleware,
            trusted_hosts=list(listed(settings.trusted_proxies)),
        )
    app.add_middleware(Measure)
    app.add_middleware(TraceRequests)
