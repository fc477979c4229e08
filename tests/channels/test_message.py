from __future__ import annotations

import pytest
from pydantic import ValidationError

from channels.message import Content, Message, Reply


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
