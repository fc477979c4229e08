from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from base.settings import Settings
from dispatch.classification.categories import Categories, load_categories
from dispatch.reporting.intake import (
    MAX_PHOTOS,
    MAX_WORDS,
    Draft,
    Heard,
    Intake,
    Location,
    new_draft,
)
from tests.dispatch.saying import (
    ELSEWHERE,
    INSIDE,
    OUTSIDE,
    WORDS,
    complained,
    exif,
    listen,
    pressed,
    said,
)

CODES = frozenset(load_categories(Settings().categories_file).codes)


# --- any order, three gaps ----------------------------------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(["words", "place", "photo"])))
def test_words_place_and_photos_come_in_any_order(intake: Intake, order: tuple[str, ...]) -> None:
    messages = {
        "words": complained(),
        "place": said("", "attach", locations=(INSIDE,)),
        "photo": said("", "attach", photos=("p1", "p2")),
    }
    draft = listen(intake, [messages[part] for part in order])
    assert draft.words == (WORDS,)
    assert draft.photos == ("p1", "p2")
    assert draft.place is not None
    assert (draft.place.latitude, draft.place.longitude) == (30.2741, 120.1551)
    assert draft.category == "air.cooking_fume"
    assert draft.gap == "confirmed"
    assert listen(intake, [said("对", "affirm")], draft).gap is None


def test_everything_in_one_message_leaves_one_question(intake: Intake) -> None:
    draft = listen(intake, [complained("文昌路12号楼下餐馆油烟太大了", photos=("p1",))])
    assert draft.gap == "confirmed"
    assert draft.place is not None
    assert draft.place.address.endswith("文昌路12号")
    assert draft.place.source == "text"


def test_at_most_three_questions_are_asked(intake: Intake) -> None:
    draft, asked = new_draft(), []
    for message in (
        said("我要投诉", "report_pollution"),
        complained(),
        said("春风里小区"),
        said("对", "affirm"),
    ):
        draft = intake.absorb(draft, message)
        asked.append(draft.gap)
    assert asked == ["words", "place", "confirmed", None]


@pytest.mark.parametrize("vague", ["我要投诉", "反映一个问题", "我想举报一下", "随手拍", "……"])
def test_a_wish_to_complain_is_not_yet_a_complaint(intake: Intake, vague: str) -> None:
    draft = listen(intake, [complained(vague)])
    assert draft.words == ()
    assert draft.gap == "words"


def test_words_the_classifier_does_not_know_are_taken_when_said_again(intake: Intake) -> None:
    draft = listen(intake, [complained("我要投诉"), said("门口那只鹅"), said("门口那只鹅")])
    assert draft.words == ("门口那只鹅",)
    assert draft.category is not None


def test_the_category_follows_all_the_words(intake: Intake, categories: Categories) -> None:
    draft = listen(intake, [complained(), said("还有人在楼道里堆垃圾", locations=(INSIDE,))])
    assert draft.words == (WORDS, "还有人在楼道里堆垃圾")
    assert draft.description == f"{WORDS}\n还有人在楼道里堆垃圾"
    assert draft.category in categories


def test_words_beyond_the_limit_are_refused_aloud(intake: Intake) -> None:
    draft = new_draft().model_copy(update={"words": ("烟" * 1500, "尘" * 1500)})
    grown = intake.add_words(draft, "灰" * (MAX_WORDS - 3000))
    assert grown.words == draft.words
    assert "words_full" in grown.notes
    assert intake.add_words(draft, "灰" * 900).words[-1] == "灰" * 900


# --- messages that come twice -------------------------------------------------------------


def test_a_message_that_comes_twice_counts_once(intake: Intake) -> None:
    message = complained(photos=("p1",), locations=(OUTSIDE,))
    draft = listen(intake, [message])
    assert intake.absorb(draft, message) is draft
    assert intake.absorb(draft, replace(message, text="别的话")) is draft


