"""What the tables and columns of one's own data are called in the page to read."""

from __future__ import annotations

import json
from typing import Any

_TABLES = {
    "citizens": "您本人的情况",
    "tickets": "您提交的工单",
    "ticket_events": "工单的每一步",
    "ticket_followers": "您关注的工单",
    "media": "照片和视频",
    "open_drafts": "还没提交的反映",
    "outbox": "转给承办部门的内容",
    "outgoing_messages": "我们发给您的消息",
    "subscriptions": "政策提醒的订阅",
    "notice_contacts": "您登记的接收地址",
    "notice_digests": "政策提醒",
    "notice_deliveries": "政策提醒的发送",
    "notice_watches": "政策提醒的比对",
    "policy_notices": "提醒过您的政策",
    "policy_feedback": "您对政策的反馈",
    "checklists": "办事清单",
    "checklist_entries": "办事清单的条目",
    "appointments": "预约",
    "handovers": "转人工",
    "handover_messages": "与工作人员的对话",
    "call_backs": "约定的回电",
    "hot_spot_reports": "归入热点的工单",
    "consents": "您同意过的事",
    "identities": "关联的渠道",
    "link_codes": "关联渠道的验证码",
    "link_attempts": "关联渠道的尝试",
    "offered_buttons": "给您的按钮",
    "offered_choices": "给您的选项",
    "answered_messages": "最近的回答",
    "conversations": "聊天记录",
    "conversation_erasures": "删除聊天记录的要求",
}
_COLUMNS = {
    "id": "编号", "created_at": "时间", "updated_at": "更新时间", "at": "时间", "name": "姓名",
    "phone": "电话", "id_number": "证件号", "profile": "情况", "told": "告知", "status": "状态",
    "category": "类别", "department": "部门", "district": "区", "street": "街道", "address": "地址",
    "description": "内容", "contact": "联系方式", "latitude": "纬度", "longitude": "经度",
    "rating": "评价", "note": "说明", "words": "内容", "body": "内容", "channel": "渠道",
    "ended_at": "结束时间", "given_at": "同意时间", "withdrawn_at": "撤回时间", "purpose": "用途",
    "ticket_id": "工单编号", "content_type": "类型", "size": "字节数", "evidence": "拍摄信息",
    "delivered_at": "送达时间", "policy_id": "政策", "service_name": "事项",
    "starts_at": "开始时间", "ends_at": "结束时间", "consent": "同意的记录", "plan": "选择",
    "state": "状态", "speaker": "谁说的", "shown": "同时显示的", "asked_at": "提出时间",
    "due_at": "下次处理", "erased_at": "删除时间",
    "to_status": "变为", "from_status": "原状态", "unit": "单位", "occurred_at": "发生时间",
}  # fmt: skip

Section = tuple[str, list[list[tuple[str, str]]]]


def titled(data: dict[str, list[dict[str, Any]]]) -> list[Section]:
    """Return sections with Chinese titles; each row is its (title, text) pairs that say something.

    A table or column without a title of its own keeps its technical name: nothing is hidden.
    """
    order = list(_TABLES)
    names = sorted(data, key=lambda name: (name not in _TABLES, (*order, name).index(name)))
    return [(_TABLES.get(name, name), [_pairs(row) for row in data[name]]) for name in names]


def _pairs(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (_COLUMNS.get(name, name), _text(value))
        for name, value in row.items()
        if value not in (None, "", [], {})
    ]


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
