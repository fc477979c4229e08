"""What the platform pushes, as far as it concerns us: who, what, and its one name."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from wechatpy import events, messages
from wechatpy.parser import parse_message

from base.errors import InputError

PHOTOS = "photos"
"""Album of photos: WeChat pushes each of them by itself."""
_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBER = re.compile(r"\d{1,40}")
_MAX_ID = 200
_UNSUPPORTED = "【收到不支持的消息类型，暂无法显示】"
"""What the platform pushes in the place of a sticker or a file."""


@dataclass(frozen=True)
class Push:
    """A message or event.

    Args:
        key: its name, the same whenever the platform pushes it again.
        openid: who sent it.
        account: the official account it was sent to.
        content: what to keep of it, a JSON object with ``kind``; None when nothing follows.
    """

    key: str
    openid: str
    account: str
    content: dict[str, Any] | None

    @property
    def album(self) -> str | None:
        """What it may be a part of."""
        return PHOTOS if self.content and self.content["kind"] == "image" else None


def read_push(xml: str) -> Push:
    """Read a message that was opened.

    Messages are named by ``MsgId``, events by who and when (“接收事件推送”: 推荐使用 FromUserName +
    CreateTime 排重), and by which: a scan and a subscription may share a second.

    Raises:
        InputError: ``xml_malformed``.
    """
    try:
        message = parse_message(xml)
        openid, account = _text(message.source), _text(message.target)
        moment, number = int(message.time), str(message.id or "")
        if not _OPENID.fullmatch(openid) or not _ACCOUNT.fullmatch(account):
            raise ValueError("names nobody")
        content = _content(message)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError("xml_malformed", "内容不是有效的消息。", type(error).__name__) from error
    if _NUMBER.fullmatch(number) and number != "0":
        return Push(f"msg-{number}", openid, account, content)
    event = f"{_text(getattr(message, 'event', ''))}:{_text(getattr(message, 'key', ''))}"
    name = hashlib.sha256(f"{openid}:{moment}:{event}".encode()).hexdigest()
    return Push(f"event-{name}", openid, account, content)


def _content(message: Any) -> dict[str, Any] | None:
    match message:
        case messages.TextMessage():
            text = _text(message.content)
            if not text.strip() or text == _UNSUPPORTED:
                return {"kind": "other", "type": "text"}
            return {"kind": "text", "text": text}
        case messages.ImageMessage():
            return {"kind": "image", "media_id": _media_id(message)}
        case messages.VoiceMessage():
            return {
                "kind": "voice",
                "media_id": _media_id(message),
                "format": _text(message.format)[:20].lower() or "amr",
                "words": _text(message.recognition),
            }
        case messages.VideoMessage() | messages.ShortVideoMessage():
            return {"kind": "video", "media_id": _media_id(message)}
        case messages.LocationMessage():
            latitude, longitude = float(message.location_x), float(message.location_y)
            return {"kind": "location", "latitude": latitude, "longitude": longitude}
        case events.BaseEvent():
            return _event(message)
        case _:
            kind = _text(message._data.get("MsgType"))[:30]
            return None if kind.lower() == "event" else {"kind": "other", "type": kind}


def _event(event: Any) -> dict[str, Any] | None:
    """Keep what is to be answered or done.

    A reported position (LOCATION) may not be answered (“获取用户地理位置”) and comes whenever the
    chat is opened: nobody meant to say it, so it is not kept. A place that is chosen from the
    menu comes as a message of its own.
    """
    if isinstance(event, events.SubscribeEvent | events.SubscribeScanEvent):
        return {"kind": "subscribe"}
    if isinstance(event, events.UnsubscribeEvent):
        return {"kind": "unsubscribe"}
    if isinstance(event, events.ClickEvent):
        return {"kind": "click", "key": _text(event.key)[:128]}
    return None


def _media_id(message: Any) -> str:
    found = _text(message.media_id)
    if not found or len(found) > _MAX_ID:
        raise ValueError("no media id")
    return found


def _text(value: Any) -> str:
    """Return an element's text; one with children or twins has none."""
    return value if isinstance(value, str) else ""
