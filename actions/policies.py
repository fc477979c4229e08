"""Policy search: the form that collects a profile, and what is said about policies."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecutionRejected, EventType, FollowupAction, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import policy_replies as replies
from actions.answer_rating import SEARCH, Subject, answered, ask_about_search
from actions.complaints import load_draft
from actions.forms import POLICY_INTERRUPTIONS, interrupts, rejects
from actions.policy_aspects import aspect_of
from actions.policy_choices import (
    asks_which,
    choice_text,
    choices_for,
    choices_text,
    near_misses,
)
from actions.policy_search import Search, in_last_list, load_search
from actions.policy_subscriptions import take_feedback, take_reminder
from actions.registry import action
from actions.resources import catalogue
from actions.turn import Turn, button, say
from base.errors import InputError
from matcher.answers import UNKNOWN, parse_answer, read_facts
from matcher.attributes import city_districts
from matcher.finder import Finding
from matcher.kind import guess_kind
from matcher.notices.ages import Age, read_birth, years_between
from matcher.policy import Filter, Policy
from matcher.profile import ATTRIBUTES, KINDS, Attribute, Kind, Profile, parse_profile
from matcher.questions import next_question
from matcher.ranking import Match, match
from store.consents import MATCHING, give
from store.database import reading, unit_of_work
from store.feedback import REMIND, feedback_of, note_opened, reminders_of
from store.models import utc_now
from store.notices import note_known
from store.people import (
    channels_of,
    read_profiles,
    read_told,
    save_birth,
    save_profile,
)
from store.tickets import city_day

QUESTIONS_BEFORE_RESULTS = 3
_POINTS_BACK = re.compile(r"这[个项条种]|那[个项条种]|该[项政补]|上面|刚才")


def known_profile(citizen_id: str, kind: Kind) -> Profile:
    """Return what is known of the citizen today (empty when nothing is): an age told grows."""
    with unit_of_work() as session:
        stored = read_profiles(session, citizen_id, "policy_matching").get(kind, {})
        told = read_told(session, citizen_id, "policy_matching")
    profile = _checked(citizen_id, kind, stored)
    if kind == "resident":
        day = told.days.get(kind, {}).get("age")
        years = profile.known("age")
        age = Age(years if isinstance(years, int) else None, day, told.since, told.birth)
        ages = age.possible(city_day(utc_now()))
        if ages:
            profile = profile.merged({"age": ages[0]})
    return profile


def _checked(citizen_id: str, kind: Kind, stored: dict[str, Any]) -> Profile:
    profile = parse_profile({"kind": kind, "id": citizen_id, "attributes": {}})
    for name, value in stored.items():
        with suppress(InputError):  # a column that an earlier release knew differently
            profile = profile.merged({name: value})
    return profile


def learn(citizen_id: str, kind: Kind, facts: dict[str, Any]) -> bool:
    """Lay facts over the stored profile; False when they contradict the columns' ranges."""
    if not facts:
        return True
    with unit_of_work() as session:
        stored = read_profiles(session, citizen_id, "policy_matching").get(kind, {})
        try:
            merged = _checked(citizen_id, kind, stored).merged(facts)
        except InputError:
            return False
        save_profile(session, citizen_id, kind, dict(merged.attributes), told=facts)
        give(session, citizen_id, "policy_matching", MATCHING, utc_now())
        if kind == "resident" and "age" in facts:
            save_birth(session, citizen_id, None)  # the newer word counts
    return True


def learn_birth(citizen_id: str, text: str) -> date | None:
    """Keep a birth date told in words, with the age it makes; None when there is none."""
    today = city_day(utc_now())
    birth = read_birth(text, today)
    if birth is None or not learn(citizen_id, "resident", {"age": years_between(birth, today)}):
        return None
    with unit_of_work() as session:
        save_birth(session, citizen_id, birth)
    return birth


