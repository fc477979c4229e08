"""Job three: what can I get."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.driver import Citizen
from tests.stack import Stack

pytestmark = pytest.mark.e2e
VERDICTS = ("符合", "可能符合")


def test_an_enterprise_tells_its_facts_in_a_sentence(citizen: Citizen) -> None:
    asked = citizen.say("我们是做零件的工厂，80个人，去年营收两千万，能享受什么政策")
    assert asked.intent == "ask_policy"
    assert "删除我的资料" in asked.text, "the purpose of asking is told first"
    for unasked in ("多少人", "营业收入"):
        assert unasked not in asked.text, "asked for what was already told"
    unknown = citizen.say("不清楚")
    assert unknown.text != asked.text

    found = citizen.press("先看结果")
    cards = found.cards("policy")
    assert cards
    ranks = [VERDICTS.index(card["fields"]["结论"]) for card in cards]
    assert ranks == sorted(ranks), "sure ones come first"
    reasons = "\n".join(card["fields"]["条件"] for card in cards)
    assert "✓" in reasons, reasons
    assert "?" in reasons or "？" in reasons, reasons
    for card in cards:
        assert card["title"] in found.text
        assert card["fields"]["依据"]
    # The datum that decides most comes with the results.
    assert "再告诉我一个情况" in found.text


def test_a_resident_asks_for_her_mother(citizen: Citizen) -> None:
    citizen.say("我妈82岁能领什么")
    found = citizen.say("本市户籍")
    card = next(c for c in found.cards("policy") if c["id"] == "elderly_allowance")
    assert card["fields"]["结论"] == "符合"
    assert "每月100元" in found.text


def test_a_profile_file_is_ranked_with_its_conditions(stack: Stack, tmp_path: Path) -> None:
    profile = {
        "kind": "resident",
        "id": "mother",
        "attributes": {"age": 82, "hukou": "local"},
    }
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(profile), encoding="utf-8")
    done = stack.shimin("match", "--profile", str(path), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    by_id = {found["policy"]: found for found in report["matches"]}
    allowance = by_id["elderly_allowance"]
    assert allowance["verdict"] == "eligible"
    assert {c["outcome"] for c in allowance["conditions"]} == {"true"}
    assert all(c["text"] for c in allowance["conditions"])

    profile["attributes"] = {"age": "eighty"}
    path.write_text(json.dumps(profile), encoding="utf-8")
    refused = stack.shimin("match", "--profile", str(path), "--json")
    assert refused.returncode == 2
    assert "profile_invalid" in refused.stderr


def test_one_policy_in_detail_and_how_to_apply(citizen: Citizen) -> None:
    amount = citizen.say("高龄津贴一个月多少钱")
    assert amount.intent == "ask_policy_detail"
    assert amount.card("policy")["id"] == "elderly_allowance"
    assert "每月100元" in amount.text
    deadline = citizen.say("这个补贴什么时候截止")
    assert deadline.card("policy")["id"] == "elderly_allowance"
    assert "申请时间" in deadline.text
    apply = citizen.say("怎么申请")
    assert apply.card("policy")["id"] == "elderly_allowance"
    assert "去哪办" in apply.text
    # A service item named outright is a new subject.
    assert citizen.say("身份证丢了怎么补办").card("service")["id"] == "id_card_replace"
    assert citizen.say("要带什么").card("service")["id"] == "id_card_replace"


def test_an_unknown_policy_is_not_guessed(citizen: Citizen) -> None:
    heard = citizen.say("养猫补贴一个月多少钱")
    assert not heard.cards("policy")
    assert heard.buttons


def test_subscribing_and_unsubscribing(citizen: Citizen) -> None:
    assert "已为您登记" in citizen.say("有新政策通知我").text
    assert "已经登记过" in citizen.say("订阅新政策").text
    ended = citizen.say("取消订阅")
    assert ended.intent == "unsubscribe_policies"
    assert "已取消订阅" in ended.text
    assert "没有订阅" in citizen.say("取消订阅").text


def test_forget_me_erases_what_was_told(citizen: Citizen) -> None:
    citizen.say("我妈82岁能领什么")
    known = citizen.say("本市户籍")
    assert any(c["id"] == "elderly_allowance" for c in known.cards("policy"))
    erased = citizen.say("删除我的资料")
    assert erased.intent == "forget_me"
    assert "都已删除" in erased.text
    assert "没有保存您的个人情况" in citizen.say("删除我的资料").text

    # The next search starts from nothing: without an age the allowance is not certain.
    citizen.say("个人能领什么补贴")
    if "给个人找" in citizen.buttons:
        citizen.press("给个人找")
    found = citizen.press("先看结果")
    certain = {c["id"] for c in found.cards("policy") if c["fields"]["结论"] == "符合"}
    assert "elderly_allowance" not in certain


def test_what_was_told_is_used_in_the_next_search(citizen: Citizen) -> None:
    citizen.say("我妈82岁能领什么")
    citizen.say("本市户籍")
    citizen.say("谢谢")
    again = citizen.say("再帮我看看老人能领什么补贴")
    found = again if again.cards("policy") else citizen.press("先看结果")
    assert any(c["id"] == "elderly_allowance" for c in found.cards("policy"))
