"""Linked identities on each database: what is mine, codes, limits, unlinking."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import inspect

import store.identity_models  # noqa: F401 - its tables
from base.errors import StateError
from dispatch.case.filing import rate, supplement, withdraw
from dispatch.similar.joining import follows
from store import identities
from store.appointments import Stay, book, cancel, open_of
from store.checklists import checklist_of, checklists_of, start_checklist
from store.database import make_engine, unit_of_work
from store.feedback import feedback_of, save_feedback
from store.identity_models import Identity, LinkCode, Person
from store.models import AuditEntry, Media, OutboxEntry, Ticket, TicketEvent, TicketFollower, plain
from store.notices import compose, known_notices
from store.people import citizen, forget_profile, save_profile
from store.tickets import (
    awaiting_verdict,
    latest_of_citizen,
    latest_visible_to,
    of_citizen,
    remove_follower,
    visible_to,
)
from tests.store.city import CityStore

WEB, CHAT, PHONE, STRANGER = "web:a", "wechat:b", "voice:c", "web:stranger"
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


def link(issuer: str = WEB, citizen_id: str = CHAT) -> int:
    with unit_of_work() as session:
        return identities.link(session, issuer, citizen_id, NOW).id


def unlink(citizen_id: str, identity: int | None = None) -> str | None:
    with unit_of_work() as session:
        return identities.unlink(session, citizen_id, identity)


def mine(citizen_id: str) -> tuple[str, ...]:
    with unit_of_work() as session:
        return identities.mine(session, citizen_id)


def file(citizen_id: str, number: int, status: str = "accepted") -> str:
    ticket_id = f"SM20261122{number:06d}"
    with unit_of_work() as session:
        citizen(session, citizen_id)
        row = Ticket(
            id=ticket_id,
            citizen_id=citizen_id,
            draft_id=f"d-{number}",
            status=status,
            category="air.cooking_fume",
            severity="normal",
            department="生态环境局",
        )
        row.description = plain("油烟")
        session.add(row)
    return ticket_id


def test_the_migration_makes_the_tables_of_the_models(any_store: CityStore) -> None:
    engine = make_engine(any_store.url)
    try:
        found = inspect(engine)
        for table in ("people", "identities", "link_codes", "link_attempts"):
            columns = {column["name"] for column in found.get_columns(table)}
            assert columns == set(Identity.metadata.tables[table].columns.keys())
    finally:
        engine.dispose()


def test_nobody_is_linked_until_he_links(city_store: CityStore) -> None:
    assert mine(WEB) == (WEB,)
    link()
    assert mine(WEB) == (WEB, CHAT)
    assert mine(CHAT) == (CHAT, WEB)
    assert mine(STRANGER) == (STRANGER,)
    assert [row.purpose for row in city_store.rows(AuditEntry)] == ["linked"]


def test_a_third_channel_joins_and_anybody_may_send_another_away(any_store: CityStore) -> None:
    link()
    newcomer = link(CHAT, PHONE)
    assert set(mine(WEB)) == {WEB, CHAT, PHONE}
    assert unlink(STRANGER, newcomer) is None  # only one of the person's own may
    assert unlink(WEB, newcomer) == PHONE
    assert mine(PHONE) == (PHONE,)
    assert mine(WEB) == (WEB, CHAT)
    assert unlink(CHAT) == CHAT
    assert mine(WEB) == (WEB,)
    assert any_store.rows(Identity) == any_store.rows(Person) == []
    assert unlink(CHAT) is None


def test_what_cannot_be_linked_says_why(city_store: CityStore) -> None:
    def refusal(issuer: str, citizen_id: str) -> str:
        with pytest.raises(StateError) as caught:
            link(issuer, citizen_id)
        return str(caught.value.code)

    link()
    assert refusal(CHAT, WEB) == "link_exists"
    link("web:x", "wechat:y")
    assert refusal(WEB, "web:x") == "link_groups"
    for number in range(identities.MOST_LINKED - 2):
        link(WEB, f"api:{number}")
    assert refusal(WEB, PHONE) == "link_limit"
    assert len(mine(WEB)) == identities.MOST_LINKED


def test_tickets_are_mine_on_every_linked_channel_and_nobody_elses(any_store: CityStore) -> None:
    at_web, at_chat, foreign = file(WEB, 1, "resolved"), file(CHAT, 2), file(STRANGER, 3)
    link()

    def seen(citizen_id: str) -> set[str]:
        with unit_of_work() as session:
            both = (latest_of_citizen, latest_visible_to)
            first, second = ({t.id for t in look(session, citizen_id)} for look in both)
            assert first == second
            return first

    assert seen(WEB) == seen(CHAT) == {at_web, at_chat}
    assert seen(STRANGER) == {foreign}
    with unit_of_work() as session:
        assert of_citizen(session, CHAT, at_web, lock=True) is not None
        assert visible_to(session, STRANGER, at_web) is None
        assert of_citizen(session, WEB, foreign) is None
        waiting = awaiting_verdict(session, CHAT)
        assert waiting is not None and waiting.id == at_web
    unlink(WEB)
    assert seen(WEB) == {at_web}
    assert seen(CHAT) == {at_chat}


def test_a_ticket_may_be_worked_on_from_the_other_channel(city_store: CityStore) -> None:
    handled, fresh = file(WEB, 1, "resolved"), file(WEB, 2)
    link()
    with unit_of_work() as session:
        photo = Media(
            id="photo", citizen_id=CHAT, content_type="image/jpeg", size=1, sha256="0" * 64
        )
        session.add(photo)
    with unit_of_work() as session:
        assert supplement(session, CHAT, fresh, "还有噪音", ("photo",), "m-1") is not None
        assert rate(session, CHAT, handled, 5) is not None
        assert supplement(session, STRANGER, fresh, "看看", (), "m-2") is None
        assert rate(session, STRANGER, handled, 1) is None
        assert withdraw(session, STRANGER, fresh) is None
    assert city_store.rows(Media)[0].ticket_id == fresh  # its photo came along
    assert {event.actor for event in city_store.rows(TicketEvent)} == {f"citizen:{CHAT}"}
    assert len(city_store.rows(OutboxEntry)) == 2
    with unit_of_work() as session:
        withdrawn = withdraw(session, CHAT, fresh)
        assert withdrawn is not None and withdrawn.status == "withdrawn"


def test_following_on_one_channel_what_was_filed_on_another(city_store: CityStore) -> None:
    own, other = file(WEB, 1), file(STRANGER, 2)
    with unit_of_work() as session:
        citizen(session, CHAT)
        for ticket in (own, other):
            session.add(TicketFollower(ticket_id=ticket, citizen_id=CHAT))
    link()
    with unit_of_work() as session:
        assert not follows(session, own, CHAT)  # it is his
        assert follows(session, other, WEB)
        assert remove_follower(session, other, WEB)
        assert not follows(session, other, CHAT)


def test_checklists_are_shared_and_ones_own_comes_first(city_store: CityStore) -> None:
    with unit_of_work() as session:
        start_checklist(session, WEB, "newborn", {}, NOW)
        start_checklist(session, CHAT, "retirement", {}, NOW)
    link()
    with unit_of_work() as session:
        found = start_checklist(session, CHAT, "newborn", {}, NOW)
        assert found.citizen_id == WEB  # continued, not begun again
        assert {row.matter_id for row in checklists_of(session, WEB)} == {"newborn", "retirement"}
    unlink(WEB)
    with unit_of_work() as session:
        assert checklist_of(session, CHAT, "newborn") is None
        start_checklist(session, CHAT, "newborn", {}, NOW - timedelta(days=1))
    link()
    with unit_of_work() as session:
        row = checklist_of(session, CHAT, "newborn")
        assert row is not None and row.citizen_id == CHAT
        assert len(checklists_of(session, CHAT)) == 2


def test_appointments_count_for_the_person(city_store: CityStore) -> None:
    def stay(hour: int) -> Stay:
        start = NOW + timedelta(days=1, hours=hour)
        return Stay("hall", "公安", start, start + timedelta(minutes=30), 2, None, None)

    with unit_of_work() as session:
        first = book(session, WEB, ("id_card", "身份证"), stay(0), NOW).id
    link()
    with unit_of_work() as session:
        assert [row.id for row in open_of(session, CHAT)] == [first]
        with pytest.raises(StateError, match="id_card"):
            book(session, CHAT, ("id_card", "身份证"), stay(1), NOW)
        with pytest.raises(StateError):
            cancel(session, STRANGER, first, NOW)
        assert cancel(session, CHAT, first, NOW).citizen_id == WEB


def test_a_policy_is_told_to_a_person_and_not_to_each_channel(city_store: CityStore) -> None:
    key = ("p-1", 1, "match")
    with unit_of_work() as session:
        citizen(session, WEB)
        compose(session, WEB, [(key, "new")], ["chat"], [], NOW)
        save_feedback(session, WEB, "p-2", "applied", NOW)
    link()
    with unit_of_work() as session:
        assert known_notices(session, CHAT) == {key}
        assert feedback_of(session, CHAT) == {"p-2": "applied"}
        assert known_notices(session, STRANGER) == frozenset()
    unlink(CHAT)
    with unit_of_work() as session:
        assert known_notices(session, CHAT) == frozenset()


def test_forgetting_one_channel_leaves_the_other_as_it_is(city_store: CityStore) -> None:
    with unit_of_work() as session:
        for who in (WEB, CHAT):
            save_profile(session, who, "resident", {"age": 40}, now=NOW)
            start_checklist(session, who, "newborn", {}, NOW)
        identities.keep_code(session, WEB, "0" * 64, NOW + timedelta(minutes=10))
    link()
    with unit_of_work() as session:
        assert forget_profile(session, WEB)
    assert mine(WEB) == (WEB,)
    assert city_store.rows(LinkCode) == city_store.rows(Identity) == []
    with unit_of_work() as session:
        assert checklist_of(session, WEB, "newborn") is None
        assert checklist_of(session, CHAT, "newborn") is not None
        assert citizen(session, CHAT).profile is not None
        assert citizen(session, WEB).profile is None


# --- codes --------------------------------------------------------------------------------


def keep(hashed: str, issuer: str = WEB, until: datetime = NOW + timedelta(minutes=10)) -> None:
    with unit_of_work() as session:
        identities.keep_code(session, issuer, hashed, until)


def claim(hashed: str, citizen_id: str, now: datetime = NOW) -> bool:
    with unit_of_work() as session:
        issuer = identities.owner_of_code(session, hashed, now)
        until = now + timedelta(minutes=10)
        return issuer is not None and identities.claim_code(
            session, issuer, hashed, citizen_id, now, until
        )


def taken(citizen_id: str, now: datetime = NOW) -> str | None:
    with unit_of_work() as session:
        return identities.take_entered(session, citizen_id, now)


def test_a_code_opens_once_within_its_time(any_store: CityStore) -> None:
    keep("a" * 64)
    assert not claim("b" * 64, CHAT)
    assert not claim("a" * 64, CHAT, NOW + timedelta(minutes=10))
    assert claim("a" * 64, CHAT)
    assert not claim("a" * 64, STRANGER)
    assert taken(STRANGER) is None
    assert taken(CHAT) == WEB
    assert taken(CHAT) is None


def test_a_confirmation_has_its_time_too(city_store: CityStore) -> None:
    keep("a" * 64)
    assert claim("a" * 64, CHAT)
    assert taken(CHAT, NOW + timedelta(minutes=10)) is None
    assert taken(CHAT) is None


def test_a_new_code_voids_the_former_also_when_entered(city_store: CityStore) -> None:
    keep("a" * 64)
    assert claim("a" * 64, STRANGER)
    keep("b" * 64)
    assert taken(STRANGER) is None
    assert not claim("a" * 64, CHAT)
    assert claim("b" * 64, CHAT)


def test_the_code_entered_last_is_the_one_confirmed(city_store: CityStore) -> None:
    keep("a" * 64)
    keep("b" * 64, PHONE)
    assert claim("a" * 64, CHAT)
    assert claim("b" * 64, CHAT)
    assert taken(CHAT) == PHONE
    assert taken(CHAT) is None


def at_once(*works: Callable[[], object]) -> list[object]:
    """Run all at the same moment; return what each returned or raised."""
    gate = threading.Barrier(len(works))
    found: list[object] = [None] * len(works)

    def run(number: int, work: Callable[[], object]) -> None:
        gate.wait()
        try:
            found[number] = work()
        except StateError as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_one_code_used_at_the_same_moment_links_once(any_store: CityStore) -> None:
    keep("a" * 64)
    people = [f"wechat:{number}" for number in range(6)]
    found = at_once(*((lambda who=who: claim("a" * 64, who)) for who in people))
    assert found.count(True) == 1
    winner = people[found.index(True)]

    def confirm() -> bool:
        with unit_of_work() as session:
            issuer = identities.take_entered(session, winner, NOW)
            if issuer is None:
                return False
            identities.link(session, issuer, winner, NOW)
            return True

    assert at_once(confirm, confirm, confirm).count(True) == 1
    assert set(mine(WEB)) == {WEB, winner}


def test_two_who_link_each_other_at_the_same_moment_are_one_person(any_store: CityStore) -> None:
    at_once(lambda: link(WEB, CHAT), lambda: link(CHAT, WEB), lambda: link(PHONE, CHAT))
    assert len(any_store.rows(Person)) == 1
    assert set(mine(WEB)) >= {WEB, CHAT}
    assert len(any_store.rows(Identity)) == len(mine(WEB))


def test_of_many_guesses_at_once_no_more_than_the_limit_pass(any_store: CityStore) -> None:
    limit = 5

    def guess() -> bool:
        with unit_of_work() as session:
            identities.note_attempt(session, STRANGER, "guess", NOW)
        with unit_of_work() as session:
            since = NOW - timedelta(hours=1)
            return identities.count_attempts(session, "guess", since, STRANGER) <= limit

    assert at_once(*(guess for _ in range(12))).count(True) <= limit
    with unit_of_work() as session:
        hour = timedelta(hours=1)
        assert identities.count_attempts(session, "guess", NOW - hour) == 12
        assert identities.count_attempts(session, "code", NOW - hour) == 0
        assert identities.count_attempts(session, "guess", NOW) == 0
        assert identities.forget_codes(session, NOW + hour) == 12


def test_a_person_is_told_by_one_worker_at_a_time(any_store: CityStore) -> None:
    link()
    with unit_of_work() as session:
        assert identities.hold_person(session, WEB)
        assert identities.hold_person(session, CHAT)  # the same worker holds him already
        assert identities.hold_person(session, STRANGER)
        if any_store.url.startswith("postgresql"):
            with unit_of_work() as other:
                assert not identities.hold_person(other, CHAT)
                assert identities.hold_person(other, STRANGER)
