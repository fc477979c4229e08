"""The citizen's rating of an answer about a service or policies, and why it did not help."""

from __future__ import annotations

from typing import Any, cast

import structlog
from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answer_rating import Subject, note_unanswered
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
    name = Subject.key_in(turn)
    useful, reason = turn.entity("useful"), turn.entity("reason")
    every = tracker.get_slot("answer_quality") or {}
    kept = every.get(name)
    wrong = useful not in ("yes", "no") or (reason is not None and reason not in REASONS)
    subject = Subject.known(name)
    if subject is None or not kept or kept["key"] is None or wrong:
        log.info("answer_rating_ignored", matter=name[:64], asked=bool(kept))
        say(dispatcher, "谢谢您的反馈。")
        return []
    why = cast("Reason | None", reason)
    with unit_of_work() as session:
        rate(session, kept["key"], name, city_today(), useful=useful == "yes", reason=why)
    if useful == "yes":
        say(dispatcher, "谢谢，能帮上忙就好。")
        return []
    if why is not None:
        return _hear_reason(dispatcher, tracker, subject, kept, why)
    if kept["why_asked"]:
        say(dispatcher, "记下了，谢谢您告诉我。")
        return []
    say(dispatcher, "对不起，没帮上您。是哪里不合适？", _reasons(subject))
    return [SlotSet("answer_quality", {**every, name: {**kept, "why_asked": True}})]


def _reasons(subject: Subject) -> list[dict[str, str]]:
    return [subject.button(title, useful="no", reason=reason) for reason, title in _TITLES]


def _hear_reason(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    subject: Subject,
    kept: dict[str, Any],
    reason: Reason,
) -> list[EventType]:
    """Do at once what can be done about it."""
    person = [button("转人工", "ask_human")]
    if reason == "human":
        return action_hand_over(dispatcher, tracker)
    if reason == "other_matter":
        seen = [(subject.id, float(kept["score"]))]
        note_unanswered(kept["message_id"], "other_matter", kept["words"], seen)
        say(dispatcher, "是我理解错了，已经记下。请换个说法，把要办的事再说一遍。", person)
    elif reason == "wrong":
        phone = _phone(subject)
        check = f"，也可以打{phone}核实" if phone else ""
        say(dispatcher, f"谢谢指出，已经记下，编辑会来核对。办事请以窗口答复为准{check}。", person)
    else:
        short = _in_short(subject)
        say(dispatcher, f"好的，简单说：{short}" if short else "记下了，我们会改短。", person)
    return []


def _phone(subject: Subject) -> str | None:
    city = catalogue()
    matter = city.service(subject.id) or city.package(subject.id)
    if matter is not None:
        return matter.phone
    policy = subject.policy
    return policy.apply.phone if policy is not None else None


def _in_short(subject: Subject) -> str:
    """Return the answer in one sentence; empty where there is none (a list, a package)."""
    item = catalogue().service(subject.id)
    if item is not None:
        return spoken(answer(item, "all", (), {}), 1)
    policy = subject.policy
    return f"{policy.title}：{policy.benefit.text}。" if policy is not None else ""
