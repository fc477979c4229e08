"""Small talk, misunderstanding, emergencies, people."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answer_rating import ask_at_the_end, note_next
from actions.appointments import booking_goes_on
from actions.checklists import checklist_heard
from actions.complaints import draft_of_danger, load_draft, reports_problem
from actions.forms import SERVICE_INTENTS
from actions.nearest import asks_nearest, nearest_asked
from actions.policies import answer_which, tell_listed
from actions.registry import action
from actions.resources import catalogue
from actions.returning import goes_back, takes_up_again
from actions.services import action_answer_service
from actions.turn import Turn, button, next_message_only, say
from actions.verdicts import ask_again, hear_verdict
from dispatch.reporting.emergency import advice
from matcher.answers import read_facts
from matcher.elsewhere import Elsewhere
from matcher.kind import guess_kind
from store.database import unit_of_work
from store.unclear import note_choice

TITLES = {
    "ask_service": "问怎么办事",
    "ask_materials": "问要带什么材料",
    "ask_place_time": "问在哪办、几点开门",
    "ask_fee": "问费用",
    "ask_duration": "问要多久",
    "ask_appointment": "问预约",
    "report_pollution": "反映污染问题",
    "report_city_issue": "反映道路、路灯等问题",
    "check_ticket": "查投诉进度",
    "supplement_ticket": "补充投诉情况",
    "withdraw_ticket": "撤回投诉",
    "rate_ticket": "评价办理结果",
    "ask_policy": "找补贴政策",
    "ask_human": "转人工",
    "help": "看看我能问什么",
    "subscribe_policies": "订阅新政策",
    "unsubscribe_policies": "取消订阅",
    "my_checklist": "看我的办事清单",
    "update_profile": "更新我的情况",
}
"""Intents a citizen can be asked about, in words for a button."""

_DRAFT_BUTTONS = frozenset(
    {
        "affirm",
        "change_category",
        "change_contact",
        "change_place",
        "choose_category",
        "choose_place",
        "choose_split",
    }
)
_FOR_ONE_MESSAGE = (
    "checklist_question",
    "just_answered",
    "pending_booking",
    "pending_verdict",
    "pending_withdraw",
    "services_offered",
    "unclear",
)
Hearing = Callable[[CollectingDispatcher, Tracker], list[EventType] | None]
_ASKED_JUST_NOW = ("checklist_question", "pending_booking", "pending_verdict", "pending_withdraw")
_MOST_CHOICES = 3
_KEEP_SECONDS = 600


@action
def action_keep_attachments(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Keep photos and points of any message until a complaint takes them.

    Runs on every message, so that nothing a citizen sends along with a greeting is lost. What
    no complaint has taken within ten minutes belonged to something else (a photo of an
    identity card with a service question) and must not travel with a later complaint.
    """
    turn = Turn.of(tracker)
    now = time.time()
    photos = _recent(tracker.get_slot("pending_photos"), now)
    points = _recent(tracker.get_slot("pending_locations"), now)
    filling = tracker.active_loop_name in ("complaint_form", "supplement_form")
    if filling or turn.intent not in SERVICE_INTENTS:
        known = [photo["id"] for photo in photos]
        photos += [media for media in _media(turn.metadata, now) if media["id"] not in known]
        seen = [kept["point"] for kept in points]
        fresh = [point for point in turn.metadata.get("locations", []) if point not in seen]
        points += [{"point": point, "at": now} for point in fresh]
    events: list[EventType] = [
        SlotSet("pending_photos", photos or None),
        SlotSet("pending_locations", points or None),
    ]
    _learn_from_choice(tracker.get_slot("unclear"), turn)
    note_next(tracker, turn)
    events += [
        SlotSet(slot, next_message_only(tracker.get_slot(slot), turn.message_id))
        for slot in _FOR_ONE_MESSAGE
    ]
    if turn.intent != "nlu_fallback":
        events.append(SlotSet("misunderstood", None))
    return events


