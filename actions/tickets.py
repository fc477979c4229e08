"""What a citizen may do with tickets already filed."""

from __future__ import annotations

import re

from rasa_sdk import Tracker
from rasa_sdk.events import ActionExecutionRejected, EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher
from sqlalchemy.orm import Session

from actions.following import (
    followed,
    followers_buttons,
    followers_history,
    leave_followed,
    not_the_owner,
)
from actions.forms import SUPPLEMENT_INTERRUPTIONS, interrupts, rejects
from actions.registry import action
from actions.resources import categories
from actions.ticket_times import told_when_done
from actions.turn import Turn, button, named_ticket, say
from actions.verdicts import hear_verdict, pending, verdict_in
from base.calendar import CITY_TIME
from base.errors import StateError
from dispatch.case.filing import rate, supplement, withdraw
from dispatch.case.lifecycle import FINISHED, RATEABLE, STATUS_NAMES, TRANSITIONS
from dispatch.case.wording import (
    BAD_RATING,
    RATINGS,
    may_reopen,
    rating_buttons,
    reopen_button,
    ticket_card,
    verdict_buttons,
)
from dispatch.reporting.answers import wants_split
from store.database import unit_of_work
from store.models import Ticket, utc_now
from store.privacy import reveal
from store.tickets import latest_of_citizen, latest_visible_to, of_citizen, rateable

_NONE_FOUND = (
    "没有查到这个工单。请核对工单号（SM开头，后面14位数字）；只能查您自己在这里提交的工单。"
)
_ONE_BY_ONE = "好的，分开报。请先说第一件：是什么问题、在什么地方；报完再说下一件。"
_NO_TICKETS = "您在这里还没有提交过工单。"
_STARS = re.compile(r"(?<![\d一二三四五六七八九十])([1-5一二两三四五])\s*[分星颗](?!钟)")
_STAR_VALUES = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5}
_UNHAPPY = re.compile(
    r"(不|没|没有|谈不上|说不上)(是)?(很|太|怎么|够|算|特别|非常)?(满意|好|行|解决|处理|管)"
    r"|还在|老样子|差评|很差|太差|糊弄|敷衍"
)
_MIDDLING = re.compile(r"一般|还行|基本满意|凑合|马马虎虎")
_HAPPY = re.compile(r"满意|不错|挺好|很好|好评|点赞")
_GRADE = re.compile(r"满意|好评|差评|点赞")
_TITLES = {title: score for score, title in RATINGS.items()}
_SUPPLEMENT_NOISE = re.compile(
    r"(SM\d{14}|我|想|要|再|给|把|那个|这个|刚才|上次|之前|昨天|今天|的|投诉|举报|工单|补充|一下|一点|"
    r"追加|加|说明|情况|信息|照片|材料|内容|还有|对了|麻烦|请|帮|点|[，,。.：:；;！!\s])"
)
_SHORTEST_SUPPLEMENT = 5


def ticket_meant(session: Session, turn: Turn, tracker: Tracker) -> tuple[Ticket | None, str]:
    """Return the citizen's ticket, else what to say; someone else's is simply not found."""
    named = named_ticket(turn)
    other = followed(session, turn.citizen_id, ticket_named(turn, tracker))
    if other is not None:
        return None, not_the_owner(other)
    if named:
        return of_citizen(session, turn.citizen_id, named), _NONE_FOUND
    kept = tracker.get_slot("ticket_id")
    ticket = of_citizen(session, turn.citizen_id, str(kept)) if kept else None
    if ticket is None:
        latest = latest_of_citizen(session, turn.citizen_id, 1)
        ticket = latest[0] if latest else None
    return ticket, _NO_TICKETS


def ticket_named(turn: Turn, tracker: Tracker) -> str | None:
    """Return the ticket id in a message, else the one last spoken of."""
    return named_ticket(turn) or tracker.get_slot("ticket_id")


