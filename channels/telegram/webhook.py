"""The route Telegram pushes updates to: it checks the secret, stores, and confirms."""

from __future__ import annotations

import hmac
import json
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Header, Request

from base.errors import InputError
from base.settings import Settings
from channels.seam.inbox import store_pushed
from channels.telegram.updates import pushed

PATH = "/webhooks/telegram"


def webhook_routes(settings: Settings, bot_id: int) -> APIRouter:
    """Return the route; ``settings`` hold the secret that Telegram sends with every update."""
    router = APIRouter()
    secret = settings.telegram_webhook_secret.get_secret_value()

    @router.post(PATH)
    async def receive(
        request: Request, x_telegram_bot_api_secret_token: Annotated[str, Header()] = ""
    ) -> dict[str, bool]:
        """Store one update. 200 means: do not push it again.

        Raises:
            InputError: ``signature_invalid`` (the secret), ``json_malformed``.
        """
        if not hmac.compare_digest(x_telegram_bot_api_secret_token.encode(), secret.encode()):
            raise InputError("signature_invalid", "签名不对。", "wrong secret token")
        try:
            update = json.loads(await request.body())
        except (ValueError, RecursionError) as error:
            raise InputError("json_malformed", "内容不是有效的 JSON。", "not JSON") from error
        kept = pushed(update, bot_id)
        if kept is not None:
            await anyio.to_thread.run_sync(store_pushed, "telegram", [kept])
        return {"ok": True}

    return router
