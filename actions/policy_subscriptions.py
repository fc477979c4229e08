"""Hearing of policies or not: subscriptions, answers to notices, reminders of a deadline."""

from __future__ import annotations

import re

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import policy_replies as replies
from actions.registry import action
from actions.resources import catalogue
from actions.turn import Turn, say
from base.settings import get_settings
from enquiries.linking.wording import forgotten
from matcher.notices.decide import present_stage
from matcher.policy import Policy
from store.appointments import open_of
from store.consents import give
from store.database import unit_of_work
from store.feedback import end_reminders, note_opened, save_feedback
from store.identities import linked_to
from store.models import utc_now
from store.notice_contacts import end_deliveries
from store.notices import save_reminder
from store.people import channels_of, forget_profile, subscribe, unsubscribe, unsubscribe_all
from store.tickets import city_day

__all__ = ["take_feedback", "take_reminder"]

_DEADLINE = re.compile(r"到期|截止|快结束|结束前")
_EVERYWHERE = re.compile(r"全部|所有|全都|都退|通通|统统|一切")


def take_feedback(
    dispatcher: CollectingDispatcher, policy: Policy, citizen_id: str, said: str
) -> list[EventType]:
    """Keep what a notice's button says; it steers the ranking and ends the notices."""
    now = utc_now()
    with unit_of_work() as session:
        note_opened(session, citizen_id, policy.id, now)
        save_feedback(session, citizen_id, policy.id, said, now)
    text, buttons = replies.feedback_taken(policy, said)
    say(dispatcher, text, buttons)
    return [SlotSet("policy_id", policy.id)]


def take_reminder(
    dispatcher: CollectingDispatcher, policy: Policy, citizen_id: str
) -> list[EventType]:
    """Remind of the end of a policy's window; pressing the button is the consent to that alone."""
    now = utc_now()
    today = city_day(now)
    if policy.window.closes is not None and policy.window.state(today) != "closed":
        with unit_of_work() as session:
            note_opened(session, citizen_id, policy.id, now)
            version = (policy.id, policy.version)
            save_reminder(session, citizen_id, version, present_stage(policy, today), now)
    text, buttons = replies.reminder_taken(policy, today)
    say(dispatcher, text, buttons)
    return [SlotSet("policy_id", policy.id)]


@action
def action_subscribe(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Subscribes this conversation to news of policies. Store the consent, say what it means.

    “到期前提醒我” about a policy just told that closes is a reminder of that one alone.
    """
    policy = catalogue().policy(str(tracker.get_slot("policy_id") or ""))
    wants = _DEADLINE.search(Turn.of(tracker).text)
    if wants and policy is not None and policy.window.closes is not None:
        return take_reminder(dispatcher, policy, tracker.sender_id)
    with unit_of_work() as session:
        new = subscribe(session, tracker.sender_id)
        text, buttons = replies.subscribed(get_settings(), new=new)
        if new:
            give(session, tracker.sender_id, "policy_notices", text, utc_now())
    say(dispatcher, text, buttons)
    return []


@action
def action_unsubscribe(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Ends the subscription of this conversation, or all of them. End it at once."""
    turn = Turn.of(tracker)
    everywhere = bool(_EVERYWHERE.search(turn.text)) or turn.entity("value") == "all"
    with unit_of_work() as session:
        if everywhere:
            channels = channels_of(session, turn.citizen_id)
            ended = unsubscribe_all(session, turn.citizen_id)
            end_deliveries(session, turn.citizen_id, channels)
        else:
            ended = unsubscribe(session, turn.citizen_id)
        left = channels_of(session, turn.citizen_id)
        ended = end_reminders(session, turn.citizen_id) or ended
    text, buttons = replies.unsubscribed(left, ended=ended)
    say(dispatcher, text, buttons)
    return []


_FORGOTTEN = (
    "policy_search",
    "policy_id",
    "service_situation",
    "checklist_answers",
    "checklist_question",
    "checklist_shown",
    "answer_quality",
)
"""Slots that hold what he told of himself."""


@action
def action_forget_me(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Erases the profile, checklists and the subscription. Erase and say what stays."""
    with unit_of_work() as session:
        others = [citizen for _, citizen in linked_to(session, tracker.sender_id)]
        known = forget_profile(session, tracker.sender_id)
        ahead = bool(open_of(session, tracker.sender_id))
    text = "您的个人情况、清单和订阅都已删除。" if known else "我这里没有保存您的个人情况。"
    visits = "还没到时间的预约给您留着，不想去了可以说“取消预约”。" if ahead else ""
    links = forgotten(others) if others else ""
    say(
        dispatcher,
        f"{text}我们的聊天记录稍后也会删除。已提交的工单是城市的办理记录，会继续办完。{visits}{links}",
    )
    return [SlotSet(slot, None) for slot in _FORGOTTEN]
