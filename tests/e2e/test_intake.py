"""What the intake notices beside the problem: places that differ, two problems, a phone number."""

from __future__ import annotations

import uuid

import pytest

from tests.e2e.driver import INSIDE, Citizen, Desk, jpeg, photo

pytestmark = pytest.mark.e2e


@pytest.fixture
def mark() -> str:
    """A word nobody else uses, to find a complaint again."""
    return f"记号{uuid.uuid4().hex[:8]}"


def test_a_photo_taken_elsewhere_raises_a_question(citizen: Citizen, desk: Desk, mark: str) -> None:
    asked = citizen.say(f"云州火车站旁边工地尘土飞扬，{mark}", photo(jpeg(INSIDE)))
    assert "以哪个为准" in asked.text
    assert set(citizen.buttons) == {"照片的位置", "我说的地点", "都不是，重新说"}
    assert "云州火车站" in citizen.press("我说的地点").text
    citizen.confirm()
    assert "云州火车站" in desk.wait_request(mark)["address"]


def test_two_problems_are_reported_one_by_one(citizen: Citizen, desk: Desk, mark: str) -> None:
    told = f"春风里小区楼下餐馆油烟大{mark}，还有旁边工地半夜施工{mark}"
    offered = citizen.say(told, photo())
    assert "听起来是两件事" in offered.text
    first = citizen.say("分开报吧")
    assert "餐饮油烟" in first.text
    assert "工地" not in first.text
    second = citizen.confirm()
    assert second.card("ticket")
    assert "接着报另一件" in second.text
    assert "春风里小区" in second.replies[-1]["text"]
    citizen.confirm()
    assert len(citizen.say("查一下我的投诉").cards("ticket")) == 2


def test_a_phone_number_is_masked_and_kept_out_of_the_words(
    citizen: Citizen, desk: Desk, mark: str
) -> None:
    shown = citizen.say(f"春风里小区楼下餐馆油烟太大了，{mark}，我电话13812345678，姓王")
    assert "联系方式：138****5678（王）" in shown.text
    assert "13812345678" not in shown.text
    assert "匿名" in citizen.say("不留了").text
    assert citizen.confirm().card("ticket")
    assert "13812345678" not in desk.wait_request(mark)["description"]


def test_an_album_sent_one_by_one_is_asked_about_once(citizen: Citizen) -> None:
    asked = [citizen.say("", photo()).text for _ in range(3)]
    assert "什么问题" in asked[0]
    assert asked[1:] == ["照片收到了。现在有2张照片。", "照片收到了。现在有3张照片。"]
