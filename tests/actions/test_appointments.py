"""Booking a window in conversation: buttons, words, changes of mind, what others take meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from rasa_sdk import Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import appointments, visits
from actions.appointments import action_book_appointment
from actions.closing import action_nothing_open
from actions.conversation import action_bare_answer
from actions.nearest import action_attached
from actions.policy_subscriptions import action_forget_me
from actions.registry import Handler
from actions.resources import catalogue
from actions.services import action_answer_service
from actions.turn import payload
from actions.visits import action_my_appointments
from base.calendar import CITY_TIME
from channels.message import Card
from channels.payloads import is_payload
from enquiries.bookings import bookable_halls
from enquiries.editing import review
from enquiries.visits import ask_how_it_went
from store.appointments import Appointment, open_of
from store.database import unit_of_work
from store.people import inbox
from tests.actions.test_replies import check_buttons, check_text

MONDAY = datetime(2026, 11, 23, 8, tzinfo=CITY_TIME)
ITEM = "id_card_replace"
HANDLERS: dict[str, Handler] = {
    "book_appointment": action_book_appointment,
    "choose_slot": action_book_appointment,
    "confirm_appointment": action_book_appointment,
    "my_appointments": action_my_appointments,
    "cancel_appointment": action_my_appointments,
    "confirm_cancel_appointment": action_my_appointments,
    "close_appointment": action_my_appointments,
    "ask_appointment": action_answer_service,
    "ask_materials": action_answer_service,
    "cancel": action_nothing_open,
    "inform": action_bare_answer,
    "affirm": action_bare_answer,
    "deny": action_bare_answer,
    "attach": action_attached,
    "forget_me": action_forget_me,
}


class Talk:
    """One citizen's conversation: slots are kept from turn to turn, buttons pressed by title."""

    def __init__(self, build: Callable[..., Tracker], who: str) -> None:
        self._build = build
        self.who = who
        self.slots: dict[str, Any] = {}
        self.messages: list[dict[str, Any]] = []

    def hear(self, intent: str, text: str = "", **more: Any) -> str:
        tracker = self._build(text, intent, slots=dict(self.slots), sender=self.who, **more)
        dispatcher = CollectingDispatcher()
        for event in HANDLERS[intent](dispatcher, tracker):
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
        self.messages = dispatcher.messages
        for message in self.messages:
            check_text(message["text"], message["text"])
            check_buttons(message["buttons"], message["text"])
            for card in message["custom"].get("cards", []):
                Card.model_validate(card)
        return "\n".join(message["text"] for message in self.messages)

    def send(self, sent: str) -> str:
        assert is_payload(sent)
        name, brace, rest = sent[1:].partition("{")
        return self.hear(name, entities=json.loads(brace + rest) if brace else None)

    def buttons(self) -> dict[str, str]:
        return {b["title"]: b["payload"] for m in self.messages for b in m["buttons"]}

    def press(self, title: str) -> str:
        return self.send(self.buttons()[title])

    def rows(self) -> list[Appointment]:
        with unit_of_work() as session:
            return list(open_of(session, self.who))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[datetime]]:
    """The present moment: Monday at eight in the city, unless a test sets it."""
    present = [MONDAY]
    for module in (appointments, visits):
        monkeypatch.setattr(module, "utc_now", lambda: present[0])
    yield present


@pytest.fixture
def talk(installation: None, clock: list[datetime], tracker: Any) -> Callable[[str], Talk]:
    return lambda who: Talk(tracker, who)


def booked(person: Talk, at: str = "2026-11-24T09:30", item: str = ITEM) -> Appointment:
    choice = {"service_id": item, "hall_id": "yuncheng_city", "slot": at}
    person.send(payload("confirm_appointment", **choice))
    return next(row for row in person.rows() if row.service_id == item)


def test_every_bookable_item_has_a_hall_that_books_it() -> None:
    for item in catalogue().services:
        halls = bookable_halls(item, catalogue().halls_for(item))
        assert bool(halls) == item.appointment.bookable, item.id


