"""The bot by long polling: what citizens send, what they get, and what Telegram allows."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from base.errors import ConfigurationError
from base.settings import Settings
from channels.telegram.channel import build
from store.database import reading, unit_of_work
from store.models import OutgoingMessage
from store.people import channels_of, queue_message, subscribe
from tests.channels.clips import mp4
from tests.channels.conftest import UNDERSTOOD, replying
from tests.channels.photos import encoded, scene
from tests.channels.telegram.bot_api import BOT, ME, TOKEN, message, photo, refuse
from tests.channels.telegram.conftest import Bot
from tests.waiting import wait_until

_numbers = itertools.count(100)
GROUP = {"id": -100123, "type": "supergroup", "title": "小区群"}


def say(bot: Bot, text: str = "", **more: Any) -> int:
    number = next(_numbers)
    bot.api.push(message=message(number, text, **more))
    return number


def group_says(bot: Bot, text: str, person: dict[str, Any] = ME) -> None:
    at = text.find("@")
    entities = [{"type": "mention", "offset": at, "length": len("@shimin_bot")}]
    say(bot, text, chat=GROUP, entities=entities, **{"from": person})


def press(bot: Bot, data: str, chat: int = ME["id"], **more: Any) -> dict[str, Any]:
    shown = message(9000, "选", chat={"id": chat, "type": "private"})
    title = next(t for t, d in bot.api.buttons(chat).items() if d == data)
    button = {"text": title, "callback_data": data}
    shown["reply_markup"] = {"inline_keyboard": [[button]]}
    query = {"id": f"q{next(_numbers)}", "from": ME, "data": data, "chat_instance": "1"}
    return bot.api.push(callback_query={**query, "message": shown, **more})


# --- what citizens send -----------------------------------------------------------------


def test_words_are_answered(bot: Bot) -> None:
    say(bot, "你好")
    assert bot.says(1) == ["您好"]
    (heard,) = bot.heard()
    assert (heard["sender"], heard["channel"]) == ("telegram:7", "telegram")
    assert (heard["message"], heard["named"]) == ("你好", True)
    assert {"action": "typing", "chat_id": 7} in bot.api.named("sendChatAction")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("/start", "你好"),
        ("/start report", "我要反映身边的问题"),
        ("/report", "我要反映身边的问题"),
        ("/report 楼下油烟大", "楼下油烟大"),
        ("/policy@shimin_bot", "我想看看能享受哪些政策"),
        ("/help", "/help"),
        ("/cancel", "/cancel"),
        ("/withdraw", "withdraw"),
    ],
)
def test_commands_mean_what_the_conversation_understands(bot: Bot, text: str, meant: str) -> None:
    say(bot, text)
    bot.says(1)
    assert [body["message"] for body in bot.heard()] == [meant]


def test_an_album_is_one_report(bot: Bot) -> None:
    for turn, name in enumerate("abc"):
        bot.api.files[f"{name}-3"] = encoded(scene().rotate(90 * turn, expand=True))
    with bot.api.arrived:  # one poll brings them all
        say(bot, photo=photo("a"), media_group_id="g1", caption="楼下垃圾成堆")
        for name in "bc":
            say(bot, photo=photo(name), media_group_id="g1")
    bot.says(1)
    (heard,) = bot.heard()
    assert heard["message"] == "楼下垃圾成堆"
    assert len(heard["metadata"]["photos"]) == 3


def test_the_largest_photo_that_is_taken_is_fetched(bot: Bot) -> None:
    bot.api.files |= {f"big-{side}": encoded(scene(50 * side, 40)) for side in (1, 2, 3)}
    say(bot, photo=photo("big", size=4_000_000))  # 4, 8 and 12 MB; 10 MB are taken
    bot.says(1)
    assert [f["file_id"] for f in bot.api.named("getFile")] == ["big-2"]


def test_places_are_points(bot: Bot) -> None:
    point = {"latitude": 30.5, "longitude": 120.25}
    say(bot, location=point)
    venue = {"location": point, "title": "文昌花园", "address": "文昌街1号"}
    say(bot, location=point, venue=venue)
    bot.says(2)
    shared = {**point, "source": "shared"}
    first, second = bot.heard()
    assert (first["message"], first["metadata"]["locations"]) == ("/attach", [shared])
    assert second["message"] == "文昌街1号文昌花园"
    assert second["metadata"]["locations"] == [shared]


def test_a_live_location_is_heard_once(bot: Bot) -> None:
    point = {"latitude": 30.5, "longitude": 120.25, "live_period": 900}
    number = say(bot, location=point)
    for step in range(3):
        moved = {**point, "latitude": 30.6 + step}
        edited = message(number, location=moved, edit_date=1_780_000_001 + step)
        bot.api.push(edited_message=edited)
    bot.settled()
    assert len(bot.heard()) == 1
    assert bot.api.texts() == ["您好"]


def test_a_video_and_a_picture_sent_as_a_file_are_taken(bot: Bot) -> None:
    bot.api.files |= {"film": mp4(), "scan": encoded(scene(), "PNG")}
    film = {"file_id": "film", "file_unique_id": "film", "width": 1, "height": 1, "duration": 3}
    say(bot, video=film)
    scan = {"file_id": "scan", "file_unique_id": "scan", "mime_type": "image/png"}
    say(bot, document=scan, caption="扫描件")
    bot.says(2)
    first, second = (body["metadata"] for body in bot.heard())
    assert len(first["videos"]) == len(second["photos"]) == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"document": {"mime_type": "application/pdf"}}, "这种文件我打不开"),
        ({"document": {"mime_type": "image/png", "file_size": 21 * 2**20}}, "超过了20MB"),
        ({"video": {"width": 1, "height": 1, "duration": 3, "file_size": 2**25}}, "20MB"),
        ({"voice": {"duration": 3, "file_size": 6 * 2**20}}, "最大5MB"),
        ({"voice": {"duration": 3, "mime_type": "audio/ogg"}}, "取不到了"),
        ({"sticker": {"width": 1, "height": 1, "is_animated": False, "is_video": False,
                      "type": "regular"}}, "看不懂"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_kindly(
    bot: Bot, fields: dict[str, Any], words: str
) -> None:
    ((kind, file),) = fields.items()
    say(bot, **{kind: {"file_id": "none", "file_unique_id": "none", **file}})
    (said,) = bot.says(1)
    assert words in said
    assert bot.heard() == []


def test_a_recording_reaches_the_conversation(bot: Bot) -> None:
    bot.api.files["v"] = b"OggS" + bytes(100)
    say(bot, voice={"file_id": "v", "file_unique_id": "v", "duration": 3})
    assert "语音" in bot.says(1)[0]


def test_a_correction_is_heard_in_place_of_the_mistake_or_after_it(bot: Bot) -> None:
    number = say(bot, "楼下油眼大")
    bot.says(1)
    bot.api.push(edited_message=message(number, "楼下油烟大", edit_date=1_780_000_060))
    bot.says(2)
    assert [body["message"] for body in bot.heard()] == ["楼下油眼大", "楼下油烟大"]


def test_a_correction_that_is_in_time_is_all_that_is_heard(bot: Bot) -> None:
    album = {"media_group_id": "g2", "photo": photo("d")}
    bot.api.files["d-3"] = encoded(scene(96, 50))
    with bot.api.arrived:  # one poll brings both
        number = say(bot, caption="错字", **album)
        corrected = message(number, caption="没有错字", edit_date=1_780_000_060, **album)
        bot.api.push(edited_message=corrected)
    bot.settled()
    assert [body["message"] for body in bot.heard()] == ["没有错字"]


# --- buttons ----------------------------------------------------------------------------

LONG = '/choose_service{"service_id": "' + "a" * 60 + '"}'


def offer(bot: Bot, *titles: str) -> dict[str, str]:
    """Have buttons with long payloads offered; returns titles and data."""
    buttons = [{"title": title, "payload": LONG} for title in titles]
    bot.rasa.answer = replying({"text": "请选", "buttons": buttons})
    say(bot, "户口")
    bot.says(1)
    return bot.api.buttons()


def test_a_pressed_button_says_its_payload_and_is_marked(bot: Bot) -> None:
    data = offer(bot, "要带什么", "在哪办", "新生儿出生登记（上户口）")
    assert [len(d) for d in data.values()] == [16, 16, 16]
    rows = bot.api.sent[-1]["reply_markup"]["inline_keyboard"]
    assert [len(row) for row in rows] == [2, 1]  # short ones side by side
    press(bot, data["在哪办"])
    bot.says(2)
    assert bot.heard()[-1]["message"] == LONG
    (answered,) = bot.api.named("answerCallbackQuery")
    assert answered["text"] == "好的"
    (marked,) = bot.api.named("editMessageReplyMarkup")
    ((button,),) = marked["reply_markup"]["inline_keyboard"]
    assert button == {"text": "✓ 在哪办", "callback_data": "-"}


def test_pressed_twice_it_counts_once(bot: Bot) -> None:
    data = offer(bot, "确认提交")
    press(bot, data["确认提交"])
    press(bot, data["确认提交"])
    bot.settled()
    assert len(bot.heard()) == 2
    assert len(bot.api.texts()) == 2


def test_a_button_of_somebody_else_or_of_old_does_nothing(bot: Bot) -> None:
    data = offer(bot, "确认提交")
    stranger = {"id": 8, "type": "private"}
    shown = message(9000, "选", chat=stranger)
    for token in (data["确认提交"], "gone", "-"):
        query = {"id": f"q{next(_numbers)}", "from": {**ME, "id": 8}, "data": token}
        bot.api.push(callback_query={**query, "message": shown, "chat_instance": "1"})
    bot.settled()
    assert len(bot.heard()) == 1
    words = [answer.get("text") for answer in bot.api.named("answerCallbackQuery")]
    assert words == ["这个按钮已经失效了，请直接打字告诉我。"] * 2 + [None]


# --- what citizens get ------------------------------------------------------------------


def test_a_long_answer_is_cut_and_its_buttons_are_below_the_last_piece(bot: Bot) -> None:
    line = "𠮷" * 99 + "。\n"
    buttons = [{"title": "确认", "payload": "/affirm"}]
    bot.rasa.answer = replying({"text": line * 60, "buttons": buttons})
    say(bot, "都说说")
    assert len(bot.says(3)) == 3
    assert [("reply_markup" in sent) for sent in bot.api.sent] == [False, False, True]
    assert "".join(bot.api.texts()).replace("\n", "") == (line * 60).replace("\n", "")


def test_words_never_become_markup(bot: Bot) -> None:
    text = "<b>粗</b> *星* [链接](http://a.cn) &amp; _x_"
    bot.rasa.answer = replying({"text": text})
    say(bot, text)
    assert bot.says(1) == [text]
    assert "parse_mode" not in bot.api.sent[0]
    assert "entities" not in bot.api.sent[0]


def test_news_are_sent_by_themselves_with_their_links(bot: Bot) -> None:
    card = {"kind": "ticket", "id": "SM1", "title": "工单", "fields": {"进度": "https://a.cn/p"}}
    with unit_of_work() as session:
        queue_message(session, "telegram:7", [{"text": "已受理", "cards": [card]}])
    assert bot.says(1) == ["已受理\n进度：https://a.cn/p"]


def test_a_flood_limit_is_waited_for(bot: Bot) -> None:
    refusals = [refuse(429, "Too Many Requests: retry after 1", retry_after=1)]
    bot.api.trouble = lambda m, _: refusals.pop() if m == "sendMessage" and refusals else None
    say(bot, "你好")
    assert bot.says(1) == ["您好"]
    assert len(bot.api.named("sendMessage")) == 2


def test_who_blocked_the_bot_is_unsubscribed(bot: Bot) -> None:
    def blocked(method: str, fields: dict[str, Any]) -> Any:
        mine = method == "sendMessage" and fields["chat_id"] == 9
        return refuse(403, "Forbidden: bot was blocked by the user") if mine else None

    bot.api.trouble = blocked
    with unit_of_work() as session:
        subscribe(session, "telegram:9")
        for text in ("一", "二"):
            queue_message(session, "telegram:9", [{"text": text}])

    def gone() -> bool:
        with reading() as session:
            return channels_of(session, "telegram:9") == ()

    wait_until(gone, "unsubscribed")
    bot.settled()
    assert len([f for f in bot.api.named("sendMessage") if f["chat_id"] == 9]) == 1
    with reading() as session:
        rows = session.query(OutgoingMessage).where(OutgoingMessage.citizen_id == "telegram:9")
        assert [row.state for row in rows] == ["closed", "closed"]


def test_blocking_between_messages_is_heard_of(bot: Bot) -> None:
    with unit_of_work() as session:
        subscribe(session, "telegram:10")
    member = {"user": BOT, "status": "kicked", "until_date": 0}
    before = {"user": BOT, "status": "member"}
    chat = {"id": 10, "type": "private"}
    change = {"chat": chat, "from": {**ME, "id": 10}, "date": 1}
    bot.api.push(my_chat_member={**change, "old_chat_member": before, "new_chat_member": member})
    bot.settled()
    with reading() as session:
        assert channels_of(session, "telegram:10") == ()


def test_a_group_that_moved_is_answered_where_it_is_now(bot: Bot) -> None:
    def moved(method: str, fields: dict[str, Any]) -> Any:
        old = method == "sendMessage" and fields["chat_id"] == -5
        words = "Bad Request: group chat was upgraded to a supergroup chat"
        return refuse(400, words, migrate_to_chat_id=-100123) if old else None

    bot.api.trouble = moved
    with unit_of_work() as session:
        queue_message(session, "telegram:-5.7", [{"text": "您好"}])
    assert bot.says(1, to=-100123) == ["您好"]


# --- groups -----------------------------------------------------------------------------


def understanding(intent: str) -> Any:
    """A Rasa that understands everything as ``intent``, asked or told."""
    understood = {**UNDERSTOOD, "intent": {"name": intent, "confidence": 0.9}}
    reply = {"text": "要带身份证", "buttons": [], "custom": {}}
    body = json.dumps({"understanding": understood, "replies": [reply]}).encode()
    return lambda _: (200, body)


def test_in_a_group_enquiries_are_answered_when_addressed(bot: Bot) -> None:
    bot.rasa.answer = understanding("ask_materials")
    say(bot, "今天天气不错", chat=GROUP)
    group_says(bot, "@shimin_bot 补办身份证带什么")
    assert bot.says(1, to=-100123) == ["要带身份证"]
    bot.settled()
    (heard,) = bot.heard()
    assert (heard["sender"], heard["message"]) == ("telegram:-100123.7", "补办身份证带什么")


def test_in_a_group_nothing_personal_is_heard_or_shown(bot: Bot) -> None:
    bot.rasa.answer = understanding("check_ticket")
    group_says(bot, "@shimin_bot 我的工单到哪了")
    (said,) = bot.says(1, to=-100123)
    assert said.endswith("https://t.me/shimin_bot")
    assert bot.heard() == []


def test_what_is_said_to_another_bot_is_left_alone(bot: Bot) -> None:
    command = [{"type": "bot_command", "offset": 0, "length": 15}]
    say(bot, "/help@other_bot", chat=GROUP, entities=command)
    bot.settled()
    assert bot.api.texts(-100123) == []


# --- trouble and settings ---------------------------------------------------------------


def test_telegram_away_for_a_while_loses_nothing(bot: Bot) -> None:
    broken = ["sendMessage", "getFile", "sendMessage"]

    def trouble(method: str, _: dict[str, Any]) -> Any:
        if method in broken:
            broken.remove(method)
            return refuse(502, "Bad Gateway")
        return None

    bot.api.trouble = trouble
    bot.api.files["e-3"] = encoded(scene(90, 90))
    say(bot, photo=photo("e"))
    assert bot.says(1) == ["您好"]
    assert broken == []
    assert len(bot.heard()) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"telegram_token": "no token"},
        {"telegram_token": TOKEN, "telegram_mode": "webhook"},
        {"telegram_token": TOKEN, "telegram_mode": "webhook", "telegram_webhook_secret": "a b"},
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        build(Settings(_env_file=None, **changes))


def test_without_a_token_there_is_no_bot() -> None:
    assert build(Settings(_env_file=None, telegram_token="")) is None