def tell_policy(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    turn: Turn,
    policy: Policy,
    score: float = 1.0,
) -> list[EventType]:
    """Say all about one policy, what was asked first; the slots returned make it what follow-ups
    are about.

    ``score`` tells how sure it is that this one was meant, 1 for the citizen's own choice.
    """
    profile = known_profile(turn.citizen_id, policy.audience)
    now = utc_now()
    with unit_of_work() as session:
        note_opened(session, turn.citizen_id, policy.id, now)
        said = feedback_of(session, turn.citizen_id)
        reminded = policy.id in reminders_of(session, turn.citizen_id)
    word = REMIND if reminded else said.get(policy.id)
    text, buttons, card = replies.policy_detail(
        policy, profile, word, choices_for(policy, profile), aspect_of(turn.text)
    )
    say(dispatcher, text, buttons, [card])
    rating = answered(dispatcher, tracker, turn, Subject.of(policy), score, may_ask=True)
    return [SlotSet("policy_id", policy.id), SlotSet("service_id", None), *rating]


def tell_listed(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType] | None:
    """Tell the policy of the last list that a message means by its place; None for other words."""
    turn = Turn.of(tracker)
    policy = in_last_list(tracker, turn)
    return tell_policy(dispatcher, tracker, turn, policy) if policy is not None else None


