"""``shimin serve``: the long-running processes of the modern runtime."""

from __future__ import annotations

import time

import httpx
import structlog
import typer
import uvicorn

from base.memory import keep_what_is_loaded, share_freed_memory
from base.metrics import serve_metrics
from base.settings import VAR, Settings, get_settings
from base.threads import one_thread_a_product
from cli.rasa_runtime import MODEL, run_rasa

app = typer.Typer(no_args_is_help=True)
log = structlog.get_logger(__name__)

START_LIMIT_SECONDS = 300


@app.callback()
def every_process() -> None:
    """Run the product's processes, one a command."""
    share_freed_memory()


@app.command()
def rasa() -> None:
    """The Rasa server, in its own runtime and with no secret but its own two."""
    settings = get_settings()
    model = settings.model_dir / MODEL
    arguments = [
        "-m", "rasa", "run",
        "--model", str(model),
        "--endpoints", "bot/endpoints.yml",
        "--credentials", "bot/credentials.yml",
        "--interface", settings.rasa_host,
        "--port", str(settings.rasa_port),
    ]  # fmt: skip
    VAR.mkdir(exist_ok=True)
    secrets = {
        "SHIMIN_RASA_TOKEN": settings.rasa_token.get_secret_value(),
        "SHIMIN_TRACKER_KEY": settings.tracker_key.get_secret_value(),
        "SHIMIN_TRACKER_URL": settings.tracker_url,
        "SHIMIN_LOCK_URL": settings.lock_url,
        "SHIMIN_ACTIONS_URL": f"{settings.actions_url}/webhook",
    }
    run_rasa(arguments, secrets)


@app.command()
def actions() -> None:
    """The action server."""
    from actions.server import serve

    settings = get_settings()
    serve_metrics(settings, settings.actions_metrics_port)
    serve(settings)


@app.command()
def gateway() -> None:
    """Chat API, web page, media links and webhook."""
    from channels.gateway.app import create_app

    settings = get_settings()
    serve_metrics(settings, settings.gateway_metrics_port)
    application = create_app(settings)
    one_thread_a_product()
    _run(application, settings.gateway_host, settings.gateway_port)


@app.command()
def channels() -> None:
    """Platforms that push messages: receive, answer and send, until it is stopped."""
    from channels.conversation import Conversation
    from channels.rasa import RasaClient
    from channels.seam.registry import configured_channels
    from channels.seam.service import Service, stop_on_signals, wait_for_end
    from dispatch.classification.classifier import CategoryClassifier

    settings = get_settings()
    running = configured_channels(settings)
    if not running:
        log.info("no_channel_configured", see="docs/channels.md")
        wait_for_end()
        return
    assistant = Conversation(settings, RasaClient(settings), CategoryClassifier.load(settings))
    one_thread_a_product()
    service = Service(running, assistant, settings)
    stop_on_signals(service.stop)
    keep_what_is_loaded()
    service.run()


@app.command()
def desk() -> None:
    """The reference dispatch desk."""
    from dispatch.desk.app import create_app

    settings = get_settings()
    _run(create_app(settings), settings.desk_host, settings.desk_port)


@app.command()
def relay() -> None:
    """Carry the outbox, bring news back, tell of policies and visits, look after hand-overs."""
    from channels.agents.job import handover_jobs
    from channels.notices.job import notice_jobs
    from channels.notices.visits import visit_jobs
    from dispatch.classification.categories import load_categories
    from dispatch.open311 import Open311Client
    from dispatch.outbox.relay import Relay

    settings = get_settings()
    serve_metrics(settings, settings.relay_metrics_port)
    key = settings.dispatch_api_key.get_secret_value()
    with Open311Client(settings.dispatch_url, key, format=settings.dispatch_format) as client:
        categories = load_categories(settings.categories_file)
        more = (*notice_jobs(settings), *visit_jobs(settings), *handover_jobs(settings))
        carrier = Relay(client, settings, categories, more)
        keep_what_is_loaded()
        carrier.run()


@app.command()
def ready() -> None:
    """Wait until everything answers, say where to go, and stay."""
    settings = get_settings()
    url = f"http://{settings.gateway_host}:{settings.gateway_port}"
    deadline = time.monotonic() + START_LIMIT_SECONDS
    while not _is_up(f"{url}/api/v1/health"):
        if time.monotonic() > deadline:
            log.error("not_ready", after_seconds=START_LIMIT_SECONDS, health=f"{url}/api/v1/health")
            raise typer.Exit(1)
        time.sleep(1)
    typer.echo(_banner(url, settings))
    while True:
        time.sleep(3600)


def _run(application: object, host: str, port: int) -> None:
    keep_what_is_loaded()
    uvicorn.run(
        application,  # type: ignore[arg-type]
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        proxy_headers=False,  # the gateway believes whom SHIMIN_TRUSTED_PROXIES names
        timeout_graceful_shutdown=3,
        server_header=False,
    )


def _is_up(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5.0).is_success
    except httpx.HTTPError:
        return False


def _banner(url: str, settings: Settings) -> str:
    desk_url = f"http://{settings.desk_host}:{settings.desk_port}"
    lines = [
        "=" * 72,
        f"Shimin is ready.  Chat page:  {url}",
        f"                  Chat API:   {url}/api/v1/messages",
        f"                  Desk:       {desk_url}",
        f"                  Console:    {url}/console",
    ]
    if settings.environment == "development":
        lines += [
            f"API key (development):       {settings.api_key.get_secret_value()}",
            f"Desk password (development): {settings.desk_password.get_secret_value()}",
        ]
    return "\n".join([*lines, "Stop with Ctrl-C.", "=" * 72])
