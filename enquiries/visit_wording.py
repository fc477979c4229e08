"""What is said of an appointment outside the answer to a citizen's own message, and its card."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from base.settings import Settings
from enquiries.appointments import when_words
from enquiries.calendar_file import calendar_url
from matcher.service import Hall, ServiceItem
from store.appointments import Appointment

__all__ = [
    "OUTCOMES",
    "appointment_card",
    "bring_text",
    "follow_up_reply",
    "manage_buttons",
    "reminder_reply",
    "visit_button",
]

OUTCOMES = {"done": "办成了", "not_done": "没办成", "absent": "没去"}
"""How a visit went, with the words of the buttons."""


def visit_button(title: str, intent: str, **entities: str) -> dict[str, str]:
    """Return a button of the Chat API."""
    carried = json.dumps(entities, ensure_ascii=False) if entities else ""
    return {"title": title, "payload": f"/{intent}{carried}"}


def manage_buttons(kept: Appointment) -> list[dict[str, str]]:
    """Return the buttons of an open appointment."""
    named = {"appointment": str(kept.id)}
    return [
        visit_button("改时间", "book_appointment", service_id=kept.service_id, **named),
        visit_button("取消预约", "cancel_appointment", **named),
    ]


def appointment_card(
    kept: Appointment, hall: Hall | None, settings: Settings, now: datetime
) -> dict[str, Any]:
    """Return the card of an appointment, of the kind ``service``; four fields, so never folded."""
    place = f"{hall.name}\n{hall.address}\n电话{hall.phone}" if hall else "请打12345问一问地址"
    fields = {
        "预约号": kept.number,
        "时间": when_words(kept.starts_at, now),
        "大厅": place,
        "日历文件": calendar_url(settings, kept),
    }
    return {"kind": "service", "id": kept.number, "title": kept.service_name, "fields": fields}


def bring_text(item: ServiceItem | None) -> str:
    """Return what to bring in one sentence; empty when the item is not known any more."""
    if item is None:
        return ""
    needed = "、".join(material.name for material in item.materials if material.required)
    return f"要带：{needed}。" if needed else "没有一定要带的材料。"


def reminder_reply(
    kept: Appointment,
    hall: Hall | None,
    item: ServiceItem | None,
    settings: Settings,
    now: datetime,
) -> dict[str, Any]:
    """Return the reply that reminds of a visit."""
    where = f"到{hall.name}（{hall.address}）" if hall else ""
    lines = [
        f"提醒您：{when_words(kept.starts_at, now)}{where}办{kept.service_name}，"
        f"预约号 {kept.number}。",
        bring_text(item),
        "去不了的话请点“取消预约”，把窗口让给别人。",
    ]
    return {
        "text": "\n".join(line for line in lines if line),
        "buttons": manage_buttons(kept),
        "cards": [appointment_card(kept, hall, settings, now)],
    }


def follow_up_reply(kept: Appointment, now: datetime) -> dict[str, Any]:
    """Return the reply that asks how a visit went."""
    return {
        "text": f"{when_words(kept.starts_at, now)}您约了办{kept.service_name}，办成了吗？",
        "buttons": [
            visit_button(title, "close_appointment", appointment=str(kept.id), outcome=outcome)
            for outcome, title in OUTCOMES.items()
        ],
        "cards": [],
    }
