"""What goes out by itself: tokens, windows, templates, and processes that die."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from geocoordinates_ffi import Wgs84, wgs84_to_gcj02
from hypothesis import given, settings
from hypothesis import strategies as st

from base.errors import InputError, TooLargeError
from channels.message import Audio, Reply
from channels.seam.errors import (
    RefusedError,
    TryLaterError,
    UnwelcomeError,
    WindowClosedError,
)
from channels.seam.sender import Sender
from channels.wechat.access import AccessToken
from channels.wechat.channel import WeChat
from channels.wechat.hearing import Ear, earthly
from channels.wechat.words import menu
from store.database import reading, unit_of_work
from store.models import OutgoingMessage
from store.people import channels_of, queue_message, subscribe
from tests.channels.conftest import replying
from tests.channels.wechat.conftest import Account, channel_process, running_account
from tests.waiting import wait_until

CARD = {
    "kind": "ticket", "id": "SM20260504000001", "title": "工单 SM20260504000001",
    "fields": {"状态": "已办结", "查看进度": "https://city.example/progress/abc"},
}  # fmt: skip
STEP = Reply.of({"text": "云东区综合行政执法局已办结。\n说明：已经清理。", "cards": [CARD]})


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An account without its process of the channels: tests take its part."""
    with running_account(tmp_path_factory, "") as found:
        yield found


@pytest.fixture
def account(quiet: Account) -> Account:
    quiet.official.errors.clear()
    quiet.official.notices.clear()
    quiet.official.notice_error = 0
    quiet.rasa.heard.clear()
    return quiet


@pytest.fixture
def channel(account: Account) -> Any:
    found = WeChat(account.settings)
    yield found
    found.close()


def state_of(citizen: str) -> list[str]:
    with reading() as session:
        rows = session.query(OutgoingMessage).filter_by(citizen_id=f"wechat:{citizen}")
        return [row.state for row in rows.order_by(OutgoingMessage.id)]


def heard_from(account: Account, openid: str) -> list[str]:
    return [b["message"] for b in account.rasa.heard if b["sender"] == f"wechat:{openid}"]


def test_two_hundred_calls_share_one_token(account: Account, channel: WeChat) -> None:
    before, openid = account.official.tokens, account.citizen()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: channel.send(openid, Reply.of({"text": str(n)})), range(200)))
    assert account.official.tokens == before + 1
    assert len(set(account.official.texts(openid))) == 200


def test_a_token_that_was_replaced_is_fetched_anew(account: Account, channel: WeChat) -> None:
    openid = account.citizen()
    channel.send(openid, STEP)
    account.official.token = "somebody-else-forced-it"
    channel.send(openid, STEP)
    assert len(account.official.texts(openid)) == 2


def test_a_token_is_forced_once_a_minute_at_most() -> None:
    asked: list[bool] = []
    now = [0.0]

    def fetch(force: bool) -> tuple[str, float]:
        asked.append(force)
        return f"t{sum(asked)}", 7200.0

    access = AccessToken(fetch, lambda: now[0])
    access.refuse(access.get())
    assert access.get() == "t1"
    access.refuse("t1")
    assert access.get() == "t1"
    assert asked == [False, False, True, False]
    now[0] += 61
    access.refuse("t1")
    assert access.get() == "t2"
    now[0] += 7200
    access.get()
    assert asked[-1] is False


@pytest.mark.parametrize(
    ("codes", "error"),
    [
        ([45015], WindowClosedError), ([45047], WindowClosedError), ([43004], UnwelcomeError),
        ([48001], RefusedError), ([40003], RefusedError), ([-1], TryLaterError),
        ([45009], TryLaterError), ([40001, 42001], TryLaterError),
    ],
)  # fmt: skip
def test_error_codes(
    account: Account, channel: WeChat, codes: list[int], error: type[Exception]
) -> None:
    account.official.errors[:] = codes
    with pytest.raises(error):
        channel.send(account.citizen(), Reply.of({"text": "好"}))


def test_after_48_hours_a_template_tells_and_the_words_wait(
    account: Account, channel: WeChat
) -> None:
    openid = account.citizen()
    with unit_of_work() as session:
        queue_message(session, f"wechat:{openid}", [STEP.model_dump(mode="json")])
    account.official.errors[:] = [45015]
    sender = Sender(channel)
    assert sender.send_one()
    assert not sender.send_one()
    assert state_of(openid) == ["held"]
    (notice,) = account.official.notices
    assert notice["touser"] == openid
    assert notice["page"] == "https://city.example/progress/abc"
    data = {name: field["value"] for name, field in notice["data"].items()}
    assert data.pop("time4")
    assert data == {
        "character_string1": "SM20260504000001",
        "phrase2": "已办结",
        "thing3": "云东区综合行政执法局已办结。",
    }
    account.servers.push(account.servers.message(openid, "text", Content="在吗"))
    assert sender.send_one()
    assert account.official.texts(openid)[0].startswith("云东区综合行政执法局已办结。")
    assert len(account.official.notices) == 1


def test_who_takes_no_templates_hears_of_it_when_he_writes(
    account: Account, channel: WeChat
) -> None:
    account.official.errors[:] = [45047]
    account.official.notice_error = 43101
    with pytest.raises(WindowClosedError, match="43101"):
        channel.send(account.citizen(), Reply.of({"text": "有一项您符合条件的政策：\n低保"}))


def test_who_leaves_is_unsubscribed(account: Account) -> None:
    openid = account.citizen()
    with unit_of_work() as session:
        subscribe(session, f"wechat:{openid}")
        queue_message(session, f"wechat:{openid}", [{"text": "新政策"}])
    account.official.errors[:] = [45015]
    account.official.notice_error = 43101
    with channel_process(account.settings):
        wait_until(lambda: state_of(openid) == ["held"], "it is held")
        account.servers.push(account.servers.event(openid, "unsubscribe", EventKey=""))

        def gone() -> bool:
            with reading() as session:
                return channels_of(session, f"wechat:{openid}") == ()

        wait_until(gone, "he is unsubscribed")


