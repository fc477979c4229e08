"""Buttons and cards about a service item; its words are those of :mod:`enquiries.wording`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from actions.turn import button
from enquiries.wording import materials_text, steps_text
from matcher.gathering import gather
from matcher.package import Package
from matcher.service import Basis, ServiceItem, Variant
from matcher.situation import Aspect

__all__ = [
    "ASPECT_OF",
    "answer_buttons",
    "list_buttons",
    "package_buttons",
    "package_card",
    "service_card",
    "variant_buttons",
]

_QUESTIONS = (
    ("ask_materials", "要带什么"),
    ("ask_place_time", "在哪办"),
    ("ask_fee", "多少钱"),
    ("ask_duration", "要多久"),
    ("ask_appointment", "要预约吗"),
)
_MOST_STEPS = 6
ASPECT_OF: Mapping[str, Aspect] = {
    "ask_materials": "materials",
    "ask_place_time": "place",
    "ask_fee": "fee",
    "ask_duration": "duration",
    "ask_appointment": "appointment",
}
"""What an intent asks of an item; any other wants the whole picture."""


def answer_buttons(item: ServiceItem, intent: str) -> list[dict[str, str]]:
    """Return buttons for what has not been asked yet.

    Materials can become a checklist, and a window may be booked.
    """
    buttons = [
        button(title, name, service_id=item.id) for name, title in _QUESTIONS if name != intent
    ]
    buttons = list_buttons(item, intent) + buttons
    if not item.appointment.bookable:
        return buttons
    book = button("预约窗口", "book_appointment", service_id=item.id)
    return [book, *buttons] if intent == "ask_appointment" else [*buttons, book]


def list_buttons(item: ServiceItem, intent: str) -> list[dict[str, str]]:
    """Return the button to begin a checklist below an answer about materials, else none."""
    if intent != "ask_materials":
        return []
    return [button("建个清单", "start_checklist", service_id=item.id)]


def variant_buttons(item: ServiceItem, variant: Variant) -> list[dict[str, str]]:
    """Return a button for each option of ``variant``."""
    return [
        button(
            option.label,
            "choose_situation",
            service_id=item.id,
            situation=f"{variant.id}:{option.id}",
        )
        for option in variant.options
    ]


def package_buttons(package: Package, items: Sequence[ServiceItem]) -> list[dict[str, str]]:
    """Return a button to begin a checklist, then the steps, what everybody needs first.

    A package may have a dozen steps; the answer names them all, a phone shows so many buttons.
    """
    numbered = list(enumerate(zip(package.steps, items, strict=True), start=1))
    shown = sorted(numbered, key=lambda row: (row[1][0].when is not None, row[0]))[:_MOST_STEPS]
    return [button("建个清单", "start_checklist", service_id=package.id)] + [
        button(f"{number}. {item.name}", "choose_service", service_id=item.id)
        for number, (_, item) in sorted(shown, key=lambda row: row[0])
    ]


def package_card(package: Package, items: Sequence[ServiceItem]) -> dict[str, Any]:
    """Return the card of an event of life: of the kind ``service``, as one of its items."""
    fields = {
        "办理顺序": "\n".join(f"{i}. {item.name}" for i, item in enumerate(items, start=1)),
        "办理材料": materials_text(gather(items)),
        "办理部门": package.department,
        "咨询电话": package.phone,
        "依据": _basis(package.basis),
        "核对日期": str(package.checked),
    }
    return {"kind": "service", "id": package.id, "title": package.name, "fields": fields}


def service_card(item: ServiceItem) -> dict[str, Any]:
    """Return the ``service`` card of the Chat API."""
    fields = {
        "办理材料": materials_text(item.materials),
        "办理步骤": steps_text(item.steps),
        "办理地点": f"{item.place.text}\n{item.place.hours}",
        "网上办理": item.online.text,
        "费用": item.fee.text,
        "办理时限": item.time_limit.text,
        "预约": item.appointment.text,
        "办理部门": item.department,
        "咨询电话": item.phone,
        "依据": _basis(item.basis),
        "核对日期": str(item.checked),
    }
    return {"kind": "service", "id": item.id, "title": item.name, "fields": fields}


def _basis(basis: Sequence[Basis]) -> str:
    return "\n".join(entry.title + (entry.article or "") for entry in basis)
