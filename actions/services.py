"""Service enquiries: which item is meant, and what to say of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.answer_rating import Subject, answered, note_unanswered, offered
from actions.appointments import booking_asked
from actions.checklists import checklist_heard, learn_situation
from actions.nearest import NEAREST, place_named
from actions.policies import tell_listed, tell_policy
from actions.registry import action
from actions.resources import catalogue
from actions.returning import goes_back, is_of_before
from actions.service_replies import (
    ASPECT_OF,
    answer_buttons,
    package_buttons,
    package_card,
    service_card,
    variant_buttons,
)
from actions.ticket_times import told_when_done
from actions.turn import Turn, button, say
from enquiries.opening import by_distance, nearest_text, opening_text
from enquiries.wording import answer, package_answer, spoken
from matcher.elsewhere import Elsewhere
from matcher.finder import Candidate, Matter
from matcher.package import Package
from matcher.service import Hall, ServiceItem
from matcher.situation import heard, open_variant, situated

_NAMES_NOTHING = re.compile(
    r"^(那|这|个|我|它|要|该|想|得|怎么|怎样|咋|如何|去|在|到|哪|里|儿|申请|申领|申报|办理?|领取?|弄|"
    r"准备|交|带|材料|什么|啥|多久|多少|钱|咨询|问|一下|事情?|业务|的|了|吗|呢|啊|呀|[？?，,。！!\s])+$"
)
"""Words that name no matter of their own: 怎么申请, 要带什么材料, 我想咨询怎么办事."""

_ONLY_WHEN = re.compile(
    r"^(那|这|个|我|帮|给|替|想|要|不|用|需要?|得|可以|可不可以|能|能不能|提前|先|就|换|改|成|怎么|咋|如何|"
    r"在|到|去|哪|里|儿|办|预约|约|一下|号|挂|排|取|吗|呢|么|吧|的|了|啊|请|麻烦|今天|明天|后天|大后天|上午|"
    r"下午|早上|中午|下?(周|星期|礼拜)|[\d一二三四五六七八九十日天两]|月|点|半|钟|刻|分|[？?，,。！!：:\s])+$"
)
"""Words about an appointment that name no matter: 怎么预约, 帮我约明天上午九点."""

_LIKELY = 0.5
"""Probability from which a candidate may be offered for a name that finds nothing."""

_PERSON = button("转人工", "ask_human")

_TRAIL = 5
"""Matters that can be gone back to."""


@dataclass(frozen=True)
class _Meant:
    """The matter of a message and how sure that is, or what the finder saw instead.

    ``offers`` tells whether what was seen is put to the choice.
    """

    matter: Matter | None
    score: float = 1.0
    seen: tuple[Candidate[Matter], ...] = ()
    offers: bool = False


@dataclass(frozen=True)
class _Told:
    """The slots an answer sets, and whether it ended in a question of its own."""

    events: list[EventType]
    pending_question: bool


@action
def action_answer_service(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Answers a question about a service item, or a follow-up about the same one.

    What such words mean of a checklist, a list of policies or a ticket just shown comes first.
    Find the item, answer, and remember the item for follow-ups.
    """
    turn = Turn.of(tracker)
    about_shown = None if turn.is_button else _about_shown(dispatcher, tracker)
    if about_shown is not None:
        return about_shown
    current = _matter(str(tracker.get_slot("service_id") or ""))
    policy = catalogue().policy(str(tracker.get_slot("policy_id") or ""))
    if policy is not None and _NAMES_NOTHING.match(turn.text):
        return tell_policy(dispatcher, tracker, turn, policy)
    meant = _matter_meant(turn, current, tracker.get_slot("service_trail") or [])
    matter = meant.matter
    if isinstance(matter, Elsewhere):
        note_unanswered(turn.message_id, "elsewhere", turn.text, [(matter.id, meant.score)])
        say(dispatcher, f"{matter.answer}\n这件事不在我的办事清单里。", [_PERSON])
        return []
    item = matter if isinstance(matter, ServiceItem) else None
    booked = booking_asked(dispatcher, tracker, turn, item)
    if booked is not None:
        return [*(_remember(tracker, matter) if matter is not None else []), *booked]
    if isinstance(matter, Package):
        _tell_package(dispatcher, matter)
        rating = answered(dispatcher, tracker, turn, Subject.of(matter), meant.score, may_ask=True)
        return _remember(tracker, matter) + rating
    if matter is not None:
        told = _tell_item(dispatcher, tracker, turn, matter)
        free = not told.pending_question
        rating = answered(dispatcher, tracker, turn, Subject.of(matter), meant.score, may_ask=free)
        return _remember(tracker, matter) + told.events + rating
    if meant.offers:
        buttons = [
            button(choice.item.name, "choose_service", service_id=choice.item.id)
            for choice in meant.seen
        ]
        buttons.append(button("都不是，转人工", "ask_human"))
        say(dispatcher, "您问的是下面哪一件？", buttons)
        return [offered(turn, meant.seen)]
    _say_unknown(dispatcher, turn, meant.seen)
    return []


