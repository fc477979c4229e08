"""Messages through the seam: in once, answered once, sent once, whatever happens in between."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from base.errors import ConfigurationError, InputError, UpstreamError
from base.settings import Settings
from channels.message import Content, Reply
from channels.seam.channel import Heard
from channels.seam.errors import (
    DeliveryError,
    RefusedError,
    TryLaterError,
    UnwelcomeError,
    WindowClosedError,
)
from channels.seam.sender import LEASE as SENDER_LEASE
from channels.seam.sender import Sender
from channels.seam.service import Service
from channels.seam.worker import LEASE, MAX_ATTEMPTS, Worker
from store import incoming
from store.channel_models import IncomingMessage
from store.database import reading, unit_of_work
from store.models import OutgoingMessage
from store.outgoing import claim_answer, claim_outgoing, note_sent, queue_answer
from store.people import channels_of, queue_message, subscribe
from store.traffic import traffic
from tests.channels.pigeons import Assistant, Clock, Pigeons, arrive
from tests.isolated import isolated
from tests.waiting import wait_until


class Loft:
    """A worker and a sender over one store, on a clock of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock, self.channel, self.assistant = Clock(), Pigeons(), Assistant()
        self.worker = Worker({"pigeon": self.channel}, self.assistant, 2, self.clock)
        self.sender = Sender(self.channel, self.clock)
        monkeypatch.setattr(incoming, "utc_now", self.clock)

    def work(self) -> None:
        """Answer and send until nothing is due."""
        while self.worker.answer_one() or self.sender.send_one():
            pass

    def rows(self, model: Any) -> list[Any]:
        with reading() as session:
            return list(session.scalars(select(model).order_by(model.id)))

    def tell(self, *texts: str, to: str = "c-1") -> None:
        with unit_of_work() as session:
            queue_message(session, f"pigeon:{to}", [{"text": t} for t in texts], self.clock.now)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with isolated(tmp_path_factory.mktemp("seam")) as found:
        yield found


