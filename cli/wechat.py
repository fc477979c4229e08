"""``shimin wechat``: what is set up once at the platform."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from base.errors import ConfigurationError
from base.settings import get_settings

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep ``menu`` a subcommand while it is the only one."""


@app.command("menu")
def menu(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show it, change nothing.")] = False,
) -> None:
    """Replace the account's menu by the assistant's."""
    from channels.wechat.platform import Platform
    from channels.wechat.words import menu as wanted

    if dry_run:
        typer.echo(json.dumps(wanted(), ensure_ascii=False, indent=2))
        return
    settings = get_settings()
    if not settings.wechat_app_id or not settings.wechat_app_secret.get_secret_value():
        raise ConfigurationError("SHIMIN_WECHAT_APP_ID and SHIMIN_WECHAT_APP_SECRET are needed")
    platform = Platform(settings)
    try:
        platform.create_menu(wanted())
    finally:
        platform.close()
    typer.echo("the menu is set; phones show it within a day")
