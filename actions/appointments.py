"""Booking a window by buttons and by words: hall, day, time, confirmation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.appointment_replies import (
    ANY_HALL,
    Step,
    confirm_buttons,
    day_buttons,
    hall_buttons,
    slot_buttons,
    time_buttons,
)
from actions.registry import action
from actions.resources import catalogue
from actions.turn import Turn, button, say
from actions.visits import cancel_now, tell_kept, tell_open
from base.calendar import CITY_TIME
from base.errors import StateError
from enquiries.appointment_words import (
    SHORT_ANSWER,
    about_visit,
    is_about_own,
    shows_own,
    wants_none,
    wants_other_time,
    wants_window,
)
from enquiries.appointments import Wish, around, day_words, fitting, when_words, wished
from enquiries.bookings import bookable_halls, free_at, reserve, why_not
from enquiries.opening import by_distance
from matcher.service import Hall, ServiceItem
from matcher.situation import situated
from store.appointments import MAX_OPEN, Appointment, close_past, of_citizen, open_of
from store.database import unit_of_work
from store.models import utc_now

__all__ = [
    "action_book_appointment",
    "booking_asked",
    "booking_goes_on",
    "drop_booking",
    "leave_booking",
]

_GOES_ON_SECONDS = 1800
"""So long bare words (周五下午, 好的) go on with a booking."""


@action
def action_book_appointment(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Takes the next step to an appointment, or makes it.

    A button of any age is answered by what is free now.
    """
    turn = Turn.of(tracker)
    step = _pressed(turn)
    if step is None:
        say(
            dispatcher, "您要约哪一件事的窗口？直接说要办什么就行。", [button("我能问什么", "help")]
        )
        return drop_booking()
    if turn.intent == "confirm_appointment":
        return _make(dispatcher, tracker, turn, step)
    return _next(dispatcher, tracker, turn, step)


def booking_asked(
    dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn, item: ServiceItem | None
) -> list[EventType] | None:
    """Take words that want a window (帮我约明天上午) or are about one (我的预约); else None.

    ``item`` is the matter they are about, None when that is not known.
    """
    if turn.intent != "ask_appointment" or not turn.text:
        return None
    if wants_none(turn.text):
        left = leave_booking(dispatcher, tracker)
        if left is None:
            say(dispatcher, "好的，先不约。想约的时候随时说。")
        return left or []
    if is_about_own(turn.text):
        with unit_of_work() as session:
            close_past(session, utc_now(), turn.citizen_id)
            mine = open_of(session, turn.citizen_id)
            moved = _to_move(turn.text, mine)
            if (mine or shows_own(turn.text)) and moved is None:
                tell_open(dispatcher, session, turn.citizen_id)
                return []
        return _next(dispatcher, tracker, turn, moved) if moved is not None else None
    wish = wished(turn.text, _today(utc_now()))
    if item is None or not item.appointment.bookable or not wants_window(turn.text, wish):
        return None
    kept = _kept(tracker, item.id) or Step(item)
    hall = _named(turn.text, catalogue().halls_for(item)) or kept.hall
    return _next(dispatcher, tracker, turn, replace(kept, hall=hall, wish=wish))


def booking_goes_on(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType] | None:
    """Take a bare answer (周五下午, 江南的, 好的, 不) to what was asked; None when it is none.

    A yes or no counts only right after the question it answers.
    """
    turn, slot = Turn.of(tracker), tracker.get_slot("booking") or {}
    if time.time() - slot.get("at", 0) > _GOES_ON_SECONDS:
        return None
    if turn.intent in ("affirm", "deny") and not tracker.get_slot("pending_booking"):
        return None
    if slot.get("cancel") is not None:
        return _cancel_answered(dispatcher, turn, int(slot["cancel"]))
    step = _kept(tracker, slot.get("service_id") or "")
    if step is None or len(turn.text) > SHORT_ANSWER:
        return None
    if turn.intent == "affirm" and step.hall is not None and step.wish.clock is not None:
        return _make(dispatcher, tracker, turn, step)
    if turn.intent == "deny":
        say(dispatcher, "好的，先不定。想换个时间，还是换个大厅？", _otherwise(step))
        return _keep(step)
    wish = wished(turn.text, _today(utc_now()))
    hall = _named(turn.text, catalogue().halls_for(step.item))
    if not wish and hall is None:
        return None
    day = wish.day or step.wish.day
    heard = Wish(day, wish.part, wish.clock) if wish else step.wish
    return _next(dispatcher, tracker, turn, replace(step, hall=hall or step.hall, wish=heard))


