"""Service enquiries: which item is meant, and what to say of it."""

from __future__ import annotations

import re
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.policies import tell_policy
from actions.registry import action
from actions.resources import catalogue
from actions.service_replies import answer_buttons, answer_text, service_card
from actions.turn import Turn, button, say
from matcher.service import ServiceItem

_NAMES_NOTHING = re.compile(
    r"^(那|这|个|我|它|要|该|想|得|怎么|怎样|咋|如何|去|在|到|哪|里|儿|申请|申领|申报|办理?|领取?|弄|"
    r"准备|交|带|材料|什么|啥|多久|多少|钱|咨询|问|一下|事情?|业务|的|了|吗|呢|啊|呀|[？?，,。！!\s])+$"
)
"""Words that name no matter of their own: 怎么申请, 要带什么材料, 我想咨询怎么办事."""

_LIKELY = 0.5
"""Probability from which a candidate may be offered for a name that finds nothing."""


@action
def action_answer_service(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Answers a question about a service item, or a follow-up about the same one.

    Find the item, answer, and remember the item for follow-ups.
    """
    turn = Turn.of(tracker)
    current = catalogue().service(str(tracker.get_slot("service_id") or ""))
    policy = catalogue().policy(str(tracker.get_slot("policy_id") or ""))
    if policy is not None and _NAMES_NOTHING.match(turn.text):
        return tell_policy(dispatcher, policy, turn.citizen_id)
    item, choices = _item_meant(turn, current)
    if item is not None:
        say(
            dispatcher,
            answer_text(item, turn.intent, catalogue().halls_for(item)),
            answer_buttons(item, turn.intent),
            [service_card(item)],
        )
        return [SlotSet("service_id", item.id), SlotSet("policy_id", None)]
    if choices:
        buttons = [
            button(choice.name, "choose_service", service_id=choice.id) for choice in choices
        ]
        buttons.append(button("都不是，转人工", "ask_human"))
        say(dispatcher, "您问的是下面哪一件？", buttons)
        return []
    _say_unknown(dispatcher, turn)
    return []


def _item_meant(
    turn: Turn, current: ServiceItem | None
) -> tuple[ServiceItem | None, tuple[ServiceItem, ...]]:
    """Return the item, or the candidates to choose from."""
    pressed = turn.entity("service_id")
    if pressed:
        return catalogue().service(pressed), ()
    if not turn.text:
        return current, ()
    found = catalogue().service_finder.find(turn.text)
    named = turn.entity("service_item")
    if found.kind != "certain" and named:
        by_name = catalogue().service_finder.find(named)
        found = by_name if by_name.kind == "certain" else found
        if by_name.kind == "unknown" and all(c.score < _LIKELY for c in found.candidates):
            return None, ()  # a matter he names and we do not know: no list of other ones
    if found.kind == "certain":
        return found.candidates[0].item, ()
    if current is not None and turn.intent != "ask_service" and not named:
        return current, ()
    return None, tuple(candidate.item for candidate in found.candidates)


def _say_unknown(dispatcher: CollectingDispatcher, turn: Turn) -> None:
    buttons: list[dict[str, Any]] = [button("转人工", "ask_human"), button("我能问什么", "help")]
    asks_nothing = _NAMES_NOTHING.match(turn.text) or turn.is_button
    if asks_nothing or (turn.intent != "ask_service" and not turn.entity("service_item")):
        say(dispatcher, "您要办哪一件事？直接说就行，比如“身份证补办”“公积金提取”。", buttons)
        return
    say(
        dispatcher,
        "这件事我这里没有准确的办事资料，不敢乱说。您可以换个说法再问一次，或者拨打12345问人工。",
        buttons,
    )
