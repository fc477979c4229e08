"""The audit as an auditor reads it: in Chinese, and without anybody's data in the clear."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from channels.console.masking import OPENED, SEEN_MASKED, citizen_mark
from store.audit_search import CHECKED
from store.models import AuditEntry

TABLES = {
    "citizens": "市民资料",
    "tickets": "工单",
    "ticket_events": "工单进展",
    "ticket_followers": "工单关注人",
    "media": "照片视频",
    "outbox": "转派内容",
    "outgoing_messages": "发给市民的消息",
    "incoming_messages": "收到的消息",
    "handover_messages": "人工对话",
    "call_backs": "回电号码",
    "appointments": "预约",
    "checklists": "办事清单",
    "notice_contacts": "接收地址",
    "notice_deliveries": "政策提醒",
    "unclear_messages": "未听懂的话",
    "unanswered_questions": "未答问题",
    "link_codes": "关联验证码",
    "people": "渠道关联",
    "agents": "账号",
    "conversations": "聊天记录",
    "audit": "审计记录",
    "audit_head": "审计链",
}
PURPOSES = {
    OPENED: "显示完整资料",
    SEEN_MASKED: "查看打码资料",
    "handover": "人工服务",
    "call_back": "回电",
    "message_delivery": "发送消息",
    "message": "处理来信",
    "check_ticket": "市民查工单",
    "public_progress": "公开进度页",
    "public_copy": "公开照片",
    "media_link": "打开照片",
    "export_12345": "导出12345工单",
    "data_export": "市民导出资料",
    "conversation_erased": "按要求删除聊天记录",
    "find_duplicates": "查找重复工单",
    "nlu_review": "语料复核",
    "unanswered_questions": "未答问题",
    "linked": "关联渠道",
    "unlinked": "取消关联",
    "login": "登录",
    "second_factor": "核对动态码",
    "second_factor_shown": "显示绑定二维码",
    "second_factor_enrolled": "绑定身份验证器",
    "recovery_codes_renewed": "更换恢复码",
    "password_changed": "修改口令",
    "account_rests": "口令错误过多",
    "account_created": "新建账号",
    "account_locked": "停用账号",
    "account_unlocked": "启用账号",
    "role_changed": "更改角色",
    "password_reset": "重置口令",
    "second_factor_reset": "重置两步验证",
    "delivery_retried": "重新投递",
    "audit_read": "查阅审计",
    "audit_exported": "导出审计",
    CHECKED: "核验审计链",
    "audit_cut": "到期删除审计",
}
SYSTEMS = {
    "relay": "投递进程",
    "system": "系统",
    "dispatch": "派单系统",
    "api": "接口",
    "operator": "命令行",
    "retention": "到期清理",
    "link": "签名链接",
    "link_holder": "签名链接",
    "public_link": "公开链接",
    "progress_page": "公开进度页",
}
_NOBODYS = re.compile(r"\d{1,10}|[A-Z]{2}\d{14}|[0-9a-f]{32}")
"""Ids that tell nothing of a person: row numbers, ticket numbers, random bits of media."""


@dataclass(frozen=True)
class Line:
    """An entry as it is shown; ``field`` keeps its technical name."""

    id: int
    at: datetime
    who: str
    purpose: str
    what: str
    field: str


def line_of(row: AuditEntry, key: str, names: Mapping[int, str]) -> Line:
    """Return an entry to be shown.

    Args:
        row: the entry.
        key: of the marks that stand for citizens (:func:`channels.console.masking.citizen_mark`).
        names: of accounts, by id.
    """
    return Line(
        id=row.id,
        at=row.at,
        who=_who(row.actor, key),
        purpose=PURPOSES.get(row.purpose, row.purpose),
        what=_what(row.record, key, names),
        field=row.field,
    )


def _who(actor: str, key: str) -> str:
    kind, _, name = actor.partition(":")
    if kind == "citizen":
        return f"市民 {citizen_mark(key, name)}"
    if kind == "agent":
        return f"账号 {name}"
    return SYSTEMS.get(actor, actor)


def _what(record: str, key: str, names: Mapping[int, str]) -> str:
    table, _, identifier = record.partition(":")
    title = TABLES.get(table, table)
    if table == "agents" and identifier.isdigit():
        return f"{title} {names.get(int(identifier), identifier)}"
    if table == "audit" or not identifier or _NOBODYS.fullmatch(identifier):
        return f"{title} {identifier}".rstrip()
    return f"{title} {citizen_mark(key, identifier)}"
