"""Consents, forgetting on request, and periods that run."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import update

from store import audit
from store.consents import MATCHING, give, withdraw
from store.database import reading, unit_of_work
from store.models import AuditEntry, OutgoingMessage, Ticket, plain, utc_now
from store.own_data import new_link
from store.people import (
    acknowledge,
    citizen,
    forget_profile,
    queue_message,
    save_profile,
    subscribe,
    unsubscribe,
)
from store.privacy import note_access
from store.privacy_models import Consent, DataExport
from store.retention import due, forget_due
from tests.store.city import CityStore

NOW = utc_now()


def standing(store: CityStore) -> list[str]:
    return [row.purpose for row in store.rows(Consent) if row.withdrawn_at is None]


def test_a_consent_is_kept_with_its_words_until_it_is_withdrawn(any_store: CityStore) -> None:
    with unit_of_work() as session:
        give(session, "web:1", "policy_matching", MATCHING, NOW)
        give(session, "web:1", "policy_matching", MATCHING, NOW)
        give(session, "web:2", "policy_matching", MATCHING, NOW)
    assert len(any_store.rows(Consent)) == 2
    with unit_of_work() as session:
        give(session, "web:1", "policy_matching", "新的说明", NOW)
        withdraw(session, "web:2", NOW)
    told = [(row.told, row.withdrawn_at) for row in any_store.rows(Consent)]
    assert told == [(MATCHING, NOW), (MATCHING, NOW), ("新的说明", None)]


def test_unsubscribing_and_forgetting_withdraw(city_store: CityStore) -> None:
    with unit_of_work() as session:
        subscribe(session, "web:1")
        give(session, "web:1", "policy_notices", "有新政策就告诉您", NOW)
        give(session, "web:1", "policy_matching", MATCHING, NOW)
    with unit_of_work() as session:
        unsubscribe(session, "web:1")
    assert standing(city_store) == ["policy_matching"]
    with unit_of_work() as session:
        forget_profile(session, "web:1")
    assert standing(city_store) == []
    assert len(city_store.rows(Consent)) == 2  # that it was given remains as proof


def test_forgetting_takes_what_was_read_and_leaves_what_waits(any_store: CityStore) -> None:
    with unit_of_work() as session:
        save_profile(session, "web:1", "resident", {"age": 82})
        read = queue_message(session, "web:1", [{"text": "已派单"}])
        session.flush()
        queue_message(session, "web:1", [{"text": "已办结"}])
        queue_message(session, "web:2", [{"text": "别人的"}])
        acknowledge(session, "web:1", read.id)
        new_link(session, "web:1", NOW)
    with unit_of_work() as session:
        assert forget_profile(session, "web:1")
    assert [row.citizen_id for row in any_store.rows(OutgoingMessage)] == ["web:1", "web:2"]
    assert any_store.rows(DataExport) == []


def test_what_is_over_its_period_goes_and_the_rest_stays(any_store: CityStore) -> None:
    old = NOW - timedelta(days=2000)
    with unit_of_work() as session:
        for number, (status, changed) in enumerate(
            [("closed", old), ("closed", NOW), ("in_progress", old)]
        ):
            citizen(session, "web:1")
            session.add(
                Ticket(
                    id=f"SM{number}",
                    citizen_id="web:1",
                    draft_id=f"d{number}",
                    status=status,
                    category="air.dust",
                    severity="normal",
                    department="局",
                    description=plain("扬尘"),
                    contact=plain({"phone": "13800138000"}),
                    updated_at=changed,
                )
            )
        for delivered in (old, NOW, None):
            queue_message(session, "web:1", [{"text": "您好"}]).delivered_at = delivered
        give(session, "web:1", "policy_matching", MATCHING, old)
        withdraw(session, "web:1", old)
        new_link(session, "web:1", old)
        note_access(session, "a", "p", "r", "f")
    expected = {"audit": 0, "messages": 1, "contacts": 1, "consents": 1, "exports": 1}
    with reading() as session:
        assert due(session, any_store.settings, NOW) == expected
    assert len(any_store.rows(OutgoingMessage)) == 3  # counting changes nothing
    with unit_of_work() as session:
        assert forget_due(session, any_store.settings, NOW) == expected
        assert set(forget_due(session, any_store.settings, NOW).values()) == {0}
    kept = {ticket.id: ticket.contact is not None for ticket in any_store.rows(Ticket)}
    assert kept == {"SM0": False, "SM1": True, "SM2": True}
    assert [row.delivered_at for row in any_store.rows(OutgoingMessage)] == [NOW, None]


def test_old_reads_are_forgotten_and_the_chain_holds(city_store: CityStore) -> None:
    for _ in range(3):
        with unit_of_work() as session:
            note_access(session, "a", "p", "r", "f")
    later = utc_now() + timedelta(days=city_store.settings.audit_keep_days + 1)
    with unit_of_work() as session:
        assert forget_due(session, city_store.settings, later)["audit"] == 3
    with reading() as session:
        assert audit.verify(session) == audit.Finding(1)
    assert [entry.actor for entry in city_store.rows(AuditEntry)] == ["retention"]
    with unit_of_work() as session:
        session.execute(update(AuditEntry).values(actor="nobody"))
    with reading() as session:
        assert audit.verify(session).broken == 4