def test_remarks_are_for_one_reply_only(intake: Intake) -> None:
    draft = listen(intake, [complained(photos=("p1",))])
    assert draft.notes == ("photos_received",)
    assert listen(intake, [said("春风里小区")], draft).notes == ()


# --- photos and points --------------------------------------------------------------------


def test_a_photo_sent_twice_is_one_photo(intake: Intake) -> None:
    draft = listen(intake, [complained(photos=("p1", "p1")), said("", "attach", photos=("p1",))])
    assert draft.photos == ("p1",)


def test_punctuation_at_the_confirmation_is_no_complaint(intake: Intake, ready: Draft) -> None:
    assert listen(intake, [complained("？？")], ready).words == ready.words


def test_nine_photos_are_kept(intake: Intake) -> None:
    first = tuple(f"p{n}" for n in range(7))
    more = tuple(f"p{n}" for n in range(5, 12))
    draft = listen(intake, [said("", "attach", photos=first), said("", "attach", photos=more)])
    assert draft.photos == tuple(f"p{n}" for n in range(MAX_PHOTOS))
    assert "too_many_photos" in draft.notes


def test_the_point_in_a_photo_fills_an_open_place(intake: Intake) -> None:
    draft = listen(intake, [complained(photos=("p1",), locations=(exif(INSIDE),))])
    assert draft.place is not None
    assert draft.place.source == "photo"
    assert draft.place.address.startswith("云东区文昌街道")


def test_a_shared_point_wins_over_all_else(intake: Intake) -> None:
    draft = listen(intake, [complained("文昌路12号楼下餐馆油烟太大了")])
    moved = listen(intake, [said("", "attach", locations=(ELSEWHERE,))], draft)
    assert moved.place is not None
    assert (moved.place.source, moved.place.longitude) == ("shared", ELSEWHERE.longitude)


def test_a_point_outside_the_city_is_refused_a_photos_only_ignored(intake: Intake) -> None:
    shared = listen(intake, [complained(locations=(OUTSIDE,))])
    assert shared.place is None
    assert "outside_city" in shared.notes
    photo = listen(intake, [complained(photos=("p",), locations=(exif(OUTSIDE),))])
    assert photo.place is None
    assert "outside_city" not in photo.notes
    assert "photo_elsewhere" in photo.notes


def test_a_point_outside_does_not_undo_a_place_inside(intake: Intake, ready: Draft) -> None:
    draft = listen(intake, [said("", "attach", locations=(OUTSIDE,))], ready)
    assert draft.place == ready.place


# --- places in words ----------------------------------------------------------------------


@pytest.fixture
def placeless(intake: Intake) -> Draft:
    draft = listen(intake, [complained()])
    assert draft.gap == "place"
    return draft


def test_a_known_place_is_found(intake: Intake, placeless: Draft) -> None:
    draft = listen(intake, [said("在春风里小区那边")], placeless)
    assert draft.place is not None
    assert draft.place.address == "云东区文昌街道春风里小区"
    assert draft.place.district == "云东区"
    assert draft.words == placeless.words


def test_an_unclear_place_gives_options_to_press(intake: Intake, placeless: Draft) -> None:
    draft = listen(intake, [said("清河区")], placeless)
    assert draft.place is None
    assert 1 <= len(draft.place_options) <= 3
    chosen = listen(intake, [pressed("choose_place", place="0")], draft)
    assert chosen.place == draft.place_options[0]
    assert chosen.place_options == ()
    for number in ("9", "-1", "x", "", "²"):
        assert listen(intake, [pressed("choose_place", place=number)], draft).place is None


def test_an_unknown_address_is_taken_as_typed_on_the_second_try(
    intake: Intake, placeless: Draft
) -> None:
    once = listen(intake, [said("我们那口老井边上")], placeless)
    assert once.place is None
    assert once.notes == ("place_not_found",)
    twice = listen(intake, [said("老井后头第二个院子里")], once)
    assert twice.place is not None
    assert twice.place.source == "typed"
    assert twice.place.address == "老井后头第二个院子里"
    assert (twice.place.latitude, twice.place.longitude) == (None, None)