def drop_booking() -> list[EventType]:
    """Forget how far a booking had come."""
    return [SlotSet("booking", None), SlotSet("pending_booking", None)]


def leave_booking(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType] | None:
    """Take “never mind”: drop a booking half made, else show those made (取消预约, 不去了).

    Return None when there is neither.
    """
    turn, slot = Turn.of(tracker), tracker.get_slot("booking") or {}
    half_made = time.time() - slot.get("at", 0) <= _GOES_ON_SECONDS
    if about_visit(turn.text) and not (half_made and wants_none(turn.text)):
        with unit_of_work() as session:
            close_past(session, utc_now(), turn.citizen_id)
            if open_of(session, turn.citizen_id):
                tell_open(dispatcher, session, turn.citizen_id)
                return drop_booking()
    if not half_made:
        return None
    if slot.get("cancel") is not None:
        say(
            dispatcher,
            "好的，预约保留，到时候我再提醒您。",
            [button("我的预约", "my_appointments")],
        )
    else:
        say(dispatcher, "好的，先不约了。想约的时候随时说。")
    return drop_booking()


# --- steps --------------------------------------------------------------------------------


def _next(
    dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn, step: Step
) -> list[EventType]:
    """Ask for what is still open, the hall first."""
    now = utc_now()
    halls = _near(tracker, bookable_halls(step.item, catalogue().halls_for(step.item)))
    if not halls:
        say(dispatcher, f"这件事在这里约不了窗口。{step.item.appointment.text}")
        return drop_booking()
    if step.hall is not None and step.hall not in halls:
        other = replace(step, hall=None)
        say(dispatcher, f"{step.hall.name}约不了这件事，这些大厅可以：", hall_buttons(other, halls))
        return _keep(other)
    with unit_of_work() as session:
        close_past(session, now, turn.citizen_id)
        same = [k for k in open_of(session, turn.citizen_id) if k.service_id == step.item.id]
        if same and step.moved is None:
            tell_kept(dispatcher, same[0], "这件事您已经约过了。", step.item)
            return drop_booking()
        if step.hall is None and len(halls) > 1:
            return _ask_hall(dispatcher, tracker, step, halls)
        step = step if step.hall else replace(step, hall=halls[0])
        assert step.hall is not None
        free = free_at(session, step.hall, step.item, now)
    many = len(halls) > 1
    today = _today(now)
    fits = fitting(free, step.wish)
    if not free:
        others = [hall for hall in halls if hall != step.hall]
        text = f"{step.hall.name}这两周都约满了。"
        text += "换个大厅看看？" if others else "过几天再来看看，也可以直接去现场取号。"
        say(dispatcher, text, hall_buttons(replace(step, hall=None), others))
    elif not step.wish:
        buttons = day_buttons(step, free, today, other_halls=many)
        say(dispatcher, f"{step.hall.name}这些天还有空，您想哪天去？", buttons)
    elif step.wish.day is not None and step.wish.clock is not None and fits:
        where = f"{step.hall.name}（{step.hall.address}）"
        text = f"{when_words(fits[0].start, now)}，{where}，办{step.item.name}。确认预约吗？"
        say(dispatcher, text, confirm_buttons(step, other_halls=many))
    elif step.wish.day is None and fits:
        say(dispatcher, f"{step.hall.name}最近有这些空：", slot_buttons(step, fits[:4], now))
    elif step.wish.clock is None and fits:
        day = day_words(fits[0].day, today)
        say(dispatcher, f"{step.hall.name}{day}，您想几点去？", time_buttons(step, fits))
    else:
        near = around(free, step.wish)
        say(dispatcher, _not_free(step, step.hall, now), slot_buttons(step, near, now))
    return _keep(step)


