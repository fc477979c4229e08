"""A ticket as a 12345 work-order record (政务服务便民热线工单): a second output format.

Which field rests on which published source, and which choice is ours, is said in
``docs/12345.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from base.calendar import CITY_TIME
from base.masking import mask
from base.sheets import cell
from dispatch.case.lifecycle import STATUS_NAMES
from dispatch.case.limits import limits
from dispatch.classification.categories import Categories, Category
from store.models import Media, Ticket, TicketEvent
from store.privacy import reveal

AppealType = Literal["咨询", "求助", "投诉", "举报", "建议"]
"""《北京市接诉即办工作条例》, its definition: 咨询、求助、投诉、举报、建议等诉求."""

_CHANNELS: Mapping[str, str] = {
    "web": "网站",
    "telegram": "Telegram",
    "wechat": "微信",
    "voice": "电话",
    "api": "接口",
    "cli": "接口",
}
_SYSTEM = "系统预警"
_FINISHED = ("resolved", "closed", "rejected", "withdrawn")
_MEDIA_KINDS: Mapping[str, str] = {"image": "照片", "video": "视频", "audio": "录音"}
_TITLE_CHARS = 30


class Attachment(BaseModel):
    """One photo, video or recording of a ticket; the file itself is not part of the record."""

    model_config = ConfigDict(frozen=True)

    number: str = Field(serialization_alias="编号")
    kind: str = Field(serialization_alias="类型")
    stage: str = Field(serialization_alias="阶段")
    size: int = Field(serialization_alias="字节数")
    sha256: str = Field(serialization_alias="SHA256")


class HotlineRecord(BaseModel):
    """One work order. The aliases are the titles of the columns; times are Beijing time."""

    model_config = ConfigDict(frozen=True)

    number: str = Field(serialization_alias="工单编号")
    external_number: str | None = Field(serialization_alias="承办系统编号")
    accepted_at: datetime = Field(serialization_alias="受理时间")
    occurred_at: datetime | None = Field(serialization_alias="发生时间")
    channel: str = Field(serialization_alias="来源渠道")
    appeal_type: AppealType = Field(serialization_alias="诉求类型")
    group: str = Field(serialization_alias="诉求归口")
    category: str = Field(serialization_alias="诉求分类")
    category_code: str = Field(serialization_alias="诉求分类代码")
    title: str = Field(serialization_alias="诉求标题")
    content: str = Field(serialization_alias="诉求内容")
    place: str | None = Field(serialization_alias="事发地点")
    district: str | None = Field(serialization_alias="行政区划")
    street: str | None = Field(serialization_alias="街道乡镇")
    longitude: float | None = Field(serialization_alias="经度")
    latitude: float | None = Field(serialization_alias="纬度")
    urgency: Literal["一般", "紧急"] = Field(serialization_alias="紧急程度")
    anonymous: Literal["是", "否"] = Field(serialization_alias="是否匿名")
    contact_name: str | None = Field(serialization_alias="联系人")
    contact_phone: str | None = Field(serialization_alias="联系电话")
    unit: str = Field(serialization_alias="承办单位")
    respond_by: datetime | None = Field(serialization_alias="受理时限")
    resolve_by: datetime | None = Field(serialization_alias="办理时限")
    status: str = Field(serialization_alias="办理状态")
    finished_at: datetime | None = Field(serialization_alias="办结时间")
    result: str | None = Field(serialization_alias="办理结果")
    reopened: int = Field(serialization_alias="重办次数")
    satisfaction: Literal["满意", "基本满意", "不满意"] | None = Field(serialization_alias="满意度")
    attachments: tuple[Attachment, ...] = Field(serialization_alias="附件清单")

    def as_json(self) -> dict[str, Any]:
        """Return the record under its Chinese titles, times as ISO 8601 with their offset."""
        return self.model_dump(mode="json", by_alias=True)

    def as_row(self) -> dict[str, str]:
        """Return the record as one line of a table.

        Times are ``2026-11-21 08:30:00`` (Beijing), attachments one cell. A text that a
        spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV Injection").
        """
        row = {}
        for title, value in self.model_dump(by_alias=True).items():
            row[title] = _cell(value)
        row["附件清单"] = "；".join(
            f"{item.stage}{item.kind} {item.number}" for item in self.attachments
        )
        return row


TITLES: tuple[str, ...] = tuple(
    info.serialization_alias or name for name, info in HotlineRecord.model_fields.items()
)
"""The columns, in order."""


@dataclass(frozen=True)
class TicketView:
    """What a record is made of, read out of the store.

    ``contact`` is None when it was not asked for; ``has_contact`` tells whether there is one.
    ``result`` are the dispatch system's last words about an end of the work. Times are aware.
    """

    id: str
    external_id: str | None
    citizen_id: str
    kind: str
    created_at: datetime
    occurred_at: datetime | None
    category: str
    known_category: Category | None
    description: str = field(repr=False)
    address: str | None = field(repr=False)
    district: str | None
    street: str | None
    latitude: float | None
    longitude: float | None
    severity: str
    has_contact: bool
    contact: Mapping[str, str] | None = field(repr=False)
    department: str
    respond_by: datetime | None
    resolve_by: datetime | None
    status: str
    finished_at: datetime | None
    result: str | None = field(repr=False)
    reopened: int
    rating: int | None
    media: tuple[Attachment, ...]


def hotline_record(view: TicketView) -> HotlineRecord:
    """Map a ticket to a 12345 work-order record.

    Without an opened contact, numbers that identify a person are masked in the words too.
    """
    known = view.known_category
    opened = view.contact is not None
    content = view.description if opened else mask(view.description)
    result = view.result if opened or view.result is None else mask(view.result)
    contact = view.contact or {}
    return HotlineRecord(
        number=view.id,
        external_number=view.external_id,
        accepted_at=view.created_at.astimezone(CITY_TIME),
        occurred_at=_city(view.occurred_at),
        channel=_channel(view),
        appeal_type=_appeal_type(view.category),
        group=known.group if known else "其他",
        category=known.name if known else view.category,
        category_code=view.category,
        title=_title(view, content),
        content=content,
        place=view.address,
        district=view.district,
        street=view.street,
        longitude=view.longitude,
        latitude=view.latitude,
        urgency="紧急" if view.severity == "urgent" else "一般",
        anonymous="否" if view.has_contact else "是",
        contact_name=contact.get("name"),
        contact_phone=contact.get("phone"),
        unit=view.department,
        respond_by=_city(view.respond_by),
        resolve_by=_city(view.resolve_by),
        status=STATUS_NAMES.get(view.status, view.status),
        finished_at=_city(view.finished_at),
        result=result,
        reopened=view.reopened,
        satisfaction=_satisfaction(view.rating),
        attachments=view.media,
    )


def ticket_view(
    session: Session, ticket: Ticket, categories: Categories, *, actor: str, with_contact: bool
) -> TicketView:
    """Read a ticket for its record; every personal field is read through ``reveal`` (audited).

    Args:
        session: the open unit of work; the audit rows commit with it.
        ticket: the ticket, with its events and media.
        categories: the city's categories; a ticket of a category that is gone has no limits.
        actor: who asks, ``official:<name>``.
        with_contact: open the contact too.
    """

    def read(record: Any, name: str) -> Any:
        return reveal(session, record, name, actor=actor, purpose="export_12345")

    category = categories.get(ticket.category)
    due = limits(ticket, category) if category else None
    ended = _ended(ticket)
    return TicketView(
        id=ticket.id,
        external_id=ticket.external_id,
        citizen_id=ticket.citizen_id,
        kind=ticket.kind,
        created_at=ticket.created_at,
        occurred_at=ticket.occurred_at,
        category=ticket.category,
        known_category=category,
        description=str(read(ticket, "description")),
        address=read(ticket, "address"),
        district=ticket.district,
        street=ticket.street,
        latitude=ticket.latitude,
        longitude=ticket.longitude,
        severity=ticket.severity,
        has_contact=ticket.contact is not None,
        contact=(read(ticket, "contact") or {}) if with_contact else None,
        department=ticket.department,
        respond_by=due.respond if due else None,
        resolve_by=due.resolve if due else None,
        status=ticket.status,
        finished_at=ended.at if ended else None,
        result=_result(ticket, read),
        reopened=sum(event.to_status == "reopened" for event in ticket.events),
        rating=ticket.rating,
        media=tuple(_attachment(media) for media in ticket.photos),
    )


def _ended(ticket: Ticket) -> TicketEvent | None:
    """Return the first event of the present end: none while the work goes on."""
    if ticket.status not in (*_FINISHED, "verified"):
        return None
    ended = None
    for event in ticket.events:
        if event.to_status == "reopened":
            ended = None
        elif event.to_status in _FINISHED and event.from_status != event.to_status:
            ended = ended or event
    return ended


def _result(ticket: Ticket, read: Any) -> str | None:
    """Return what the dispatch system said last when it ended the work."""
    for event in reversed(ticket.events):
        if event.actor == "dispatch" and event.note is not None and event.to_status in _FINISHED:
            words: str = read(event, "note")
            return words
    return None


def _attachment(media: Media) -> Attachment:
    kind = media.content_type.partition("/")[0]
    return Attachment(
        number=media.id,
        kind=_MEDIA_KINDS.get(kind, "文件"),
        stage="处置后" if media.role == "after" else "上报",
        size=media.size,
        sha256=media.sha256,
    )


def _channel(view: TicketView) -> str:
    if view.kind == "hot_spot":
        return _SYSTEM
    return _CHANNELS.get(view.citizen_id.partition(":")[0], "其他")


def _appeal_type(category: str) -> AppealType:
    """Pollution is reported (举报); a lamp, a pothole is a matter of help (求助)."""
    return "求助" if category.startswith("city.") else "举报"


def _title(view: TicketView, content: str) -> str:
    place = view.street or view.district or ""
    name = view.known_category.name if view.known_category else ""
    title = f"{place}{name}问题" if name else content
    return title if len(title) <= _TITLE_CHARS else title[: _TITLE_CHARS - 1] + "…"


def _satisfaction(rating: int | None) -> Literal["满意", "基本满意", "不满意"] | None:
    if rating is None:
        return None
    if rating >= 4:
        return "满意"
    return "基本满意" if rating == 3 else "不满意"


def _city(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(CITY_TIME)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if not isinstance(value, str):
        return str(value)
    return cell(value)