def _about_shown(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType] | None:
    """Answer what is about a checklist, policies or tickets just shown; None for anything else."""
    for hear in (checklist_heard, tell_listed, told_when_done):
        heard_here = hear(dispatcher, tracker)
        if heard_here is not None:
            return heard_here
    return None


def _tell_item(
    dispatcher: CollectingDispatcher, tracker: Tracker, turn: Turn, item: ServiceItem
) -> _Told:
    """Answer, and ask for the situation when it would change the answer."""
    situation = _situation(tracker, turn, item)
    asked = _asked(tracker, turn)
    aspect = ASPECT_OF.get(asked, "all")
    now = situated(item, situation)
    halls, point = _halls_near(tracker, turn, now)
    text = answer(item, aspect, halls, situation)
    wants_nearest = aspect == "place" and bool(halls) and bool(NEAREST.search(turn.text))
    if aspect == "place":
        first = opening_text(turn.text, halls, datetime.now(UTC))
        if wants_nearest and point is not None:
            first = nearest_text(halls, *point)
        elif wants_nearest:
            first = "把您的位置发给我，或者说出附近的路名、小区，我告诉您哪个大厅最近。"
        text = f"{first}\n{text}" if first else text
    variant = open_variant(item, aspect, situation)
    known = tracker.get_slot("service_situation") or {}
    if situation and known != {"service_id": item.id, "options": situation}:
        learnt = learn_situation(turn.citizen_id, item.id, situation)
        text = f"{text}\n{learnt}" if learnt else text
    buttons = answer_buttons(item, asked)
    speech = spoken(text, 1 if variant else 2)
    if variant is not None:
        buttons = variant_buttons(item, variant) + buttons
        text, speech = f"{text}\n{variant.ask}", speech + variant.ask
    say(dispatcher, text, buttons, [service_card(now)], speech=speech)
    wants_place = wants_nearest and point is None
    events = [
        SlotSet("service_situation", {"service_id": item.id, "options": situation}),
        SlotSet("service_asked", {"service_id": item.id, "aspect": aspect}),
        SlotSet("nearest_for", item.id if wants_place else None),
    ]
    return _Told(events, variant is not None or wants_place)


def _tell_package(dispatcher: CollectingDispatcher, package: Package) -> None:
    items = [
        situated(item, step.situation)
        for step in package.steps
        if (item := catalogue().service(step.service))
    ]
    text = package_answer(package, items)
    say(
        dispatcher,
        text,
        package_buttons(package, items),
        [package_card(package, items)],
        speech=spoken(text),
    )


def _situation(tracker: Tracker, turn: Turn, item: ServiceItem) -> dict[str, str]:
    """Return what is known of the citizen's situation for ``item``, this message included."""
    kept = tracker.get_slot("service_situation") or {}
    known = dict(kept["options"]) if kept.get("service_id") == item.id else {}
    pressed = turn.entity("situation")
    if pressed and ":" in pressed:
        variant, _, option = pressed.partition(":")
        known[variant] = option
    return known | heard(item, turn.text)


