"""How a checklist begins: which steps the citizen needs, and in which situation he is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.checklist_replies import situation_buttons, yes_no_buttons
from actions.checklist_view import matter_of, open_list, say_no_matter, show_list
from actions.registry import action
from actions.resources import catalogue
from actions.turn import Turn, say
from enquiries.checklist_text import question_text, variant_text
from enquiries.checklists import Plan, open_question_of
from matcher.package import Package, open_question
from matcher.service import ServiceItem
from matcher.situation import heard
from store.checklists import checklist_of, start_checklist
from store.database import unit_of_work

MOST_SITUATIONS = 3
"""Situations asked about before the list is shown; the rest when he asks about the item."""

_YES = re.compile(r"^(是|是的|对|对的|有|有的|要|要办|需要|符合|嗯+|好的?)[的啊呀了。.！!]*$")
_NO = re.compile(r"^(不是|不|没有|没|不要|不用|不需要|不办|不符合|都不是)[的啊呀了。.！!]*$")
_COUNTS = re.compile(r"\d|第.{1,3}[项样件步个]")
"""Words that name an entry by its number (1办好了) are no yes."""
_UNSURE = re.compile(r"^(我也?)?(说不准|不清楚|不知道|不确定|不晓得|搞不清)[的啊呀了。.！!]*$")


@dataclass(frozen=True)
class Begun:
    """What he said so far of a list that is not there yet.

    Args:
        service_id: the package or the item.
        answers: whether he needs a step that not everybody does, by its service.
        situations: the options that hold, by service item.
        passed: the items he was asked about and could not say.
        asked: how many situations were asked about.
    """

    service_id: str
    answers: Mapping[str, bool] = field(default_factory=dict)
    situations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    passed: tuple[str, ...] = ()
    asked: int = 0

    @classmethod
    def of(cls, tracker: Tracker, matter_id: str) -> Self:
        """Return what is kept for a matter, or a fresh start with what he told of an item."""
        kept = tracker.get_slot("checklist_answers") or {}
        if kept.get("service_id") == matter_id:
            return cls(**{**kept, "passed": tuple(kept["passed"])})
        told = tracker.get_slot("service_situation") or {}
        known = {told["service_id"]: told["options"]} if told.get("options") else {}
        return cls(matter_id, situations=known)

    @property
    def plan(self) -> Plan:
        """The plan of the list."""
        return Plan(self.answers, self.situations)

    def needing(self, step: str, *, needed: bool) -> Self:
        """Return this with the answer whether a step is needed."""
        return replace(self, answers={**self.answers, step: needed})

    def being(self, item_id: str, variant: str, option: str) -> Self:
        """Return this with the situation for an item; without an option he could not say."""
        if not option:
            return replace(self, passed=(*self.passed, item_id))
        plan = self.plan.with_situation(item_id, {variant: option})
        return replace(self, situations=plan.situations)


@action
def action_start_checklist(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Begins a checklist: asks which steps are needed, or shows the one there is."""
    turn = Turn.of(tracker)
    matter_id = turn.entity("service_id") or str(tracker.get_slot("service_id") or "")
    matter = matter_of(matter_id)
    if matter is None:
        return say_no_matter(dispatcher)
    with unit_of_work() as session:
        known = checklist_of(session, turn.citizen_id, matter_id) is not None
    if known:
        return show_list(dispatcher, turn.citizen_id, matter_id, 0)
    return _ask_or_create(dispatcher, turn, matter, Begun.of(tracker, matter_id))


@action
def action_answer_checklist(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Takes a yes or no about one step, or a situation, and goes on."""
    turn = Turn.of(tracker)
    matter_id, entry = turn.entity("service_id") or "", turn.entity("entry") or ""
    variant, chosen, option = (turn.entity("situation") or "").partition(":")
    if chosen:
        return _take_situation(dispatcher, tracker, matter_id, entry, (variant, option))
    needed = turn.entity("value") == "yes"
    return _take_step(dispatcher, tracker, matter_id, entry, needed=needed)


def answer_heard(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType] | None:
    """Take words that answer the question asked just before; None when they do not."""
    turn, question = Turn.of(tracker), tracker.get_slot("checklist_question")
    if not question:
        return None
    matter_id = question["service_id"]
    if question.get("step"):
        needed = _yes_or_no(turn)
        if needed is None:
            return None
        return _take_step(dispatcher, tracker, matter_id, question["step"], needed=needed)
    item = catalogue().service(question["item"])
    variant = question["variant"]
    option = heard(item, turn.text).get(variant) if item else None
    if option is None and not _UNSURE.match(turn.text):
        return None
    told = (variant, option or "")
    return _take_situation(dispatcher, tracker, matter_id, question["item"], told)


def _take_step(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    matter_id: str,
    step: str,
    *,
    needed: bool,
) -> list[EventType]:
    matter = matter_of(matter_id)
    if not isinstance(matter, Package):
        return say_no_matter(dispatcher)
    begun = Begun.of(tracker, matter_id)
    if step in [one.service for one in matter.steps if one.when]:
        begun = begun.needing(step, needed=needed)
    return _ask_or_create(dispatcher, Turn.of(tracker), matter, begun)


def _take_situation(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    matter_id: str,
    item_id: str,
    told: tuple[str, str],
) -> list[EventType]:
    matter = matter_of(matter_id)
    if matter is None:
        return say_no_matter(dispatcher)
    begun = Begun.of(tracker, matter_id).being(item_id, *told)
    return _ask_or_create(dispatcher, Turn.of(tracker), matter, begun)


def _ask_or_create(
    dispatcher: CollectingDispatcher, turn: Turn, matter: Package | ServiceItem, begun: Begun
) -> list[EventType]:
    question: dict[str, Any] | None = None
    step = open_question(matter, begun.answers) if isinstance(matter, Package) else None
    item = catalogue().service(step.service) if step else None
    if isinstance(matter, Package) and step is not None and item is not None:
        text = question_text(matter, step, item, len(begun.answers))
        say(dispatcher, text, yes_no_buttons(matter.id, step.service), speech=f"{step.when}？")
        question = {"step": step.service}
    elif begun.asked < MOST_SITUATIONS:
        begun, question = _ask_situation(dispatcher, begun)
    if question is not None:
        kept = {"service_id": matter.id, **question, "for": None}
        return [SlotSet("checklist_question", kept), SlotSet("checklist_answers", asdict(begun))]
    with unit_of_work() as session:
        start_checklist(session, turn.citizen_id, matter.id, begun.plan.as_dict())
        open_list(session, turn.citizen_id, matter.id)
    return [
        SlotSet("checklist_question", None),
        SlotSet("checklist_answers", None),
        *show_list(dispatcher, turn.citizen_id, matter.id, 0),
    ]


def _ask_situation(
    dispatcher: CollectingDispatcher, begun: Begun
) -> tuple[Begun, dict[str, Any] | None]:
    found = open_question_of(catalogue(), begun.service_id, begun.plan, begun.passed)
    if found is None:
        return begun, None
    item, variant = found
    buttons = situation_buttons(begun.service_id, item.id, variant)
    say(dispatcher, variant_text(item, variant), buttons, speech=variant.ask)
    return replace(begun, asked=begun.asked + 1), {"item": item.id, "variant": variant.id}


def _yes_or_no(turn: Turn) -> bool | None:
    if _COUNTS.search(turn.text):
        return None
    if turn.intent == "affirm" or _YES.match(turn.text):
        return True
    if turn.intent == "deny" or _NO.match(turn.text):
        return False
    return None
