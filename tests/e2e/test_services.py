"""Job one: how do I get something done."""

from __future__ import annotations

import pytest

from tests.e2e.driver import Citizen

pytestmark = pytest.mark.e2e


def test_an_enquiry_with_follow_ups_that_do_not_name_the_item_again(citizen: Citizen) -> None:
    first = citizen.say("身份证丢了怎么补办")
    assert first.intent == "ask_service"
    card = first.card("service")
    assert card["id"] == "id_card_replace"
    assert {"办理材料", "办理地点", "费用", "办理时限", "依据"} <= set(card["fields"])

    for words, intent, essential in (
        ("要带什么", "ask_materials", "户口簿"),
        ("在哪办", "ask_place_time", "派出所"),
        ("多少钱", "ask_fee", "40元"),
        ("要多久", "ask_duration", "10个工作日"),
    ):
        heard = citizen.say(words)
        assert heard.intent == intent, words
        assert essential in heard.text, words
        assert heard.card("service")["id"] == "id_card_replace", words


def test_a_colloquial_enquiry_finds_its_item(citizen: Citizen) -> None:
    heard = citizen.say("俺娃刚生下来咋上户口")
    assert heard.card("service")["id"] == "birth_registration"
    assert "出生医学证明" in heard.text
    # A circumstance that changes the answer is asked with it, and may be left open.
    assert "已领结婚证" in heard.buttons
    pressed = citizen.press("多少钱")
    assert pressed.card("service")["id"] == "birth_registration"
    assert "不收费" in pressed.text


def test_an_ambiguous_item_is_asked_back_with_buttons(citizen: Citizen) -> None:
    asked = citizen.say("社保卡")
    assert not asked.cards("service")
    assert {"社会保障卡申领", "社会保障卡补领"} <= set(asked.buttons)
    chosen = citizen.press("社会保障卡补领")
    assert chosen.card("service")["id"] == "social_card_replace"
    # The choice is remembered.
    assert citizen.say("要带什么材料").card("service")["id"] == "social_card_replace"


def test_an_unknown_item_is_not_guessed(citizen: Citizen) -> None:
    heard = citizen.say("热气球飞行许可证怎么办")
    assert not heard.cards("service"), "an item was guessed"
    assert any("转人工" in title for title in heard.buttons)


def test_what_others_handle_is_told(citizen: Citizen) -> None:
    heard = citizen.say("商标注册怎么弄")
    assert not heard.cards("service"), "an item was guessed"
    assert "国家知识产权局" in heard.text


def test_changing_the_subject_changes_what_follow_ups_are_about(citizen: Citizen) -> None:
    citizen.say("身份证丢了怎么补办")
    assert citizen.say("那护照怎么办").card("service")["id"] == "passport"
    assert citizen.say("多少钱").card("service")["id"] == "passport"


def test_traditional_characters_are_understood(citizen: Citizen) -> None:
    heard = citizen.say("身分證遺失了怎麼補辦")
    assert heard.card("service")["id"] == "id_card_replace"
