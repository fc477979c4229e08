"""Appointments already made: shown, given back, and how they went."""

from __future__ import annotations

import time

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions.registry import action
from actions.resources import catalogue
from actions.turn import Turn, button, say
from base.errors import StateError
from base.settings import get_settings
from enquiries.appointments import when_words
from enquiries.visit_wording import OUTCOMES, appointment_card, bring_text, manage_buttons
from matcher.service import Hall, ServiceItem
from store.appointments import (
    Appointment,
    cancel,
    close,
    close_past,
    of_citizen,
    open_of,
)
from store.database import unit_of_work
from store.models import utc_now

__all__ = ["action_my_appointments", "cancel_now", "tell_kept", "tell_open"]

_NOT_FOUND = "没有查到这个预约，可能已经取消或者过期了。"


@action
def action_my_appointments(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Shows a citizen's appointments, gives one back or notes how it went.

    A cancellation is asked back about first.
    """
    turn = Turn.of(tracker)
    meant = _meant(turn)
    if turn.intent == "confirm_cancel_appointment" and meant is not None:
        cancel_now(dispatcher, turn.citizen_id, meant)
        return [SlotSet("booking", None)]
    if turn.intent == "close_appointment" and meant is not None:
        _close(dispatcher, turn, meant)
        return []
    now = utc_now()
    with unit_of_work() as session:
        close_past(session, now, turn.citizen_id)
        if turn.intent != "cancel_appointment" or meant is None:
            tell_open(dispatcher, session, turn.citizen_id)
            return [SlotSet("booking", None)]
        kept = of_citizen(session, turn.citizen_id, meant)
    if kept is None or kept.state != "requested":
        say(dispatcher, _NOT_FOUND, [button("我的预约", "my_appointments")])
        return [SlotSet("booking", None)]
    text = f"确定取消{when_words(kept.starts_at, now)}办{kept.service_name}的预约吗？"
    named = {"appointment": str(kept.id)}
    buttons = [
        button("确定取消", "confirm_cancel_appointment", **named),
        button("改时间", "book_appointment", service_id=kept.service_id, **named),
        button("不取消", "my_appointments"),
    ]
    say(dispatcher, text, buttons)
    return [
        SlotSet("booking", {"cancel": kept.id, "at": time.time()}),
        SlotSet("pending_booking", {"for": None}),
    ]


def tell_open(dispatcher: CollectingDispatcher, session: Session, citizen_id: str) -> None:
    """Show the open appointments, a reply each, or say that there are none."""
    found = open_of(session, citizen_id)
    for kept in found:
        tell_kept(dispatcher, kept, "", catalogue().service(kept.service_id))
    if not found:
        say(dispatcher, "您现在没有预约。要约窗口的话，先告诉我要办什么。")


def tell_kept(
    dispatcher: CollectingDispatcher,
    kept: Appointment,
    lead: str,
    item: ServiceItem | None,
    *,
    reminds: bool = False,
) -> None:
    """Say when and where somebody is expected and what to bring.

    Args:
        dispatcher: collects what is said.
        kept: an open appointment.
        lead: a sentence before it, or none.
        item: its materials are those of the citizen's situation, as far as known.
        reminds: whether the reminder shall be promised.
    """
    now, hall = utc_now(), _hall(kept)
    where = f"到{hall.name}（{hall.address}）" if hall else ""
    lines = [
        f"{lead}{when_words(kept.starts_at, now)}{where}办{kept.service_name}，"
        f"预约号 {kept.number}。",
        bring_text(item),
    ]
    if reminds and kept.remind_at is not None:
        lines.append("前一天傍晚6点我再提醒您。点卡片里的日历文件，可以存进手机日历。")
    elif reminds:
        lines.append("点卡片里的日历文件，可以存进手机日历。")
    card = appointment_card(kept, hall, get_settings(), now)
    say(dispatcher, "\n".join(line for line in lines if line), manage_buttons(kept), [card])


def cancel_now(dispatcher: CollectingDispatcher, citizen_id: str, appointment: int) -> None:
    """Give a window back and say so."""
    now = utc_now()
    try:
        with unit_of_work() as session:
            kept = cancel(session, citizen_id, appointment, now)
    except StateError:
        say(dispatcher, _NOT_FOUND, [button("我的预约", "my_appointments")])
        return
    text = (
        f"预约 {kept.number} 已取消，窗口让给别人了。"
        "存进日历的话，再点一次日历文件，那一条就会取消。"
    )
    again = button("重新约", "book_appointment", service_id=kept.service_id)
    say(dispatcher, text, [again], [appointment_card(kept, _hall(kept), get_settings(), now)])


def _close(dispatcher: CollectingDispatcher, turn: Turn, appointment: int) -> None:
    outcome = turn.entity("outcome") or ""
    try:
        with unit_of_work() as session:
            close_past(session, utc_now(), turn.citizen_id)
            if outcome not in OUTCOMES:
                raise StateError("appointment_closed", _NOT_FOUND, f"outcome {outcome!r}")
            kept = close(session, turn.citizen_id, appointment, outcome)
    except StateError:
        say(dispatcher, _NOT_FOUND, [button("我的预约", "my_appointments")])
        return
    again = button("再约一次", "book_appointment", service_id=kept.service_id)
    if outcome == "done":
        say(dispatcher, "办成了就好，谢谢您告诉我。")
    elif outcome == "not_done":
        bring = button("再看看要带什么", "ask_materials", service_id=kept.service_id)
        text = (
            "很抱歉让您白跑一趟。缺材料的话我再给您列一遍，也可以换个时间再约，或者转人工问一问。"
        )
        say(dispatcher, text, [bring, again, button("转人工", "ask_human")])
    else:
        say(dispatcher, "好的，记下了。还要办的话，随时可以再约。", [again])


def _meant(turn: Turn) -> int | None:
    named = turn.entity("appointment") or ""
    return int(named) if named.isascii() and named.isdigit() and len(named) <= 9 else None


def _hall(kept: Appointment) -> Hall | None:
    return next((hall for hall in catalogue().halls if hall.id == kept.hall_id), None)
