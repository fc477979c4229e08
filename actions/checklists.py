"""The checklist of a package or an item: begun with quick questions, ticked, kept."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions.checklist_replies import (
    candidate_buttons,
    drop_buttons,
    other_buttons,
    page_card,
    read_key,
    sheet_buttons,
    yes_no_buttons,
)
from actions.registry import action
from actions.resources import catalogue
from actions.turn import Turn, button, say
from base.settings import get_settings
from enquiries.checklist_links import checklist_url
from enquiries.checklist_text import gone_text, page_of, progress_text, question_text, sheet_text
from enquiries.checklists import Name, Plan, Sheet, sheet_of
from enquiries.ticking import hear_ticks
from enquiries.wording import spoken
from matcher.package import Package, open_question
from matcher.service import ServiceItem
from store.checklist_models import Checklist
from store.checklists import (
    checklist_of,
    checklists_of,
    drop_checklist,
    read_plan,
    save_plan,
    set_ticks,
    start_checklist,
    sync_entries,
    ticked,
)
from store.database import reading, unit_of_work
from store.models import utc_now

SHOWN_SECONDS = 1800
"""How long words like 户口本有了 are heard as ticks after the list was shown."""

_MOST_OTHERS = 2
_YES = re.compile(r"^(是|是的|对|对的|有|有的|要|要办|需要|符合|嗯+|好的?)[的啊呀了。.！!]*$")
_NO = re.compile(r"^(不是|不|没有|没|不要|不用|不需要|不办|不符合|都不是)[的啊呀了。.！!]*$")
_ASKS_LIST = re.compile(
    r"我的清单|我那个?清单|清单(呢|在哪|给我看|拿出来|打开|还在吗|还差)|"
    r"(看看?|打开|查看|继续|接着)(一下|下)?(我的|那个|刚才的)?清单"
)


@action
def action_start_checklist(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Begins a checklist: asks which steps are needed, or shows the one there is."""
    turn = Turn.of(tracker)
    matter_id = turn.entity("service_id") or str(tracker.get_slot("service_id") or "")
    matter = _matter(matter_id)
    if matter is None:
        return _no_matter(dispatcher)
    with unit_of_work() as session:
        known = checklist_of(session, turn.citizen_id, matter_id) is not None
    if known:
        return _show(dispatcher, turn.citizen_id, matter_id, 0)
    return _ask_or_create(dispatcher, tracker, matter, {})


