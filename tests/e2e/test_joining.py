"""One problem, several neighbours: they are told of each other and hear the same news."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest

from tests.e2e.driver import Citizen, Desk, location

pytestmark = pytest.mark.e2e


def test_a_neighbour_joins_and_hears_every_step(
    new_citizen: Callable[[], Citizen], desk: Desk
) -> None:
    mark = f"记号{uuid.uuid4().hex[:8]}"
    first, second, third = new_citizen(), new_citizen(), new_citizen()
    first.say(f"对面商场的霓虹灯广告牌整夜亮着，照得卧室跟白天一样，{mark}", location())
    ticket = first.confirm().card("ticket")["id"]
    case = desk.wait_request(mark)["service_request_id"]
    first.wait_news("已派到")

    offered = second.say("商场那个霓虹灯广告牌夜里太亮，照得睡不着觉", location())
    assert "已有1人反映过" in offered.text
    assert mark not in offered.text
    assert ticket not in str(offered.body["replies"])
    joined = second.press("一起关注")
    assert joined.card("ticket")["id"] == ticket

    asked = third.say("楼对面霓虹灯广告牌晚上亮得刺眼，没法睡", location())
    assert "已有2人反映过" in asked.text
    assert "请您核对" in third.press("不是一回事，单独上报").text
    assert third.confirm().card("ticket")["id"] != ticket

    desk.act(case, "accept")
    assert ticket in first.wait_news("已受理您的工单")["text"]
    assert ticket in second.wait_news("已受理您关注的工单")["text"]
    history = second.say(f"查工单{ticket}")
    assert history.card("ticket")["id"] == ticket
    assert mark not in history.text
    assert "不再关注" in history.buttons
