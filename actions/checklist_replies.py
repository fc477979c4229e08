"""Buttons and cards of checklists; the words are those of :mod:`enquiries.checklist_text`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from actions.turn import button
from enquiries.checklist_text import entries_on, label, pages
from enquiries.checklists import Entry, Sheet
from matcher.service import Variant

__all__ = [
    "LINK_FIELD", "candidate_buttons", "drop_buttons", "entry_key", "other_buttons",
    "page_card", "read_key", "sheet_buttons", "situation_buttons", "yes_no_buttons",
]  # fmt: skip

LINK_FIELD = "打印和保存"
_LONGEST_TITLE = 40


def entry_key(entry: Entry) -> str:
    """Return how a button names an entry."""
    return f"{entry.kind}:{entry.name}"


def read_key(sheet: Sheet, key: str | None) -> Entry | None:
    """Return the entry a button names, None when the list has it no longer."""
    return next((entry for entry in sheet.entries if entry_key(entry) == key), None)


def sheet_buttons(sheet: Sheet, page: int) -> list[dict[str, str]]:
    """Return a button for each entry of a page, to turn the page, and to clear or delete."""
    matter = sheet.matter.id
    buttons = [_tick(sheet, entry, done=not entry.ticked) for entry in entries_on(sheet, page)]
    if pages(sheet) > 1:
        following = (page + 1) % pages(sheet)
        title = "下一页" if following else "回到第一页"
        buttons.append(button(title, "my_checklist", service_id=matter, value=str(following)))
    buttons.append(button("清空或删除", "drop_checklist", service_id=matter))
    return buttons


def candidate_buttons(
    sheet: Sheet, candidates: Sequence[Entry], *, done: bool
) -> list[dict[str, str]]:
    """Return a button for each entry that may have been meant."""
    return [_tick(sheet, entry, done=done) for entry in candidates]


def yes_no_buttons(matter_id: str, step: str) -> list[dict[str, str]]:
    """Return the answers to whether the citizen needs a step."""
    return [
        button(title, "answer_checklist", service_id=matter_id, entry=step, value=value)
        for title, value in (("是，要办", "yes"), ("不是，不用办", "no"))
    ]


def situation_buttons(matter_id: str, item_id: str, variant: Variant) -> list[dict[str, str]]:
    """Return the situations a citizen may be in, and that he cannot say."""
    options = [(option.label, option.id) for option in variant.options] + [("说不准", "")]
    return [
        button(
            title,
            "answer_checklist",
            service_id=matter_id,
            entry=item_id,
            situation=f"{variant.id}:{option}",
        )
        for title, option in options
    ]


def drop_buttons(matter_id: str) -> list[dict[str, str]]:
    """Return the ways to begin anew."""
    return [
        button("清空打勾", "drop_checklist", service_id=matter_id, value="clear"),
        button("删除清单", "drop_checklist", service_id=matter_id, value="delete"),
        button("不用，接着看", "my_checklist", service_id=matter_id),
    ]


def other_buttons(matters: Sequence[tuple[str, str]]) -> list[dict[str, str]]:
    """Return a button for each other checklist, given as id and name of its matter."""
    return [
        button(f"看{name}的清单"[:_LONGEST_TITLE], "my_checklist", service_id=matter)
        for matter, name in matters
    ]


def page_card(sheet: Sheet, url: str) -> dict[str, Any]:
    """Return the card with the page to print and keep."""
    fields = {LINK_FIELD: url}
    return {
        "kind": "service",
        "id": sheet.matter.id,
        "title": f"{sheet.matter.name}清单",
        "fields": fields,
    }


def _tick(sheet: Sheet, entry: Entry, *, done: bool) -> dict[str, str]:
    return button(
        label(entry)[:_LONGEST_TITLE],
        "tick_checklist",
        service_id=sheet.matter.id,
        entry=entry_key(entry),
        value="1" if done else "0",
    )
