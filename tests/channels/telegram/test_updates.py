"""What is stored of Telegram's updates; how long texts are cut; how fast we may speak."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.message import Card, Reply
from channels.seam.plain import plain_text, split_text, utf16_length
from channels.telegram.pace import EVERYBODY, Pace
from channels.telegram.updates import chat_of, pushed
from tests.channels.telegram.bot_api import BOT, ME, message

US = BOT["id"]
GROUP = {"id": -100123, "type": "supergroup", "title": "小区群"}


def stored(**update: Any) -> Any:
    return pushed({"update_id": 1, **update}, US)


def in_group(text: str, *entities: str, **more: Any) -> dict[str, Any]:
    found = [{"type": name, "offset": 0, "length": len(text)} for name in entities]
    return message(5, text, chat=GROUP, entities=found, **more)


def test_a_private_message_is_stored_under_its_own_name() -> None:
    found = stored(message=message(5, "你好"))
    assert (found.key, found.conversation_id, found.album) == ("7:5", "7", None)
    assert chat_of(found.conversation_id) == 7


def test_parts_of_an_album_share_its_name() -> None:
    found = stored(message=message(5, photo=[{}], media_group_id="88"))
    assert found.album == "88"


@pytest.mark.parametrize(
    "update",
    [
        {"message": message(5, new_chat_members=[ME])},
        {"message": message(5, migrate_to_chat_id=-100)},
        {"message": message(5, "你好", **{"from": BOT})},
        {"message": {k: v for k, v in message(5, "你好").items() if k != "from"}},
        {"edited_message": message(5, location={"latitude": 1, "longitude": 2}, edit_date=2)},
        {"edited_message": message(5, "你好", edit_date=1_780_000_000 + 86400)},
        {"callback_query": {"id": "q", "from": ME, "data": "x"}},
        {"my_chat_member": {"chat": GROUP, "from": ME}},
        {"channel_post": message(5, "你好")},
        {"message": {}},
        {"edited_message": message(5, "你好")},
        {"callback_query": {"message": 5, "data": "x"}},
        {},
    ],
)
def test_what_says_nothing_to_us_is_not_stored(update: dict[str, Any]) -> None:
    assert stored(**update) is None


def test_in_a_group_only_what_is_addressed_to_us_is_stored() -> None:
    assert stored(message=in_group("今天天气不错")) is None
    assert stored(message=in_group("https://a.cn", "url")) is None
    other = {"message_id": 1, "from": ME, "chat": GROUP, "date": 1}
    assert stored(message=in_group("是啊", reply_to_message=other)) is None
    for entity in ("mention", "bot_command", "text_mention"):
        found = stored(message=in_group("@shimin_bot", entity))
        assert found.conversation_id == "-100123.7"
        assert chat_of(found.conversation_id) == -100123
    to_us = {**other, "from": BOT}
    assert stored(message=in_group("多少钱", reply_to_message=to_us)) is not None


def test_a_button_of_a_message_counts_once() -> None:
    def press(query: str, data: str) -> Any:
        query_fields = {"id": query, "from": ME, "data": data, "message": message(5, "选")}
        return stored(callback_query=query_fields).key

    assert press("q1", "abc") == press("q2", "abc") != press("q3", "def")
    assert press("q1", "-") != press("q2", "-")


def test_a_correction_names_what_it_corrects() -> None:
    found = stored(edited_message=message(5, "改过", edit_date=1_780_000_060))
    assert found.replaces == "7:5"
    assert found.key == "7:5:1780000060"


# --- texts ------------------------------------------------------------------------------

words = st.text(st.sampled_from("好的。，\n 𠮷a1、；"), max_size=300)


@given(words, st.integers(4, 60))
def test_a_text_is_cut_into_pieces_that_fit_and_nothing_is_lost(text: str, limit: int) -> None:
    pieces = split_text(text, limit)
    assert all(0 < utf16_length(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_it_is_cut_at_the_end_of_a_line_or_sentence() -> None:
    assert split_text("第一行很长\n第二行", 8) == ["第一行很长", "第二行"]
    assert split_text("第一句话。第二句话。", 8) == ["第一句话。", "第二句话。"]
    assert split_text("一二三四五六", 4) == ["一二三四", "五六"]
    assert split_text("𠮷𠮷𠮷", 5) == ["𠮷𠮷", "𠮷"]


def test_links_that_only_cards_hold_are_said() -> None:
    fields = {
        "状态": "已办结",
        "处理结果照片": "https://a.cn/1\nhttps://a.cn/2",
        "页": "https://a.cn",
    }
    card = Card(kind="ticket", id="SM1", title="工单 SM1", fields=fields)
    told = plain_text(Reply.of({"text": "办好了 https://a.cn", "cards": [card.model_dump()]}))
    assert told == "办好了 https://a.cn\n处理结果照片：https://a.cn/1\nhttps://a.cn/2"
    assert plain_text(Reply.of({"cards": [card.model_dump()]})).startswith("工单 SM1\n状态：已办结")


# --- pace -------------------------------------------------------------------------------


def test_a_chat_is_spoken_to_once_a_second_after_a_few() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert [pace.wait(7) for _ in range(3)] == [0, 0, 0]
    assert pace.wait(7) == pytest.approx(1)
    assert pace.wait(8) == 0
    now[0] += 1
    assert pace.wait(7) == 0
    assert pace.wait(7) > 0


def test_groups_and_everybody_together_have_limits_of_their_own() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    assert [pace.wait(-5) for _ in range(5)] == [0] * 5
    assert pace.wait(-5) == pytest.approx(3)
    pace = Pace(lambda: now[0])
    assert [pace.wait(chat) for chat in range(1, int(EVERYBODY[0]) + 1)] == [0] * int(EVERYBODY[0])
    assert 0 < pace.wait(999) < 0.1
