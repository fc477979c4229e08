"""Every reply the product can build over its own data is fit for the Chat API."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions import complaint_replies, policy_replies, service_replies
from actions.conversation import TITLES
from actions.policy_aspects import Aspect, aspect_of, in_list
from actions.resources import catalogue, categories
from actions.turn import button
from channels.message import Card, Reply
from channels.payloads import is_payload
from dispatch.case.lifecycle import STATUS_NAMES
from dispatch.case.wording import rating_buttons, status_reply, ticket_card
from dispatch.reporting.draft import Contact, Draft, Occurred, Problems, Spot, new_draft
from enquiries import wording
from enquiries.linking.words import read
from matcher.eligibility import evaluate
from matcher.gathering import gather
from matcher.policy import Policy, Window
from matcher.profile import ATTRIBUTES, Profile, complete
from matcher.ranking import match
from matcher.service import FIRST_SENTENCE, ServiceItem, first_sentence
from matcher.situation import ASPECTS
from matcher.situation import Aspect as ItemAspect
from store.models import Ticket, plain

ROOT = Path(__file__).resolve().parents[2]
Buttons = Iterable[dict[str, str]]
SPOT = Spot(
    address="云东区文昌路18号", district="云东区", latitude=30.27, longitude=120.15, source="shared"
)


def check_buttons(buttons: Buttons, where: str) -> None:
    for pressed in buttons:
        assert set(pressed) == {"title", "payload"}, where
        known = is_payload(pressed["payload"]) or read(pressed["payload"]) is not None
        assert known, f"{where}: {pressed}"
        assert 0 < len(pressed["title"]) <= 40, f"{where}: {pressed}"


def check_card(card: dict[str, Any]) -> Card:
    shown = Card.model_validate(card)
    for name, value in shown.fields.items():
        assert value.strip(), f"{shown.id}: {name} is empty"
        assert "None" not in value
    return shown


def check_text(text: str, where: str) -> None:
    assert text.strip() == text, where
    assert not re.search(r"None|\{|\}|True|False|\n\n", text), f"{where}: {text}"


# --- services -----------------------------------------------------------------------------


def situations(item: ServiceItem) -> Iterable[dict[str, str]]:
    """No situation, each option alone, and every combination."""
    choices = [[(v.id, option.id) for option in v.options] for v in item.variants]
    yield {}
    yield from ({variant: option} for options in choices for variant, option in options)
    if choices:
        yield from (dict(combination) for combination in product(*choices))


@pytest.mark.parametrize("aspect", ASPECTS)
def test_every_answer_begins_with_one_short_sentence_and_ends_with_its_source(
    aspect: ItemAspect,
) -> None:
    assert len(catalogue().services) >= 150
    for item in catalogue().services:
        halls = catalogue().halls_for(item)
        for situation in situations(item):
            text = wording.answer(item, aspect, halls, situation)
            where = f"{item.id} {aspect} {situation}"
            check_text(text, where)
            assert len(first_sentence(text)) <= FIRST_SENTENCE, f"{where}: {text}"
            last = text.splitlines()[-1]
            assert item.name in last and item.department in last, where
            assert f"{item.checked.year}年{item.checked.month}月" in last, where
            assert len(wording.spoken(text)) <= len(text), where


def test_every_package_is_answered() -> None:
    assert len(catalogue().packages) >= 10
    for package in catalogue().packages:
        items = [catalogue().service(step.service) for step in package.steps]
        known = [item for item in items if item is not None]
        assert len(known) == len(items)
        text = wording.package_answer(package, known)
        check_text(text, package.id)
        assert len(first_sentence(text)) <= FIRST_SENTENCE
        names = [material.name for material in gather(known)]
        assert len(set(names)) == len(names)
        check_card(service_replies.package_card(package, known))
        buttons = service_replies.package_buttons(package, known)
        check_buttons(buttons, package.id)
        assert buttons[0]["title"] == "建个清单"
        assert len(buttons) <= 7
        for step, item in zip(package.steps, known, strict=True):
            listed = any(pressed["title"].endswith(f". {item.name}") for pressed in buttons)
            assert listed or step.when or len(buttons) == 7


def test_each_question_gets_its_own_answer() -> None:
    item = catalogue().service("id_card_replace")
    assert item is not None
    halls = catalogue().halls_for(item)
    answers = {aspect: wording.answer(item, aspect, halls, {}) for aspect in ASPECTS}
    assert len(set(answers.values())) == len(ASPECTS)
    assert answers["all"].startswith(item.answer)
    assert item.fee.text in answers["fee"]
    assert item.time_limit.text in answers["duration"]
    for number, material in enumerate(item.materials, start=1):
        assert f"{number}. {material.name}" in answers["materials"]


def test_buttons_offer_what_was_not_asked_and_every_option() -> None:
    for item in catalogue().services:
        for intent in service_replies.ASPECT_OF:
            buttons = service_replies.answer_buttons(item, intent)
            check_buttons(buttons, item.id)
            assert not any(pressed["payload"].startswith(f"/{intent}{{") for pressed in buttons)
        for variant in item.variants:
            buttons = service_replies.variant_buttons(item, variant)
            check_buttons(buttons, item.id)
            assert len(buttons) == len(variant.options)


def test_every_service_card_is_complete() -> None:
    for item in catalogue().services:
        card = check_card(service_replies.service_card(item))
        assert (card.kind, card.id, card.title) == ("service", item.id, item.name)
        assert set(card.fields) >= {"办理材料", "办理步骤", "办理地点", "费用", "办理时限", "依据"}
        check_buttons([button(item.name, "choose_service", service_id=item.id)], item.id)


# --- policies -----------------------------------------------------------------------------


def test_every_policy_can_be_told() -> None:
    for policy in catalogue().policies:
        empty = Profile(kind=policy.audience, id="c", attributes={})
        text, buttons, card = policy_replies.policy_detail(policy, empty)
        check_text(text, policy.id)
        check_buttons(buttons, policy.id)
        shown = check_card(card)
        assert (shown.kind, shown.id) == ("policy", policy.id)
        assert policy.benefit.text in text
        assert "按您说的情况" not in text
        assert shown.fields["结论"] == "可能符合"
        assert policy.document.title in shown.fields["依据"]
        assert ("示例城市政策" in shown.fields["依据"]) == (policy.origin == "sample")


@pytest.mark.parametrize("aspect", ["amount", "window", "materials", "apply", "conditions"])
def test_every_policy_is_told_beginning_with_one_short_sentence(aspect: Aspect) -> None:
    assert len(catalogue().policies) >= 212
    for policy in catalogue().policies:
        for known in ({}, {"district": "云东区"}):
            profile = Profile(kind=policy.audience, id="c", attributes=known)
            text, _, _ = policy_replies.policy_detail(policy, profile, aspect=aspect)
            first = first_sentence(text)
            assert 3 < len(first) <= FIRST_SENTENCE, f"{policy.id}: {first}"
            assert first.endswith("。")
            assert f"\n【{policy.title}】" in text
            for told in (policy.benefit.text, policy.apply.place, *policy.materials):
                assert told in text
            assert text.count(policy.benefit.text) == 1 + (policy.benefit.text in policy.summary)


def test_what_was_asked_of_a_policy_comes_first() -> None:
    policy = catalogue().policy("elderly_allowance")
    assert policy is not None
    nobody = Profile(kind="resident", id="c", attributes={})
    for asked, begins in (
        ("能领多少钱", "能得到：80至89周岁每月100元"),
        ("要什么材料", "要准备："),
        ("截止到什么时候", "申请时间：现在可以申请"),
        ("怎么申请", "去哪办："),
        ("要什么条件", f"要符合{len(policy.eligibility)}个条件。"),
    ):
        aspect = aspect_of(asked)
        text, _, _ = policy_replies.policy_detail(policy, nobody, aspect=aspect)
        assert text.startswith(begins)
    assert all(condition.text in text for condition in policy.eligibility)
    known = Profile(kind="resident", id="c", attributes={"age": 30})
    text, _, _ = policy_replies.policy_detail(policy, known, aspect="conditions")
    assert text.startswith("按您说的情况：不符合。")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("第一个怎么申请", 0),
        ("第二个要什么材料", 1),
        ("第一个截止到什么时候", 0),
        ("那第3项补贴能拿多少钱？", 2),
        ("说说第二个", 1),
        ("第二个呢", 1),
        ("最后一个在哪办", 2),
        ("第一条什么条件", 0),
        ("第２个我符不符合", 1),
        ("第四个怎么申请", None),
        ("第一个孩子上户口怎么办", None),
        ("第二个月工资没发", None),
        ("第一个我申请过了", None),
        ("第一个不是我要的", None),
        ("第一次申请要什么材料", None),
        ("三个都怎么申请", None),
        ("怎么申请", None),
    ],
)
def test_a_policy_is_meant_by_its_place_in_the_list(text: str, place: int | None) -> None:
    shown = ("a", "b", "c")
    assert in_list(text, shown) == (None if place is None else shown[place])
    assert in_list(text, ()) is None


def test_the_verdict_is_told_once_something_is_known() -> None:
    policy = catalogue().policy("elderly_allowance")
    assert policy is not None
    young = Profile(kind="resident", id="c", attributes={"age": 30})
    text, _, card = policy_replies.policy_detail(policy, young)
    assert "按您说的情况：不符合。" in text
    assert card["fields"]["结论"] == "不符合"
    assert evaluate(policy, complete(young)).verdict == "ineligible"


@pytest.mark.parametrize("kind", ["enterprise", "resident"])
@pytest.mark.parametrize("shown", [True, False])
def test_every_column_can_be_asked_for(kind: str, shown: bool) -> None:
    for attribute in ATTRIBUTES[kind].values():
        if shown:
            text, buttons, _ = policy_replies.results([], attribute, Profile(kind, "c", {}), ())
        else:
            text, buttons = policy_replies.ask_attribute(attribute, (), first=True)
        assert text.endswith(attribute.question)
        check_buttons(buttons, attribute.name)
        assert any(pressed["title"] == "不清楚" for pressed in buttons)


@pytest.mark.parametrize(
    "profile",
    [
        Profile(kind="resident", id="c", attributes={"age": 82, "hukou": "local"}),
        Profile(kind="enterprise", id="c", attributes={"headcount": 80, "industry": "industry"}),
        Profile(kind="enterprise", id="c", attributes={}),
    ],
)
def test_results_show_five_with_cards(profile: Profile) -> None:
    matches = match(catalogue(), profile)
    text, buttons, cards = policy_replies.results(matches, None, profile, ())
    assert len(cards) == min(5, len(matches)) > 0
    check_text(text, profile.kind)
    check_buttons(buttons, profile.kind)
    for found, card in zip(matches, cards, strict=False):
        assert check_card(card).id == found.policy.id
        assert found.policy.title in text
    assert "以受理部门审核为准" in text


def test_no_results_are_said_plainly() -> None:
    text, buttons, cards = policy_replies.results([], None, Profile("resident", "c", {}), ())
    assert "没有找到" in text
    assert (buttons, cards) == ([], [])


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(), "现在可以申请"),
        (Window(note="常年受理"), "现在可以申请。常年受理"),
        (
            Window(opens=date(2026, 12, 1), closes=date(2026, 12, 31)),
            "还没开始，2026年12月01日开始，2026年12月31日截止",
        ),
        (Window(closes=date(2026, 11, 20)), "已经截止，2026年11月20日截止"),
        (Window(closes=date(2026, 11, 21)), "现在可以申请，今天截止"),
        (Window(closes=date(2026, 12, 21)), "现在可以申请，还有30天截止（2026年12月21日）"),
        (Window(closes=date(2026, 12, 22)), "现在可以申请，2026年12月22日截止"),
    ],
)
def test_windows_in_words(window: Window, expected: str) -> None:
    policy: Policy = catalogue().policies[0].model_copy(update={"window": window})
    assert policy_replies.window_text(policy, date(2026, 11, 21)) == expected


def test_facts_are_said_back() -> None:
    text = policy_replies.facts_text("enterprise", {"headcount": 80, "revenue_wan": 2000})
    assert "从业人数80人" in text
    assert "2000万元" in text


def test_which_policy_and_which_kind() -> None:
    check_buttons(policy_replies.ask_kind(())[1], "ask_kind")
    assert policy_replies.ask_kind(("not_understood",))[0].startswith("这个我没听明白")
    for choices in ((), catalogue().policies[:3]):
        text, buttons = policy_replies.which_policy(choices)
        check_text(text, "which_policy")
        check_buttons(buttons, "which_policy")


# --- complaints ---------------------------------------------------------------------------


_ASKING = ("choose_category", "what_is_wrong", "leave_phone")


def drafts() -> list[Draft]:
    full = new_draft().model_copy(update={"words": ("油烟太大",), "place": SPOT})
    found = [new_draft(), new_draft().model_copy(update={"word_tries": 1})]
    found += [
        full.model_copy(update={"place": None, **changes})
        for changes in ({}, {"place_tries": 1}, {"place_options": (SPOT, SPOT)}, {"photos": ("a",)})
    ]
    codes = categories().codes
    for code in codes:
        sure = full.model_copy(update={"category": code})
        found += [sure, sure.model_copy(update={"category_options": codes[:3]})]
        found += [
            sure.model_copy(update={"notes": (note,)})
            for note in (
                "choose_category",
                "what_is_wrong",
                "leave_phone",
                *complaint_replies.NOTES,
            )
        ]
    parts = ("油烟太大", "路灯坏了", "工地半夜施工")
    found += [
        sure.model_copy(update={"problems": Problems(statement="都说了", parts=parts[:count])})
        for count in (2, 3)
    ]
    asked = {"place": None, "place_options": (SPOT, SPOT), "photo_place": "asked"}
    return [*found, full.model_copy(update=asked)]


def test_every_question_of_the_form() -> None:
    for draft in drafts():
        assert draft.gap is not None
        text, buttons = complaint_replies.question(draft, draft.gap, categories())
        check_text(text, draft.gap)
        check_buttons(buttons, draft.gap)
        assert buttons


def test_the_numbers_to_call_come_before_the_next_question() -> None:
    words = ("护栏被车撞了，开车的叫不醒",)
    danger = new_draft().model_copy(update={"words": words, "notes": ("danger",)})
    text, _ = complaint_replies.question(danger, "place", categories())
    assert text.index("120") < text.index("在什么地方")


def test_the_summary_shows_what_will_be_filed() -> None:
    draft = new_draft().model_copy(
        update={
            "words": ("油烟太大", "每天晚上都这样"),
            "place": SPOT,
            "category": "air.cooking_fume",
            "photos": ("a", "b"),
        }
    )
    text, buttons = complaint_replies.question(draft, "confirmed", categories())
    for part in ("油烟太大", "每天晚上都这样", "餐饮油烟", SPOT.address, "2张"):
        assert part in text
    assert buttons[0] == {"title": "确认提交", "payload": "/affirm"}


def confirmation(**changes: object) -> tuple[str, dict[str, str]]:
    ready = {"words": ("油烟太大",), "place": SPOT, "category": "air.cooking_fume"}
    draft = new_draft().model_copy(update={**ready, **changes})
    text, buttons = complaint_replies.question(draft, "confirmed", categories())
    return text, {pressed["title"]: pressed["payload"] for pressed in buttons}


def test_the_summary_shows_time_video_and_who_can_be_reached() -> None:
    text, buttons = confirmation()
    assert "联系方式：匿名" in text
    assert "时间：" not in text
    assert "视频：" not in text
    assert buttons["留个电话"] == "/change_contact"
    moment = datetime(2026, 11, 20, 10, tzinfo=UTC)
    occurred = Occurred(start=moment, end=moment, shown="11月20日 18:00", source="photo")
    contact = Contact(phone="13812345678", name="王")
    text, buttons = confirmation(occurred=occurred, contact=contact, videos=("v",))
    assert "时间：11月20日 18:00（照片拍摄时间）" in text
    assert "联系方式：138****5678（王）" in text
    assert "13812345678" not in text
    assert "视频：1段" in text
    assert buttons["不留电话"] == '/change_contact{"contact": "none"}'
    assert (
        "11月20日 18:00\n"
        in confirmation(occurred=occurred.model_copy(update={"source": "words"}))[0]
    )


def test_an_address_no_map_knows_is_shown_as_typed() -> None:
    typed = Spot(address="平安里12号", district=None, latitude=None, longitude=None, source="typed")
    text, _ = confirmation(place=typed)
    assert "地点：平安里12号（按您说的记）" in text
    assert "http" not in text
    assert "地图：http" in confirmation()[0]


def test_separate_problems_are_offered_apart() -> None:
    text, buttons = confirmation(problems=Problems(statement="油烟太大", parts=("油烟", "路灯")))
    assert "听起来是两件事，分开报处理得更快" in text
    assert buttons["分开报"] == '/choose_split{"split": "yes"}'
    assert buttons["合成一件"] == '/choose_split{"split": "no"}'
    assert "确认提交" not in buttons


def test_which_place_holds() -> None:
    photo = SPOT.model_copy(update={"address": "云西区古井路", "source": "photo"})
    named = SPOT.model_copy(update={"source": "text"})
    asked = {"words": ("油烟",), "place_options": (photo, named), "photo_place": "asked"}
    draft = new_draft().model_copy(update=asked)
    text, buttons = complaint_replies.question(draft, "place", categories())
    assert text == "照片是在云西区古井路拍的，您说的是云东区文昌路18号，以哪个为准？"
    titles = [pressed["title"] for pressed in buttons]
    assert titles == ["照片的位置", "我说的地点", "都不是，重新说"]


def test_one_more_photo_is_acknowledged_in_one_short_line() -> None:
    ready = {"words": ("油烟太大",), "place": SPOT, "category": "air.cooking_fume"}
    notes = ("photos_received", "asked_already")
    draft = new_draft().model_copy(update={**ready, "photos": ("a", "b"), "notes": notes})
    text, buttons = complaint_replies.question(draft, "confirmed", categories())
    assert text == "照片收到了。现在有2张照片。"
    assert buttons[0]["title"] == "确认提交"


def ticket(code: str, status: str = "submitted", severity: str = "normal") -> Ticket:
    moment = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)
    return Ticket(
        id="SM20261121000042",
        citizen_id="api:c-1",
        draft_id="d",
        created_at=moment,
        updated_at=moment,
        status=status,
        category=code,
        severity=severity,
        department=categories()[code].department,
        district="云东区",
        description=plain("油烟太大"),
    )


@pytest.mark.parametrize("severity", ["normal", "urgent"])
def test_every_category_can_be_filed(severity: str) -> None:
    assert len(categories()) == 21
    for category in categories():
        filed = ticket(category.code, severity=severity)
        text = complaint_replies.filed_text(filed, category)
        check_text(text, category.code)
        assert f"已受理，工单号 {filed.id}" in text
        assert category.department in text
        assert (category.advice in text) == (severity == "urgent")
        card = check_card(ticket_card(filed, category))
        assert (card.kind, card.fields["提交时间"]) == ("ticket", "2026-11-21 09:30")
        pressed = button(category.name, "choose_category", category=category.code, confirmed="yes")
        check_buttons([pressed], category.code)


@pytest.mark.parametrize("status", sorted(set(STATUS_NAMES) - {"draft"}))
def test_every_step_is_news_for_the_citizen(status: str) -> None:
    category = categories()["air.cooking_fume"]
    filed = ticket(category.code, status)
    for unit, note in ((None, None), ("市城市管理局", "已加装净化器。")):
        raw = status_reply(filed, category, status, unit, note)
        reply = Reply.of(raw)
        check_text(reply.text, status)
        check_buttons(raw["buttons"], status)
        assert filed.id in reply.text
        assert (note or "") in reply.text
        asks = {"resolved", "verified", "closed", "rejected"}  # what comes next is his to say
        assert bool(raw["buttons"]) == (status in asks)


def test_rating_buttons() -> None:
    check_buttons(rating_buttons("SM20261121000042"), "rating")


# --- buttons outside the builders ---------------------------------------------------------


def test_buttons_of_the_domain_are_allowed() -> None:
    for path in sorted((ROOT / "bot" / "domain").glob("*.yml")):
        responses = yaml.safe_load(path.read_text("utf-8")).get("responses", {})
        for name, variants in responses.items():
            for variant in variants:
                check_buttons(variant.get("buttons", []), name)


def test_buttons_written_out_in_the_actions_are_allowed() -> None:
    pattern = re.compile(r'button\(\s*f?"[^"]*",\s*"([a-z_]+)"')
    named = {
        intent
        for path in (ROOT / "actions").glob("*.py")
        for intent in pattern.findall(path.read_text("utf-8"))
    }
    assert len(named) > 15
    for intent in named | set(TITLES):
        assert is_payload(f"/{intent}"), intent
