"""订阅通知: short notices of the platform that go out when its 48 hours are over.

What a field may hold follows from its name: “订阅消息参数值内容限制说明”.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from base.calendar import CITY_TIME
from base.errors import ConfigurationError
from channels.message import Card, Reply

_FIELD = re.compile(r"(thing|character_string|phrase|number|time|date|name)(\d{1,3})")
_ID = re.compile(r"[A-Za-z0-9_-]{10,100}")
_SPACE = re.compile(r"\s+")
_NOT_HAN = re.compile(r"[^\u4e00-\u9fff]")
_NOT_PLAIN = re.compile(r"[^\x21-\x7e]")
_LEAD = re.compile(r"^【[^】]*】")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


_FORMS: dict[str, Callable[[str, datetime], str]] = {
    "thing": lambda text, _: _cut(text, 20) or "详见公众号消息",
    "character_string": lambda text, _: _NOT_PLAIN.sub("", text)[:32] or "-",
    "phrase": lambda text, _: _NOT_HAN.sub("", text)[:5] or "有新消息",
    "number": lambda text, _: re.sub(r"\D", "", text)[:32] or "0",
    "name": lambda text, _: _NOT_HAN.sub("", text)[:10] or "市民",
    "time": lambda _, now: now.strftime("%Y年%m月%d日 %H:%M"),
    "date": lambda _, now: now.strftime("%Y年%m月%d日"),
}
"""What each kind of field takes; time and date always tell the moment of the notice."""
SOURCES = ("id", "status", "category", "department", "title", "text", "time")


@dataclass(frozen=True)
class Template:
    """A 订阅通知 and what its fields are filled with."""

    id: str
    fields: tuple[tuple[str, str], ...]

    def filled(self, reply: Reply, now: datetime) -> dict[str, str]:
        """Return the value of each field, within the platform's limits."""
        known = _known(reply)
        moment = now.astimezone(CITY_TIME)
        return {name: _form(name)(known.get(source, ""), moment) for name, source in self.fields}


def read_template(setting: str, name: str) -> Template | None:
    """Read ``<id> thing1=title phrase2=status …``; None when empty.

    Raises:
        ConfigurationError: a part is not understood.
    """
    if not setting.strip():
        return None
    template_id, *pairs = setting.split()
    fields = tuple((field, source) for field, _, source in (p.partition("=") for p in pairs))
    if not _ID.fullmatch(template_id) or not fields:
        raise ConfigurationError(f"{name}: a template's id and its fields are needed")
    for field, source in fields:
        if not _FIELD.fullmatch(field):
            raise ConfigurationError(f"{name}: {field!r} is no field that can be filled")
        if source not in SOURCES:
            raise ConfigurationError(f"{name}: {source!r} is none of {', '.join(SOURCES)}")
    return Template(template_id, fields)


def ticket_card(reply: Reply) -> Card | None:
    """Return the ticket a reply tells of."""
    return next((card for card in reply.cards if card.kind == "ticket"), None)


def page_of(reply: Reply) -> str:
    """Return the page to open: the first link of the reply's cards, or nothing."""
    values = (value for card in reply.cards for value in card.fields.values())
    return next((value for value in values if value.startswith(("http://", "https://"))), "")


def _form(name: str) -> Callable[[str, datetime], str]:
    return _FORMS[name.rstrip("0123456789")]


def _known(reply: Reply) -> dict[str, str]:
    """Return what a reply has to fill in, by the names of :data:`SOURCES`."""
    lines = [_SPACE.sub(" ", line).strip() for line in reply.text.splitlines()]
    told = [_LEAD.sub("", line) for line in lines if line] or [""]
    known = {"title": told[0].rstrip("：:"), "text": told[1] if len(told) > 1 else told[0]}
    card = ticket_card(reply)
    if card is not None:
        known |= {
            "id": card.id,
            "title": card.title,
            "text": told[0],
            "status": card.fields.get("状态", "").partition("，")[0],
            "category": card.fields.get("类别", ""),
            "department": card.fields.get("责任部门", ""),
        }
    return known
