from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from base.errors import StateError
from dispatch.case.closing import (
    Stance,
    close_unanswered,
    confirm_solved,
    object_again,
    reopen,
    stance,
)
from dispatch.case.filing import rate
from dispatch.case.lifecycle import NEEDS_EXPLANATION, TRANSITIONS
from dispatch.case.updates import Outcome, apply_update
from dispatch.case.wording import CONFIRMED, OBJECTION, REOPENING, UNANSWERED
from dispatch.classification.categories import Categories
from dispatch.open311 import RequestUpdate
from store.database import unit_of_work
from store.media import save_media
from store.models import OutboxEntry, Ticket, TicketEvent, TicketFollower, plain, utc_now
from store.people import citizen, inbox
from store.privacy import reveal
from store.tickets import add_event
from tests.store.city import CityStore

ME = "web:1"
NEIGHBOUR = "web:2"
File = Callable[..., str]
Desk = Callable[..., Outcome]
_SENT = iter(range(10_000))


@pytest.fixture
def desk(categories: Categories) -> Desk:
    """What the dispatch system says of case YZ1, each time a second later than before."""

    def say(status: str, words: str = "", *, ago: float = 0.0, **more: object) -> Outcome:
        at = utc_now() - timedelta(seconds=ago)
        update = RequestUpdate(f"U{next(_SENT)}", "YZ1", status, at, words, "城管队", **more)
        with unit_of_work() as session:
            return apply_update(session, update, categories)

    return say


@pytest.fixture
def resolved(filed: File, desk: Desk) -> str:
    ticket_id = filed(ME)
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, ticket_id)
        ticket.external_id = "YZ1"
        add_event(session, ticket, "forwarded", actor="relay")
    assert desk("FIXED", "已清洗烟道", ago=5) is Outcome.APPLIED
    return ticket_id


@pytest.fixture
def back(categories: Categories) -> Callable[..., Ticket | None]:
    """Send a ticket back."""

    def send(ticket_id: str, who: str = ME, reason: str = "还在冒", **days: float) -> Ticket | None:
        with unit_of_work() as session:
            now = utc_now() + timedelta(**days)
            return reopen(session, who, ticket_id, reason, (), categories, now)

    return send


@pytest.fixture
def confirm(categories: Categories) -> Callable[..., Ticket | None]:
    def close(ticket_id: str, who: str = ME) -> Ticket | None:
        with unit_of_work() as session:
            return confirm_solved(session, who, ticket_id, categories)

    return close


def status_of(ticket_id: str) -> str:
    with unit_of_work() as session:
        return session.get_one(Ticket, ticket_id).status


def queued() -> list[tuple[str, str]]:
    """Status and words of every update that waits for the dispatch system."""
    with unit_of_work() as session:
        found = []
        for entry in session.scalars(
            select(OutboxEntry).where(OutboxEntry.kind == "update").order_by(OutboxEntry.id)
        ):
            body = reveal(session, entry, "body", actor="test", purpose="test")
            found.append((body.get("status", ""), body["description"]))
        return found


def told(who: str = ME) -> list[dict[str, object]]:
    with unit_of_work() as session:
        return [replies[0] for _, replies in inbox(session, who, 0)]


def steps(ticket_id: str) -> list[tuple[str, str]]:
    with unit_of_work() as session:
        events = session.get_one(Ticket, ticket_id).events
        return [(event.to_status, event.actor.partition(":")[0]) for event in events]


# --- solved -------------------------------------------------------------------------------


def test_his_word_closes_the_case_and_the_dispatch_system_hears(
    resolved: str, confirm: Callable[..., Ticket | None]
) -> None:
    before = len(told())
    assert confirm(resolved) is not None
    assert steps(resolved)[-2:] == [("verified", "citizen"), ("closed", "citizen")]
    assert queued() == [("CLOSED", CONFIRMED)]
    assert len(told()) == before  # he hears it in the answer


