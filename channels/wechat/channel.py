"""WeChat as a channel: everything else of it is the libraries' or the seam's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

import structlog
from fastapi import APIRouter

from base.errors import ConfigurationError
from base.identity import citizen_id
from base.settings import Settings
from channels.message import Content, Reply
from channels.seam.channel import Capability, Channel, Heard, Hearing
from channels.seam.errors import DeliveryError, UnwelcomeError, WindowClosedError
from channels.seam.sender import unsubscribe_citizen
from channels.wechat.envelope import Envelope
from channels.wechat.hearing import Ear
from channels.wechat.offering import written
from channels.wechat.platform import Platform
from channels.wechat.templates import Template, page_of, read_template, ticket_card
from channels.wechat.webhook import CHANNEL, webhook_routes
from channels.wechat.wording import divide_reply
from channels.wechat.words import MEANINGS, WELCOME
from store.database import unit_of_work
from store.models import utc_now

log = structlog.get_logger(__name__)


class WeChat(Channel):
    """An official account.

    Args:
        settings: the account's ids, secrets, templates and limits.

    Raises:
        ConfigurationError: the AES key or a template is malformed.
    """

    name: ClassVar[str] = CHANNEL
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability) - {Capability.TYPING}

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.answer_grace = timedelta(seconds=settings.wechat_reply_seconds)
        self._envelope = Envelope(
            settings.wechat_app_id,
            settings.wechat_token.get_secret_value(),
            settings.wechat_aes_key.get_secret_value(),
        )
        self._ticket_template = read_template(
            settings.wechat_ticket_template, "SHIMIN_WECHAT_TICKET_TEMPLATE"
        )
        self._notice_template = read_template(
            settings.wechat_notice_template, "SHIMIN_WECHAT_NOTICE_TEMPLATE"
        )
        self._platform = Platform(settings)
        self._ear = Ear(settings, self._platform.fetch)

    @property
    def routes(self) -> APIRouter:
        """The webhook."""
        return webhook_routes(self._envelope, self.answer_grace)

    def close(self) -> None:
        """Close connections."""
        self._platform.close()

    def hear(self, conversation_id: str, parts: Sequence[Any]) -> Hearing:
        """See :meth:`Channel.hear`: a message, photos, the menu, or that one came or went."""
        first = parts[0]
        match first["kind"]:
            case "subscribe":
                return (Reply.of({"text": WELCOME}),)
            case "unsubscribe":
                unsubscribe_citizen(citizen_id(self.name, conversation_id), "unfollowed")
                return ()
            case "click":
                meaning = MEANINGS.get(first["key"])
                return () if meaning is None else Heard(Content(text=meaning))
            case _:
                return Heard(self._ear.listen(parts))

    def divide(self, reply: Reply) -> tuple[Reply, ...]:
        """Cut long texts; choices come after the last words."""
        return divide_reply(reply)

    def send(self, conversation_id: str, reply: Reply) -> None:
        """Send one piece as a customer-service message.

        When the platform's 48 hours are over a 订阅通知 tells the citizen that there is news, and
        the message itself waits until he writes.
        """
        citizen = citizen_id(self.name, conversation_id)
        with unit_of_work() as session:
            text = written(session, citizen, reply, utc_now())
        try:
            self._platform.send_text(conversation_id, text)
        except WindowClosedError as error:
            told = self._notify(conversation_id, reply)
            raise WindowClosedError(f"{error.detail}, {told}") from error

    def _notify(self, openid: str, reply: Reply) -> str:
        """Send the fitting 订阅通知; tell what became of it."""
        template = self._template_for(reply)
        if template is None:
            return "no template"
        try:
            data = template.filled(reply, utc_now())
            self._platform.notify(openid, template.id, data, page_of(reply))
        except UnwelcomeError:
            raise
        except DeliveryError as error:
            log.warning("wechat_notice_not_sent", template=template.id, detail=error.detail)
            return f"template {error.detail}"
        return "told by template"

    def _template_for(self, reply: Reply) -> Template | None:
        if ticket_card(reply) is not None:
            return self._ticket_template
        return self._notice_template


def build(settings: Settings) -> WeChat | None:
    """Return the account, or None without an AppID.

    Raises:
        ConfigurationError: a secret is missing, or a setting is malformed.
    """
    if not settings.wechat_app_id:
        return None
    for name in ("wechat_app_secret", "wechat_token"):
        if not getattr(settings, name).get_secret_value():
            raise ConfigurationError(f"SHIMIN_{name.upper()} is missing")
    return WeChat(settings)