def _asked(tracker: Tracker, turn: Turn) -> str:
    """Return the intent of the question; a choice of situation goes on with the one before.

    离我最近的？ asks for the place, whatever such few words are taken for.
    """
    if turn.intent not in ASPECT_OF and turn.intent != "ask_service" and NEAREST.search(turn.text):
        return "ask_place_time"
    before = tracker.get_slot("service_asked") or {}
    if turn.intent == "choose_situation" and before.get("service_id") == turn.entity("service_id"):
        return next((k for k, aspect in ASPECT_OF.items() if aspect == before["aspect"]), "")
    return turn.intent


def _halls_near(
    tracker: Tracker, turn: Turn, item: ServiceItem
) -> tuple[tuple[Hall, ...], tuple[float, float] | None]:
    """Return the item's halls, nearest first when it is known where the citizen is."""
    halls = catalogue().halls_for(item)
    shared = tracker.get_slot("pending_locations") or []
    if shared:
        point = shared[-1]["point"]
        here = (float(point["latitude"]), float(point["longitude"]))
    else:
        named = place_named(turn.text) if NEAREST.search(turn.text) else None
        if named is None:
            return halls, None
        here = named
    return by_distance(halls, *here) if halls else halls, here


def _remember(tracker: Tracker, matter: Matter) -> list[EventType]:
    """Keep the matter for follow-ups and the one before it for going back."""
    trail = [name for name in tracker.get_slot("service_trail") or [] if name != matter.id]
    return [
        SlotSet("service_id", matter.id),
        SlotSet("service_trail", [*trail, matter.id][-_TRAIL:]),
        SlotSet("policy_id", None),
    ]


def _matter(identifier: str) -> Matter | None:
    city = catalogue()
    return city.service(identifier) or city.package(identifier) or city.other(identifier)


def _matter_meant(turn: Turn, current: Matter | None, trail: list[str]) -> _Meant:
    """Return the matter, or the candidates to choose from."""
    pressed = turn.entity("service_id")
    if pressed:
        return _Meant(_matter(pressed))
    if not turn.text:
        return _Meant(current)
    if current is not None and turn.intent == "ask_appointment" and _ONLY_WHEN.match(turn.text):
        return _Meant(current)
    found = catalogue().service_finder.find(turn.text)
    named = turn.entity("service_item")
    if found.kind != "certain" and is_of_before(turn.text):
        before = [name for name in trail if current is None or name != current.id]
        wanted = before[-1:] if current is None or goes_back(turn.text) else []
        if current is not None and not wanted:  # no other one was spoken of
            wanted = [current.id]
        if wanted and (matter := _matter(wanted[0])) is not None:
            return _Meant(matter)
    if found.kind != "certain" and named:
        by_name = catalogue().service_finder.find(named)
        found = by_name if by_name.kind == "certain" else found
        if by_name.kind == "unknown" and all(c.score < _LIKELY for c in found.candidates):
            # a matter he names and we do not know: no list of other ones
            return _Meant(None, seen=found.candidates)
    if found.kind == "certain":
        return _Meant(found.candidates[0].item, found.candidates[0].score)
    if current is not None and turn.intent != "ask_service" and not named:
        return _Meant(current)
    if isinstance(current, ServiceItem) and heard(current, turn.text):
        return _Meant(current)  # 我帮我妈办呢: his situation, not another matter
    return _Meant(None, seen=found.candidates, offers=bool(found.candidates))


def _say_unknown(
    dispatcher: CollectingDispatcher, turn: Turn, seen: Sequence[Candidate[Matter]]
) -> None:
    buttons: list[dict[str, Any]] = [_PERSON, button("我能问什么", "help")]
    asks_nothing = _NAMES_NOTHING.match(turn.text) or turn.is_button
    if asks_nothing or (turn.intent != "ask_service" and not turn.entity("service_item")):
        say(dispatcher, "您要办哪一件事？直接说就行，比如“身份证补办”“公积金提取”。", buttons)
        return
    note_unanswered(turn.message_id, "unknown", turn.text, [(c.item.id, c.score) for c in seen])
    say(
        dispatcher,
        "这件事我这里没有准确的办事资料，不敢乱说。您可以换个说法再问一次，或者转人工问一问。",
        buttons,
    )
