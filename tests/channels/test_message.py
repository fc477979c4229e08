from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from channels.message import Content, Message, Reply, speakable


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("您好", "您好。"),
        ("您好。", "您好。"),
        ("要带：\n1. 户口簿\n2. 照片", "要带：1. 户口簿。2. 照片。"),
        ("· 身份证\n\n  • 户口簿", "身份证。户口簿。"),
        ("【居民身份证补领】收40元。", "居民身份证补领，收40元。"),
        ("我是“市民”！", "我是市民！"),
        ("", ""),
        (" \n·\n", ""),
    ],
)
def test_speakable(text: str, spoken: str) -> None:
    assert speakable(text) == spoken


@given(st.text())
def test_speech_is_one_line_without_marks(text: str) -> None:
    spoken = speakable(text)
    assert len(spoken.splitlines()) <= 1
    assert not set("【】“”") & set(spoken)
    kept = [char for char in text if char.isalnum()]
    assert [char for char in spoken if char.isalnum()] == kept


def test_reply_of_what_an_action_says() -> None:
    reply = Reply.of(
        {
            "text": "已受理",
            "buttons": [{"title": "查进度", "payload": "/check_ticket", "type": "postback"}],
            "cards": [
                {"kind": "ticket", "id": "SM1", "title": "工单", "fields": {"状态": "已提交"}}
            ],
        }
    )
    assert reply.model_dump()["buttons"] == ({"title": "查进度", "payload": "/check_ticket"},)
    assert reply.speech == "已受理。"
    assert Reply.of({"text": None}) == Reply(text="", speech="")


@pytest.mark.parametrize("name", ["", "a b", "a\tb", "x" * 101, "a\n"])
def test_conversation_ids_are_plain(name: str) -> None:
    with pytest.raises(ValidationError):
        Message(conversation_id=name, channel="api", text="你好")


@pytest.mark.parametrize("name", ["", "1a", "x" * 31, "a:b"])
def test_channel_names_are_plain(name: str) -> None:
    with pytest.raises(ValidationError):
        Message(conversation_id="c-1", channel=name, text="你好")


def test_contents_do_not_show_in_logs() -> None:
    photo = {"type": "photo", "content_type": "image/png", "data": "c2VjcmV0"}
    content = Content.model_validate({"text": "我的电话13800001111", "attachments": [photo]})
    assert "13800001111" not in repr(content)
    assert "c2VjcmV0" not in repr(content)
