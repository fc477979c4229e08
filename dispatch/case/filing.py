"""Filing a complaint and what its citizen may do with it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy.orm import Session

from base.errors import InputError, StateError
from dispatch.case.lifecycle import RATEABLE, check_transition
from dispatch.case.routing import Assignment, Router
from dispatch.case.wording import RATING, SUPPLEMENT, WITHDRAWAL
from dispatch.classification.categories import Categories, severity
from dispatch.reporting.draft import Draft
from store.drafts import drop_draft
from store.media import attach_media, read_media, save_media
from store.models import Media, Ticket, plain
from store.people import citizen
from store.privacy import reveal
from store.tickets import (
    FINAL,
    add_event,
    by_draft,
    city_day,
    is_queued,
    new_ticket_id,
    of_citizen,
    queue_outbox,
)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Filed:
    """A ticket and whether this call created it (False: the draft was filed before)."""

    ticket: Ticket
    created: bool


def file_complaint(
    session: Session,
    draft: Draft,
    citizen_id: str,
    categories: Categories,
    router: Router | None = None,
) -> Filed:
    """Store a confirmed draft as a ticket together with its outbox row.

    ``router`` decides the unit in charge and its limits at the moment of filing; without one
    they are the category's. Both rows are in the caller's transaction: after it commits, the
    complaint reaches the dispatch system even if every process dies. Filing the same draft again
    returns the same ticket. Photos and videos that went with an earlier ticket are copied.

    Raises:
        InputError: ``complaint_incomplete`` when words, place or category are missing.
    """
    found = by_draft(session, draft.id)
    if found is not None:
        return Filed(found, created=False)
    if not draft.words or draft.place is None or draft.category is None:
        raise InputError("complaint_incomplete", "投诉信息还不完整，请补充后再提交。", draft.id)
    now = datetime.now(UTC)
    ticket_id = new_ticket_id(session, city_day(now))
    found = by_draft(session, draft.id)  # filed elsewhere while we waited for a number
    if found is not None:
        return Filed(found, created=False)
    citizen(session, citizen_id)
    category = categories[draft.category]
    description = draft.description
    level = severity(category, description)
    place = draft.place
    if router is None:
        assigned = Assignment(category.department, *category.limits(level), None)
    else:
        assigned = router.assign(category.code, place.district, place.street, level, now)
    ticket = Ticket(
        id=ticket_id,
        citizen_id=citizen_id,
        draft_id=draft.id,
        status="draft",
        category=category.code,
        severity=level,
        department=assigned.unit,
        respond_hours=assigned.respond_hours,
        resolve_hours=assigned.resolve_hours,
        district=place.district,
        street=place.street,
        latitude=place.latitude,
        longitude=place.longitude,
        address=plain(place.address),
        description=plain(description),
        occurred_at=draft.occurred.start if draft.occurred else None,
        contact=plain(draft.contact.model_dump(exclude_none=True) if draft.contact else None),
    )
    session.add(ticket)
    session.flush()
    add_event(session, ticket, "submitted", actor=f"citizen:{citizen_id}", unit=assigned.unit)
    media = (*draft.photos, *draft.videos)
    attach_media(session, citizen_id, media_for_one_ticket(session, citizen_id, media), ticket.id)
    queue_outbox(session, ticket, "request", f"shimin-{ticket.id}")
    drop_draft(session, draft.id)
    log.info("complaint_routed", ticket=ticket.id, unit=assigned.unit, rule=assigned.rule)
    return Filed(ticket, created=True)


def media_for_one_ticket(
    session: Session, citizen_id: str, media: tuple[str, ...]
) -> tuple[str, ...]:
    """Return ids that belong to no ticket yet; what proves two problems is kept once for each."""
    free = []
    for media_id in media:
        kept = session.get(Media, media_id)
        if kept is None or kept.ticket_id is None or kept.citizen_id != citizen_id:
            free.append(media_id)
        else:
            free.append(_copied(session, citizen_id, kept).id)
    return tuple(free)


def _copied(session: Session, citizen_id: str, kept: Media) -> Media:
    actor, purpose = f"citizen:{citizen_id}", "second_complaint"
    evidence = reveal(session, kept, "evidence", actor=actor, purpose=purpose)
    _, data = read_media(session, kept.id, actor=actor, purpose=purpose)
    shown = kept.perceptual_hash
    copy = save_media(session, citizen_id, data, kept.content_type, evidence, shown)
    session.flush()
    return copy


def withdraw(session: Session, citizen_id: str, ticket_id: str) -> Ticket | None:
    """Withdraw the citizen's own ticket; None when it is not his or does not exist.

    Raises:
        StateError: ``transition_refused`` when it is already finished.
    """
    ticket = of_citizen(session, citizen_id, ticket_id, lock=True)
    if ticket is None:
        return None
    check_transition(ticket.status, "withdrawn")
    add_event(session, ticket, "withdrawn", actor=f"citizen:{citizen_id}")
    body = {"status": "WITHDRAWN", "description": WITHDRAWAL}
    queue_outbox(session, ticket, "update", f"shimin-{ticket.id}-withdrawn", body)
    return ticket


def supplement(  # noqa: PLR0913
    session: Session,
    citizen_id: str,
    ticket_id: str,
    words: str,
    photos: tuple[str, ...],
    message_id: str,
) -> Ticket | None:
    """Add words and photos to the citizen's own ticket and pass them on; None if not his.

    The same message is added once; photos of somebody else are left out.

    Raises:
        StateError: ``transition_refused`` when the ticket is closed, rejected or withdrawn.
    """
    ticket = of_citizen(session, citizen_id, ticket_id, lock=True)
    if ticket is None:
        return None
    key = f"shimin-{ticket.id}-{message_id}"
    if is_queued(session, key):
        return ticket
    if ticket.status in FINAL:
        raise StateError(
            "transition_refused",
            "这个工单已经办理完毕，不能再补充。",
            f"a {ticket.status} ticket takes no supplement",
        )
    pass_on(session, ticket, citizen_id, key, SUPPLEMENT, words, photos)
    return ticket


def pass_on(  # noqa: PLR0913
    session: Session,
    ticket: Ticket,
    citizen_id: str,
    key: str,
    heading: str,
    words: str,
    photos: tuple[str, ...],
) -> None:
    """Keep what its citizen adds to a ticket and queue it for the dispatch system under ``key``.

    ``citizen_id`` is the conversation he adds it in, which may be another one of his.
    """
    bound = attach_media(session, citizen_id, photos, ticket.id)
    add_event(session, ticket, ticket.status, actor=f"citizen:{citizen_id}", note=words)
    body = {"description": f"{heading}{words}", "photos": list(bound)}
    queue_outbox(session, ticket, "update", key, body)


def rate(session: Session, citizen_id: str, ticket_id: str, score: int) -> Ticket | None:
    """Record the citizen's rating (1-5) of his own handled ticket; None if there is none.

    He may change his mind; the score he has already given changes nothing.

    Raises:
        InputError: ``rating_invalid``.
    """
    if not 1 <= score <= 5:
        raise InputError("rating_invalid", "请用1到5分评价。", str(score))
    ticket = of_citizen(session, citizen_id, ticket_id, lock=True)
    if ticket is None or ticket.status not in RATEABLE:
        return None
    if ticket.rating == score:
        return ticket
    ticket.rating = score
    words = f"{RATING}{score}分"
    event = add_event(session, ticket, ticket.status, actor=f"citizen:{citizen_id}", note=words)
    session.flush()
    body = {"description": words}
    queue_outbox(session, ticket, "update", f"shimin-{ticket.id}-rated-{event.id}", body)
    return ticket