@action
def action_small_talk(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Answers intents that have one response each. Say ``utter_<intent>`` of the domain.

    Thanks and anger may be the verdict on a handled ticket (“解决了，谢谢”). What seems to be about
    nothing may be about the item or policies just told (“离我最近的？”, “哪个划算”) or about the
    checklist just shown (“还差哪些”).
    """
    heard = hear_verdict(dispatcher, tracker)
    if heard is not None:
        return heard
    turn = Turn.of(tracker)
    if turn.intent in ("out_of_scope", "chitchat", "help"):
        if asks_nearest(tracker):
            return action_answer_service(dispatcher, tracker)
        about_list = _first_heard(dispatcher, tracker, checklist_heard, tell_listed)
        if about_list is not None:
            return about_list
    if turn.intent in ("out_of_scope", "chitchat"):
        policy = catalogue().policy(str(tracker.get_slot("policy_id") or ""))
        told = answer_which(dispatcher, tracker, policy)
        if told is not None:
            return told
    dispatcher.utter_message(response=f"utter_{turn.intent}")
    return ask_at_the_end(dispatcher, tracker, turn)


@action
def action_clarify(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Asks what was meant, with the likeliest readings as buttons; the second time, a person.

    Ask, unless a photo says that this is a complaint.
    """
    turn = Turn.of(tracker)
    if _has_evidence(turn):
        return [FollowupAction("complaint_form")]
    if asks_nearest(tracker):
        return action_answer_service(dispatcher, tracker)
    if _takes_up_draft(tracker, turn):
        return [FollowupAction("complaint_form")]
    heard = _first_heard(dispatcher, tracker, hear_verdict, checklist_heard, tell_listed)
    if heard is not None:
        return heard
    times = int(tracker.get_slot("misunderstood") or 0) + 1
    readings, buttons = _readings(tracker, turn)
    if times > 1:
        buttons.append(button("转人工", "ask_human"))
        text = "对不起，我还是没听明白。您可以点下面的按钮，或者直接转人工。"
    else:
        buttons.append(button("都不是", "help"))
        text = "我没太听明白，您是想："
    say(dispatcher, text, buttons)
    unclear = {
        "text": turn.text,
        "readings": readings,
        "message_id": turn.metadata.get("message_id"),
        "for": None,
    }
    return [SlotSet("misunderstood", times), SlotSet("unclear", unclear if turn.text else None)]


@action
def action_bare_answer(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """An answer to nothing that was asked: ask what it is about, unless that is known."""
    turn = Turn.of(tracker)
    if _has_evidence(turn):
        return [FollowupAction("complaint_form")]
    draft = load_draft(tracker)
    asked = tracker.get_slot("checklist_question")  # just now: his yes is about that
    if turn.intent == "affirm" and draft is not None and draft.gap is None and not asked:
        return [FollowupAction("action_file_complaint")]  # filing it failed before
    pending = tracker.get_slot("pending_withdraw")
    if pending and turn.intent == "affirm":
        return [FollowupAction("action_confirm_withdraw")]
    if pending and turn.intent == "deny":
        say(dispatcher, f"好的，工单 {pending['ticket_id']} 不撤回，继续办理。")
        return []
    ways = (booking_goes_on, checklist_heard, tell_listed, hear_verdict, nearest_asked)
    heard = _first_heard(dispatcher, tracker, *ways)
    if heard is not None:
        return heard
    if asks_nearest(tracker):
        return action_answer_service(dispatcher, tracker)
    kind = guess_kind(turn.text)
    if kind is not None and read_facts(kind, turn.text):
        return [FollowupAction("action_update_profile")]
    goes_on = draft is not None and _answers_draft(draft.gap, turn)
    if goes_on or _takes_up_draft(tracker, turn) or reports_problem(turn):
        return [FollowupAction("complaint_form")]
    if turn.intent in ("affirm", "deny"):
        asked = ask_again(dispatcher, tracker)
        if asked is not None:
            return asked
        say(dispatcher, "好的。还有什么要我帮忙的？", _jobs())
    else:
        say(dispatcher, "收到。这是关于哪方面的事？", _jobs())
    return []


@action
def action_repeat(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Says the last reply again. Repeat everything said after the message before this one."""
    if goes_back(Turn.of(tracker).text) and len(tracker.get_slot("service_trail") or []) > 1:
        return action_answer_service(dispatcher, tracker)
    said = _last_replies(tracker.events)
    if not said:
        say(dispatcher, "我还没说什么呢，您想问什么？", _jobs())
    for event in said:
        data = event.get("data") or {}
        dispatcher.utter_message(
            text=event.get("text"),
            buttons=data.get("buttons"),
            json_message=data.get("custom"),
        )
    return []


@action
def action_emergency(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Danger now: numbers first; the words are kept as a draft so nothing is said twice.

    Say what to do, and offer to report as well.
    """
    turn = Turn.of(tracker)
    buttons = [button("人已安全，同时上报", "continue_complaint")]
    if tracker.active_loop_name == "complaint_form":
        buttons = []
    say(dispatcher, advice(turn.text), buttons)
    return draft_of_danger(turn, tracker) if turn.text else []


def _learn_from_choice(unclear: dict[str, Any] | None, turn: Turn) -> None:
    """Note which button the citizen pressed after an unclear message: what it meant."""
    if not unclear or unclear["for"] is not None or not unclear.get("message_id"):
        return
    meant = "ask_service" if turn.intent == "choose_service" else turn.intent
    offered = turn.intent == "choose_service" or turn.intent in unclear["readings"]
    if offered and meant != "help":
        with unit_of_work() as session:
            note_choice(session, unclear["message_id"], meant)


def _readings(tracker: Tracker, turn: Turn) -> tuple[list[str], list[dict[str, str]]]:
    """Return the likeliest intents and the buttons for them."""
    found = catalogue().service_finder.find(turn.text)
    buttons = [
        button(f"办理：{candidate.item.name}", "choose_service", service_id=candidate.item.id)
        for candidate in found.candidates[:2]
        if not isinstance(candidate.item, Elsewhere)
    ]
    ranking = tracker.latest_message.get("intent_ranking") or []
    likely = [rank["name"] for rank in ranking if rank["name"] in TITLES]
    intents = likely[: _MOST_CHOICES - len(buttons)]
    buttons += [button(TITLES[name], name) for name in intents]
    return intents, buttons or _jobs()


def _first_heard(
    dispatcher: CollectingDispatcher, tracker: Tracker, *ways: Hearing
) -> list[EventType] | None:
    """Return what the first way to read a message makes of it; None when it is about else."""
    for hear in ways:
        heard = hear(dispatcher, tracker)
        if heard is not None:
            return heard
    return None


def _takes_up_draft(tracker: Tracker, turn: Turn) -> bool:
    """Whether 继续 means the complaint left open, and not what was asked just now."""
    asked = any(tracker.get_slot(slot) for slot in _ASKED_JUST_NOW)
    return not asked and load_draft(tracker) is not None and takes_up_again(turn.text)


def _answers_draft(gap: str | None, turn: Turn) -> bool:
    """Whether a message goes on with a complaint left open days ago: its place, its buttons."""
    if turn.is_button:
        return gap is not None and turn.intent in _DRAFT_BUTTONS
    return (gap, turn.intent) in {("place", "inform"), ("confirmed", "correct")}


def _media(metadata: dict[str, Any], now: float) -> list[dict[str, Any]]:
    """Return the photos and videos of a message with when they came and were taken."""
    taken = {"taken_at": list(metadata["taken_at"])} if metadata.get("taken_at") else {}
    photos = [{"id": photo, "at": now, **taken} for photo in metadata.get("photos", [])]
    return photos + [{"id": v, "at": now, "video": True} for v in metadata.get("videos", [])]


def _has_evidence(turn: Turn) -> bool:
    """Whether photos, videos or a point came along: what belongs to a complaint."""
    return any(turn.metadata.get(name) for name in ("photos", "videos", "locations"))


def _recent(kept: list[dict[str, Any]] | None, now: float) -> list[dict[str, Any]]:
    return [item for item in kept or [] if now - item["at"] < _KEEP_SECONDS]


def _jobs() -> list[dict[str, str]]:
    return [
        button("反映问题", "report_pollution"),
        button("找补贴政策", "ask_policy"),
        button("我能问什么", "help"),
    ]


def _last_replies(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the bot's messages between the last two messages of the citizen."""
    spoken = [event for event in events if event.get("event") in ("user", "bot")]
    while spoken and spoken[-1]["event"] == "bot":
        spoken.pop()
    if spoken:
        spoken.pop()
    said: list[dict[str, Any]] = []
    while spoken and spoken[-1]["event"] == "bot":
        said.insert(0, spoken.pop())
    return said
