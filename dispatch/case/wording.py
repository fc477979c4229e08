"""What a citizen reads about a ticket."""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta
from typing import Any

from base.calendar import CITY_TIME
from base.links import MEDIA_LINK_SECONDS, sign_link
from base.settings import Settings, get_settings
from dispatch.case.lifecycle import BEING_HANDLED, FINISHED, STATUS_NAMES
from dispatch.case.limits import limit_hours, limits
from dispatch.classification.categories import Category
from store.models import Media, Ticket, utc_now

WITHDRAWAL = "市民撤回"
SUPPLEMENT = "市民补充："
RATING = "市民评价："
JOINED = "另一位市民也反映："
CALL = "【催办】"
URGENT_CALL = "【督办】"
JOINED = "另一位市民也反映："
WARNING = "【预警】"
RAISED = "【提级】"
CONFIRMED = "市民确认办结"
UNANSWERED = "市民未反馈，按期结案"
REOPENING = "市民要求重办："
OBJECTION = "市民反馈："
OUR_WORDS = (
    WITHDRAWAL,
    SUPPLEMENT,
    RATING,
    JOINED,
    CALL,
    URGENT_CALL,
    WARNING,
    RAISED,
    CONFIRMED,
    UNANSWERED,
    REOPENING,
    OBJECTION,
)
"""How what this side says begins at the dispatch system."""
LIMIT_NAMES = {"respond": "受理", "resolve": "办结"}

RATINGS = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
"""The five grades of 政务服务“好差评”, one to five stars; the last two count as bad."""
BAD_RATING = 2

PHOTO_FIELD, PAGE_FIELD = "处置后照片", "进度页面"
LINK_FIELDS = (PHOTO_FIELD, PAGE_FIELD)
"""Fields of a ticket card that hold addresses of ours."""

_NEWS = {
    "submitted": "您的工单已提交。",
    "forwarded": "您的工单已派到{unit}，{respond}。",
    "accepted": "{unit}已受理您的工单，{resolve}。",
    "in_progress": "{unit}正在处置，{resolve}。",
    "resolved": "{unit}已办结。",
    "verified": "处置结果已经核查。",
    "closed": "工单已结案。",
    "rejected": "{unit}没有受理您的工单。",
    "transferred": "工单已于{moment}转到{unit}办理，{respond}，{resolve}。",
    "reopened": "工单已退回{unit}重新办理，{respond}，{resolve}。",
    "withdrawn": "工单已按您的要求撤回。",
}
_WAITING = ("forwarded", "transferred", "reopened")


def progress_url(settings: Settings, ticket: Ticket) -> str:
    """Return the address of a ticket's public progress page."""
    return f"{settings.public_url.rstrip('/')}/progress/{ticket.progress_token}"


def after_photos(ticket: Ticket) -> list[Media]:
    """Return the photos of the result, newest last; without those that were given up."""
    shown = [photo for photo in ticket.photos if photo.role == "after"]
    return [photo for photo in shown if photo.size or photo.source_url]


def photo_url(settings: Settings, photo: Media) -> str:
    """Return a signed address of a photo's public copy, good for half a year."""
    expires = int(time.time()) + MEDIA_LINK_SECONDS
    secret = settings.session_key.get_secret_value()
    link = sign_link(secret, f"/media/{photo.id}/public", expires)
    return settings.public_url.rstrip("/") + link


def expected(ticket: Ticket, category: Category | None, now: datetime) -> dict[str, str]:
    """Tell in words what a ticket still waits for.

    Returns:
        ``respond`` (``24小时内受理``) while nobody has taken it, ``resolve``
        (``预计7月3日前办结``) while it is not done; a limit that has passed promises nothing.
    """
    if category is None or ticket.status not in BEING_HANDLED:
        return {}
    return _promised(ticket, category, now)


def _promised(ticket: Ticket, category: Category, now: datetime) -> dict[str, str]:
    due = limits(ticket, category)
    found = {}
    if ticket.status in ("submitted", *_WAITING) and due.respond > now:
        found["respond"] = f"{_span(limit_hours(ticket, category)[0])}内受理"
    if due.resolve > now:
        found["resolve"] = f"预计{_day(due.resolve, now)}前办结"
    return found


def is_overdue(ticket: Ticket, category: Category | None, now: datetime) -> bool:
    """Tell whether a ticket should be done by now and is not."""
    if category is None or ticket.status not in BEING_HANDLED:
        return False
    return limits(ticket, category).resolve <= now


