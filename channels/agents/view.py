"""What an agent sees of a citizen: the conversation, and the facts his role may know."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from base.errors import StateError
from base.links import sign_link
from base.settings import Settings
from channels.console.masking import Kind, actor_of, glimpse
from dispatch.case.lifecycle import STATUS_NAMES
from dispatch.classification.categories import Categories
from enquiries.handover.counter import may_see
from enquiries.handover.office import REASONS, TOPICS
from enquiries.handover.states import State
from matcher.profile import ATTRIBUTES
from store import handover as rows
from store.agent_models import Agent
from store.handover_models import Handover
from store.models import Citizen
from store.privacy import reveal
from store.tickets import latest_visible_to

LINK_SECONDS = 3600
_TICKETS = 5
STATES = {
    State.OFFERED: "已提议回电",
    State.WAITING: "排队中",
    State.SERVING: "对话中",
    State.CALLBACK: "待回电",
    State.ENDED: "已结束",
    State.CANCELLED: "市民取消",
    State.CALLED: "已回电",
    State.UNREACHED: "回电未接通",
}
AUTHORS = {"citizen": "市民", "bot": "助手", "agent": "坐席", "system": "系统", "note": "内部备注"}
CHANNELS = {"web": "网页", "api": "接口", "wechat": "微信", "cli": "终端"}
FACTS_OF_AGENTS = frozenset(
    {
        "age",
        "gender",
        "hukou",
        "rural_hukou",
        "district",
        "residence_months",
        "living_alone",
        "employment",
        "education",
        "graduation_years",
        "is_farmer",
        "is_business_owner",
        "is_individual_business",
        "veteran",
        "ex_serviceman",
        "rents_home",
        "owns_home",
        "medical_insured",
        "insurance_type",
    }
)
"""What role ``agent`` may know of a resident. The rest, health and money above all, is sensitive
(个人信息保护法 第二十八条) and stays with role ``admin``."""


@dataclass(frozen=True)
class Bubble:
    """One line as it is shown; ``photos`` and ``videos`` are signed links."""

    id: int
    at: datetime
    author: str
    who: str
    text: str
    photos: tuple[str, ...] = ()
    videos: tuple[str, ...] = ()
    points: tuple[str, ...] = ()


@dataclass(frozen=True)
class Person:
    """What is known of a citizen, as ``(label, value)``; ``hidden`` facts are not for this role."""

    facts: tuple[tuple[str, str], ...] = ()
    hidden: int = 0
    tickets: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class Row:
    """A hand-over in a list."""

    id: int
    topic: str
    reason: str
    channel: str
    state: str
    since: datetime
    position: int = 0
    agent: str = ""
    unanswered: bool = False


@dataclass(frozen=True)
class Talk:
    """Everything on the page of a conversation."""

    row: Row
    topic_key: str
    mine: bool
    lines: tuple[Bubble, ...]
    person: Person = field(default_factory=Person)

    @property
    def last_id(self) -> int:
        """The id of the newest line."""
        return self.lines[-1].id if self.lines else 0


def row_of(row: Handover, position: int = 0, agent: str = "", *, unanswered: bool = False) -> Row:
    """Return a hand-over as a list shows it; nothing personal is in it."""
    return Row(
        id=row.id,
        topic=TOPICS.get(row.topic, row.topic),
        reason=REASONS.get(row.reason, row.reason),
        channel=CHANNELS.get(row.channel, row.channel),
        state=STATES[State(row.state)],
        since=row.queued_at,
        position=position,
        agent=agent,
        unanswered=unanswered,
    )


def seen_by(session: Session, handover_id: int, agent: Agent) -> Handover:
    """Return a hand-over an agent may read.

    Raises:
        StateError: ``handover_not_yours``; also when there is none, so that nobody can count.
    """
    row = rows.by_id(session, handover_id)
    if row is None or not may_see(row, agent):
        raise StateError(
            "handover_not_yours",
            "这次对话不在您这里，或已转给其他同事。",
            f"hand-over {handover_id}",
        )
    return row


def bubbles(
    session: Session, row: Handover, agent: Agent, settings: Settings, after: int = 0
) -> tuple[Bubble, ...]:
    """Return the lines above an id (audited)."""
    names: dict[int, str] = {}
    found = rows.read_messages(session, row.id, actor_of(agent), after)
    for said in found:
        if said.agent_id is not None and said.agent_id not in names:
            names[said.agent_id] = session.get_one(Agent, said.agent_id).name
    return tuple(_bubble(said, names, settings) for said in found)


def person_of(session: Session, row: Handover, agent: Agent, categories: Categories) -> Person:
    """Return the profile facts a role may know (audited) and the citizen's newest tickets."""
    tickets = tuple(
        (t.id, _category(categories, t.category), STATUS_NAMES.get(t.status, t.status))
        for t in latest_visible_to(session, row.citizen_id, _TICKETS)
    )
    citizen = session.get(Citizen, row.citizen_id)
    if citizen is None:
        return Person(tickets=tickets)
    facts: list[tuple[str, str]] = []
    hidden = 0
    for own, kind in (("name", Kind.NAME), ("phone", Kind.PHONE)):
        seen = glimpse(session, citizen, own, kind, agent)
        if seen.text:
            facts.append((str(kind), seen.text))
    if citizen.profile is not None:
        profiles = reveal(session, citizen, "profile", actor=actor_of(agent), purpose="handover")
        for kind, values in profiles.items():
            for name, value in values.items():
                column = ATTRIBUTES[kind].get(name)
                if column is None:
                    continue
                if kind == "resident" and agent.role != "admin" and name not in FACTS_OF_AGENTS:
                    hidden += 1
                    continue
                facts.append((column.label, column.describe(value)))
    return Person(tuple(facts), hidden, tickets)


def _category(categories: Categories, code: str) -> str:
    found = categories.get(code)
    return found.name if found is not None else code


def _bubble(said: rows.Said, names: dict[int, str], settings: Settings) -> Bubble:
    body: dict[str, Any] = said.body
    who = AUTHORS[said.author]
    if said.agent_id is not None:
        who = f"{who} {names[said.agent_id]}"
    return Bubble(
        id=said.id,
        at=said.at,
        author=said.author,
        who=who,
        text=str(body.get("text") or ""),
        photos=tuple(_link(settings, media) for media in body.get("photos", ())),
        videos=tuple(_link(settings, media) for media in body.get("videos", ())),
        points=tuple(
            f"{point['latitude']:.5f}，{point['longitude']:.5f}"
            for point in body.get("locations", ())
        ),
    )


def _link(settings: Settings, media_id: str) -> str:
    key = settings.session_key.get_secret_value()
    return sign_link(key, f"/media/{media_id}", int(time.time()) + LINK_SECONDS)
