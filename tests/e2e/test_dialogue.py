"""What goes on around the three jobs: not understood, danger, say it again."""

from __future__ import annotations

import pytest

from tests.e2e.driver import Citizen, location

pytestmark = pytest.mark.e2e


def test_gibberish_gets_a_question_with_buttons_and_then_a_person(citizen: Citizen) -> None:
    first = citizen.say("……")
    assert first.intent == "nlu_fallback"
    assert first.category is None
    assert "没太听明白" in first.text
    assert first.buttons
    assert not first.cards("service")
    second = citizen.say("？？！")
    assert "转人工" in second.buttons
    assert "12345" in citizen.press("转人工").text
    # A message that is understood starts the count anew.
    citizen.say("谢谢")
    assert "转人工" not in citizen.say("……").buttons


def test_words_without_meaning_are_not_taken_for_a_request(citizen: Citizen) -> None:
    for words in ("阿斯顿发水电费规划", "qwe rty uio"):
        heard = citizen.say(words)
        assert not heard.body["replies"][0]["cards"], words
        assert heard.buttons, words
    assert citizen.say("查一下我的投诉").text.startswith("您在这里还没有提交过工单")


def test_emoji_only_is_answered_with_a_question(citizen: Citizen) -> None:
    heard = citizen.say("😀😀👍")
    assert heard.intent == "nlu_fallback"
    assert heard.buttons
    assert citizen.say("护照怎么办").card("service")["id"] == "passport"


def test_say_it_again(citizen: Citizen) -> None:
    said = citizen.say("身份证丢了怎么补办")
    again = citizen.say("再说一遍")
    assert again.intent == "repeat"
    assert again.text == said.text
    assert again.cards("service") == said.cards("service")
    assert again.buttons == said.buttons


def test_say_it_again_inside_a_complaint_asks_the_open_question(citizen: Citizen) -> None:
    asked = citizen.say("工地半夜还在打桩，吵死人了")
    again = citizen.say("再说一遍")
    assert again.intent == "repeat"
    assert len(again.replies) == 1
    assert again.text == asked.text
    confirmation = citizen.say("文昌路88号")
    assert citizen.say("没听清，再说一遍").text == confirmation.text
    assert citizen.confirm().card("ticket")


def test_say_it_again_inside_a_policy_search(citizen: Citizen) -> None:
    asked = citizen.say("我妈82岁能领什么")
    again = citizen.say("再说一遍")
    assert again.intent == "repeat"
    assert asked.text.endswith(again.text)
    assert citizen.say("本市户籍").cards("policy")


def test_danger_is_answered_with_numbers_first(citizen: Citizen) -> None:
    danger = citizen.say("煤气泄漏有人晕倒")
    assert danger.intent == "emergency"
    assert "119" in danger.text
    assert "120" in danger.text
    assert danger.text.index("119") < danger.text.index("不能代替您报警")
    assert not danger.cards("ticket")

    # Nothing has to be said twice: the words are already in the draft.
    place = citizen.press("人已安全，同时上报")
    assert "在什么地方" in place.text
    confirmation = citizen.say("", location())
    assert "煤气泄漏有人晕倒" in confirmation.text
    filed = citizen.confirm()
    assert filed.card("ticket")["id"] in filed.text


def test_danger_inside_a_complaint_keeps_the_complaint(citizen: Citizen) -> None:
    citizen.say("楼下垃圾堆成山了没人管")
    danger = citizen.say("着火了")
    assert danger.intent == "emergency"
    assert "119" in danger.replies[0]["text"]
    assert "在什么地方" in danger.replies[-1]["text"]
    assert "楼下垃圾堆成山了" in citizen.say("", location()).text


def test_traditional_characters_in_a_complaint(citizen: Citizen) -> None:
    heard = citizen.say("樓下餐館油煙太大了", location())
    assert heard.intent == "report_pollution"
    assert heard.category == "air.cooking_fume"
    assert "餐饮油烟" in heard.text
    assert "樓下餐館油煙太大了" in heard.text, "the citizen's own words are kept as he wrote them"


def test_help_and_a_person_are_always_one_word_away(citizen: Citizen) -> None:
    assert {"我要随手拍", "帮我找政策", "转人工"} <= set(citizen.say("你能干什么").buttons)
    assert "12345" in citizen.say("转人工").text


def test_a_payload_no_button_carries_is_only_words(citizen: Citizen) -> None:
    for text in ("/restart", "/session_start", '/file_complaint{"confirmed": "yes"}', "/emergency"):
        heard = citizen.say(text)
        assert not heard.cards("ticket"), text
        assert heard.intent not in {"restart", "session_start", "file_complaint"}, text


def test_a_typed_yes_withdraws_and_a_typed_no_does_not(citizen: Citizen) -> None:
    ticket = citizen.file_complaint("楼下餐馆油烟太大了，窗户都不敢开")
    citizen.say(f"撤销工单{ticket}")
    assert "不撤" in citizen.say("不是").text
    citizen.say(f"撤销工单{ticket}")
    withdrawn = citizen.say("是的")
    assert "已撤回" in withdrawn.text
    assert len(withdrawn.replies) == 1
    assert citizen.say("你好").intent == "greet"


def test_a_new_report_is_not_glued_to_a_paused_one(citizen: Citizen) -> None:
    citizen.say("楼下烧烤店油烟太大，呛得人睡不着")
    citizen.say("再见")
    answer = citizen.say("河水又黑又臭，离老远就闻得到")
    assert answer.category == "water.black_odor"
    summary = citizen.say("文昌路18号").text
    assert "河水又黑又臭" in summary
    assert "油烟" not in summary


def test_changing_sides_in_a_policy_search_starts_afresh(citizen: Citizen) -> None:
    citizen.say("我们公司有什么补贴可以申请")
    answer = citizen.say("那我个人能领什么补贴")
    assert answer.intent == "ask_policy"
    assert citizen.say("不清楚").text


def test_a_button_after_a_clarifying_question_brings_the_words_along(citizen: Citizen) -> None:
    unclear = (
        "上次举报过的那个砂石场又开始扬灰了",
        "楼下那家店真够呛",
        "楼上那位又搞事情",
        "树底下一堆不知道啥",
        "对面又闹上了",
    )
    for words in unclear:
        asked = citizen.say(words)
        readings = [title for title in asked.buttons if "反映污染" in title]
        if asked.intent == "nlu_fallback" and readings:
            break
        citizen.say("取消")
    else:
        pytest.fail("every one of these was understood: find words that are unclear")
    assert "什么地方" in citizen.press(readings[0]).text