def test_what_is_no_address_is_never_taken_for_one(intake: Intake, placeless: Draft) -> None:
    draft = listen(intake, [said("我也不知道"), said("反正就那"), said("你猜")], placeless)
    assert draft.place is None
    assert draft.gap == "place"


def test_more_complaint_instead_of_a_place_is_kept(intake: Intake, placeless: Draft) -> None:
    draft = listen(intake, [complained("每天晚上都呛得睡不着")], placeless)
    assert draft.words == (WORDS, "每天晚上都呛得睡不着")
    assert draft.gap == "place"


# --- confirmation and corrections ---------------------------------------------------------


@pytest.mark.parametrize("yes", [said("对", "affirm"), pressed("affirm")])
def test_a_yes_confirms(intake: Intake, ready: Draft, yes: Heard) -> None:
    assert listen(intake, [yes], ready).confirmed


def test_a_button_pressed_too_early_confirms_nothing(intake: Intake, placeless: Draft) -> None:
    assert not listen(intake, [pressed("affirm")], placeless).confirmed
    chosen = pressed("choose_category", category="air.dust", confirmed="yes")
    assert not listen(intake, [chosen], placeless).confirmed


def test_a_bare_no_asks_what_is_wrong(intake: Intake, ready: Draft) -> None:
    draft = listen(intake, [said("不对", "deny")], ready)
    assert draft.notes == ("what_is_wrong",)
    assert not draft.confirmed
    assert (draft.category, draft.place) == (ready.category, ready.place)


def test_the_place_is_corrected_in_words(intake: Intake, ready: Draft) -> None:
    draft = listen(intake, [said("不对，是云州火车站", "correct", places=("云州火车站",))], ready)
    assert draft.place is not None
    assert draft.place.address.endswith("云州火车站")
    typed = listen(intake, [said("地址是鸟村88号", "correct", places=("鸟村88号",))], ready)
    assert typed.place is not None
    assert (typed.place.source, typed.place.address) == ("typed", "鸟村88号")


def test_the_place_is_corrected_by_button(intake: Intake, ready: Draft) -> None:
    draft = listen(intake, [pressed("change_place")], ready)
    assert draft.gap == "place"
    again = listen(intake, [said("文昌路12号")], draft)
    assert again.gap == "confirmed"
    assert again.words == ready.words


def test_the_category_is_corrected_in_words(
    intake: Intake, ready: Draft, categories: Categories
) -> None:
    name = categories["noise.commercial"].name
    draft = listen(intake, [said(f"不是，应该是{name}", "correct")], ready)
    assert (draft.category, draft.category_chosen) == ("noise.commercial", True)
    # a chosen category is not guessed again
    more = listen(intake, [complained("油烟也很大")], draft)
    assert more.category == "noise.commercial"
    assert more.words == (WORDS, "油烟也很大")


def test_the_category_is_chosen_by_button(intake: Intake, ready: Draft) -> None:
    asked = listen(intake, [pressed("change_category")], ready)
    assert asked.notes == ("choose_category",)
    chosen = listen(intake, [pressed("choose_category", category="air.odor")], asked)
    assert (chosen.category, chosen.category_chosen, chosen.confirmed) == ("air.odor", True, False)
    both = pressed("choose_category", category="air.odor", confirmed="yes")
    assert listen(intake, [both], ready).confirmed
    unknown = listen(intake, [pressed("choose_category", category="no.such")], ready)
    assert unknown.category == ready.category


def test_more_words_at_the_confirmation_are_added(intake: Intake, ready: Draft) -> None:
    draft = listen(intake, [complained("半夜噪音也很大")], ready)
    assert draft.words == (WORDS, "半夜噪音也很大")
    assert not draft.confirmed


