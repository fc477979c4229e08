"""The checklist of a package or an item: ticked, kept and brought in line with what is told."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.checklist_replies import candidate_buttons, drop_buttons, read_key
from actions.checklist_start import action_start_checklist, answer_heard
from actions.checklist_view import matter_of, open_list, read_list, show_list, shown
from actions.registry import action
from actions.resources import catalogue
from actions.turn import Turn, button, say
from enquiries.checklist_text import page_of
from enquiries.checklists import sheet_of
from enquiries.ticking import hear_ticks
from store.checklists import (
    checklist_of,
    checklists_of,
    drop_checklist,
    save_plan,
    set_ticks,
    sync_entries,
    ticked,
)
from store.database import reading, unit_of_work

SHOWN_SECONDS = 1800
"""How long words like 户口本有了 are heard as ticks after the list was shown."""

_BEGINS = re.compile(r"(建|列|做|弄|开|搞|生成|出)(一?[个张份])?(我的|办事|材料)?清单")
_ASKS_LIST = re.compile(
    r"还(差|缺|剩)(哪些|哪几|什么|啥|几样|几项|多少)|我的清单|我那个?清单|清单(呢|在哪|给我看|拿出来|打开|还在吗|还差)|"
    r"(看看?|打开|查看|继续|接着)(一下|下)?(我的|那个|刚才的)?清单"
)


@action
def action_tick_checklist(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Ticks or unticks one entry and shows its page."""
    turn = Turn.of(tracker)
    matter_id = turn.entity("service_id") or ""
    with unit_of_work() as session:
        sheet = open_list(session, turn.citizen_id, matter_id)
        entry = read_key(sheet[1], turn.entity("entry")) if sheet else None
        if sheet and entry:
            set_ticks(session, sheet[0], {entry.key}, done=turn.entity("value") != "0")
    page = page_of(sheet[1], entry.key) if sheet and entry else 0
    return show_list(dispatcher, turn.citizen_id, matter_id, page)


@action
def action_my_checklist(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Shows the citizen's checklist, the one touched last unless one is named.

    建个清单 begins one for the matter just spoken of.
    """
    turn = Turn.of(tracker)
    if _BEGINS.search(turn.text) and tracker.get_slot("service_id"):
        return action_start_checklist(dispatcher, tracker)
    page = turn.entity("value") or "0"
    return show_list(
        dispatcher,
        turn.citizen_id,
        turn.entity("service_id"),
        int(page) if page.isascii() and page.isdigit() and len(page) <= 2 else 0,
    )


@action
def action_drop_checklist(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Clears the ticks or deletes the checklist, once the citizen has said which."""
    turn = Turn.of(tracker)
    matter_id = turn.entity("service_id") or ""
    matter, wish = matter_of(matter_id), turn.entity("value")
    name = matter.name if matter else "这件事"
    if wish not in ("clear", "delete"):
        say(
            dispatcher,
            f"“{name}”的清单要怎么处理？\n清空：勾都去掉，从头再来。\n删除：整张清单不要了，找不回来。",
            drop_buttons(matter_id),
        )
        return []
    with unit_of_work() as session:
        found = checklist_of(session, turn.citizen_id, matter_id)
        if wish == "clear" and found is not None:
            set_ticks(session, found, set(ticked(found)), done=False)
        if wish == "delete":
            drop_checklist(session, turn.citizen_id, matter_id)
    if wish == "clear":
        return show_list(dispatcher, turn.citizen_id, matter_id, 0)
    buttons = [button("重新建一张", "start_checklist", service_id=matter_id)] if matter else []
    say(dispatcher, f"“{name}”的清单已经删除。", buttons)
    return [SlotSet("checklist_shown", None)]


def checklist_heard(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType] | None:
    """Take words that belong to a checklist; None when they do not.

    That is the answer to the question asked just before, a wish to see the list, or the names
    of entries that are ready (户口本有了) while the list is fresh.
    """
    turn = Turn.of(tracker)
    answered = answer_heard(dispatcher, tracker)
    if answered is not None:
        return answered
    if not turn.text:
        return None
    if _ASKS_LIST.search(turn.text) and ("我的清单" in turn.text or _has_list(turn.citizen_id)):
        return show_list(dispatcher, turn.citizen_id, None, 0)
    fresh = tracker.get_slot("checklist_shown")
    if not fresh or time.time() - fresh["at"] > SHOWN_SECONDS:
        return None
    return _tick_by_words(dispatcher, turn, fresh["service_id"])


def learn_situation(citizen_id: str, item_id: str, situation: Mapping[str, str]) -> str | None:
    """Bring the citizen's checklists in line with what he told of an item.

    Returns the sentence that says so, None when no list of his changes.
    """
    changed = False
    with unit_of_work() as session:
        for row in checklists_of(session, citizen_id):
            found = read_list(session, row)
            if found is None or item_id not in [item.id for item in found[1].items]:
                continue
            plan = found[0].with_situation(item_id, situation)
            sheet = sheet_of(catalogue(), row.matter_id, plan, set(ticked(row)))
            if sheet is None or plan == found[0]:
                continue
            save_plan(row, plan.as_dict())
            before = {entry.key for entry in found[1].entries}
            after = [entry.key for entry in sheet.entries]
            sync_entries(session, row, after)
            changed = changed or before != set(after)
    return "您的清单也按这种情况改好了。" if changed else None


def _tick_by_words(
    dispatcher: CollectingDispatcher, turn: Turn, matter_id: str
) -> list[EventType] | None:
    with unit_of_work() as session:
        found = open_list(session, turn.citizen_id, matter_id)
        heard = hear_ticks(turn.text, found[1]) if found else None
        if found is None or heard is None:
            return None
        if heard.entries:
            names = {entry.key for entry in heard.entries}
            set_ticks(session, found[0], names, done=heard.done)
    if heard.entries:
        return show_list(
            dispatcher, turn.citizen_id, matter_id, page_of(found[1], heard.entries[0].key)
        )
    say(
        dispatcher,
        "您说的是清单上的哪一样？",
        candidate_buttons(found[1], heard.candidates, done=heard.done),
    )
    return [shown(matter_id)]


def _has_list(citizen_id: str) -> bool:
    with reading() as session:
        return bool(checklists_of(session, citizen_id))