def time_left(ticket: Ticket, category: Category | None, now: datetime) -> str:
    """Say until when a ticket should be taken and done, as its step and its limits tell.

    Both limits run from filing, so a case that is not forwarded yet has them, too.
    """
    if ticket.status not in ("submitted", *BEING_HANDLED):
        return f"工单 {ticket.id} 现在是“{STATUS_NAMES[ticket.status]}”。"
    promised = _promised(ticket, category, now) if category else {}
    if "resolve" in promised:
        told = "，".join(promised.values())
        return f"工单 {ticket.id} {told}，由{ticket.department}负责。有进展马上告诉您。"
    if category is None:
        return f"工单 {ticket.id} 由{ticket.department}办理，有进展马上告诉您。"
    return (
        f"工单 {ticket.id} 已经超过办结时限，让您久等了。"
        f"我们会向{ticket.department}督办；着急可以拨打12345，报工单号就行。"
    )


def ticket_card(
    ticket: Ticket, category: Category | None, note: str | None = None
) -> dict[str, Any]:
    """Return the ``ticket`` card of the Chat API; it holds no address and no words."""
    settings = get_settings()
    rated = "，已评价" if ticket.rating and ticket.status in FINISHED else ""
    fields = {
        "状态": STATUS_NAMES[ticket.status] + rated,
        "类别": category.name if category else ticket.category,
        "责任部门": ticket.department,
        "提交时间": ticket.created_at.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M"),
        "更新时间": ticket.updated_at.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M"),
    }
    if ticket.district:
        fields["所在区"] = ticket.district
    if promised := expected(ticket, category, utc_now()):
        fields["办理时限"] = "，".join(promised.values())
    if note:
        fields["办理说明"] = note
    if photos := after_photos(ticket):
        fields[PHOTO_FIELD] = "\n".join(photo_url(settings, photo) for photo in photos)
    if ticket.progress_token:
        fields[PAGE_FIELD] = progress_url(settings, ticket)
    return {"kind": "ticket", "id": ticket.id, "title": f"工单 {ticket.id}", "fields": fields}


def rating_buttons(ticket_id: str) -> list[dict[str, str]]:
    """Return the buttons that ask how the handling was (评价)."""
    return [
        _button(title, "rate_ticket", ticket_id=ticket_id, score=str(score))
        for score, title in RATINGS.items()
    ]


def reopen_button(ticket_id: str) -> dict[str, str]:
    """Return the button of a citizen whose problem is still there."""
    return _button("没解决，重新办", "reopen_ticket", ticket_id=ticket_id)


def verdict_buttons(ticket_id: str) -> list[dict[str, str]]:
    """Return the buttons that ask whether the problem is solved."""
    return [
        _button("已解决", "confirm_solved", ticket_id=ticket_id),
        reopen_button(ticket_id),
    ]


def note_reply(ticket: Ticket, category: Category | None, note: str) -> dict[str, Any]:
    """Return the reply that passes on words about a ticket whose status stays the same."""
    text = f"工单 {ticket.id} 有新的办理说明：{note}"
    return {"text": text, "buttons": [], "cards": [ticket_card(ticket, category, note)]}


def overdue_reply(ticket: Ticket, category: Category | None, stage: str) -> dict[str, Any]:
    """Return the reply that admits a passed limit: ``respond`` or ``resolve``."""
    text = (
        f"工单 {ticket.id} 没有按时{LIMIT_NAMES[stage]}，让您久等了。"
        f"我们已向{ticket.department}督办，"
        "有进展马上告诉您；着急可以拨打12345，报工单号就行。"
    )
    return {"text": text, "buttons": [], "cards": [ticket_card(ticket, category)]}


def raised_reply(
    ticket: Ticket, category: Category | None, stage: str, supervisor: str
) -> dict[str, Any]:
    """Return the reply that tells who was called in when twice a limit has passed."""
    text = (
        f"工单 {ticket.id} 到现在还没有{LIMIT_NAMES[stage]}，很抱歉。"
        f"我们已提请{supervisor}督促{ticket.department}，"
        "有进展马上告诉您；着急可以拨打12345，报工单号就行。"
    )
    return {"text": text, "buttons": [], "cards": [ticket_card(ticket, category)]}


