"""The citizen's rating of a service answer, and why it did not help."""

from __future__ import annotations

from typing import Any, cast

import structlog
from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answer_rating import note_unanswered
from actions.people import action_hand_over
from actions.registry import action
from actions.resources import catalogue
from actions.turn import Turn, button, say
from base.calendar import city_today
from enquiries.wording import answer, spoken
from store.answer_quality import REASONS, Reason, rate
from store.database import unit_of_work

log = structlog.get_logger(__name__)

_TITLES: tuple[tuple[Reason, str], ...] = (
    ("other_matter", "说的不是这件事"),
    ("wrong", "内容不对"),
    ("too_long", "太长看不懂"),
    ("human", "转人工"),
)


@action
def action_rate_answer(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Takes a rating; asks once why an answer did not help.

    Only what was asked about in this conversation can be rated: a payload made up by hand
    changes no figure.
    """
    turn = Turn.of(tracker)
    name = turn.entity("service_id") or ""
    useful, reason = turn.entity("useful"), turn.entity("reason")
    every = tracker.get_slot("answer_quality") or {}
    kept = every.get(name)
    wrong = useful not in ("yes", "no") or (reason is not None and reason not in REASONS)
    if not kept or kept["key"] is None or wrong:
        log.info("answer_rating_ignored", service_id=name[:64], asked=bool(kept))
        say(dispatcher, "谢谢您的反馈。")
        return []
    why = cast("Reason | None", reason)
    with unit_of_work() as session:
        rate(session, kept["key"], name, city_today(), useful=useful == "yes", reason=why)
    if useful == "yes":
        say(dispatcher, "谢谢，能帮上忙就好。")
        return []
    if why is not None:
        return _hear_reason(dispatcher, tracker, name, kept, why)
    if kept["why_asked"]:
        say(dispatcher, "记下了，谢谢您告诉我。")
        return []
    say(dispatcher, "对不起，没帮上您。是哪里不合适？", _reasons(name))
    return [SlotSet("answer_quality", {**every, name: {**kept, "why_asked": True}})]


def _reasons(name: str) -> list[dict[str, str]]:
    return [
        button(title, "rate_answer", service_id=name, useful="no", reason=reason)
        for reason, title in _TITLES
    ]


def _hear_reason(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    name: str,
    kept: dict[str, Any],
    reason: Reason,
) -> list[EventType]:
    """Do at once what can be done about it."""
    person = [button("转人工", "ask_human")]
    if reason == "human":
        return action_hand_over(dispatcher, tracker)
    if reason == "other_matter":
        note_unanswered(
            kept["message_id"], "other_matter", kept["words"], [(name, float(kept["score"]))]
        )
        say(dispatcher, "是我理解错了，已经记下。请换个说法，把要办的事再说一遍。", person)
    elif reason == "wrong":
        matter = catalogue().service(name) or catalogue().package(name)
        phone = f"，也可以打{matter.phone}核实" if matter is not None else ""
        say(dispatcher, f"谢谢指出，已经记下，编辑会来核对。办事请以窗口答复为准{phone}。", person)
    else:
        item = catalogue().service(name)
        short = spoken(answer(item, "all", (), {}), 1) if item is not None else ""
        say(dispatcher, f"好的，简单说：{short}" if short else "记下了，我们会改短。", person)
    return []