@action
def validate_policy_form(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Takes kind, facts and answers out of the message. Return the search after this message.

    A question about a policy of the list is no answer to the open one (第二个要什么材料). Who goes
    on with a complaint left open leaves the search.
    """
    turn = Turn.of(tracker)
    search = load_search(tracker)
    active = tracker.active_loop_name == "policy_form" and tracker.get_slot("requested_slot")
    if active and turn.intent == "continue_complaint" and load_draft(tracker) is not None:
        kept = SlotSet("policy_search", search.model_dump(mode="json"))
        return [kept, SlotSet("requested_slot", None), FollowupAction("complaint_form")]
    listed = in_last_list(tracker, turn) if active else None
    free_text = search.asking is not None and listed is None
    interrupted = interrupts(turn, POLICY_INTERRUPTIONS, free_text=free_text)
    if interrupted and rejects(tracker, "policy_form", turn):
        return [ActionExecutionRejected("policy_form")]
    if turn.message_id == search.message_id or (active and interrupted):
        return [SlotSet("policy_search", search.model_dump(mode="json"))]
    if listed is not None:
        heard = search.model_copy(update={"message_id": turn.message_id})
        told = tell_policy(dispatcher, tracker, turn, listed)
        return [SlotSet("policy_search", heard.model_dump(mode="json")), *told]
    if not active:
        search = Search(kind=search.kind)
    search = _absorb(search.model_copy(update={"message_id": turn.message_id}), turn)
    return [SlotSet("policy_search", search.model_dump(mode="json"))]


@action
def action_ask_policy_done(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Asks the next question, or shows results together with the datum that decides most.

    Say what comes next and remember what was asked.
    """
    search = load_search(tracker)
    if search.kind is None:
        text, buttons = replies.ask_kind(search.notes)
        say(dispatcher, text, buttons)
        return []
    profile = known_profile(tracker.sender_id, search.kind)
    with reading() as session:
        said = feedback_of(session, tracker.sender_id)
    matches = match(catalogue(), profile, search.query, scope=replies.scope(said))
    wanted = _attribute(search) if search.asking else next_question(matches, profile, search.asked)
    show = search.show or wanted is None or search.since_results >= QUESTIONS_BEFORE_RESULTS
    if show:
        nearly = near_misses(profile, search.query, said)
        text, buttons, cards = replies.results(matches, wanted, profile, search.notes, nearly)
        say(dispatcher, text, buttons, cards)
        _note_shown(tracker.sender_id, matches)
    else:
        text, buttons = replies.ask_attribute(wanted, search.notes, first=not search.asked)
        say(dispatcher, text, buttons)
    if show:
        listed = tuple(found.policy.id for found in matches[: replies.SHOWN])
        search = search.model_copy(update={"shown": listed})
    events = [SlotSet("policy_search", _after_asking(search, wanted, show=show))]
    if show:
        events.append(SlotSet("policy_id", None))  # what follows is about the list
    if show and matches:
        events += answered(dispatcher, tracker, Turn.of(tracker), SEARCH, 1.0, may_ask=False)
    # Nothing left to ask: a requested slot of None ends the form.
    return events if wanted else [*events, SlotSet("requested_slot", None)]


@action
def action_end_policy(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Ends a policy search. Say goodbye to the search; what was told is kept for the next one."""
    say(
        dispatcher,
        "好的，政策就先看到这里。您说的情况我已加密保存，下次不用重说；要删除就说“删除我的资料”。",
        [button("有新政策告诉我", "subscribe_policies")],
    )
    search = load_search(tracker)
    kept = Search(kind=search.kind, query=search.query, shown=search.shown)
    rating = ask_about_search(dispatcher, tracker, Turn.of(tracker))
    return [SlotSet("policy_search", kept.model_dump(mode="json")), *rating]


@action
def action_policy_detail(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Tells about one policy: amount, conditions, deadline, materials, how to apply.

    Find the policy, tell it, and remember it.
    """
    turn = Turn.of(tracker)
    current = str(tracker.get_slot("policy_id") or "")
    listed = in_last_list(tracker, turn)
    policy, score, choices = (listed, 1.0, ()) if listed else _policy_meant(turn, current)
    compared = answer_which(dispatcher, tracker, policy)
    if compared is not None:
        return compared
    if policy is None:
        text, buttons = replies.which_policy(choices)
        say(dispatcher, text, buttons)
        listed_now = {"shown": tuple(choice.id for choice in choices)}
        search = load_search(tracker).model_copy(update=listed_now)
        return [SlotSet("policy_search", search.model_dump(mode="json"))]
    said = turn.entity("value")
    if said in replies.FEEDBACK and turn.is_button:
        return take_feedback(dispatcher, policy, turn.citizen_id, said)
    if said == REMIND and turn.is_button:
        return take_reminder(dispatcher, policy, turn.citizen_id)
    return tell_policy(dispatcher, tracker, turn, policy, score)


def answer_which(
    dispatcher: CollectingDispatcher, tracker: Tracker, policy: Policy | None
) -> list[EventType] | None:
    """Answer whether policies go together, and which is better; None when that is not asked.

    It is about ``policy``, or else about the list last shown.
    """
    turn = Turn.of(tracker)
    if not asks_which(turn.text):
        return None
    compared = _compared(turn, policy, load_search(tracker))
    if not compared:
        return None
    say(dispatcher, compared)
    return [SlotSet("policy_id", policy.id)] if policy else []


def _compared(turn: Turn, policy: Policy | None, search: Search) -> str:
    """Compare what cannot be had beside the policy meant, or within the last search."""
    kind = policy.audience if policy else search.kind
    if kind is None:
        return ""
    profile = known_profile(turn.citizen_id, kind)
    if policy is not None:
        return choice_text(policy, profile)
    with reading() as session:
        said = feedback_of(session, turn.citizen_id)
    matches = match(catalogue(), profile, search.query, scope=replies.scope(said))
    return choices_text(matches[: replies.SHOWN], profile)


def _note_shown(citizen_id: str, matches: tuple[Match, ...]) -> None:
    """What a subscriber has just read in a list he need not be told."""
    shown = [
        (found.policy.id, found.policy.version)
        for found in matches[: replies.SHOWN]
        if found.evaluation.verdict == "eligible"
    ]
    with unit_of_work() as session:
        if shown and channels_of(session, citizen_id):
            note_known(session, citizen_id, shown, utc_now())


@action
def action_update_profile(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Records facts the citizen wants remembered.

    Store what is sure and say what was understood.
    """
    turn = Turn.of(tracker)
    search = load_search(tracker)
    kind = guess_kind(turn.text) or search.kind or "resident"
    facts = dict(read_facts(kind, turn.text))
    birth = learn_birth(turn.citizen_id, turn.text)
    if birth is not None:
        kind = "resident"
        facts = {**read_facts(kind, turn.text), "age": years_between(birth, city_day(utc_now()))}
    elif not facts or not learn(turn.citizen_id, kind, facts):
        say(
            dispatcher,
            "您想更新什么情况？比如“我们公司现在80人”“我今年82岁”。",
            [button("帮我找政策", "ask_policy")],
        )
        return []
    say(
        dispatcher,
        f"记下了：{replies.facts_text(kind, facts)}。这些只用来帮您匹配政策，加密保存，"
        "说“删除我的资料”就会删掉。",
        [button("看看能领什么", "choose_kind", kind=kind)],
    )
    kept = search.model_copy(update={"kind": kind})
    return [SlotSet("policy_search", kept.model_dump(mode="json"))]


# --- taking answers ---------------------------------------------------------------------


def _absorb(search: Search, turn: Turn) -> Search:
    again = "not_understood" in search.notes
    search = search.model_copy(update={"notes": (), "show": turn.intent == "show_results"})
    kind = _pressed_kind(turn) or search.kind or guess_kind(turn.text)
    if kind is None:
        return search.model_copy(update={"query": search.query or turn.text or None})
    if turn.intent == "ask_policy" and turn.text:
        search = search.model_copy(update={"query": turn.text})
        kind = guess_kind(turn.text) or kind
    if search.kind not in (None, kind):  # the columns of one kind mean nothing to the other
        search = Search(query=turn.text or None, message_id=search.message_id, show=search.show)
    search = search.model_copy(update={"kind": kind})
    if turn.intent == "answer_profile":
        return _answer(search, turn, str(turn.entity("value") or ""), again=again)
    facts = dict(read_facts(kind, turn.text)) if turn.text else {}
    if search.query and not search.asked:
        facts = {**read_facts(kind, search.query), **facts}
    if search.asking and turn.text and turn.intent not in ("ask_policy", "show_results"):
        if search.asking not in facts:
            told = bool(facts) and learn(turn.citizen_id, kind, facts)
            return _answer(search, turn, turn.text, again=again, told=told)
        search = search.model_copy(update={"asking": None})
    if not learn(turn.citizen_id, kind, facts):
        return search.model_copy(update={"notes": ("contradiction",)})
    return search


def _pressed_kind(turn: Turn) -> Kind | None:
    pressed = turn.entity("kind")
    return next((kind for kind in KINDS if kind == pressed), None)


def _answer(search: Search, turn: Turn, answer: str, *, again: bool, told: bool = False) -> Search:
    """Take the answer to the open question; a second failure leaves the datum unknown.

    Words that ``told`` something else of him (独居) are no failure: the question stays open.
    """
    if search.asking is None or search.kind is None:
        return search
    attribute = ATTRIBUTES[search.kind][search.asking]
    settled = search.model_copy(update={"asking": None})
    try:
        value = parse_answer(attribute, answer)
    except InputError:
        if told:
            return search.model_copy(update={"notes": ("noted",)})
        if again or turn.is_button:
            return settled
        return search.model_copy(update={"notes": ("not_understood",)})
    if value is UNKNOWN:
        return settled
    if not learn(turn.citizen_id, search.kind, {attribute.name: value}):
        return search.model_copy(update={"notes": ("not_understood",)})
    return settled


def _attribute(search: Search) -> Attribute:
    assert search.kind is not None
    assert search.asking is not None
    return ATTRIBUTES[search.kind][search.asking]


def _after_asking(search: Search, wanted: Attribute | None, *, show: bool) -> dict[str, Any]:
    name = wanted.name if wanted else None
    asked = search.asked if name is None or name in search.asked else (*search.asked, name)
    update = {
        "asked": asked,
        "asking": name,
        "show": False,
        "since_results": 0 if show else search.since_results + 1,
    }
    return search.model_copy(update=update).model_dump(mode="json")


def _policy_meant(turn: Turn, current: str) -> tuple[Policy | None, float, tuple[Policy, ...]]:
    """Return the policy and how sure it is the one, or else the candidates to choose from."""
    pressed = turn.entity("policy_id")
    if pressed:
        return catalogue().policy(pressed), 1.0, ()
    found = _meant_here(turn)
    if found.kind == "certain":
        return found.candidates[0].item, found.candidates[0].score, ()
    if current and (found.kind == "unknown" or _POINTS_BACK.search(turn.text)):
        return catalogue().policy(current), 1.0, ()
    return None, 0.0, tuple(candidate.item for candidate in found.candidates)


def _meant_here(turn: Turn) -> Finding[Policy]:
    """Find what is meant, among other districts' policies only when nothing nearer fits.

    Who names a district, or a title, means it.
    """
    finder = catalogue().policy_finder
    found = finder.find(turn.text)
    local = any(candidate.item.level == "district" for candidate in found.candidates)
    if not local or any(name in turn.text for name in city_districts()):
        return found
    near: set[str] = set()
    for kind in KINDS:
        district = known_profile(turn.citizen_id, kind).known("district")
        near |= finder.ids(Filter(kind, district=str(district) if district else None))
    nearer = finder.find(turn.text, near | finder.titled(turn.text))
    return found if nearer.kind == "unknown" else nearer