def score_in(text: str) -> int | None:
    """Return the rating 1-5 said in words, None when there is none."""
    if grade := _TITLES.get(text.strip(" ，。！!")):
        return grade
    if stars := _STARS.search(text):
        said = stars.group(1)
        return _STAR_VALUES.get(said) or int(said)
    if _UNHAPPY.search(text):
        return 1
    if _MIDDLING.search(text):
        return 3
    return 5 if _HAPPY.search(text) else None


def says_grade(text: str) -> bool:
    """Tell whether ``text`` names a grade, and not only what became of the problem."""
    return bool(_STARS.search(text) or _GRADE.search(text))


def supplement_content(text: str) -> str | None:
    """Return ``text`` when it says something beyond the wish to add, else None."""
    bare = _SUPPLEMENT_NOISE.sub("", text)
    return text.strip() if len(bare) >= _SHORTEST_SUPPLEMENT else None


@action
def action_check_ticket(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Tells where tickets stand, from the store.

    Show the named ticket with its history, or the latest ones.
    """
    when = told_when_done(dispatcher, tracker)
    if when is not None:
        return when
    turn = Turn.of(tracker)
    with unit_of_work() as session:
        meant = ticket_named(turn, tracker)
        if named_ticket(turn) is None:
            tickets = latest_visible_to(session, turn.citizen_id, 3)
            meant = tickets[0].id if len(tickets) == 1 else meant
            if len(tickets) > 1:
                cards = [ticket_card(t, categories().get(t.category)) for t in tickets]
                say(dispatcher, f"您最近的{len(tickets)}个工单：", None, cards)
                return [SlotSet("ticket_id", tickets[0].id)]
        other = followed(session, turn.citizen_id, meant)
        if other is not None:
            card = ticket_card(other, categories().get(other.category))
            history = followers_history(session, other, turn.citizen_id)
            say(dispatcher, history, followers_buttons(other), [card])
            return [SlotSet("ticket_id", other.id)]
        ticket, otherwise = ticket_meant(session, turn, tracker)
        if ticket is None:
            say(dispatcher, otherwise, [button("我要随手拍", "report_pollution")])
            return []
        history = _history(session, ticket, turn.citizen_id)
        card = ticket_card(ticket, categories().get(ticket.category))
        say(dispatcher, history, _ticket_buttons(ticket), [card])
        asked: list[EventType] = []
        if ticket.status in ("resolved", "verified"):
            unsolved = verdict_in(turn.text) == "unsolved"
            asked = [pending(ticket, "solved", turn.text if unsolved else None)]
        return [SlotSet("ticket_id", ticket.id), *asked]


@action
def action_withdraw_ticket(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Asks whether a ticket shall really be withdrawn.

    Ask with buttons, or say why it cannot be withdrawn.
    """
    turn = Turn.of(tracker)
    if tracker.active_loop_name == "complaint_form" and named_ticket(turn) is None:
        say(dispatcher, "这条投诉还没有提交，不想报了就说“取消”。")
        return []
    with unit_of_work() as session:
        other = followed(session, turn.citizen_id, ticket_named(turn, tracker))
        if other is not None:
            leave_followed(dispatcher, session, turn.citizen_id, other)
            return [SlotSet("ticket_id", None)]
        ticket, otherwise = ticket_meant(session, turn, tracker)
        if ticket is None:
            say(dispatcher, otherwise)
            return []
        if "withdrawn" not in TRANSITIONS[ticket.status]:
            say(dispatcher, _cannot_withdraw(ticket))
            return []
        say(
            dispatcher,
            f"确定要撤回工单 {ticket.id} 吗？撤回后就不再办理了。",
            [
                button("确定撤回", "confirm_withdraw", ticket_id=ticket.id),
                button("不撤了", "check_ticket", ticket_id=ticket.id),
            ],
        )
        pending = {"ticket_id": ticket.id, "for": None}
        return [SlotSet("ticket_id", ticket.id), SlotSet("pending_withdraw", pending)]


@action
def action_confirm_withdraw(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Withdraws the ticket. Withdraw and tell."""
    turn = Turn.of(tracker)
    with unit_of_work() as session:
        found, otherwise = ticket_meant(session, turn, tracker)
        if found is None:
            say(dispatcher, otherwise)
            return []
        try:
            withdraw(session, turn.citizen_id, found.id)
        except StateError:
            say(dispatcher, _cannot_withdraw(found))
            return []
        card = ticket_card(found, categories().get(found.category))
        say(dispatcher, f"工单 {found.id} 已撤回，责任部门也会收到通知。", None, [card])
        return []


@action
def action_rate_ticket(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Takes the citizen's rating (评价). Record the score, or ask for it."""
    turn = Turn.of(tracker)
    pressed = turn.entity("score") or ""
    score = int(pressed) if pressed in ("1", "2", "3", "4", "5") else score_in(turn.text)
    if not pressed and not says_grade(turn.text):
        heard = hear_verdict(dispatcher, tracker)
        if heard is not None:
            return heard
    with unit_of_work() as session:
        named = named_ticket(turn)
        ticket = (
            of_citizen(session, turn.citizen_id, named)
            if named
            else rateable(session, turn.citizen_id)
        )
        if ticket is None and wants_split(turn.text):
            say(dispatcher, _ONE_BY_ONE, [button("反映问题", "report_pollution")])
            return []
        if ticket is None:
            say(
                dispatcher,
                _NONE_FOUND if named else "您还没有已办结的工单，办结后我会请您评价。",
            )
            return []
        if ticket.status not in RATEABLE:
            say(dispatcher, f"工单 {ticket.id} 还在办理，办结后再请您评价。")
            return []
        if score is None:
            say(dispatcher, f"请给工单 {ticket.id} 的办理打个分：", rating_buttons(ticket.id))
            return []
        rate(session, turn.citizen_id, ticket.id, score)
        card = ticket_card(ticket, categories().get(ticket.category))
        text, buttons = _rated(ticket, score)
        say(dispatcher, text, buttons, [card])
        unsolved = verdict_in(turn.text) == "unsolved"
        asked = [pending(ticket, "reopen", turn.text)] if buttons and unsolved else []
        return [SlotSet("ticket_id", ticket.id), *asked]


@action
def validate_supplement_form(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Takes the words of a supplement. Return the slots after this message."""
    turn = Turn.of(tracker)
    kept = tracker.get_slot("supplement_words")
    named = named_ticket(turn) or tracker.get_slot("ticket_id")
    if interrupts(turn, SUPPLEMENT_INTERRUPTIONS, free_text=True):
        if rejects(tracker, "supplement_form", turn):
            return [ActionExecutionRejected("supplement_form")]
        return [SlotSet("supplement_words", kept), SlotSet("ticket_id", named)]
    words: str | None = turn.text.strip() or None
    if turn.intent == "supplement_ticket":
        words = supplement_content(turn.text)
    if words is None and tracker.get_slot("pending_photos"):
        words = "补充了照片"
    return [SlotSet("supplement_words", words or kept), SlotSet("ticket_id", named)]


@action
def action_ask_supplement_words(
    dispatcher: CollectingDispatcher, tracker: Tracker
) -> list[EventType]:
    """Asks what to add. Ask; a ticket that is not there is noticed when it is sent."""
    say(dispatcher, "要补充什么情况？文字、照片都可以。", [button("取消", "cancel")])
    return []


@action
def action_supplement_ticket(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Adds the supplement to the ticket and passes it on. Store and tell."""
    turn = Turn.of(tracker)
    words = str(tracker.get_slot("supplement_words"))
    photos = tuple(photo["id"] for photo in tracker.get_slot("pending_photos") or ())
    done: list[EventType] = [
        SlotSet(slot, None) for slot in ("supplement_words", "pending_photos", "pending_locations")
    ]
    with unit_of_work() as session:
        ticket, otherwise = ticket_meant(session, turn, tracker)
        if ticket is None:
            say(dispatcher, otherwise)
            return done
        try:
            supplement(session, turn.citizen_id, ticket.id, words, photos, turn.message_id)
        except StateError:
            return [*done, *_no_supplement(dispatcher, ticket, words)]
        card = ticket_card(ticket, categories().get(ticket.category))
        text = f"已补充到工单 {ticket.id}，并转给{ticket.department}。"
        if not may_reopen(ticket, utc_now()):
            say(dispatcher, text, None, [card])
            return done
        text += "\n这个工单已经办结。要是没解决，可以退回重新办理。"
        say(dispatcher, text, verdict_buttons(ticket.id), [card])
        return [*done, pending(ticket, "solved", words)]


@action
def action_cancel_supplement(dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
    """Drops the supplement. Say so."""
    say(dispatcher, "好的，不补充了，原来的工单照常办理。")
    return [SlotSet("supplement_words", None), SlotSet("requested_slot", None)]


def _no_supplement(dispatcher: CollectingDispatcher, ticket: Ticket, words: str) -> list[EventType]:
    """Say what else there is for somebody whose ticket takes no supplement any more."""
    if may_reopen(ticket, utc_now()):
        text = f"{_finished(ticket)}，不能再补充。没解决的话可以退回重办，您说的会一起转去。"
        say(dispatcher, text, [reopen_button(ticket.id)])
        return [pending(ticket, "reopen", words)]
    again = button("重新反映", "report_pollution")
    say(dispatcher, f"{_finished(ticket)}，不能再补充。问题还在的话，可以重新反映。", [again])
    return []


def _history(session: Session, ticket: Ticket, citizen_id: str) -> str:
    lines = [f"工单 {ticket.id} 现在是：{STATUS_NAMES[ticket.status]}。"]
    for event in ticket.events:
        if event.from_status == event.to_status and event.note is None:
            continue
        note = reveal(session, event, "note", actor=f"citizen:{citizen_id}", purpose="check_ticket")
        moment = event.at.astimezone(CITY_TIME).strftime("%m-%d %H:%M")
        step = STATUS_NAMES[event.to_status]
        if event.from_status == event.to_status:
            step = "办理说明" if event.actor == "dispatch" else "市民补充"
        unit = f" {event.unit}" if event.unit else ""
        lines.append(f"· {moment} {step}{unit}" + (f"：{note}" if note else ""))
    return "\n".join(lines)


def _ticket_buttons(ticket: Ticket) -> list[dict[str, str]]:
    if ticket.status in ("resolved", "verified"):
        return verdict_buttons(ticket.id)
    if ticket.status == "closed":
        rating = [] if ticket.rating else rating_buttons(ticket.id)
        return [*rating, reopen_button(ticket.id)] if may_reopen(ticket, utc_now()) else rating
    if "withdrawn" not in TRANSITIONS[ticket.status]:
        return []
    return [
        button("补充情况", "supplement_ticket", ticket_id=ticket.id),
        button("撤回工单", "withdraw_ticket", ticket_id=ticket.id),
    ]


def _cannot_withdraw(ticket: Ticket) -> str:
    return f"{_finished(ticket)}，不能撤回了。"


def _finished(ticket: Ticket) -> str:
    return f"工单 {ticket.id} 现在是“{STATUS_NAMES[ticket.status]}”"


def _rated(ticket: Ticket, score: int) -> tuple[str, list[dict[str, str]]]:
    """Return the thanks for a rating, and what may follow it."""
    if score <= BAD_RATING:
        sorry = "收到，很抱歉没有让您满意，您的评价已转给责任部门。"
        if ticket.status in FINISHED and may_reopen(ticket, utc_now()):
            return f"{sorry}问题没解决的话，可以退回重新办理。", [reopen_button(ticket.id)]
        return f"{sorry}还有什么没解决的，可以再补充说明，也可以拨打12345。", []
    thanks = "谢谢您的评价，已转给责任部门。"
    if ticket.status in ("resolved", "verified"):
        return f"{thanks}问题已经解决的话，点一下“已解决”就结案。", verdict_buttons(ticket.id)
    return thanks, []