def test_a_restart_between_receipt_and_answer_loses_nothing(account: Account) -> None:
    """The process of the channels is away when a message comes, and dies with one in hand."""
    openid = account.citizen()
    account.rasa.answer = replying({"text": "答复。"})
    xml = account.servers.message(openid, "text", Content="在线吗")
    assert account.servers.said(account.servers.push(xml)) is None
    with channel_process(account.settings):
        wait_until(lambda: account.official.texts(openid), "the answer")
    with channel_process(account.settings):
        assert account.servers.said(account.servers.push(xml)) is None
    assert account.official.texts(openid) == ["答复。"]
    assert heard_from(account, openid) == ["在线吗"]


def test_two_processes_of_the_gateway_answer_once(account: Account) -> None:
    openid, free = account.citizen(), threading.Event()

    def slow(body: Any) -> tuple[int, bytes]:
        free.wait(100)
        return replying({"text": "答复。"})(body)

    account.rasa.answer = slow
    xml = account.servers.message(openid, "text", Content="在线吗")
    with channel_process(account.settings), ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(account.servers.push, xml) for _ in range(3)]
        wait_until(lambda: heard_from(account, openid), "the assistant was asked")
        free.set()
        passive = [text for w in waiting if (text := account.servers.said(w.result())) is not None]
        told = wait_until(lambda: passive + account.official.texts(openid), "the answer")
        assert told == ["答复。"]
    assert heard_from(account, openid) == ["在线吗"]


def test_the_menu_is_taken(account: Account, channel: WeChat) -> None:
    channel._platform.create_menu(menu())
    assert account.official.menus == [menu()]


# --- what a citizen sends -----------------------------------------------------------------


def voice(words: str) -> dict[str, str]:
    return {"kind": "voice", "media_id": "v", "format": "amr", "words": words}


def test_voice_comes_with_the_platforms_words(account: Account, channel: WeChat) -> None:
    ear = channel._ear
    account.official.media["v"] = ("audio/amr", b"#!AMR\nsound")
    for words, transcript in (("井盖坏了。", "井盖坏了。"), ("", None)):
        (audio,) = ear.listen([voice(words)]).attachments
        assert isinstance(audio, Audio)
        assert (audio.content_type, audio.transcript) == ("audio/amr", transcript)
    del account.official.media["v"]
    assert ear.listen([voice("井盖坏了。")]).text == "井盖坏了。"
    with pytest.raises(InputError, match="file_gone"):
        ear.listen([voice("")])


def test_a_video_is_fetched_where_the_platform_says(account: Account, channel: WeChat) -> None:
    film = {"kind": "video", "media_id": "f"}
    official = account.official
    official.media["/films/1"] = ("video/mp4", b"film")
    link = f'{{"video_url": "{official.url}/films/1"}}'.encode()
    official.media["f"] = ("text/plain", link)
    (video,) = channel._ear.listen([film]).attachments
    assert video.type == "video"
    official.media["f"] = ("text/plain", b'{"video_url": "http://127.0.0.2/films/1"}')
    with pytest.raises(InputError, match="file_gone"):
        channel._ear.listen([film])


def test_a_file_is_read_up_to_its_limit(account: Account, channel: WeChat) -> None:
    account.official.media["b"] = ("image/jpeg", bytes(1000))
    assert len(channel._platform.fetch("b", 1000)) == 1000
    with pytest.raises(TooLargeError):
        channel._platform.fetch("b", 999)


def test_an_unknown_kind_is_refused_kindly(account: Account) -> None:
    ear = Ear(account.settings, lambda *_: b"")
    with pytest.raises(InputError, match="message_kind"):
        ear.listen([{"kind": "other", "type": "link"}])


@settings(max_examples=300, deadline=None)
@given(st.floats(18, 53), st.floats(74, 134))
def test_gcj02_there_and_back_is_exact_to_a_metre(latitude: float, longitude: float) -> None:
    shifted = wgs84_to_gcj02(Wgs84(lat=latitude, lon=longitude))
    back = earthly(shifted.lat, shifted.lon)
    assert abs(back.latitude - latitude) < 1e-5  # 1.1 m
    assert abs(back.longitude - longitude) < 1e-5


def test_gcj02_of_a_known_point() -> None:
    """Tian'anmen, WGS 84 39.90750 N 116.39123 E, is 39.90890 N 116.39747 E on maps of Tencent."""
    point = earthly(39.908904, 116.397474)
    assert (point.latitude, point.longitude) == pytest.approx((39.90750, 116.39123), abs=5e-5)
    abroad = earthly(48.85, 2.35)
    assert (abroad.latitude, abroad.longitude) == (48.85, 2.35)
    assert earthly(1e9, float("inf")).latitude == 1e9


def test_a_token_nobody_gives_stops_everyone(account: Account) -> None:
    wrong = account.settings.model_copy(update={"wechat_app_id": "wx_wrong"})
    channel = WeChat(wrong)
    with pytest.raises(TryLaterError) as raised:
        channel.send("o1", Reply.of({"text": "好"}))
    assert raised.value.everyone
    channel.close()


def test_a_platform_that_is_away_is_tried_later(account: Account) -> None:
    away = account.settings.model_copy(update={"wechat_api_url": "http://127.0.0.1:9"})
    channel = WeChat(away)
    with pytest.raises(TryLaterError) as raised:
        channel.send("o1", Reply.of({"text": "好"}))
    assert "127.0.0.1" not in raised.value.detail
    channel.close()