def test_a_draft_survives_the_conversations_memory(intake: Intake, ready: Draft) -> None:
    assert Draft.model_validate(ready.model_dump(mode="json")) == ready


# --- anything at all ----------------------------------------------------------------------

SENTENCES = st.sampled_from(
    [
        WORDS,
        "我要投诉",
        "不对",
        "对",
        "春风里小区",
        "文昌路12号",
        "清河区",
        "鸟不拉屎村88号",
        "工地半夜施工",
        "楼下餐馆油烟大，还有旁边工地半夜施工",
        "我电话13812345678",
        "不留了",
        "以照片为准",
        "",
    ]
)
INTENTS = st.sampled_from(
    [
        "report_pollution",
        "report_city_issue",
        "emergency",
        "inform",
        "affirm",
        "deny",
        "correct",
        "attach",
        "change_place",
        "change_category",
        "choose_category",
        "choose_place",
        "choose_split",
        "change_contact",
        "nlu_fallback",
    ]
)
POINTS = st.builds(
    Location,
    latitude=st.floats(29.5, 31, allow_nan=False) | st.floats(-90, 90),
    longitude=st.floats(119.5, 121, allow_nan=False) | st.floats(-180, 180),
    source=st.sampled_from(["shared", "photo"]),
)
CHOICES = st.none() | st.dictionaries(
    st.sampled_from(["category", "place", "confirmed", "split", "contact"]),
    st.sampled_from(["0", "1", "7", "yes", "no", "none", "air.dust", "no.such", "", "²"]),
)
MESSAGES = st.builds(
    Heard,
    message_id=st.sampled_from([f"m{n}" for n in range(8)]),
    intent=INTENTS,
    text=SENTENCES | SENTENCES | SENTENCES | st.text(max_size=300),
    places=st.lists(SENTENCES | st.text(max_size=20), max_size=2).map(tuple),
    photos=st.lists(st.sampled_from([f"p{n}" for n in range(12)]), max_size=6).map(tuple),
    locations=st.lists(POINTS, max_size=2).map(tuple),
    choices=CHOICES,
)


@given(messages=st.lists(MESSAGES, min_size=1, max_size=8))
@example(
    messages=[
        Heard("m0", "report_pollution", "楼下餐馆油烟大，还有旁边工地半夜施工"),
        Heard("m1", "choose_split", "一起报"),
    ]
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_conversation_breaks_the_draft_or_loses_what_was_said(
    intake: Intake, messages: list[Heard]
) -> None:
    draft = new_draft()
    for message in messages:
        before, draft = draft, intake.absorb(draft, message)
        assert draft.id == before.id
        told = {part for kept in (draft, *draft.waiting) for part in kept.words}
        parts = before.problems.parts if before.problems else ()
        divided = bool(draft.waiting) and not before.waiting
        assert set(parts) <= told if divided else draft.words[: len(before.words)] == before.words
        assert "13812345678" not in draft.description
        assert draft.photos[: len(before.photos)] == before.photos
        assert len(draft.photos) <= MAX_PHOTOS
        assert len(set(draft.photos)) == len(draft.photos)
        assert not draft.words or draft.category in CODES
        assert draft.category is None or draft.category in CODES
        assert not draft.confirmed or (draft.words and (draft.place or before.confirmed))
        assert draft.gap in ("words", "place", "confirmed", None)
        assert Draft.model_validate(draft.model_dump(mode="json")) == draft


# --- danger -------------------------------------------------------------------------------


def test_people_in_danger_are_a_remark_for_the_next_reply_only(intake: Intake) -> None:
    """Whatever the model read: an accident told as a matter for the roads department."""
    draft = listen(intake, [said("护栏被车撞了，开车的叫不醒", "report_city_issue")])
    assert "danger" in draft.notes
    assert draft.words
    assert "danger" not in listen(intake, [said(locations=(INSIDE,))], draft).notes
