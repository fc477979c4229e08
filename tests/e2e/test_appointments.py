"""A window at a hall: its calendar file, and a time that somebody else has taken."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from tests.e2e.driver import Citizen, Heard
from tests.waiting import WAIT_SECONDS

pytestmark = pytest.mark.e2e


def to_confirm(citizen: Citizen, wish: str, hall: str) -> str:
    """Go to the last time of the last day of a hall; return the payload that books it."""
    citizen.say(wish)
    citizen.press(hall)
    for intent in ("book_appointment", "book_appointment", "choose_slot"):
        titles = [
            title
            for title, payload in citizen.buttons.items()
            if payload.startswith(f"/{intent}{{") and not title.startswith("换")
        ]
        citizen.press(titles[-1])
    return citizen.buttons["确认预约"]


def calendar(heard: Heard) -> httpx.Response:
    """Fetch the calendar file of the one card."""
    return httpx.get(heard.card("service")["fields"]["日历文件"], timeout=WAIT_SECONDS)


def test_a_window_and_its_calendar_file_from_beginning_to_end(citizen: Citizen) -> None:
    to_confirm(citizen, "我想预约办护照", "江南区政务服务中心")
    booked = citizen.press("确认预约")
    assert re.search(r"YY\d{14}", booked.text)
    assert "前一天傍晚6点我再提醒您" in booked.text
    file = calendar(booked)
    assert file.headers["Content-Type"].startswith("text/calendar")
    for line in ("BEGIN:VEVENT", "STATUS:CONFIRMED", "BEGIN:VALARM"):
        assert line in file.text
    uid = re.search(r"UID:(\S+)", file.text)
    assert uid

    citizen.press("取消预约")
    ended = citizen.press("确定取消")
    assert "窗口让给别人" in ended.text
    gone = calendar(ended).text
    assert uid[0] in gone
    assert "STATUS:CANCELLED" in gone
    assert "没有预约" in citizen.say("我的预约").text


def test_a_time_that_is_gone_is_answered_with_others(
    citizen: Citizen, new_citizen: Callable[[], Citizen]
) -> None:
    payload = to_confirm(citizen, "我想预约办公积金提取", "高新区政务服务中心")
    for _ in range(10):  # three windows an hour, whoever has been here before
        answer = new_citizen().say(payload)
        if "约好了" not in answer.text:
            break
    assert "约走了" in answer.text, answer.text
    refused = citizen.press("确认预约")
    assert "真不巧" in refused.text
    others = [title for title, p in refused.buttons.items() if p.startswith("/choose_slot{")]
    assert others
    assert "确认预约吗" in citizen.press(others[0]).text
    assert "约好了" in citizen.press("确认预约").text