def test_editors_hear_of_an_item_nobody_can_book() -> None:
    item = catalogue().service(ITEM)
    assert item is not None
    closed = tuple(hall.model_copy(update={"booking": None}) for hall in catalogue().halls)
    alone = replace(catalogue(), services=(item,), packages=())
    for found, expected in ((alone, False), (replace(alone, halls=closed), True)):
        fields = [remark.field for remark in review(found, MONDAY.date())]
        assert ("appointment.bookable" in fields) == expected


def test_from_the_answer_to_the_calendar_file(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    me.slots["service_id"] = ITEM
    me.hear("ask_appointment", "要预约吗")
    assert "想约哪个大厅" in me.press("预约窗口")
    assert "哪天去" in me.press("云州市政务服务中心")
    assert "周日（11月29日）" not in me.buttons()
    assert "几点去" in me.press("明天（周二，11月24日）")
    me.press("上午")
    assert "确认预约吗" in me.press("上午9点半")
    said = me.press("确认预约")
    assert "约好了。明天（周二，11月24日）上午9点半到云州市政务服务中心" in said
    assert "要带：" in said
    assert "前一天傍晚6点" in said
    (row,) = me.rows()
    assert row.number in said
    assert row.starts_at == MONDAY.replace(day=24, hour=9, minute=30)
    card = me.messages[0]["custom"]["cards"][0]
    assert f"/appointments/{row.token}.ics?expires=" in card["fields"]["日历文件"]
    assert {"改时间", "取消预约"} <= set(me.buttons())
    assert me.slots["booking"] is None


def test_words_name_day_time_and_hall(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    me.slots["service_id"] = ITEM
    assert "想约哪个大厅" in me.hear("ask_appointment", "帮我约明天上午9点半")
    assert "上午9点半，江南区政务服务中心" in me.hear("inform", "江南的")
    assert "下午2点，江南区政务服务中心" in me.hear("inform", "下午两点吧")  # same day
    assert "周四（11月26日），您想几点去" in me.hear("inform", "换成周四下午")
    assert "上午9点" not in me.buttons()
    assert "先不定" in me.hear("deny", "不")
    me.hear("inform", "周四下午两点")
    assert "约好了" in me.hear("affirm", "好的")
    assert me.rows()[0].hall_id == "jiangnan_center"


def test_a_question_about_appointments_is_answered_as_before(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    item = catalogue().service(ITEM)
    assert item is not None
    for question in ("要预约吗", "怎么预约", "需要提前预约不"):
        me.slots["service_id"] = ITEM
        assert item.appointment.text in me.hear("ask_appointment", question)
        assert next(iter(me.buttons())) == "预约窗口"


def test_a_yes_much_later_books_nothing(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    me.send(
        payload("choose_slot", service_id=ITEM, hall_id="yuncheng_city", slot="2026-11-24T10:00")
    )
    me.slots["pending_booking"] = None  # what the next message but one finds
    assert "还有什么" in me.hear("affirm", "好的")
    assert me.rows() == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("约这周日", "周日（11月29日）不开门"),
        ("约12月20号", "还太远"),
        ("约今天上午7点", "约不上"),
        ("约明天中午12点半", "约不上"),
    ],
)
def test_a_time_that_cannot_be_had_comes_with_the_nearest_ones(
    talk: Callable[[str], Talk], words: str, said: str
) -> None:
    me = talk("web:me")
    me.slots |= {"service_id": ITEM}
    me.hear("ask_appointment", "给我约云西区的")
    assert said in me.hear("ask_appointment", words)
    offered = [title for title in me.buttons() if "点" in title]
    assert len(offered) == 4
    assert "确认预约吗" in me.press(offered[0])


def test_a_slot_taken_meanwhile_is_said_with_the_next_free_ones(
    talk: Callable[[str], Talk],
) -> None:
    me = talk("web:me")
    wanted = {"service_id": ITEM, "hall_id": "yundong_center", "slot": "2026-11-24T09:00"}
    me.send(payload("choose_slot", **wanted))
    for other in range(3):  # as many as there are windows
        assert "约好了" in talk(f"web:{other}").send(payload("confirm_appointment", **wanted))
    said = me.press("确认预约")
    assert "刚被别人约走了" in said
    assert me.rows() == []
    assert "明天（周二，11月24日）上午9点" not in me.buttons()
    me.press("明天（周二，11月24日）上午9点半")
    assert "约好了" in me.press("确认预约")


def test_one_item_once_and_three_in_all(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    booked(me)
    again = {"service_id": ITEM, "hall_id": "yuncheng_city", "slot": "2026-11-25T09:30"}
    assert "已经约过了" in me.send(payload("confirm_appointment", **again))
    assert "已经约过了" in me.send(payload("book_appointment", service_id=ITEM))
    others = [
        item.id
        for item in catalogue().services
        if item.id != ITEM and item.appointment.bookable and "yuncheng_city" in item.place.halls
    ]
    booked(me, item=others[0])
    booked(me, item=others[1])
    more = {"service_id": others[2], "hall_id": "yuncheng_city", "slot": "2026-11-25T09:30"}
    assert "最多同时约3件事" in me.send(payload("confirm_appointment", **more))
    me.press("我的预约")
    assert len(me.messages) == 3


def test_changing_keeps_the_number_and_frees_the_old_time(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    before = booked(me)
    me.send(payload("my_appointments"))
    assert "哪天去" in me.press("改时间")
    me.press("后天（周三，11月25日）")
    me.press("下午")
    me.press("下午2点")
    confirm = me.buttons()["确认预约"]
    assert "改好了。后天（周三，11月25日）下午2点" in me.send(confirm)
    (after,) = me.rows()
    assert (after.id, after.sequence) == (before.id, 1)
    assert "改好了" in me.send(confirm)  # pressed twice
    assert me.rows()[0].sequence == 1


def test_words_move_the_only_appointment(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    row = booked(me)
    assert "周四（11月26日）下午2点" in me.hear("ask_appointment", "我想改约到周四下午两点")
    assert "改好了" in me.press("确认预约")
    assert me.rows()[0].starts_at == MONDAY.replace(day=26, hour=14)
    assert "下午3点" in me.hear("ask_appointment", "换到下午三点，改一下预约")  # the same day
    assert row.number in me.hear("ask_appointment", "我的预约是几点")
    assert len(me.rows()) == 1


def test_an_address_is_no_answer_to_when(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    me.send(payload("book_appointment", service_id=ITEM, hall_id="yuncheng_city"))
    assert "关于哪方面" in me.hear("inform", "文昌路12号")
    assert "云东区政务服务中心" in me.hear("inform", "云东区的")
    assert "约不了这件事" in me.send(
        payload("book_appointment", service_id=ITEM, hall_id="vehicle_office")
    )


def test_cancelling_is_asked_back_and_only_for_ones_own(talk: Callable[[str], Talk]) -> None:
    me, stranger = talk("web:me"), talk("web:stranger")
    row = booked(me)
    named = {"appointment": str(row.id)}
    for intent in ("cancel_appointment", "confirm_cancel_appointment"):
        assert "没有查到" in stranger.send(payload(intent, **named))
    assert "已经取消或者过期" in stranger.send(
        payload("confirm_appointment", service_id=ITEM, hall_id="yuncheng_city",
                slot="2026-11-25T09:30", **named)
    )  # fmt: skip
    assert "确定取消" in me.hear("cancel", "取消预约") or "取消预约" in me.buttons()
    me.press("取消预约")
    assert "预约保留" in me.hear("deny", "不")
    assert len(me.rows()) == 1
    me.send(payload("cancel_appointment", **named))
    said = me.hear("affirm", "是的")
    assert "已取消" in said
    assert me.rows() == []
    assert "没有查到" in me.send(payload("confirm_cancel_appointment", **named))
    assert "没有预约" in me.send(payload("my_appointments"))


def test_being_forgotten_leaves_what_is_ahead_and_says_so(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    assert "预约" not in me.hear("forget_me", "删除我的资料")
    booked(me)
    assert "预约给您留着" in me.hear("forget_me", "删除我的资料")
    assert len(me.rows()) == 1
    me.hear("cancel", "取消预约")
    me.press("取消预约")
    me.press("确定取消")
    me.hear("forget_me", "删除我的资料")
    with unit_of_work() as session:
        assert session.query(Appointment).count() == 0


def test_never_mind_half_way(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    me.send(
        payload("choose_slot", service_id=ITEM, hall_id="yuncheng_city", slot="2026-11-24T10:00")
    )
    assert "先不约了" in me.press("不约了")
    assert me.rows() == []
    assert me.slots["booking"] is None


def test_a_shared_location_leads_to_the_nearest_hall(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    me.send(payload("book_appointment", service_id=ITEM))
    point = {"latitude": 30.2129, "longitude": 120.1775}
    assert "江南区政务服务中心" in me.hear("attach", metadata={"locations": [point]})
    assert "江南区政务服务中心这些天还有空" in me.press("约江南区政务服务中心")
    me.slots["pending_locations"] = [{"point": point, "at": 0}]
    me.send(payload("book_appointment", service_id=ITEM))
    assert next(iter(me.buttons())) == "江南区政务服务中心"


def test_a_wish_survives_the_question_where_one_is(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    me.slots["service_id"] = ITEM
    me.hear("ask_appointment", "帮我约明天上午9点半")
    me.hear("attach", metadata={"locations": [{"latitude": 30.2129, "longitude": 120.1775}]})
    assert "明天（周二，11月24日）上午9点半，江南区" in me.press("约江南区政务服务中心")


def test_odd_buttons_do_no_harm(talk: Callable[[str], Talk]) -> None:
    me = talk("web:me")
    for values in (
        {},
        {"service_id": "nothing"},
        {"service_id": ITEM, "hall_id": "nowhere", "slot": "2026-13-99"},
        {"service_id": ITEM, "hall_id": "vehicle_office", "slot": "2026-11-24T09:00"},
        {"service_id": ITEM, "hall_id": "yuncheng_city", "slot": "2020-01-01T09:00"},
        {"service_id": ITEM, "hall_id": "yuncheng_city", "slot": "2026-11-24T09:07"},
        {"service_id": ITEM, "appointment": "99999999999999999999"},
        {"service_id": ITEM, "appointment": "-1", "slot": "x" * 100},
    ):
        for intent in ("book_appointment", "choose_slot", "confirm_appointment"):
            assert me.send(payload(intent, **values))
    for intent in ("cancel_appointment", "confirm_cancel_appointment", "close_appointment"):
        assert me.send(payload(intent, appointment="77", outcome="?"))
    assert me.rows() == []


@pytest.mark.parametrize(
    ("title", "said", "state"),
    [
        ("办成了", "办成了就好", "attended"),
        ("没办成", "抱歉", "attended"),
        ("没去", "记下了", "missed"),
    ],
)
def test_after_the_visit_a_button_closes_it(
    talk: Callable[[str], Talk], clock: list[datetime], title: str, said: str, state: str
) -> None:
    me = talk("web:me")
    row = booked(me)
    clock[0] = MONDAY + timedelta(days=1, hours=5)
    with unit_of_work() as session:
        assert ask_how_it_went(session, clock[0], lambda _: False) == 1
        ((_, replies),) = inbox(session, me.who, 0)
    assert "办成了吗" in replies[0]["text"]
    pressed = {b["title"]: b["payload"] for b in replies[0]["buttons"]}[title]
    assert "没有查到" in talk("web:stranger").send(pressed)
    assert said in me.send(pressed)
    with unit_of_work() as session:
        assert session.get_one(Appointment, row.id).state == state