def test_pressing_twice_closes_once(
    resolved: str, confirm: Callable[..., Ticket | None], city_store: CityStore
) -> None:
    threads = [threading.Thread(target=confirm, args=(resolved,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert steps(resolved).count(("closed", "citizen")) == 1
    assert len(queued()) == 1


def test_only_its_citizen_can_close_or_reopen(
    resolved: str, confirm: Callable[..., Ticket | None], back: Callable[..., Ticket | None]
) -> None:
    assert confirm(resolved, NEIGHBOUR) is None
    assert back(resolved, NEIGHBOUR) is None
    assert status_of(resolved) == "resolved"


@pytest.mark.parametrize("status", ["submitted", "forwarded", "accepted", "in_progress"])
def test_work_that_is_not_done_cannot_be_confirmed(
    filed: File, confirm: Callable[..., Ticket | None], status: str
) -> None:
    ticket_id = filed(ME)
    with unit_of_work() as session:
        session.get_one(Ticket, ticket_id).status = status
    with pytest.raises(StateError, match="transition_refused"):
        confirm(ticket_id)
    assert queued() == []


@pytest.mark.parametrize(
    ("status", "words"), [("CLOSED", "核查合格"), ("FIXED", "已办"), ("CLOSED", "")]
)
def test_the_desks_own_end_after_the_citizens_changes_nothing(
    resolved: str, confirm: Callable[..., Ticket | None], desk: Desk, status: str, words: str
) -> None:
    confirm(resolved)
    before = steps(resolved), len(told())
    assert desk(status, words) is Outcome.NOTHING_NEW
    assert (steps(resolved), len(told())) == before


def test_the_desk_may_reopen_what_the_citizen_closed(
    resolved: str, confirm: Callable[..., Ticket | None], desk: Desk
) -> None:
    confirm(resolved)
    assert desk("REOPEN", "抽查不合格") is Outcome.APPLIED
    assert desk("INVESTIGATING") is Outcome.APPLIED
    assert desk("FIXED", "再次整改") is Outcome.APPLIED
    confirm(resolved)
    assert status_of(resolved) == "closed"
    assert [status for status, _ in queued()] == ["CLOSED", "CLOSED"]


# --- not solved ---------------------------------------------------------------------------


def test_a_case_goes_back_with_its_reason_and_its_limits_anew(
    resolved: str, back: Callable[..., Ticket | None], desk: Desk
) -> None:
    assert back(resolved, reason="晚上还在冒烟") is not None
    assert queued() == [("REOPEN", f"{REOPENING}晚上还在冒烟")]
    assert steps(resolved)[-1] == ("reopened", "citizen")
    assert desk("INVESTIGATING") is Outcome.APPLIED
    assert "预计" in str(told()[-1]["text"])


def test_a_case_goes_back_once(
    resolved: str, back: Callable[..., Ticket | None], desk: Desk
) -> None:
    back(resolved)
    with pytest.raises(StateError, match="reopen_refused"):
        back(resolved)
    assert desk("FIXED", "又清洗了一次") is Outcome.APPLIED
    with pytest.raises(StateError, match="reopened_before"):
        back(resolved)
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, resolved)
        assert stance(ticket, utc_now()) is Stance.REOPENED_BEFORE
    for _ in range(2):  # the same message sent again
        with unit_of_work() as session:
            object_again(session, ME, resolved, "根本没弄好", (), "m1")
    assert queued()[1:] == [("", f"{OBJECTION}根本没弄好")]
    assert status_of(resolved) == "resolved"


def test_a_closed_case_goes_back_within_thirty_days(
    resolved: str, back: Callable[..., Ticket | None], desk: Desk
) -> None:
    desk("CLOSED", "核查合格")
    with pytest.raises(StateError, match="too_late"):
        back(resolved, days=31)
    assert back(resolved, days=29) is not None


@pytest.mark.parametrize("status", sorted(TRANSITIONS))
def test_what_a_citizen_may_do_is_what_the_table_allows(
    resolved: str, back: Callable[..., Ticket | None], status: str
) -> None:
    with unit_of_work() as session:
        session.get_one(Ticket, resolved).status = status
    if status in ("resolved", "verified", "closed"):
        assert "reopened" in TRANSITIONS[status]
        assert back(resolved) is not None
    else:
        with pytest.raises(StateError, match="reopen_refused"):
            back(resolved)


def test_an_end_from_before_the_reopening_is_no_answer_to_it(
    resolved: str, back: Callable[..., Ticket | None], desk: Desk
) -> None:
    back(resolved)
    assert desk("CLOSED", "核查合格", ago=3) is Outcome.OUTDATED
    assert status_of(resolved) == "reopened"
    assert desk("CLOSED", "这次真的好了") is Outcome.APPLIED
    assert status_of(resolved) == "resolved"


def test_photos_go_with_the_reason(
    resolved: str, categories: Categories, city_store: CityStore
) -> None:
    with unit_of_work() as session:
        mine = save_media(session, ME, b"mine", "image/jpeg", None).id
        other = save_media(session, NEIGHBOUR, b"other", "image/jpeg", None).id
    with unit_of_work() as session:
        reopen(session, ME, resolved, "看照片", (mine, other), categories, utc_now())
    (entry,) = [row for row in city_store.rows(OutboxEntry) if row.kind == "update"]
    with unit_of_work() as session:
        body = reveal(session, entry, "body", actor="test", purpose="test")
    assert body["photos"] == [mine]
    assert entry.idempotency_key == f"shimin-{resolved}-reopened"


def test_a_new_handling_is_rated_anew(
    resolved: str, back: Callable[..., Ticket | None], desk: Desk
) -> None:
    back(resolved)
    with unit_of_work() as session:
        assert rate(session, ME, resolved, 1) is not None  # after sending it back
    desk("INVESTIGATING")
    with unit_of_work() as session:
        assert rate(session, ME, resolved, 2) is None  # at work
    desk("FIXED", "已换新烟道")
    with unit_of_work() as session:
        assert session.get_one(Ticket, resolved).rating is None


# --- followers ----------------------------------------------------------------------------


def test_followers_hear_every_step_without_being_asked(
    resolved: str, back: Callable[..., Ticket | None], desk: Desk
) -> None:
    with unit_of_work() as session:
        citizen(session, NEIGHBOUR)
        session.add(TicketFollower(ticket_id=resolved, citizen_id=NEIGHBOUR, words=plain("我也是")))
    back(resolved)
    desk("FIXED", "已更换")
    texts = [str(reply["text"]) for reply in told(NEIGHBOUR)]
    assert ["重新办理" in texts[0], "已办结" in texts[1]] == [True, True]
    assert all(reply["buttons"] == [] for reply in told(NEIGHBOUR))
    assert "还在冒" not in "".join(texts)
    assert told()[-1]["buttons"]


# --- unanswered ---------------------------------------------------------------------------


def later(categories: Categories, **span: float) -> int:
    with unit_of_work() as session:
        return close_unanswered(session, categories, utc_now() + timedelta(**span))


def test_silence_closes_after_a_week_and_says_so(
    resolved: str, categories: Categories, desk: Desk, confirm: Callable[..., Ticket | None]
) -> None:
    assert later(categories, days=6, hours=23) == 0
    assert later(categories, days=7, hours=1) == 1
    assert later(categories, days=8) == 0
    assert steps(resolved)[-2:] == [("verified", "system"), ("closed", "system")]
    assert queued() == [("CLOSED", UNANSWERED)]
    message = told()[-1]
    assert "7天没有收到您的反馈" in str(message["text"])
    assert [b["title"] for b in message["buttons"]][-1] == "没解决，重新办"  # type: ignore[index,attr-defined]
    confirm(resolved)  # he answers after all: nothing is lost, nothing happens twice
    assert len(queued()) == 1
    assert desk("CLOSED", "核查合格") is Outcome.NOTHING_NEW


def test_the_week_runs_from_the_last_handling_and_words_do_not_renew_it(
    resolved: str,
    categories: Categories,
    back: Callable[..., Ticket | None],
    desk: Desk,
    city_store: CityStore,
) -> None:
    back(resolved)
    assert later(categories, days=30) == 0
    desk("FIXED", "已更换")
    desk("", "另外，我们贴了公告")
    with unit_of_work() as session:
        for event in session.scalars(select(TicketEvent)):
            if event.to_status == "resolved" and event.from_status == "forwarded":
                event.at -= timedelta(days=20)
            if event.to_status == event.from_status == "resolved":
                event.at += timedelta(days=3)
    assert later(categories, days=6, hours=23) == 0
    assert later(categories, days=7, hours=1) == 1


def test_who_has_objected_is_not_closed_for_silence(
    resolved: str, categories: Categories, back: Callable[..., Ticket | None], desk: Desk
) -> None:
    back(resolved)
    desk("FIXED", "已更换")
    with unit_of_work() as session:
        object_again(session, ME, resolved, "还是臭", (), "m9")
        rate(session, ME, resolved, 1)
    assert later(categories, days=30) == 0
    assert desk("CLOSED", "三方现场确认") is Outcome.APPLIED


def test_a_rating_alone_does_not_stop_the_clock(resolved: str, categories: Categories) -> None:
    with unit_of_work() as session:
        rate(session, ME, resolved, 5)
    assert later(categories, days=8) == 1
    assert "满意吗" not in str(told()[-1]["text"])


def test_warnings_of_this_side_are_nobodys_news(
    resolved: str, categories: Categories, desk: Desk
) -> None:
    before = len(told())
    with unit_of_work() as session:
        warning = session.get_one(Ticket, resolved)
        citizen(session, "system:hot_spots")
        warning.kind, warning.citizen_id = "hot_spot", "system:hot_spots"
    assert later(categories, days=30) == 0
    assert desk("REOPEN", "复查") is Outcome.APPLIED
    assert len(told()) == before
    assert told("system:hot_spots") == []


def test_every_end_is_explained(
    resolved: str, categories: Categories, city_store: CityStore
) -> None:
    later(categories, days=8)
    for event in city_store.rows(TicketEvent):
        if event.to_status in NEEDS_EXPLANATION:
            assert event.note is not None
