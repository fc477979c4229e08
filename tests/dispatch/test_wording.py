from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from dispatch.case.lifecycle import STATUS_NAMES
from dispatch.case.wording import rating_buttons, status_reply, ticket_card
from dispatch.classification.categories import Categories
from store.models import Ticket, plain

TOLD = sorted(set(STATUS_NAMES) - {"draft"})


def ticket(**changes: object) -> Ticket:
    values = {
        "id": "SM20261121000042",
        "citizen_id": "web:1",
        "status": "resolved",
        "category": "air.cooking_fume",
        "department": "市城市管理局",
        "district": "云东区",
        "created_at": datetime(2026, 11, 20, 16, 5, tzinfo=UTC),
        "updated_at": datetime(2026, 11, 21, 1, 30, tzinfo=UTC),
        "address": plain("春风里12号"),
        "description": plain("油烟太大"),
    }
    return Ticket(**{**values, **changes})


@pytest.mark.parametrize("status", TOLD)
def test_every_step_is_told_in_chinese(status: str, categories: Categories) -> None:
    found = ticket(status=status)
    reply = status_reply(found, categories["air.cooking_fume"], status, None, None)
    assert found.id in reply["text"]
    assert "{" not in reply["text"]
    words = reply["text"].replace("【进展通知】", "").replace(found.id, "")
    assert not re.search(r"[A-Za-z]", words)
    assert reply["cards"][0]["fields"]["状态"] == STATUS_NAMES[status]


def test_the_unit_at_work_and_its_explanation_are_told(categories: Categories) -> None:
    reply = status_reply(
        ticket(), categories["air.cooking_fume"], "resolved", "云东区{执法}队", "已装净化器"
    )
    assert "云东区{执法}队已办结" in reply["text"]
    assert "说明：已装净化器" in reply["text"]
    assert reply["cards"][0]["fields"]["办理说明"] == "已装净化器"


@pytest.mark.parametrize("status", TOLD)
def test_what_is_asked_with_a_step(status: str, categories: Categories) -> None:
    category = categories["air.cooking_fume"]

    def asked(**changes: object) -> list[str]:
        reply = status_reply(ticket(status=status, **changes), category, status, None, "好")
        return [button["title"] for button in reply["buttons"]]

    verdict, back = ["已解决", "没解决，重新办"], ["没解决，重新办"]
    ratings = ["非常满意", "满意", "基本满意", "不满意", "非常不满意"]
    expected = {
        "resolved": verdict,
        "verified": verdict,
        "closed": [*ratings, *back],
        "rejected": ["补充后重新反映", "转人工"],
    }.get(status, [])
    assert asked() == expected
    assert asked(rating=5) == (back if status == "closed" else expected)


@pytest.mark.parametrize("status", TOLD)
def test_a_follower_reads_the_same_and_is_asked_for_nothing(
    status: str, categories: Categories
) -> None:
    category, found = categories["air.cooking_fume"], ticket(status=status)
    own = status_reply(found, category, status, None, "好")
    other = status_reply(found, category, status, None, "好", owner=False)
    assert other["buttons"] == []
    assert own["text"].startswith(other["text"])
    assert other["cards"] == own["cards"]


def test_the_rating_buttons_carry_a_payload_the_bot_can_read() -> None:
    for button in rating_buttons("SM20261121000042"):
        name, _, entities = button["payload"].partition("{")
        assert name == "/rate_ticket"
        values = json.loads("{" + entities)
        assert values["ticket_id"] == "SM20261121000042"
        assert values["score"] in ("1", "2", "3", "4", "5")


def test_a_card_holds_city_time_but_neither_words_nor_address(categories: Categories) -> None:
    card = ticket_card(ticket(), categories["air.cooking_fume"])
    assert card["fields"]["提交时间"] == "2026-11-21 00:05"
    assert card["fields"]["更新时间"] == "2026-11-21 09:30"
    assert card["fields"]["所在区"] == "云东区"
    shown = json.dumps(card, ensure_ascii=False)
    assert "春风里" not in shown
    assert "油烟太大" not in shown


def test_a_category_the_city_dropped_is_shown_by_its_code(categories: Categories) -> None:
    card = ticket_card(ticket(category="air.gone", district=None), categories.get("air.gone"))
    assert card["fields"]["类别"] == "air.gone"
    assert "所在区" not in card["fields"]
