"""A citizen's checklist as the chat shows it."""

from __future__ import annotations

import time
from typing import Any

from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions.checklist_replies import other_buttons, page_card, sheet_buttons
from actions.resources import catalogue
from actions.turn import button, say
from base.settings import get_settings
from enquiries.checklist_links import checklist_url
from enquiries.checklist_text import gone_text, progress_text, sheet_text
from enquiries.checklists import Name, Plan, Sheet, sheet_of
from enquiries.wording import spoken
from matcher.package import Package
from matcher.service import ServiceItem
from store.checklist_models import Checklist
from store.checklists import checklist_of, checklists_of, read_plan, sync_entries, ticked
from store.database import unit_of_work
from store.models import utc_now

_MOST_OTHERS = 2


def show_list(
    dispatcher: CollectingDispatcher, citizen_id: str, matter_id: str | None, page: int
) -> list[EventType]:
    """Show a page of a checklist (the one touched last when no matter is named)."""
    now = utc_now()
    with unit_of_work() as session:
        rows = [(row.id, row.matter_id) for row in checklists_of(session, citizen_id)]
        wanted = matter_id or next((m for _, m in rows if matter_of(m)), "")
        gone: tuple[Name, ...] = ()
        row = checklist_of(session, citizen_id, wanted)
        found = read_list(session, row) if row else None
        if row is not None and found is not None:
            gone = sync_entries(session, row, [entry.key for entry in found[1].entries])
    if row is None or found is None:
        return _no_list(dispatcher, wanted)
    sheet = found[1]
    following = sheet.next_item()
    halls = catalogue().halls_for(following) if following else ()
    lines = [sheet_text(sheet, page, halls)]
    names = [_title(name) for name in gone]
    if names:
        lines.append(gone_text(names))
    others = [(m, matter.name) for _, m in rows if m != wanted and (matter := matter_of(m))]
    say(
        dispatcher,
        "\n".join(lines),
        sheet_buttons(sheet, page) + other_buttons(others[:_MOST_OTHERS]) * (page == 0),
        [page_card(sheet, checklist_url(get_settings(), row.id, now))],
        speech=spoken(progress_text(sheet)),
    )
    return [shown(wanted)]


def open_list(session: Session, citizen_id: str, matter_id: str) -> tuple[Checklist, Sheet] | None:
    """Return a checklist with its entries as the files say now."""
    row = checklist_of(session, citizen_id, matter_id)
    found = read_list(session, row) if row else None
    if row is None or found is None:
        return None
    sync_entries(session, row, [entry.key for entry in found[1].entries])
    return row, found[1]


def read_list(session: Session, row: Checklist) -> tuple[Plan, Sheet] | None:
    """Return the plan of a checklist and how it stands; None when its matter is gone."""
    plan = Plan.read(
        read_plan(session, row, actor=f"citizen:{row.citizen_id}", purpose="checklist")
    )
    sheet = sheet_of(catalogue(), row.matter_id, plan, set(ticked(row)))
    return (plan, sheet) if sheet else None


def _no_list(dispatcher: CollectingDispatcher, matter_id: str) -> list[EventType]:
    matter = matter_of(matter_id)
    if matter is not None:
        say(
            dispatcher,
            f"您还没有“{matter.name}”的清单，要现在建一个吗？",
            [button("建个清单", "start_checklist", service_id=matter.id)],
        )
    else:
        say(
            dispatcher,
            "您还没有建过清单。先告诉我要办什么事，比如“刚生了孩子要办哪些手续”，再点“建个清单”。",
        )
    return [SlotSet("checklist_shown", None)]


def say_no_matter(dispatcher: CollectingDispatcher) -> list[EventType]:
    """Ask which matter the list is for."""
    say(dispatcher, "要给哪件事建清单？直接说就行，比如“退休要办哪些手续”“身份证补办”。")
    return [SlotSet("checklist_question", None)]


def matter_of(identifier: str) -> Package | ServiceItem | None:
    """Return the package or the item of that id, None without one."""
    return catalogue().package(identifier) or catalogue().service(identifier)


def _title(name: Name) -> str:
    kind, title = name
    item = catalogue().service(title) if kind == "step" else None
    return item.name if item else title


def shown(matter_id: str) -> dict[str, Any]:
    """Return the event that lets words tick the list for a while."""
    slot: dict[str, Any] = SlotSet("checklist_shown", {"service_id": matter_id, "at": time.time()})
    return slot