def _ask_hall(
    dispatcher: CollectingDispatcher, tracker: Tracker, step: Step, halls: Sequence[Hall]
) -> list[EventType]:
    known = bool(tracker.get_slot("pending_locations"))
    text = "想约哪个大厅？" + ("从近到远是：" if known else "把您的位置发给我，我告诉您哪个最近。")
    say(dispatcher, text, hall_buttons(step, halls))
    near = [] if known else [SlotSet("nearest_for", step.item.id)]
    return [*_keep(step), *near]


def _not_free(step: Step, hall: Hall, now: datetime) -> str:
    """Say that the wish cannot be met and why."""
    day, clock = step.wish.day, step.wish.clock
    if day is None:
        return f"{hall.name}没有这样的时间。最近的是："
    if clock is not None:
        moment = datetime.combine(day, clock, CITY_TIME)
        return f"{when_words(moment, now)}约不上，{hall.name}离这个时间最近的空是："
    half = {"am": "上午", "pm": "下午", None: ""}[step.wish.part]
    reason = why_not(hall, day, now)
    if half and reason in ("约满了", "没有能约的时间了"):
        reason = "没有空了"
    return f"{hall.name}{day_words(day, _today(now))}{half}{reason}。离得最近的空是："


def _make(
    dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn, step: Step
) -> list[EventType]:
    """Keep the window and tell, or say what stands in the way and what is free."""
    if step.hall is None or step.wish.day is None or step.wish.clock is None:
        return _next(dispatcher, tracker, turn, step)
    now = utc_now()
    start = datetime.combine(step.wish.day, step.wish.clock, CITY_TIME)
    try:
        with unit_of_work() as session:
            kept = reserve(session, turn.citizen_id, step.item, step.hall, start, now, step.moved)
    except StateError as error:
        return _refused(dispatcher, turn, step, error.code, now)
    known = tracker.get_slot("service_situation") or {}
    options = known["options"] if known.get("service_id") == step.item.id else {}
    lead = "改好了。" if step.moved is not None else "约好了。"
    tell_kept(dispatcher, kept, lead, situated(step.item, options), reminds=True)
    return [*drop_booking(), SlotSet("nearest_for", None)]


def _refused(
    dispatcher: CollectingDispatcher, turn: Turn, step: Step, code: str, now: datetime
) -> list[EventType]:
    assert step.hall is not None
    with unit_of_work() as session:
        mine = open_of(session, turn.citizen_id)
        if code == "slot_taken":
            near = around(free_at(session, step.hall, step.item, now), step.wish)
            if near:
                text = f"真不巧，这个时间刚被别人约走了。{step.hall.name}最近还有："
                say(dispatcher, text, slot_buttons(step, near, now))
            else:
                say(dispatcher, f"真不巧，刚被别人约走了，{step.hall.name}这两周都满了。")
            return _keep(replace(step, wish=Wish()))
        if code == "appointment_twice":
            same = next(kept for kept in mine if kept.service_id == step.item.id)
            tell_kept(dispatcher, same, "这件事您已经约过了。", step.item)
        elif code == "appointment_limit":
            text = f"一个人最多同时约{MAX_OPEN}件事，您已经约满了。先取消一个，或者办完再约。"
            say(dispatcher, text, [button("我的预约", "my_appointments")])
        else:
            again = button("重新约", "book_appointment", service_id=step.item.id)
            say(dispatcher, "原来那个预约已经取消或者过期了，可以重新约一个。", [again])
    return drop_booking()


