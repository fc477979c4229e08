"""What a citizen reads about a ticket."""

from __future__ import annotations

from typing import Any

from dispatch.categories import Category
from dispatch.lifecycle import STATUS_NAMES
from store.models import Ticket
from store.tickets import CITY_TIME

WITHDRAWAL = "市民撤回"
SUPPLEMENT = "市民补充："
RATING = "市民评价："
JOINED = "另一位市民也反映："
CALL = "【催办】"
URGENT_CALL = "【督办】"
OUR_WORDS = (WITHDRAWAL, SUPPLEMENT, RATING, JOINED, CALL, URGENT_CALL)
"""How what this side says begins at the dispatch system."""
ASK_RATING = "您对这次办理满意吗？"
LIMIT_NAMES = {"respond": "受理", "resolve": "办结"}

_NEWS = {
    "submitted": "您的工单已提交。",
    "forwarded": "您的工单已派到{unit}，请等待受理。",
    "accepted": "{unit}已受理您的工单。",
    "in_progress": "{unit}正在处置。",
    "resolved": "{unit}已办结。",
    "verified": "处置结果已经核查。",
    "closed": "工单已结案。",
    "rejected": "{unit}没有受理您的工单。",
    "transferred": "工单已转到{unit}办理。",
    "reopened": "工单已重新办理。",
    "withdrawn": "工单已按您的要求撤回。",
}
_RATINGS = ((5, "满意"), (3, "基本满意"), (1, "不满意"))


def ticket_card(
    ticket: Ticket, category: Category | None, note: str | None = None
) -> dict[str, Any]:
    """Return the ``ticket`` card of the Chat API; it holds no address and no words."""
    rated = "，已评价" if ticket.rating else ""
    fields = {
        "状态": STATUS_NAMES[ticket.status] + rated,
        "类别": category.name if category else ticket.category,
        "责任部门": ticket.department,
        "提交时间": ticket.created_at.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M"),
        "更新时间": ticket.updated_at.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M"),
    }
    if ticket.district:
        fields["所在区"] = ticket.district
    if note:
        fields["办理说明"] = note
    return {"kind": "ticket", "id": ticket.id, "title": f"工单 {ticket.id}", "fields": fields}


def rating_buttons(ticket_id: str) -> list[dict[str, str]]:
    """Return the buttons that ask how the handling was (评价)."""
    return [
        {
            "title": title,
            "payload": f'/rate_ticket{{"ticket_id": "{ticket_id}", "score": "{score}"}}',
        }
        for score, title in _RATINGS
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


def status_reply(
    ticket: Ticket, category: Category | None, status: str, unit: str | None, note: str | None
) -> dict[str, Any]:
    """Return the reply that tells the citizen of one step."""
    text = f"工单 {ticket.id}：" + _NEWS[status].format(unit=unit or ticket.department)
    if note:
        text += f"\n说明：{note}"
    buttons = []
    if status in ("resolved", "closed") and ticket.rating is None:
        text += f"\n{ASK_RATING}"
        buttons = rating_buttons(ticket.id)
    return {"text": text, "buttons": buttons, "cards": [ticket_card(ticket, category, note)]}
