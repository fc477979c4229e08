"""Checklists over the city's own guides: what they list, count and hear."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enquiries.checklist_text import (
    PAGE,
    entries_on,
    gone_text,
    next_text,
    page_of,
    pages,
    progress_text,
    question_text,
    sheet_text,
)
from enquiries.checklists import Name, Plan, Sheet, sheet_of
from enquiries.ticking import LONGEST, hear_ticks
from matcher.guides import Guides, GuideShelf
from matcher.package import open_question
from matcher.service import FIRST_SENTENCE, first_sentence

CITY = Path(__file__).resolve().parents[2] / "policies"
GUIDES = Guides.load(CITY)
BABY = Plan({"maternity_benefit": True})


def sheet(matter: str = "newborn", plan: Plan = BABY, *done: Name) -> Sheet:
    found = sheet_of(GUIDES, matter, plan, done)
    assert found is not None
    return found


def names(found: Sheet, kind: str) -> list[str]:
    return [entry.name for entry in found.entries if entry.kind == kind]


def test_a_checklist_lists_what_the_chosen_steps_ask_for() -> None:
    found = sheet()
    assert names(found, "step") == [
        "birth_certificate", "birth_registration", "medical_newborn", "social_card_apply",
        "maternity_benefit",
    ]  # fmt: skip
    assert "病历和诊断证明" in names(found, "material")
    assert "病历和诊断证明" not in names(sheet(plan=Plan()), "material")
    assert "出生医学证明" not in names(found, "material")  # the first step gives it


def test_what_the_citizen_tells_changes_the_materials() -> None:
    told = BABY.with_situation("birth_registration", {"marriage": "unmarried_mother"})
    assert "非婚生育情况说明" in names(sheet(plan=told), "material")
    assert Plan.read(told.as_dict()) == told
    single = Plan().with_situation("disability_cert", {"reason": "lost"})
    assert "病历和诊断证明" in names(sheet("disability_cert", Plan()), "material")
    assert "病历和诊断证明" not in names(sheet("disability_cert", single), "material")


def test_what_is_said_of_oneself_goes_before_what_the_package_settles() -> None:
    needed = {"vehicle_transfer": True}
    inherited = names(sheet("after_death", Plan(needed)), "material")
    assert "二手车销售统一发票" not in inherited
    sold = Plan(needed).with_situation("vehicle_transfer", {"reason": "sale"})
    assert "二手车销售统一发票" in names(sheet("after_death", sold), "material")


def test_an_unknown_matter_has_no_checklist_and_an_item_has_its_own() -> None:
    assert sheet_of(GUIDES, "no_such_thing", Plan(), ()) is None
    found = sheet("id_card_replace", Plan())
    assert found.count("step") == (0, 1)
    assert names(found, "material") == ["居民户口簿"]


def test_the_next_step_waits_for_its_predecessors() -> None:
    found = sheet()
    following = found.next_item()
    assert following is not None
    assert following.id == "birth_certificate"
    waiting = {entry.name for entry in found.of("step") if not entry.ready}
    assert waiting == {
        "birth_registration", "medical_newborn", "social_card_apply", "maternity_benefit",
    }  # fmt: skip
    later = sheet("newborn", BABY, ("step", "birth_certificate"))
    following = later.next_item()
    assert following is not None
    assert following.id == "birth_registration"
    assert [e.name for e in later.of("step") if not e.ready] == ["social_card_apply"]
    finished = sheet("newborn", BABY, *(entry.key for entry in found.entries))
    assert finished.next_item() is None
    assert "全部办完了" in progress_text(finished)


def test_the_next_step_says_where() -> None:
    for matter in GUIDES.packages:
        one = sheet(matter.id, Plan())
        following = one.next_item()
        assert following is not None
        text = next_text(one, GUIDES.halls_for(following)) or ""
        assert following.name in text
        assert ("可以网上办" in text) == bool(following.online.entry)


@given(st.data())
def test_any_ticks_keep_the_counts_right_and_every_page_short(data: st.DataObject) -> None:
    package = data.draw(st.sampled_from(GUIDES.packages))
    answers = {step.service: data.draw(st.booleans()) for step in package.steps if step.when}
    plan = Plan(answers)
    keys = [entry.key for entry in sheet(package.id, plan).entries]
    done: set[Name] = set()
    for key in data.draw(st.lists(st.sampled_from(keys), max_size=12)):
        done ^= {key}
    found = sheet(package.id, plan, *done)
    assert {entry.key for entry in found.entries if entry.ticked} == done
    things, steps = found.count("material"), found.count("step")
    assert things[0] + steps[0] == len(done)
    assert things[1] + steps[1] == len(found.entries) == len(set(keys))
    shown = [entry for page in range(pages(found)) for entry in entries_on(found, page)]
    assert shown == list(found.entries)
    for page in range(pages(found)):
        assert len(entries_on(found, page)) <= PAGE
        text = sheet_text(found, page, ())
        assert len(first_sentence(text)) <= FIRST_SENTENCE
        assert f"{things[0]}/{things[1]}" in text or "全部办完了" in text
    for key in keys:
        assert key in [entry.key for entry in entries_on(found, page_of(found, key))]


def test_every_question_of_every_package_is_short_and_ends() -> None:
    for package in GUIDES.packages:
        for answer in (True, False):
            answers: dict[str, bool] = {}
            while (step := open_question(package, answers)) is not None:
                item = GUIDES.service(step.service)
                assert item is not None
                text = question_text(package, step, item, len(answers))
                assert len(first_sentence(text)) <= FIRST_SENTENCE
                assert text.endswith("您家是这种情况吗？")
                answers[step.service] = answer
            assert sheet_of(GUIDES, package.id, Plan(answers), ()) is not None


def test_vanished_entries_are_named() -> None:
    assert "旧表" in gone_text(["旧表"])


# --- words --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("身份证准备好了", ["居民身份证"]),
        ("户口本有了", ["居民户口簿"]),
        ("我的户口本找到了", ["居民户口簿"]),
        ("把戶口本備好了", ["居民户口簿"]),
        ("照片带上了。", ["证件照片"]),
        ("身份证和户口本都有了", ["居民身份证", "居民户口簿"]),
        ("第二步办完了", ["新生儿出生登记（上户口）"]),
        ("第2样准备好了", ["出生医学证明首次签发登记表"]),
        ("户口办完了", ["新生儿出生登记（上户口）"]),
        ("出生医学证明办好了", ["出生医学证明首次签发"]),
        ("社保卡办好了", ["社会保障卡申领"]),
        ("病历和诊断证明拿到了", ["病历和诊断证明"]),
    ],
)
def test_words_tick_what_they_name(words: str, titles: list[str]) -> None:
    heard = hear_ticks(words, sheet())
    assert heard is not None
    assert heard.done
    assert [entry.title for entry in heard.entries] == titles


def test_everything_at_once_and_not_yet() -> None:
    found = sheet()
    heard = hear_ticks("材料都齐了", found)
    assert heard is not None
    assert heard.entries == found.of("material")
    heard = hear_ticks("身份证还没有", found)
    assert heard is not None
    assert not heard.done
    assert [entry.title for entry in heard.entries] == ["居民身份证"]


def test_a_name_that_fits_several_is_asked_about() -> None:
    heard = hear_ticks("证明有了", sheet())
    assert heard is not None
    assert not heard.entries
    assert len(heard.candidates) > 1


@pytest.mark.parametrize(
    "words",
    [
        "", "有了", "好了", "身份证", "身份证准备好了吗", "户口本怎么办", "要带什么材料",
        "楼下垃圾堆了一个月没人清", "烧烤店的油烟又有了", "噪音没有了", "第九步办完了",
        "路灯坏了", "楼下烧烤店的油烟太大，户口本有了也没用，你们赶紧派人来看看啊行不行",
        "房产证有了", "我家孩子的幼儿园有了", "第零样有了", "第十一步办完了",
    ],
)  # fmt: skip
def test_other_words_tick_nothing(words: str) -> None:
    assert hear_ticks(words, sheet()) is None


@given(st.text(max_size=2 * LONGEST))
def test_hearing_never_fails_and_only_names_what_is_listed(words: str) -> None:
    found = sheet()
    heard = hear_ticks(words, found)
    if heard is not None:
        assert {*heard.entries, *heard.candidates} <= set(found.entries)
        assert bool(heard.entries) != bool(heard.candidates)


# --- guides -------------------------------------------------------------------------------


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    for folder in ("services", "packages"):
        (tmp_path / folder).mkdir()
    (tmp_path / "halls.yml").write_text((CITY / "halls.yml").read_text("utf-8"), "utf-8")
    source = (CITY / "services" / "id_card_replace.yml").read_text("utf-8")
    target = tmp_path / "services" / "id_card_replace.yml"
    target.write_text(source, "utf-8")
    shelf = GuideShelf(tmp_path)
    first = shelf.guides()
    assert shelf.guides() is first
    assert len(first.halls_for(first.services[0])) > 0
    target.write_text(source.replace("name: 居民身份证补领", "name: 补领居民身份证了"), "utf-8")
    item = shelf.guides().service("id_card_replace")
    assert item is not None
    assert item.name.startswith("补领居民身份证了")
