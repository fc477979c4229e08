from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select

from dispatch.case.filing import supplement
from dispatch.desk.sealing import unseal
from store.database import unit_of_work
from store.media import save_media
from store.models import AuditEntry, Media, OutboxEntry, Ticket, plain
from tests.dispatch.relaying import ME, File, MakeRelay, drain, the_ticket
from tests.dispatch.servers import Desk
from tests.store.city import CityStore


def media(kind: str = "image/jpeg") -> str:
    with unit_of_work() as session:
        return save_media(session, ME, b"bytes", kind, None).id


def reads(field: str) -> list[tuple[str, str]]:
    """Who read a field of a ticket, and what for."""
    with unit_of_work() as session:
        rows = session.scalars(
            select(AuditEntry).where(
                AuditEntry.field == field, AuditEntry.record.startswith("tickets:")
            )
        )
        return [(row.actor, row.purpose) for row in rows]


def change(ticket_id: str, **values: object) -> None:
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, ticket_id)
        for name, value in values.items():
            setattr(ticket, name, value)


def test_the_unit_and_the_time_go_along(desk: Desk, make_relay: MakeRelay, filed: File) -> None:
    ticket_id = filed()
    moment = datetime(2026, 11, 17, 18, 30, tzinfo=UTC)
    change(ticket_id, department="云东区综合行政执法局", occurred_at=moment)
    with desk.up():
        drain(make_relay())
    (request,) = desk.requests()
    assert request.attributes == {
        "shimin_id": [ticket_id],
        "responsible_unit": ["云东区综合行政执法局"],
        "occurred_at": ["2026-11-18T02:30:00+08:00"],
    }
    assert request.contact is None
    assert reads("contact") == []


def test_a_contact_that_was_given_goes_along_and_is_audited(
    desk: Desk, make_relay: MakeRelay, filed: File, city_store: CityStore
) -> None:
    ticket_id = filed()
    change(ticket_id, contact=plain({"name": "王小云", "phone": "13800001234"}))
    with desk.up():
        drain(make_relay())
    (request,) = desk.requests()
    assert unseal(request.contact) == {"first_name": "王小云", "phone": "13800001234"}
    assert "occurred_at" not in request.attributes
    assert reads("contact") == [("relay", "dispatch")]
    assert b"13800001234" not in city_store.bytes_on_disk()


def test_only_what_the_citizen_showed_goes_out(
    desk: Desk, make_relay: MakeRelay, filed: File
) -> None:
    photo, video, sound = media(), media("video/mp4"), media("audio/wav")
    ticket_id = filed(photos=(photo, video, sound))
    with unit_of_work() as session:
        session.add(
            Media(
                id="f" * 32,
                citizen_id=ME,
                ticket_id=ticket_id,
                content_type="image/jpeg",
                role="after",
                size=1,
                sha256="0",
            )
        )
    with desk.up():
        relay = make_relay()
        drain(relay)
        more = media()
        with unit_of_work() as session:
            supplement(session, ME, ticket_id, "还在冒", (more,), "m1")
            entry = session.scalars(select(OutboxEntry).where(OutboxEntry.kind == "update")).one()
            entry.body = plain({"description": "市民补充：还在冒", "photos": [more, "f" * 32]})
        drain(relay)
    (request,) = desk.requests()
    assert [photo in request.media_urls[0], video in request.media_urls[1]] == [True, True]
    assert len(request.media_urls) == 2
    (event,) = request.events
    assert len(event.media_urls) == 1
    assert more in event.media_urls[0]
    assert the_ticket(ticket_id).status == "forwarded"
