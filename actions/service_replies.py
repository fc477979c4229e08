"""Words and cards about a service item."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actions.turn import button
from matcher.service import Hall, ServiceItem

_ASPECTS = (
    ("ask_materials", "要带什么"),
    ("ask_place_time", "在哪办"),
    ("ask_fee", "多少钱"),
    ("ask_duration", "要多久"),
    ("ask_appointment", "要预约吗"),
)
_SHOWN_HALLS = 3


def answer_text(item: ServiceItem, intent: str, halls: Sequence[Hall]) -> str:
    """Return the answer to one question about ``item``; the whole picture for any other."""
    lead = f"【{item.name}】"
    if intent == "ask_materials":
        return f"{lead}要带：\n{materials_text(item)}"
    if intent == "ask_place_time":
        return f"{lead}{item.place.text}\n{_halls_text(halls)}\n网上办理：{item.online.text}"
    if intent == "ask_fee":
        return f"{lead}{item.fee.text}"
    if intent == "ask_duration":
        return f"{lead}{item.time_limit.text}"
    if intent == "ask_appointment":
        return f"{lead}{item.appointment.text}"
    return (
        f"{lead}{item.summary}\n"
        f"要带：{'、'.join(m.name for m in item.materials if m.required)}\n"
        f"在哪办：{item.place.text}\n"
        f"网上办理：{item.online.text}\n"
        f"费用：{item.fee.text}\n"
        f"多久：{item.time_limit.text}"
    )


def materials_text(item: ServiceItem) -> str:
    """Return the numbered list of materials."""
    lines = []
    for number, material in enumerate(item.materials, start=1):
        optional = "" if material.required else "（视情况）"
        note = f"：{material.note}" if material.note else ""
        lines.append(f"{number}. {material.name}{optional}{note}")
    return "\n".join(lines)


def answer_buttons(item: ServiceItem, intent: str) -> list[dict[str, str]]:
    """Return buttons for what has not been asked yet."""
    return [button(title, name, service_id=item.id) for name, title in _ASPECTS if name != intent]


def service_card(item: ServiceItem) -> dict[str, Any]:
    """Return the ``service`` card of the Chat API."""
    fields = {
        "办理材料": materials_text(item),
        "办理步骤": "\n".join(f"{i}. {step}" for i, step in enumerate(item.steps, start=1)),
        "办理地点": f"{item.place.text}\n{item.place.hours}",
        "网上办理": item.online.text,
        "费用": item.fee.text,
        "办理时限": item.time_limit.text,
        "预约": item.appointment.text,
        "咨询电话": item.phone,
        "依据": "\n".join(basis.title + (basis.article or "") for basis in item.basis),
        "核对日期": str(item.checked),
    }
    return {"kind": "service", "id": item.id, "title": item.name, "fields": fields}


def _halls_text(halls: Sequence[Hall]) -> str:
    return "\n".join(
        f"· {hall.name}：{hall.address}，{hall.hours}，电话{hall.phone}"
        for hall in halls[:_SHOWN_HALLS]
    )
