"""Conversations through the account: the real gateway, queue, worker and sender."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.channels.conftest import replying
from tests.channels.photos import encoded, scene
from tests.channels.wechat.conftest import Account
from tests.waiting import wait_until

BUTTONS = [
    {"title": "确认提交", "payload": "/affirm"},
    {"title": "取消", "payload": "/cancel"},
]


def heard(account: Account) -> list[str]:
    return [body["message"] for body in account.rasa.heard if "message" in body]


def answered(account: Account, openid: str, response: Any) -> list[str]:
    """Everything the citizen was told, whichever way it went, once there is something."""
    passive = account.servers.said(response)
    if passive is not None:
        return [passive]
    return wait_until(lambda: account.official.texts(openid), "a customer-service message")


def test_a_question_is_answered(account: Account) -> None:
    openid = account.citizen()
    xml = account.servers.message(openid, "text", Content="你好 ]]> <分>&")
    assert answered(account, openid, account.servers.push(xml)) == ["您好，我是市民。"]
    assert heard(account) == ["你好 ]]> <分>&"]


def test_a_storm_of_retries_is_handled_and_answered_once(account: Account) -> None:
    openid = account.citizen()
    xml = account.servers.message(openid, "text", Content="身份证")
    with ThreadPoolExecutor(6) as pool:
        responses = list(pool.map(lambda _: account.servers.push(xml), range(6)))
    responses += [account.servers.push(xml) for _ in range(2)]
    passive = [text for r in responses if (text := account.servers.said(r)) is not None]
    wait_until(lambda: passive or account.official.texts(openid), "an answer")
    other = account.servers.message(openid, "text", Content="再问")
    account.servers.push(other)
    wait_until(lambda: heard(account) == ["身份证", "再问"], "both were handled")
    assert len(passive) + len(account.official.texts(openid)) <= 2


def test_a_slow_answer_goes_out_as_a_message_once(account: Account) -> None:
    openid = account.citizen()
    free = threading.Event()

    def slow(body: Any) -> tuple[int, bytes]:
        free.wait(100)
        return replying({"text": "想好了。"})(body)

    account.rasa.answer = slow
    xml = account.servers.message(openid, "text", Content="难题")
    try:
        with ThreadPoolExecutor(2) as pool:
            first = pool.submit(account.servers.push, xml)
            retry = pool.submit(account.servers.push, xml)
            assert account.servers.said(first.result()) is None
            assert account.servers.said(retry.result()) is None
            assert account.official.texts(openid) == []
    finally:
        free.set()
    wait_until(lambda: account.official.texts(openid), "the answer")
    assert account.servers.said(account.servers.push(xml)) is None
    assert account.official.texts(openid) == ["想好了。"]
    assert heard(account) == ["难题"]


def test_a_number_or_a_title_presses_the_button(account: Account) -> None:
    openid = account.citizen()
    account.rasa.answer = replying({"text": "请您核对。", "buttons": BUTTONS})
    for said, meant in (("你好", "你好"), (" １。", "/affirm"), ("取消", "/cancel"), ("9", "9")):
        account.rasa.heard.clear()
        xml = account.servers.message(openid, "text", Content=said)
        before = len(account.official.texts(openid))
        passive = account.servers.said(account.servers.push(xml))
        text = (
            passive
            or wait_until(lambda n=before: account.official.texts(openid)[n:], "an answer")[0]
        )
        assert text.endswith("1. 确认提交\n2. 取消")
        assert heard(account) == [meant]


def test_what_was_offered_is_over_once_something_else_was_said(account: Account) -> None:
    openid = account.citizen()
    account.rasa.answer = replying({"text": "请您核对。", "buttons": BUTTONS})
    answered(account, openid, account.servers.push(
        account.servers.message(openid, "text", Content="你好")))  # fmt: skip
    account.rasa.answer = replying({"text": "请问是几号发生的？"})
    for said in ("等等", "1"):
        account.servers.push(account.servers.message(openid, "text", Content=said))
    wait_until(lambda: heard(account)[1:] == ["等等", "1"], "both were handled as words")


def test_photos_one_by_one_are_one_message(account: Account) -> None:
    openid = account.citizen()
    for number in range(2):
        account.official.media[f"m{number}"] = ("image/jpeg", encoded(scene(64 + 8 * number)))
    pushes = [
        account.servers.message(openid, "image", PicUrl="http://x", MediaId=f"m{n}")
        for n in range(2)
    ]
    with ThreadPoolExecutor(2) as pool:
        responses = list(pool.map(account.servers.push, pushes))
    passive = [text for r in responses if (text := account.servers.said(r)) is not None]
    told = passive or wait_until(lambda: account.official.texts(openid), "an answer")
    assert told == ["您好，我是市民。"]
    (body,) = account.rasa.heard
    assert len(body["metadata"]["photos"]) == 2


def test_a_place_becomes_wgs84(account: Account) -> None:
    openid = account.citizen()
    xml = account.servers.message(
        openid, "location", Location_X="30.2741", Location_Y="120.1551", Scale=16, Label="文昌路"
    )
    answered(account, openid, account.servers.push(xml))
    (body,) = account.rasa.heard
    point = str(body["metadata"])
    assert "30.2741" not in point
    assert "30.276" in point and "120.150" in point


@pytest.mark.parametrize(
    ("media_id", "data", "says"),
    [
        ("lost", None, "取不到"),
        ("huge", b"\xff\xd8" + bytes(400_000), "太大"),
        ("odd", b"?", "照片"),
    ],
)
def test_a_photo_that_cannot_be_used(
    account: Account, media_id: str, data: bytes | None, says: str
) -> None:
    openid = account.citizen()
    if data is not None:
        account.official.media[media_id] = ("image/jpeg", data)
    xml = account.servers.message(openid, "image", PicUrl="http://x", MediaId=media_id)
    (text,) = answered(account, openid, account.servers.push(xml))
    assert says in text
    assert account.rasa.heard == []


def test_coming_the_menu_and_a_position_nobody_asked_for(account: Account) -> None:
    openid = account.citizen()
    coming = account.servers.event(openid, "subscribe", EventKey="")
    (welcome,) = answered(account, openid, account.servers.push(coming))
    assert "反映问题" in welcome
    report = account.servers.event(openid, "LOCATION", Latitude=30, Longitude=120, Precision=9)
    assert account.servers.said(account.servers.push(report)) is None
    account.servers.push(account.servers.event(openid, "CLICK", EventKey="nonsense"))
    account.servers.push(account.servers.event(openid, "CLICK", EventKey="report"))
    wait_until(lambda: heard(account) == ["我要反映身边的问题"], "the menu was heard")


def test_the_same_event_is_one_whatever_the_number_of_pushes(account: Account) -> None:
    openid = account.citizen()
    click = account.servers.event(openid, "CLICK", EventKey="report")
    for _ in range(3):
        account.servers.push(click)
    account.servers.push(account.servers.message(openid, "text", Content="完"))
    wait_until(lambda: heard(account)[-1:] == ["完"], "all were handled")
    assert heard(account) == ["我要反映身边的问题", "完"]


def test_a_long_answer_starts_in_the_response_and_ends_in_messages(account: Account) -> None:
    openid = account.citizen()
    text = "\n".join(f"第{n}条：" + "要带身份证原件和复印件。" * 5 for n in range(1, 26))
    account.rasa.answer = replying({"text": text, "buttons": BUTTONS})
    xml = account.servers.message(openid, "text", Content="材料")
    passive = account.servers.said(account.servers.push(xml))
    told = [passive] if passive else []

    def all_told() -> list[str]:
        found = [*told, *account.official.texts(openid)]
        return found if found and found[-1].endswith("2. 取消") else []

    pieces = wait_until(all_told, "all of it")
    whole = "".join("".join(pieces).split())
    assert "".join(text.split()) in whole
    assert len(pieces) == len(set(pieces)) >= 2