@action
def action_answer_checklist(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Takes a yes or no about one step of the package and goes on."""
    turn = Turn.of(tracker)
    return _take_answer(
        dispatcher,
        tracker,
        turn.entity("service_id") or "",
        turn.entity("entry") or "",
        needed=turn.entity("value") == "yes",
    )


@action
def action_tick_checklist(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Ticks or unticks one entry and shows its page."""
    turn = Turn.of(tracker)
    matter_id = turn.entity("service_id") or ""
    with unit_of_work() as session:
        sheet = _open(session, turn.citizen_id, matter_id)
        entry = read_key(sheet[1], turn.entity("entry")) if sheet else None
        if sheet and entry:
            set_ticks(session, sheet[0], {entry.key}, done=turn.entity("value") != "0")
    page = page_of(sheet[1], entry.key) if sheet and entry else 0
    return _show(dispatcher, turn.citizen_id, matter_id, page)


@action
def action_my_checklist(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Shows the citizen's checklist, the one touched last unless one is named."""
    turn = Turn.of(tracker)
    page = turn.entity("value") or "0"
    return _show(
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
    matter, wish = _matter(matter_id), turn.entity("value")
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
        return _show(dispatcher, turn.citizen_id, matter_id, 0)
    buttons = [button("重新建一张", "start_checklist", service_id=matter_id)] if matter else []
    say(dispatcher, f"“{name}”的清单已经删除。", buttons)
    return [SlotSet("checklist_shown", None)]


def checklist_heard(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType] | None:
    """Take words that belong to a checklist; None when they do not.

    That is a yes or no to the question asked just before, a wish to see the list, or the names
    of entries that are ready (户口本有了) while the list is fresh.
    """
    turn = Turn.of(tracker)
    question = tracker.get_slot("checklist_question")
    if question:
        needed = _yes_or_no(turn)
        if needed is not None:
            return _take_answer(
                dispatcher, tracker, question["service_id"], question["step"], needed=needed
            )
    if not turn.text:
        return None
    if _ASKS_LIST.search(turn.text) and ("我的清单" in turn.text or _has_list(turn.citizen_id)):
        return _show(dispatcher, turn.citizen_id, None, 0)
    shown = tracker.get_slot("checklist_shown")
    if not shown or time.time() - shown["at"] > SHOWN_SECONDS:
        return None
    return _tick_by_words(dispatcher, turn, shown["service_id"])


def learn_situation(citizen_id: str, item_id: str, situation: Mapping[str, str]) -> str | None:
    """Bring the citizen's checklists in line with what he told of an item.

    Returns the sentence that says so, None when no list of his changes.
    """
    changed = False
    with unit_of_work() as session:
        for row in checklists_of(session, citizen_id):
            found = _read(session, row)
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
        found = _open(session, turn.citizen_id, matter_id)
        heard = hear_ticks(turn.text, found[1]) if found else None
        if found is None or heard is None:
            return None
        if heard.entries:
            names = {entry.key for entry in heard.entries}
            set_ticks(session, found[0], names, done=heard.done)
    if heard.entries:
        return _show(
            dispatcher, turn.citizen_id, matter_id, page_of(found[1], heard.entries[0].key)
        )
    say(
        dispatcher,
        "您说的是清单上的哪一样？",
        candidate_buttons(found[1], heard.candidates, done=heard.done),
    )
    return [_shown(matter_id)]


def _take_answer(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    matter_id: str,
    step: str,
    *,
    needed: bool,
) -> list[EventType]:
    matter = _matter(matter_id)
    if not isinstance(matter, Package):
        return _no_matter(dispatcher)
    kept = tracker.get_slot("checklist_answers") or {}
    answers = dict(kept["answers"]) if kept.get("service_id") == matter_id else {}
    if step in [one.service for one in matter.steps if one.when]:
        answers[step] = needed
    return _ask_or_create(dispatcher, tracker, matter, answers)


def _ask_or_create(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    matter: Package | ServiceItem,
    answers: dict[str, bool],
) -> list[EventType]:
    step = open_question(matter, answers) if isinstance(matter, Package) else None
    item = catalogue().service(step.service) if step else None
    if isinstance(matter, Package) and step is not None and item is not None:
        text = question_text(matter, step, item, len(answers))
        say(dispatcher, text, yes_no_buttons(matter.id, step.service), speech=f"{step.when}？")
        return [
            SlotSet(
                "checklist_question",
                {"service_id": matter.id, "step": step.service, "for": None},
            ),
            SlotSet("checklist_answers", {"service_id": matter.id, "answers": answers}),
        ]
    citizen_id = Turn.of(tracker).citizen_id
    kept = tracker.get_slot("service_situation") or {}
    plan = Plan(answers)
    if kept.get("options"):
        plan = plan.with_situation(kept["service_id"], kept["options"])
    with unit_of_work() as session:
        start_checklist(session, citizen_id, matter.id, plan.as_dict())
        _open(session, citizen_id, matter.id)
    return [
        SlotSet("checklist_question", None),
        SlotSet("checklist_answers", None),
        *_show(dispatcher, citizen_id, matter.id, 0),
    ]


def _show(
    dispatcher: CollectingDispatcher, citizen_id: str, matter_id: str | None, page: int
) -> list[EventType]:
    """Show a page of a checklist (the one touched last when no matter is named)."""
    now = utc_now()
    with unit_of_work() as session:
        rows = [(row.id, row.matter_id) for row in checklists_of(session, citizen_id)]
        wanted = matter_id or next((m for _, m in rows if _matter(m)), "")
        gone: tuple[Name, ...] = ()
        row = checklist_of(session, citizen_id, wanted)
        found = _read(session, row) if row else None
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
    others = [(m, matter.name) for _, m in rows if m != wanted and (matter := _matter(m))]
    say(
        dispatcher,
        "\n".join(lines),
        sheet_buttons(sheet, page) + other_buttons(others[:_MOST_OTHERS]) * (page == 0),
        [page_card(sheet, checklist_url(get_settings(), row.id, now))],
        speech=spoken(progress_text(sheet)),
    )
    return [_shown(wanted)]


def _open(session: Session, citizen_id: str, matter_id: str) -> tuple[Checklist, Sheet] | None:
    """Return a checklist with its entries as the files say now."""
    row = checklist_of(session, citizen_id, matter_id)
    found = _read(session, row) if row else None
    if row is None or found is None:
        return None
    sync_entries(session, row, [entry.key for entry in found[1].entries])
    return row, found[1]


def _read(session: Session, row: Checklist) -> tuple[Plan, Sheet] | None:
    plan = Plan.read(
        read_plan(session, row, actor=f"citizen:{row.citizen_id}", purpose="checklist")
    )
    sheet = sheet_of(catalogue(), row.matter_id, plan, set(ticked(row)))
    return (plan, sheet) if sheet else None


def _has_list(citizen_id: str) -> bool:
    with reading() as session:
        return bool(checklists_of(session, citizen_id))


def _no_list(dispatcher: CollectingDispatcher, matter_id: str) -> list[EventType]:
    matter = _matter(matter_id)
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


def _no_matter(dispatcher: CollectingDispatcher) -> list[EventType]:
    say(dispatcher, "要给哪件事建清单？直接说就行，比如“退休要办哪些手续”“身份证补办”。")
    return [SlotSet("checklist_question", None)]


def _matter(identifier: str) -> Package | ServiceItem | None:
    return catalogue().package(identifier) or catalogue().service(identifier)


def _title(name: Name) -> str:
    kind, shown = name
    item = catalogue().service(shown) if kind == "step" else None
    return item.name if item else shown


def _shown(matter_id: str) -> dict[str, Any]:
    slot: dict[str, Any] = SlotSet("checklist_shown", {"service_id": matter_id, "at": time.time()})
    return slot


def _yes_or_no(turn: Turn) -> bool | None:
    if turn.intent == "affirm" or _YES.match(turn.text):
        return True
    if turn.intent == "deny" or _NO.match(turn.text):
        return False
    return None
