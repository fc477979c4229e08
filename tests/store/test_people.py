from __future__ import annotations

from store.database import unit_of_work
from store.models import AuditEntry, Citizen, Subscription, plain
from store.people import (
    acknowledge,
    citizen,
    forget_profile,
    has_messages,
    inbox,
    is_settled,
    last_message_id,
    queue_message,
    read_profiles,
    save_profile,
    subscribe,
    unsubscribe,
)
from tests.store.city import CityStore

ME, OTHER = "web:1", "web:2"


def profiles(citizen_id: str) -> dict[str, dict[str, object]]:
    with unit_of_work() as session:
        return read_profiles(session, citizen_id, "policy_match")


def test_profiles_of_both_kinds_live_side_by_side(any_store: CityStore) -> None:
    assert profiles(ME) == {}
    with unit_of_work() as session:
        save_profile(session, ME, "resident", {"age": 82, "gender": "female"})
    with unit_of_work() as session:
        save_profile(session, ME, "enterprise", {"headcount": 80})
        save_profile(session, ME, "resident", {"age": 83})
    assert profiles(ME) == {"resident": {"age": 83}, "enterprise": {"headcount": 80}}
    assert profiles(OTHER) == {}


def test_reading_a_profile_is_audited(city_store: CityStore) -> None:
    with unit_of_work() as session:
        save_profile(session, ME, "resident", {"age": 82})
    profiles(ME)
    entry = city_store.rows(AuditEntry)[-1]
    assert (entry.actor, entry.purpose, entry.field) == (f"citizen:{ME}", "policy_match", "profile")


def test_forgetting_erases_every_personal_column_and_ends_the_subscription(
    any_store: CityStore,
) -> None:
    with unit_of_work() as session:
        save_profile(session, ME, "resident", {"age": 82})
        person = citizen(session, ME)
        person.name, person.phone = plain("张伟"), plain("13800138000")
        person.id_number = plain("33010219900307123X")
        subscribe(session, ME)
        save_profile(session, OTHER, "resident", {"age": 30})
    with unit_of_work() as session:
        assert forget_profile(session, ME)
    with unit_of_work() as session:
        assert not forget_profile(session, ME)
        assert not forget_profile(session, "web:never-seen")
    mine = next(row for row in any_store.rows(Citizen) if row.id == ME)
    assert (mine.name, mine.phone, mine.id_number, mine.profile) == (None, None, None, None)
    assert any_store.rows(Subscription)[0].ended_at is not None
    assert profiles(OTHER) == {"resident": {"age": 30}}


def test_a_subscription_is_ended_and_may_be_taken_up_again(any_store: CityStore) -> None:
    def do(action: object) -> bool:
        with unit_of_work() as session:
            return action(session, ME)  # type: ignore[operator, no-any-return]

    assert [do(unsubscribe), do(subscribe), do(subscribe)] == [False, True, False]
    begun = any_store.rows(Subscription)[0].created_at
    assert [do(unsubscribe), do(unsubscribe)] == [True, False]
    assert any_store.rows(Subscription)[0].ended_at is not None
    assert do(subscribe)
    (row,) = any_store.rows(Subscription)
    assert row.ended_at is None
    assert row.created_at > begun  # news from before are no news for a new subscriber


def test_the_inbox_keeps_order_and_knows_what_was_delivered(any_store: CityStore) -> None:
    with unit_of_work() as session:
        for number in range(1, 6):
            queue_message(session, ME, [{"text": f"进展{number}", "buttons": [], "cards": []}])
            session.flush()
        queue_message(session, OTHER, [{"text": "别人的"}])
    with unit_of_work() as session:
        assert has_messages(session, ME, 0)
        assert last_message_id(session, ME) == 0
        first = inbox(session, ME, after=0, limit=2)
    assert [replies[0]["text"] for _, replies in first] == ["进展1", "进展2"]
    with unit_of_work() as session:
        assert last_message_id(session, ME) == 0  # sent is not received
        acknowledge(session, ME, first[-1][0])
        assert last_message_id(session, ME) == first[-1][0]
        rest = inbox(session, ME, after=first[-1][0])
        assert [replies[0]["text"] for _, replies in rest] == ["进展3", "进展4", "进展5"]
        assert not has_messages(session, ME, rest[-1][0])
        assert inbox(session, ME, after=rest[-1][0]) == []
    with unit_of_work() as session:  # a client that lost its place asks again
        assert inbox(session, ME, after=0) == first + rest
        assert [replies for _, replies in inbox(session, OTHER, 0)] == [[{"text": "别人的"}]]


def test_an_inbox_is_settled_when_all_is_read_and_confirmed(any_store: CityStore) -> None:
    with unit_of_work() as session:
        assert is_settled(session, ME, 0)
        for text in ("一", "二"):
            queue_message(session, ME, [{"text": text}])
        queue_message(session, OTHER, [{"text": "别人的"}])
    with unit_of_work() as session:
        (first, _), (second, _) = inbox(session, ME, 0)
        assert [is_settled(session, ME, after) for after in (0, first, second)] == [False] * 3
        acknowledge(session, ME, second)
        assert [is_settled(session, ME, after) for after in (first, second)] == [False, True]
        assert not is_settled(session, OTHER, second + 1)


def test_reading_is_audited_and_the_first_confirmation_is_kept(city_store: CityStore) -> None:
    with unit_of_work() as session:
        queue_message(session, ME, [{"text": "一"}])
    with unit_of_work() as session:
        ((number, _),) = inbox(session, ME, 0)
    assert city_store.raw("SELECT delivered_at FROM outgoing_messages") == [(None,)]
    with unit_of_work() as session:
        acknowledge(session, ME, number)
    first = city_store.raw("SELECT delivered_at FROM outgoing_messages")
    assert first != [(None,)]
    with unit_of_work() as session:
        inbox(session, ME, 0)
        acknowledge(session, ME, number)
    assert city_store.raw("SELECT delivered_at FROM outgoing_messages") == first
    assert {entry.purpose for entry in city_store.rows(AuditEntry)} == {"message_delivery"}
