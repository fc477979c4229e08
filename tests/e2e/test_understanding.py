"""What is misheard, long-winded or holds two wishes, through the whole product."""

from __future__ import annotations

import json

import pytest

from tests.e2e.driver import Citizen
from tests.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("words", "item"),
    [
        ("嗯那个我想问一下设保卡丢了咋补办呀", "social_card_replace"),
        ("喂你好我我想办个公积金题取要带啥", "housing_fund_withdraw"),
        ("護照點樣辦呀", "passport"),
    ],
)
def test_misheard_and_traditional_words_find_their_item(
    citizen: Citizen, words: str, item: str
) -> None:
    assert citizen.say(words).card("service")["id"] == item


def test_two_wishes_are_both_answered(citizen: Citizen) -> None:
    heard = citizen.say("楼下餐馆油烟太大了熏得人睡不着，另外护照怎么办理")
    assert heard.card("service")["id"] == "passport"
    assert "什么地方" in heard.body["replies"][-1]["text"]  # the complaint asks where
    assert citizen.say("文昌路春风里小区").category is None


def test_a_policy_search_waits_for_the_complaint(citizen: Citizen) -> None:
    citizen.say("工地半夜施工太吵了，文昌路18号")
    assert "记着" in citizen.say("我们厂能领什么补贴").text
    after = citizen.say("取消")
    assert "我们厂能领什么补贴" in after.text
    assert citizen.press("现在找政策").intent == "ask_policy"


def test_what_is_not_understood_is_kept_for_review(citizen: Citizen, stack: Stack) -> None:
    citizen.say("😀😀👍")
    listed = stack.shimin("nlu", "review", "--json")
    assert listed.returncode == 0, listed.stderr
    assert "😀😀👍" in [words for c in json.loads(listed.stdout) for words in c["words"]]
