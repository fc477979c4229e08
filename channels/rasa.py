"""Client of the Rasa server's gateway channel (bot/gateway_channel.py)."""

from __future__ import annotations

from typing import Any

import httpx
import structlog

from base.errors import UpstreamError
from base.metrics import RASA_ERRORS
from base.settings import Settings
from base.tracing import pass_on

log = structlog.get_logger(__name__)

_READ_SECONDS = 3.0


class RasaClient:
    """Sends one message of one citizen and returns replies and understanding."""

    def __init__(self, settings: Settings) -> None:
        self._http = httpx.Client(
            base_url=settings.rasa_url,
            timeout=settings.rasa_timeout_seconds,
            headers={"X-Rasa-Token": settings.rasa_token.get_secret_value()},
            event_hooks={"request": [pass_on]},
        )

    def send(
        self, sender: str, channel: str, text: str, metadata: dict[str, Any], *, named: bool = False
    ) -> dict[str, Any]:
        """Return ``{"replies": [...], "understanding": {...}}``.

        ``named`` says that the sender chose the ``message_id``: under the same one it is handled
        once, and answered again as it was.

        Raises:
            UpstreamError: ``assistant_unavailable``.
        """
        body = {
            "sender": sender,
            "channel": channel,
            "message": text,
            "metadata": metadata,
            "named": named,
        }
        try:
            response = self._http.post("/webhooks/gateway/webhook", json=body)
            response.raise_for_status()
            answer = _checked(response.json())
        except (httpx.HTTPError, ValueError) as error:
            RASA_ERRORS.labels(type(error).__name__).inc()
            raise UpstreamError(
                "assistant_unavailable",
                "系统正忙，您的消息还没有处理，请过一会儿再发一次。急事请拨打12345。",
                f"{type(error).__name__}: {error}",
            ) from error
        return answer

    def read_ahead(self, text: str) -> None:
        """Let the server read a message that :meth:`send` is going to bring; failing is no loss."""
        try:
            self._http.post("/webhooks/gateway/read", json={"message": text})
        except httpx.HTTPError as error:
            log.info("not_read_ahead", error=type(error).__name__)

    def understand(self, text: str) -> dict[str, Any]:
        """Return the parse of words that no conversation hears of; empty when it cannot be had."""
        try:
            response = self._http.post(
                "/webhooks/gateway/read", json={"message": text}, timeout=_READ_SECONDS
            )
            found = response.raise_for_status().json()["understanding"]
            return found if isinstance(found, dict) else {}
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            log.info("not_understood", error=type(error).__name__)
            return {}

    def healthy(self) -> bool:
        """Tell whether the server answers."""
        try:
            return self._http.get("/", timeout=2.0).status_code == 200
        except httpx.HTTPError:
            return False


def _checked(answer: Any) -> dict[str, Any]:
    """Refuse an answer that is not the channel's, or that says nothing (``ValueError``)."""
    shaped = (
        isinstance(answer, dict)
        and isinstance(answer.get("understanding"), dict)
        and isinstance(answer.get("replies"), list)
    )
    if not shaped:
        raise ValueError("not an answer of the gateway channel")
    if not answer["replies"]:  # every rule says something, unless its action failed
        raise ValueError("no reply: an action failed or the action server is down")
    return dict(answer)