def _cancel_answered(
    dispatcher: CollectingDispatcher, turn: Turn, appointment: int
) -> list[EventType] | None:
    """Take yes or no to the question whether an appointment shall be cancelled."""
    if turn.intent == "affirm":
        cancel_now(dispatcher, turn.citizen_id, appointment)
    elif turn.intent == "deny":
        say(
            dispatcher,
            "好的，预约保留，到时候我再提醒您。",
            [button("我的预约", "my_appointments")],
        )
    else:
        return None
    return drop_booking()


# --- what is known ------------------------------------------------------------------------


def _pressed(turn: Turn) -> Step | None:
    """Read the step that a button carries; None when it names no item there is."""
    item = catalogue().service(turn.entity("service_id") or "")
    if item is None:
        return None
    moved = _whole(turn.entity("appointment"))
    named = turn.entity("hall_id")
    if moved is not None and named is None:  # 改时间: the same hall unless another is wanted
        with unit_of_work() as session:
            kept = of_citizen(session, turn.citizen_id, moved)
            named = kept.hall_id if kept else None
    hall = None if named == ANY_HALL else _hall(named)
    return Step(item, hall, Wish.read(turn.entity("slot") or ""), moved)


def _to_move(text: str, mine: Sequence[Appointment]) -> Step | None:
    """Return the step that moves one's only appointment to a time in words (改约到周五下午)."""
    wish = wished(text, _today(utc_now()))
    if len(mine) != 1 or not wish or not wants_other_time(text):
        return None
    item = catalogue().service(mine[0].service_id)
    if item is None:
        return None
    day = wish.day or mine[0].starts_at.astimezone(CITY_TIME).date()
    hall = _named(text, catalogue().halls_for(item)) or _hall(mine[0].hall_id)
    return Step(item, hall, replace(wish, day=day), mine[0].id)


def _keep(step: Step) -> list[EventType]:
    return [
        SlotSet("booking", {**step.carried(), "at": time.time()}),
        SlotSet("pending_booking", {"for": None}),
    ]


def _kept(tracker: Tracker, service_id: str) -> Step | None:
    """Return how far the booking of an item had come."""
    slot: dict[str, Any] = tracker.get_slot("booking") or {}
    item = catalogue().service(service_id)
    if item is None or slot.get("service_id") != service_id:
        return None
    moved = _whole(slot.get("appointment"))
    return Step(item, _hall(slot.get("hall_id")), Wish.read(slot.get("slot") or ""), moved)


def _otherwise(step: Step) -> list[dict[str, str]]:
    carried = replace(step, wish=Wish()).carried()
    return [
        button("换个时间", "book_appointment", **carried),
        button("换个大厅", "book_appointment", **{**carried, "hall_id": ANY_HALL}),
        button("不约了", "cancel"),
    ]


def _near(tracker: Tracker, halls: tuple[Hall, ...]) -> tuple[Hall, ...]:
    """Return the halls, nearest first when the citizen has just shared where he is."""
    shared = tracker.get_slot("pending_locations") or []
    if not shared or not halls:
        return halls
    point = shared[-1]["point"]
    return by_distance(halls, float(point["latitude"]), float(point["longitude"]))


def _named(text: str, halls: Sequence[Hall]) -> Hall | None:
    """Return the one hall that words name by its name or district, else None."""
    near = [hall for hall in halls if hall.district[:-1] in text]
    own = [hall for hall in near if hall.name.startswith(hall.district)]
    for named in ([hall for hall in halls if hall.name in text], own, near):
        if len(named) == 1:
            return named[0]
    return None


def _hall(hall_id: str | None) -> Hall | None:
    return next((hall for hall in catalogue().halls if hall.id == hall_id), None)


def _whole(text: str | None) -> int | None:
    digits = text is not None and text.isascii() and text.isdigit() and len(text) <= 9
    return int(text) if digits and text is not None else None


def _today(now: datetime) -> Any:
    return now.astimezone(CITY_TIME).date()