@pytest.fixture
def loft(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Loft:
    with unit_of_work() as session:
        session.query(IncomingMessage).delete()
        session.query(OutgoingMessage).delete()
    return Loft(monkeypatch)


@contextmanager
def dying(step: Callable[[], Any]) -> Iterator[None]:
    """The process dies in ``step``: what it would have written after is never written."""

    class KilledError(BaseException):
        pass

    def die(*_: Any) -> None:
        raise KilledError

    yield die  # type: ignore[misc]
    with pytest.raises(KilledError):
        step()


# --- in ---------------------------------------------------------------------------------


def test_pushed_twice_it_is_answered_once(loft: Loft) -> None:
    assert arrive("1", "你好") == 1
    assert arrive("1", "你好") == 0
    loft.work()
    assert arrive("1", "你好") == 0  # even after its answer
    loft.work()
    assert loft.channel.sent == [("c-1", "答：你好")]
    (row,) = loft.rows(IncomingMessage)
    assert (row.state, row.content) == ("done", None)


def test_messages_of_one_conversation_are_answered_in_their_order(loft: Loft) -> None:
    for number in range(5):
        arrive(str(number), f"第{number}句")
        arrive(f"o{number}", f"别人{number}", to="c-2")
    loft.work()
    assert loft.channel.texts("c-1") == [f"答：第{n}句" for n in range(5)]
    assert loft.channel.texts("c-2") == [f"答：别人{n}" for n in range(5)]


def test_the_parts_of_an_album_are_one_message(loft: Loft) -> None:
    arrive("0", "先前")
    for number in range(3):
        arrive(f"a{number}", f"图{number}", album="g")
        loft.clock.on(seconds=1)
        loft.work()
    arrive("9", "之后")
    assert loft.assistant.texts() == ["先前"]
    loft.clock.on(seconds=1)
    loft.work()
    assert loft.assistant.texts() == ["先前", "图0+图1+图2", "之后"]


def test_a_part_that_comes_too_late_is_a_message_of_its_own(loft: Loft) -> None:
    def late(_: Any) -> None:
        loft.assistant.trouble = lambda _: None
        arrive("a2", "图2", album="g")
        raise UpstreamError("assistant_unavailable", "系统正忙。")

    arrive("a1", "图1", album="g")
    loft.clock.on(seconds=2)
    loft.assistant.trouble = late
    loft.work()
    for _ in range(2):
        loft.clock.on(seconds=5)
        loft.work()
    assert loft.assistant.texts() == ["图1", "图2"]


def test_a_correction_takes_the_place_of_what_nobody_has_taken(loft: Loft) -> None:
    arrive("1", "错字")
    for _ in range(2):  # pushed twice
        arrive("1e", "没有错字", replaces="1")
    loft.work()
    assert loft.assistant.texts() == ["没有错字"]
    arrive("1f", "更正", replaces="1")
    arrive("1e", "没有错字", replaces="1")
    loft.work()
    assert loft.assistant.texts() == ["没有错字", "更正"]


def test_a_channel_may_answer_by_itself_or_not_at_all(loft: Loft) -> None:
    loft.channel.hearing = lambda parts: (Reply.of({"text": "欢迎"}),) if "/start" in parts else ()
    arrive("1", "/start")
    arrive("2", "离开了")
    loft.work()
    assert loft.channel.sent == [("c-1", "欢迎")]
    assert loft.assistant.heard == []


def test_what_others_read_is_answered_as_such(loft: Loft) -> None:
    loft.channel.hearing = lambda parts: Heard(Content(text=parts[0]), True, "t.me/x")
    arrive("1", "我的工单")
    loft.work()
    assert loft.channel.sent == [("c-1", "请私聊：t.me/x")]


# --- trouble while answering ------------------------------------------------------------


def test_what_cannot_be_used_is_said_kindly(loft: Loft) -> None:
    def refuse(_: Any) -> None:
        raise InputError("photo_not_image", "这个文件不是照片，请重新拍一张。")

    loft.channel.hearing = refuse  # type: ignore[assignment]
    arrive("1", "x")
    loft.work()
    assert loft.channel.sent == [("c-1", "这个文件不是照片，请重新拍一张。")]


def test_an_upstream_error_is_tried_again_before_the_citizen_hears_of_it(loft: Loft) -> None:
    def away(_: Any) -> None:
        raise UpstreamError("assistant_unavailable", "系统正忙，请过一会儿再发。", "refused")

    loft.assistant.trouble = away
    arrive("1", "你好")
    for _ in range(MAX_ATTEMPTS - 1):
        loft.work()
        loft.clock.on(minutes=1)
        assert loft.channel.sent == []
    loft.work()
    assert loft.channel.sent == [("c-1", "系统正忙，请过一会儿再发。")]
    (row,) = loft.rows(IncomingMessage)
    assert (row.state, row.last_error) == ("dead", "refused")
    assert row.content is not None  # an operator may have it handled again
    loft.assistant.trouble = lambda _: None
    with unit_of_work() as session:
        assert incoming.revive_incoming(session, row.id, loft.clock.now)
        assert not incoming.revive_incoming(session, row.id, loft.clock.now)
    loft.work()
    assert loft.channel.sent[1:] == [("c-1", "答：你好")]


@pytest.mark.parametrize("error", [ZeroDivisionError(), ConfigurationError("no key")])
def test_an_error_of_ours_holds_up_nobody(loft: Loft, error: Exception) -> None:
    def broken(message: Any) -> None:
        if message.text == "坏":
            raise error

    loft.assistant.trouble = broken
    arrive("1", "坏")
    arrive("2", "好")
    for _ in range(MAX_ATTEMPTS):
        loft.work()
        loft.clock.on(minutes=2)
    first, second = loft.channel.texts("c-1")
    assert "系统" in first
    assert second == "答：好"


# --- crashes ----------------------------------------------------------------------------


def test_a_worker_that_dies_is_replaced_and_asks_under_the_same_name(loft: Loft) -> None:
    arrive("1", "你好")
    with dying(loft.worker.answer_one) as die:
        loft.assistant.trouble = die  # type: ignore[assignment]
    loft.assistant.trouble = lambda message: names.append(message.message_id)
    names: list[str] = []
    loft.work()
    assert loft.assistant.heard == []  # it is still in the dead one's hands
    loft.clock.on(seconds=LEASE.total_seconds() + 1)
    loft.work()
    assert loft.channel.sent == [("c-1", "答：你好")]
    arrive("2", "你好")
    loft.work()
    assert len(names) == len(set(names)) == 2


def test_dying_after_the_answer_asks_again_under_the_same_name(
    loft: Loft, monkeypatch: Any
) -> None:
    arrive("1", "你好")
    with monkeypatch.context() as patch, dying(loft.worker.answer_one) as die:
        patch.setattr("channels.seam.worker.settle", die)
    assert loft.rows(OutgoingMessage) == []
    loft.clock.on(seconds=LEASE.total_seconds() + 1)
    loft.work()
    first, second = loft.assistant.heard
    assert first == second  # the message id too: Rasa answers it as before
    assert loft.channel.sent == [("c-1", "答：你好")]


def test_dying_in_the_middle_of_an_album_keeps_it_whole(loft: Loft, monkeypatch: Any) -> None:
    for number in range(2):
        arrive(f"a{number}", f"图{number}", album="g")
    loft.clock.on(seconds=2)
    with monkeypatch.context() as patch, dying(loft.worker.answer_one) as die:
        patch.setattr("channels.seam.worker.settle", die)
    arrive("a2", "图2", album="g")  # comes after: not lost, and no part of the repetition
    loft.clock.on(seconds=LEASE.total_seconds() + 1)
    loft.work()
    loft.clock.on(seconds=2)
    loft.work()
    assert loft.assistant.texts() == ["图0+图1", "图0+图1", "图2"]
    assert len({m.message_id for m in loft.assistant.heard}) == 2
    assert loft.channel.texts("c-1") == ["答：图0+图1", "答：图2"]


def test_a_worker_that_was_too_slow_answers_nothing(loft: Loft) -> None:
    arrive("1", "你好")
    with unit_of_work() as session:
        slow = incoming.claim(session, ["pigeon"], loft.clock.now, LEASE)
    assert slow is not None
    loft.clock.on(seconds=LEASE.total_seconds() + 1)
    loft.work()
    with unit_of_work() as session:
        assert not incoming.settle(session, slow)
        assert not incoming.try_again(session, slow, "late", loft.clock.now)
        assert not incoming.bury(session, slow, "late")
    assert loft.channel.sent == [("c-1", "答：你好")]


def test_a_sender_that_dies_goes_on_with_the_next_part(loft: Loft) -> None:
    loft.tell("一\n二", "三")
    with dying(loft.sender.send_one) as die:
        loft.channel.trouble = lambda _, text: die() if text == "二" else None  # type: ignore[operator]
    loft.channel.trouble = lambda *_: None
    assert not loft.sender.send_one()  # still in the dead one's hands
    loft.clock.on(seconds=SENDER_LEASE.total_seconds() + 1)
    loft.work()
    assert loft.channel.texts("c-1") == ["一", "二", "三"]


# --- out --------------------------------------------------------------------------------


def test_messages_of_one_citizen_keep_their_order_when_one_has_to_wait(loft: Loft) -> None:
    loft.tell("一")
    loft.tell("二")
    loft.tell("别人", to="c-2")

    def busy(to: str, _: str) -> None:
        if to == "c-1":
            raise TryLaterError("flood", 30)

    loft.channel.trouble = busy
    loft.work()
    assert loft.channel.sent == [("c-2", "别人")]
    loft.channel.trouble = lambda *_: None
    loft.clock.on(seconds=29)
    loft.work()
    assert loft.channel.texts("c-1") == []
    loft.clock.on(seconds=2)
    loft.work()
    assert loft.channel.texts("c-1") == ["一", "二"]


def test_when_everybody_has_to_wait_the_platform_is_left_alone(loft: Loft) -> None:
    calls: list[str] = []

    def flood(to: str, _: str) -> None:
        calls.append(to)
        raise TryLaterError("flood", 30, everyone=True)

    loft.channel.trouble = flood
    for number in range(5):
        loft.tell("你好", to=f"c-{number}")
    loft.work()
    assert len(calls) == 1
    loft.channel.trouble = lambda *_: None
    loft.clock.on(seconds=31)
    loft.work()
    assert sorted(to for to, _ in loft.channel.sent) == [f"c-{n}" for n in range(5)]


def test_who_blocked_us_is_unsubscribed_and_hears_nothing_more(loft: Loft) -> None:
    def blocked(*_: str) -> None:
        raise UnwelcomeError("blocked")

    with unit_of_work() as session:
        subscribe(session, "pigeon:c-1")
    loft.tell("一")
    loft.tell("二")
    loft.channel.trouble = blocked
    loft.work()
    assert [row.state for row in loft.rows(OutgoingMessage)] == ["closed", "closed"]
    with reading() as session:
        assert channels_of(session, "pigeon:c-1") == ()
    loft.channel.trouble = lambda *_: None
    arrive("1", "我又回来了")
    loft.work()
    assert loft.channel.texts("c-1") == ["答：我又回来了"]


def test_what_may_not_be_sent_now_waits_for_the_citizen(loft: Loft) -> None:
    def closed(*_: str) -> None:
        raise WindowClosedError("48 h")

    loft.channel.trouble = closed
    loft.tell("一")
    loft.work()
    loft.channel.trouble = lambda *_: None
    loft.clock.on(days=30)
    loft.work()
    assert loft.channel.sent == []
    arrive("1", "你好")
    loft.work()
    assert loft.channel.texts("c-1") == ["一", "答：你好"]


def test_what_is_refused_is_kept_for_an_operator_and_holds_up_nothing(loft: Loft) -> None:
    def refuse(_: str, text: str) -> None:
        if text == "坏":
            raise RefusedError("400")

    loft.channel.trouble = refuse
    loft.tell("坏")
    loft.tell("好")
    loft.work()
    assert loft.channel.texts("c-1") == ["好"]
    with reading() as session:
        assert traffic(session, ["pigeon"])["pigeon"].outgoing == {"dead": 1, "sent": 1}


def test_what_never_arrives_is_given_up_after_days(loft: Loft) -> None:
    def away(*_: str) -> None:
        raise DeliveryError("away")

    loft.channel.trouble = away
    loft.tell("一")
    for _ in range(4):
        loft.work()
        loft.clock.on(days=1)
    loft.work()
    (row,) = loft.rows(OutgoingMessage)
    assert (row.state, row.last_error) == ("dead", "away")


def test_a_channel_that_cannot_speak_first_does_not(loft: Loft, monkeypatch: Any) -> None:
    monkeypatch.setattr(Pigeons, "capabilities", frozenset())
    loft.tell("一")
    arrive("1", "你好")
    loft.work()
    assert loft.channel.sent == [("c-1", "答：你好")]


def test_an_answer_can_be_given_to_an_open_webhook_instead(loft: Loft, monkeypatch: Any) -> None:
    monkeypatch.setattr(Pigeons, "answer_grace", timedelta(seconds=5))
    arrive("1", "你好")
    assert loft.worker.answer_one()
    assert not loft.sender.send_one()
    with unit_of_work() as session:
        row = incoming.find_incoming(session, "pigeon", "1")
        assert row is not None
        parcel = claim_answer(session, row.id, loft.clock.now, timedelta(minutes=1))
        assert parcel is not None
        assert claim_answer(session, row.id, loft.clock.now, timedelta(minutes=1)) is None
        assert parcel.replies[0]["text"] == "答：你好"
        note_sent(session, parcel, loft.clock.now)
    loft.clock.on(hours=1)
    loft.work()
    assert loft.channel.sent == []


def test_what_came_before_goes_before_an_answer_to_a_webhook(loft: Loft) -> None:
    loft.tell("先来的")
    with unit_of_work() as session:
        queue_answer(session, "pigeon:c-1", [{"text": "答"}], 77, loft.clock.now)
        assert claim_answer(session, 77, loft.clock.now, timedelta(minutes=1)) is None
    loft.work()
    assert loft.channel.texts("c-1") == ["先来的", "答"]


def test_channels_that_fetch_are_not_sent_to(loft: Loft) -> None:
    with unit_of_work() as session:
        queue_message(session, "web:c-1", [{"text": "你好"}], loft.clock.now)
        assert claim_outgoing(session, ["pigeon"], loft.clock.now, LEASE) is None


# --- the process ------------------------------------------------------------------------


def test_the_service_answers_until_it_is_stopped(settings: Settings, loft: Loft) -> None:
    channel, assistant = Pigeons(), Assistant()
    service = Service([channel], assistant, settings)
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        for number in range(6):
            arrive(f"s{number}", f"第{number}句", to=f"c-{number % 3}")
        wait_until(lambda: len(channel.sent) == 6, "six answers")
    finally:
        service.stop()
        thread.join(30)
    assert not thread.is_alive()
    assert (channel.began, channel.ended) == (1, 1)
    assert channel.texts("c-1") == ["答：第1句", "答：第4句"]
