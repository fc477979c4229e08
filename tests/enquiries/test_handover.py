"""Who waits, who speaks with whom, who is called: the rules over a real store."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from base.calendar import CITY_TIME, WeeklyHours
from base.errors import ConfigurationError, StateError
from enquiries.handover.counter import ATTEMPTS, Counter
from enquiries.handover.office import OFFER_OPEN, Line, Office, Wish
from enquiries.handover.states import State
from enquiries.handover.tending import Tending
from store import handover as rows
from store.agent_models import Agent
from store.agents import add_agent, open_session
from store.database import unit_of_work
from store.handover_models import OPEN, CallBack, Handover, HandoverMessage
from store.models import OutgoingMessage
from store.people import forget_profile, inbox
from tests.store.city import CityStore

HOURS = WeeklyHours.parse("mon-fri 09:00-12:00 13:30-17:30")
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=CITY_TIME)
NIGHT = datetime(2026, 11, 23, 22, 0, tzinfo=CITY_TIME)
PHONE = {"phone": "13812345678", "name": None}
PASSWORD = "korrekt-horse-1"
_numbers = itertools.count(1)


@pytest.fixture
def staffed(any_store: CityStore) -> CityStore:
    any_store.configure(HANDOVER_HOURS="mon-fri 09:00-12:00 13:30-17:30")
    with unit_of_work() as session:
        for name in ("甲", "乙"):
            session.add(Agent(name=name, password_hash="x", role="agent"))
    return any_store


def office(store: CityStore) -> Office:
    return Office(store.settings)


def wish(name: str, **more: Any) -> Wish:
    return Wish(citizen_id=f"web:{name}", channel="web", **more)


def ask(store: CityStore, name: str, now: datetime, **more: Any) -> str:
    with unit_of_work() as session:
        return str(office(store).ask(session, wish(name, **more), now)["text"])


def open_of(name: str) -> Handover:
    with unit_of_work() as session:
        row = rows.open_of(session, f"web:{name}")
        assert row is not None
        return row


def agent(name: str = "甲") -> Agent:
    with unit_of_work() as session:
        return session.scalars(select(Agent).where(Agent.name == name)).one()


def counter(store: CityStore) -> Counter:
    return Counter(office(store))


def told(name: str) -> list[str]:
    with unit_of_work() as session:
        return [r["text"] for _, replies in inbox(session, f"web:{name}", 0) for r in replies]


# --- asking ---------------------------------------------------------------------------------


def test_without_staff_the_hotline_is_named(any_store: CityStore) -> None:
    said = ask(any_store, "a", MONDAY, ticket="SM20261123000001")
    assert "12345" in said and "SM20261123000001" in said
    assert any_store.rows(Handover) == []


def test_the_queue_says_places_and_asking_again_keeps_them(staffed: CityStore) -> None:
    assert "下一位就是您" in ask(staffed, "a", MONDAY)
    assert "第2位" in ask(staffed, "b", MONDAY)
    assert "第2位" in ask(staffed, "b", MONDAY + timedelta(minutes=1))
    assert [row.state for row in staffed.rows(Handover)] == ["waiting", "waiting"]


def test_what_was_said_goes_along_encrypted(staffed: CityStore) -> None:
    turns = [Line("citizen", MONDAY, {"text": "我家漏水"}), Line("bot", MONDAY, {"text": "在哪？"})]
    ask(staffed, "a", MONDAY, turns=turns)
    with unit_of_work() as session:
        said = rows.read_messages(session, open_of("a").id, "agent:甲")
    assert [(s.author, s.body["text"]) for s in said] == [
        ("citizen", "我家漏水"),
        ("bot", "在哪？"),
    ]
    if staffed.url.startswith("sqlite"):
        assert "我家漏水".encode() not in staffed.bytes_on_disk()


def test_out_of_hours_a_call_is_offered_and_promised(staffed: CityStore) -> None:
    assert "11月24日（周二）10:00前" in ask(staffed, "a", NIGHT)
    assert open_of("a").state == State.OFFERED
    with unit_of_work() as session:
        row = rows.open_of(session, "web:a", lock=True)
        assert row is not None and office(staffed).takes_phone(row, NIGHT)
        said = office(staffed).take_phone(session, row, PHONE, "138****5678", NIGHT)
    assert "138****5678" in said["text"] and "10:00前" in said["text"]
    (call,) = staffed.rows(CallBack)
    assert call.promised_at == datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    assert "已经为您登记" in ask(staffed, "a", NIGHT)
    assert "下一位就是您" in ask(staffed, "a", MONDAY)  # a person may be had after all
    assert staffed.rows(CallBack)[0].contact is None


def test_too_many_waiting_are_offered_a_call(staffed: CityStore) -> None:
    staffed.configure(HANDOVER_MAX_WAITING="1")
    ask(staffed, "a", MONDAY)
    assert "排队的人很多" in ask(staffed, "b", MONDAY)
    assert open_of("b").state == State.OFFERED


def test_hours_that_are_none_are_a_fault_of_the_installation(city_store: CityStore) -> None:
    city_store.configure(HANDOVER_HOURS="nine to five")
    with pytest.raises(ConfigurationError):
        office(city_store)


# --- agents ---------------------------------------------------------------------------------


def test_two_agents_never_serve_the_same_citizen(staffed: CityStore) -> None:
    for number in range(6):
        ask(staffed, f"c{number}", MONDAY)
    ids = [row.id for row in staffed.rows(Handover)]
    gate = threading.Barrier(4)
    won: list[tuple[int, str]] = []
    people = [agent("甲"), agent("乙")] * 2

    def work(who: Agent) -> None:
        gate.wait()
        for handover_id in ids:
            try:
                with unit_of_work() as session:
                    counter(staffed).claim(session, handover_id, who, MONDAY)
                won.append((handover_id, who.name))
            except StateError as error:
                assert error.code == "handover_taken"

    threads = [threading.Thread(target=work, args=(who,)) for who in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number for number, _ in won} == set(ids)
    owners = {row.id: row.agent_id for row in staffed.rows(Handover)}
    names = {a.id: a.name for a in staffed.rows(Agent)}
    for number, name in won:
        assert names[owners[number]] == name
    assert len(staffed.rows(OutgoingMessage)) == len(ids)  # each was told once


def test_a_citizen_who_asks_twice_at_once_is_in_the_queue_once(staffed: CityStore) -> None:
    gate = threading.Barrier(4)
    said: list[str] = []

    def work() -> None:
        gate.wait()
        said.append(ask(staffed, "a", MONDAY))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 4
    assert len(staffed.rows(Handover)) == 1


def served(store: CityStore, name: str = "a", now: datetime = MONDAY) -> int:
    ask(store, name, now)
    number = open_of(name).id
    with unit_of_work() as session:
        counter(store).claim(session, number, agent(), now)
    return number


def test_replies_reach_the_citizen_once_and_in_order(staffed: CityStore) -> None:
    number = served(staffed)
    for key, text in (("k1", "您好"), ("k2", "请说"), ("k2", "请说"), ("k1", "您好")):
        with unit_of_work() as session:
            counter(staffed).reply(session, number, agent(), text, key, MONDAY)
    assert [t for t in told("a") if t.startswith("工作人员：")] == [
        "工作人员：您好",
        "工作人员：请说",
    ]


def test_a_note_stays_in_the_house(staffed: CityStore) -> None:
    number = served(staffed)
    with unit_of_work() as session:
        counter(staffed).note(session, number, agent(), "情绪激动", "k", MONDAY)
    assert not any("情绪激动" in text for text in told("a"))


def test_only_the_one_who_serves_may_speak(staffed: CityStore) -> None:
    number = served(staffed)
    for step in ("reply", "note"):
        with pytest.raises(StateError), unit_of_work() as session:
            getattr(counter(staffed), step)(session, number, agent("乙"), "喂", "k", MONDAY)
    with pytest.raises(StateError), unit_of_work() as session:
        counter(staffed).end(session, number, agent("乙"), MONDAY)
    with unit_of_work() as session:
        counter(staffed).transfer(session, number, agent(), agent("乙"), MONDAY)
    with unit_of_work() as session:
        counter(staffed).reply(session, number, agent("乙"), "我来", "k", MONDAY)
    with pytest.raises(StateError), unit_of_work() as session:
        counter(staffed).reply(session, number, agent(), "还是我", "k3", MONDAY)


def test_back_in_the_queue_means_the_place_one_had(staffed: CityStore) -> None:
    number = served(staffed)
    ask(staffed, "b", MONDAY + timedelta(minutes=1))
    with unit_of_work() as session:
        counter(staffed).requeue(session, number, agent(), "policy", MONDAY)
    with unit_of_work() as session:
        assert [row.citizen_id for row in rows.waiting(session)] == ["web:a", "web:b"]
    assert "下一位就是您" in told("a")[-1]


def call(store: CityStore, name: str = "a") -> int:
    ask(store, name, NIGHT)
    with unit_of_work() as session:
        row = rows.open_of(session, f"web:{name}", lock=True)
        assert row is not None
        office(store).take_phone(session, row, PHONE, "138****5678", NIGHT)
        return row.id


def test_a_call_that_is_answered_forgets_the_number(staffed: CityStore) -> None:
    number = call(staffed)
    with unit_of_work() as session:
        assert counter(staffed).number(session, number, agent())["phone"] == PHONE["phone"]
    with unit_of_work() as session:
        counter(staffed).reached(session, number, agent(), MONDAY)
    (row,) = staffed.rows(Handover)
    assert row.state == State.CALLED
    assert staffed.rows(CallBack)[0].contact is None
    with pytest.raises(StateError), unit_of_work() as session:
        counter(staffed).missed(session, number, agent(), MONDAY)


def test_calls_in_vain_are_promised_again_and_then_given_up(staffed: CityStore) -> None:
    number = call(staffed)
    for _ in range(ATTEMPTS):
        with unit_of_work() as session:
            counter(staffed).missed(session, number, agent(), MONDAY)
    assert staffed.rows(Handover)[0].state == State.UNREACHED
    assert staffed.rows(CallBack)[0].contact is None
    said = told("a")
    assert len(said) == ATTEMPTS
    assert "11:00前再打一次" in said[0] and "登记结束" in said[-1]


# --- what is looked at regularly --------------------------------------------------------------


def tend(store: CityStore, now: datetime) -> None:
    with unit_of_work() as session:
        Tending(store.settings, office(store)).tend(session, now)


def test_a_long_wait_is_offered_a_call_once_and_keeps_its_place(staffed: CityStore) -> None:
    ask(staffed, "a", MONDAY)
    for minutes in (5, 11, 12, 40):
        tend(staffed, MONDAY + timedelta(minutes=minutes))
    (said,) = told("a")
    assert "让您久等了" in said
    assert open_of("a").state == State.WAITING


def test_whoever_waits_when_the_hours_end_is_offered_a_call(staffed: CityStore) -> None:
    ask(staffed, "a", MONDAY)
    tend(staffed, NIGHT)
    assert open_of("a").state == State.OFFERED
    assert "11月24日（周二）10:00前" in told("a")[0]
    tend(staffed, NIGHT + OFFER_OPEN + timedelta(seconds=1))
    assert staffed.rows(Handover)[0].state == State.CANCELLED


def test_silence_of_the_agent_gives_back_and_of_the_citizen_ends(staffed: CityStore) -> None:
    first, second = served(staffed, "a"), served(staffed, "b")
    with unit_of_work() as session:
        counter(staffed).reply(session, second, agent(), "还在吗", "k", MONDAY)
    tend(staffed, MONDAY + timedelta(minutes=19))
    assert {row.state for row in staffed.rows(Handover)} == {State.SERVING}
    tend(staffed, MONDAY + timedelta(minutes=21))
    states = {row.id: row.state for row in staffed.rows(Handover)}
    assert states == {first: State.WAITING, second: State.ENDED}


def test_what_ended_long_ago_is_forgotten(staffed: CityStore) -> None:
    number = served(staffed)
    with unit_of_work() as session:
        counter(staffed).end(session, number, agent(), MONDAY)
    kept = Tending(staffed.settings, office(staffed))
    with unit_of_work() as session:
        assert kept.forget(session, MONDAY + timedelta(days=89)) == 0
        assert kept.forget(session, MONDAY + timedelta(days=91)) == 1
    assert staffed.rows(Handover) == staffed.rows(HandoverMessage) == []


def test_who_wants_to_be_forgotten_is(staffed: CityStore) -> None:
    call(staffed)
    with unit_of_work() as session:
        assert forget_profile(session, "web:a")
    assert staffed.rows(Handover) == staffed.rows(CallBack) == []


def test_the_wait_is_estimated_from_late_conversations(staffed: CityStore) -> None:
    now = MONDAY
    for number in range(5):
        handover_id = served(staffed, f"old{number}", now)
        with unit_of_work() as session:
            counter(staffed).end(session, handover_id, agent(), now + timedelta(minutes=9))
    with unit_of_work() as session:
        open_session(session, session.merge(agent()), "token", now)
    assert "估计10分钟左右" in ask(staffed, "new", now + timedelta(minutes=1))
    assert "估计" not in ask(staffed, "newer", now + timedelta(hours=1))  # nobody is there now


# --- any sequence of events -------------------------------------------------------------------

STEP = st.tuples(
    st.sampled_from(
        ["ask", "leave", "phone", "hear", "claim", "reply", "end", "requeue", "transfer",
         "reached", "missed", "tend", "night", "day"]
    ),
    st.integers(0, 3),
    st.integers(0, 1),
)  # fmt: skip


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(STEP, min_size=5, max_size=30))
def test_everybody_is_in_exactly_one_place(
    city_store: CityStore, steps: list[tuple[str, int, int]]
) -> None:
    run = next(_numbers)
    city_store.configure(HANDOVER_HOURS="mon-fri 09:00-12:00 13:30-17:30")
    desk, work = office(city_store), counter(city_store)
    with unit_of_work() as session:
        staff = [Agent(name=f"{run}-{n}", password_hash="x", role="agent") for n in "甲乙"]
        session.add_all(staff)
        session.query(CallBack).delete()
        session.query(HandoverMessage).delete()
        session.query(Handover).delete()
    now = MONDAY
    for count, (step, who, which) in enumerate(steps):
        now += timedelta(minutes=3)
        if step in ("night", "day"):
            now = (NIGHT if step == "night" else MONDAY) + timedelta(days=7 * (count + 1))
            continue
        try:
            with unit_of_work() as session:
                me, other = (session.get_one(Agent, staff[n].id) for n in (which, 1 - which))
                row = rows.open_of(session, f"web:{run}-{who}", lock=True)
                if step == "ask":
                    desk.ask(session, Wish(f"web:{run}-{who}", "web"), now)
                elif step == "tend":
                    Tending(city_store.settings, desk).tend(session, now)
                elif row is not None and step in ("leave", "phone", "hear"):
                    _citizen(desk, session, row, step, now)
                elif row is not None:
                    _agent(work, session, row, step, (me, other), f"{run}-{count}", now)
        except StateError:
            pass
        _check(run)


def _citizen(desk: Office, session: Any, row: Handover, step: str, now: datetime) -> None:
    if step == "leave":
        desk.leave(session, row, now)
    elif step == "phone" and desk.takes_phone(row, now):
        desk.take_phone(session, row, PHONE, "138****5678", now)
    elif step == "hear" and row.state == State.SERVING:
        desk.hear(session, row, {"text": "喂"}, now)


def _agent(
    work: Counter, session: Any, row: Handover, step: str, who: Any, key: str, now: datetime
) -> None:
    me, other = who
    if step == "reply":
        work.reply(session, row.id, me, "您好", key, now)
    elif step == "requeue":
        work.requeue(session, row.id, me, "general", now)
    elif step == "transfer":
        work.transfer(session, row.id, me, other, now)
    else:
        getattr(work, step)(session, row.id, me, now)


def _check(run: int) -> None:
    with unit_of_work() as session:
        found = session.scalars(select(Handover)).all()
        for who in range(4):
            mine = [r for r in found if r.citizen_id == f"web:{run}-{who}" and r.state in OPEN]
            assert len(mine) <= 1
        queue = rows.waiting(session)
        assert [rows.position(session, row) for row in queue] == list(range(1, len(queue) + 1))
        calls = {handover.id for handover, _ in rows.promised_calls(session)}
        assert calls == {row.id for row in found if row.state == State.CALLBACK}
        for row in found:
            assert (row.ended_at is not None) == (row.state not in OPEN)
            if row.state == State.SERVING:
                assert row.agent_id is not None and row.claimed_at is not None
            call = rows.call_back_of(session, row.id)
            if call is not None and row.state != State.CALLBACK:
                assert call.contact is None
            if row.state == State.CALLBACK:
                assert call is not None and call.contact is not None


def test_accounts_need_a_name_a_role_and_a_password(city_store: CityStore) -> None:
    from base.errors import InputError

    with unit_of_work() as session:
        add_agent(session, "小李", PASSWORD, "agent")
    for name, password, role, code in [
        ("小李", PASSWORD, "agent", "agent_exists"),
        ("", PASSWORD, "agent", "agent_name_invalid"),
        ("小 王", PASSWORD, "agent", "agent_name_invalid"),
        ("小王", "short", "agent", "password_weak"),
        ("小王", PASSWORD, "root", "role_unknown"),
    ]:
        with pytest.raises(InputError) as refused, unit_of_work() as session:
            add_agent(session, name, password, role)
        assert refused.value.code == code
    assert PASSWORD.encode() not in city_store.bytes_on_disk()
