"""A conversation is erased when its owner wishes, after the turn in which he said so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from base.errors import UpstreamError
from store.database import reading, unit_of_work
from store.erasure_models import ConversationErasure
from store.erasures import DAY, TURN, ask_for_erasure, carry_out, waiting_since
from store.identities import link
from store.models import AuditEntry
from store.people import forget_profile
from tests.stack import free_port
from tests.store.city import CityStore
from tests.store.rasa import RasaStore

ASKED = datetime(2026, 11, 22, 8, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
ME, OTHER = "web:me", "wechat:other"


@pytest.fixture
def rasa(any_store: CityStore) -> RasaStore:
    settings = any_store.settings
    rasa = RasaStore(settings.tracker_url, settings.tracker_key.get_secret_value())
    rasa.make()
    return rasa


def ask(*who: str, at: datetime = ASKED) -> None:
    with unit_of_work() as session:
        ask_for_erasure(session, who, at)


def since() -> datetime | None:
    with reading() as session:
        return waiting_since(session)


def test_it_waits_for_the_turn_and_leaves_what_comes_after(
    any_store: CityStore, rasa: RasaStore
) -> None:
    rasa.turn(ME, ASKED - 30 * DAY, session=True)
    rasa.turn(ME, ASKED)
    rasa.turn(OTHER, ASKED)
    ask(ME)
    rasa.turn(ME, ASKED + SECOND)  # the end of the turn that asks
    assert carry_out(any_store.settings, ASKED + TURN - SECOND) == 0
    assert since() == ASKED
    assert carry_out(any_store.settings, ASKED + TURN) == 7
    assert rasa.moments(ME) == [ASKED + SECOND]
    assert rasa.moments(OTHER) == [ASKED]
    assert since() is None
    (entry,) = any_store.rows(AuditEntry)
    assert (entry.actor, entry.purpose) == ("relay", "conversation_erased")
    assert entry.record == f"conversations:{ME}"


def test_what_a_late_turn_writes_again_goes_too_and_then_the_request_itself(
    any_store: CityStore, rasa: RasaStore
) -> None:
    rasa.turn(ME, ASKED)
    ask(ME)
    assert carry_out(any_store.settings, ASKED + TURN) == 3
    rasa.turn(ME, ASKED)
    assert carry_out(any_store.settings, ASKED + 2 * TURN) == 0  # not at every glance
    assert carry_out(any_store.settings, ASKED + 2 * HOUR) == 3
    assert len(any_store.rows(AuditEntry)) == 2
    assert carry_out(any_store.settings, ASKED + DAY + HOUR) == 0
    assert any_store.rows(ConversationErasure) == []
    assert len(any_store.rows(AuditEntry)) == 2


def test_an_open_form_is_filled_in_first(any_store: CityStore, rasa: RasaStore) -> None:
    rasa.add(ME, ASKED - HOUR, "active_loop", "complaint_form")
    rasa.add(OTHER, ASKED - HOUR, "active_loop", "complaint_form")
    ask(ME, OTHER)
    rasa.add(ME, ASKED + SECOND, "action", "complaint_form")  # it asks its question again
    assert carry_out(any_store.settings, ASKED + TURN) == 0
    assert rasa.moments(ME) == [ASKED - HOUR, ASKED + SECOND]
    rasa.add(ME, ASKED + 10 * TURN, "active_loop", None)
    rasa.add(ME, ASKED + 11 * TURN, "active_loop", "policy_form")  # begun after it was asked
    assert carry_out(any_store.settings, ASKED + HOUR) == 1
    assert ASKED - HOUR not in rasa.moments(ME)
    assert rasa.moments(OTHER) == [ASKED - HOUR]
    assert carry_out(any_store.settings, ASKED + DAY + HOUR) == 1  # nobody waits longer
    assert rasa.moments(OTHER) == []


def test_a_database_that_is_away_loses_no_request(any_store: CityStore, rasa: RasaStore) -> None:
    rasa.turn(ME, ASKED)
    ask(ME)
    any_store.configure(TRACKER_URL=f"postgresql://shimin@127.0.0.1:{free_port()}/rasa")
    with pytest.raises(UpstreamError):
        carry_out(any_store.settings, ASKED + TURN)
    assert (since(), any_store.rows(AuditEntry)) == (ASKED, [])
    any_store.configure(TRACKER_URL=rasa.url)
    assert carry_out(any_store.settings, ASKED + HOUR) == 3


def test_forgetting_asks_for_every_linked_conversation(
    any_store: CityStore, rasa: RasaStore
) -> None:
    with unit_of_work() as session:
        link(session, OTHER, ME, ASKED)
    for _ in range(2):  # a second wish takes the place of the first
        with unit_of_work() as session:
            forget_profile(session, ME)
    wished = {row.citizen_id: row.asked_at for row in any_store.rows(ConversationErasure)}
    assert set(wished) == {ME, OTHER}
    assert wished[ME] > wished[OTHER]  # the link was gone by then
    with unit_of_work() as session:
        assert not forget_profile(session, "web:only-asked")  # who left nothing but words
    assert len(any_store.rows(ConversationErasure)) == 3


def test_a_wish_that_is_rolled_back_erases_nothing(any_store: CityStore) -> None:
    with pytest.raises(RuntimeError), unit_of_work() as session:
        forget_profile(session, ME)
        raise RuntimeError
    assert any_store.rows(ConversationErasure) == []