def passed_on_reply(ticket: Ticket, category: Category | None, supervisor: str) -> dict[str, Any]:
    """Return the reply that admits that units pass the case on."""
    text = (
        f"工单 {ticket.id} 转了几个单位，还没有定下由谁办理，让您久等了。"
        f"我们已提请{supervisor}协调，定下来马上告诉您。"
    )
    return {"text": text, "buttons": [], "cards": [ticket_card(ticket, category)]}


def status_reply(  # noqa: PLR0913
    ticket: Ticket,
    category: Category | None,
    status: str,
    unit: str | None,
    note: str | None,
    *,
    owner: bool = True,
) -> dict[str, Any]:
    """Return the reply that tells of one step and of what comes next.

    ``owner`` is False for somebody who only follows the ticket: he reads the same, but is
    asked for nothing.
    """
    now = utc_now()
    text = f"工单 {ticket.id}：" + _news(ticket, category, status, unit or ticket.department, now)
    if note:
        label = "理由" if status == "rejected" else "说明"
        text += f"\n{label}：{note}"
    buttons: list[dict[str, str]] = []
    if owner:
        question, buttons = _question(ticket, status, now)
        text += question
    return {"text": text, "buttons": buttons, "cards": [ticket_card(ticket, category, note)]}


def was_sent_back(ticket: Ticket) -> bool:
    """Tell whether its citizen has sent the ticket back once."""
    return any(
        event.to_status == "reopened" and event.actor.startswith("citizen:")
        for event in ticket.events
    )


def may_reopen(ticket: Ticket, now: datetime) -> bool:
    """Tell whether its citizen may still send a handled ticket back.

    Once a ticket; a closed one within ``SHIMIN_REOPEN_DAYS`` of its closing.
    """
    if ticket.status not in FINISHED:
        return False
    if was_sent_back(ticket):
        return False
    closings = [event.at for event in ticket.events if _enters(event, "closed")]
    if ticket.status != "closed" or not closings:
        return True
    return now <= closings[-1] + timedelta(days=get_settings().reopen_days)


def _news(ticket: Ticket, category: Category | None, status: str, unit: str, now: datetime) -> str:
    promised = expected(ticket, category, now)
    words = {
        "respond": f"按规定{promised['respond']}" if "respond" in promised else "请等待受理",
        "resolve": promised.get("resolve", "办结后马上告诉您"),
        "moment": _day(ticket.last_update_at or now, now, clock=True),
    }
    return _NEWS[status].format(unit=unit, **words)


def _question(ticket: Ticket, status: str, now: datetime) -> tuple[str, list[dict[str, str]]]:
    """Return what the citizen is asked with a step, and the buttons to answer."""
    if status == "rejected":
        return (
            f"\n您可以补充情况后重新反映，也可以拨打12345，报工单号 {ticket.id}，请人工帮您。",
            [_button("补充后重新反映", "report_pollution"), _button("转人工", "ask_human")],
        )
    if status in ("resolved", "verified"):
        days = get_settings().confirm_days
        return (
            f"\n请您看看问题解决了没有。{days}天内没有回复的话，工单会按期结案。",
            verdict_buttons(ticket.id),
        )
    if status != "closed":
        return "", []
    buttons = [] if ticket.rating else rating_buttons(ticket.id)
    text = "\n您对这次办理满意吗？" if buttons else ""
    if may_reopen(ticket, now):
        text += f"\n问题还在的话，{get_settings().reopen_days}天内可以要求重新办理。"
        buttons = [*buttons, reopen_button(ticket.id)]
    return text, buttons


def _enters(event: Any, status: str) -> bool:
    return bool(event.to_status == status and event.from_status != status)


def _button(title: str, intent: str, **entities: str) -> dict[str, str]:
    values = json.dumps(entities, ensure_ascii=False) if entities else ""
    return {"title": title, "payload": f"/{intent}{values}"}


def _span(hours: int) -> str:
    return f"{hours}小时" if hours < 48 or hours % 24 else f"{hours // 24}天"


def _day(moment: datetime, now: datetime, *, clock: bool = False) -> str:
    """Say a day of the city; with the hour when it is near or ``clock`` asks for it."""
    there = moment.astimezone(CITY_TIME)
    day = f"{there.month}月{there.day}日"
    if there.year != now.astimezone(CITY_TIME).year:
        day = f"{there.year}年{day}"
    near = moment - now < timedelta(hours=48)
    return f"{day}{there:%H:%M}" if clock or near else day
