"""Photos against the place named, times, a phone number, several problems at once."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from base.calendar import CITY_TIME
from dispatch.reporting.draft import Contact, Draft, Heard, Location
from dispatch.reporting.evidence import DOUBTFUL_METRES
from dispatch.reporting.intake import Intake, next_problem
from tests.dispatch.saying import (
    ELSEWHERE,
    INSIDE,
    WORDS,
    complained,
    exif,
    listen,
    pressed,
    said,
)

# --- photos taken elsewhere ---------------------------------------------------------------

STATED = [complained(locations=(INSIDE,)), complained("文昌路12号楼下餐馆油烟太大了")]


@pytest.mark.parametrize("told", STATED)
def test_a_photo_from_far_away_raises_a_question_and_decides_nothing(
    intake: Intake, told: Heard
) -> None:
    named = listen(intake, [told]).place
    photo = said("", "attach", photos=("p1",), locations=(exif(ELSEWHERE),))
    together = replace(told, message_id="t", locations=(exif(ELSEWHERE), *told.locations))
    for messages in ([told, photo], [photo, told], [together]):
        draft = listen(intake, messages)
        assert (draft.place, draft.gap, draft.photo_place) == (None, "place", "asked")
        assert [spot.source for spot in draft.place_options] == ["photo", named and named.source]
        assert draft.place_options[1] == named


@pytest.fixture
def doubted(intake: Intake) -> Draft:
    """Asked whether the photo's place holds or the one named."""
    photo = replace(STATED[1], message_id="d", photos=("p1",), locations=(exif(ELSEWHERE),))
    return listen(intake, [photo])


@pytest.mark.parametrize(
    ("answer", "number"),
    [
        (pressed("choose_place", place="0"), 0),
        (pressed("choose_place", place="1"), 1),
        (said("以照片为准"), 0),
        (said("照片的位置", "nlu_fallback"), 0),
        (said("照片拍的地方对"), 0),
        (said("按我说的", "complain_bot"), 1),
        (said("按我说的，照片不准"), 1),
        (said("我刚才说的那个"), 1),
        (said("第二个"), 1),
    ],
)
def test_the_citizen_says_which_place_holds(
    intake: Intake, doubted: Draft, answer: Heard, number: int
) -> None:
    draft = listen(intake, [answer], doubted)
    assert draft.place == doubted.place_options[number]
    # and is not asked a second time
    again = said("", "attach", photos=("p2",), locations=(exif(ELSEWHERE),))
    assert listen(intake, [again], draft).place == draft.place


@pytest.mark.parametrize("answer", [pressed("change_place"), said("都不是，重新说")])
def test_neither_place_holds(intake: Intake, doubted: Draft, answer: Heard) -> None:
    draft = listen(intake, [answer], doubted)
    assert (draft.place, draft.place_options, draft.gap) == (None, (), "place")
    moved = listen(intake, [said("云州火车站")], draft)
    assert moved.place is not None
    assert moved.place.address.endswith("云州火车站")


@given(north=st.floats(-0.02, 0.02), east=st.floats(-0.02, 0.02))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_it_is_asked_beyond_a_kilometre_and_only_there(
    intake: Intake, north: float, east: float
) -> None:
    point = Location(latitude=INSIDE.latitude + north, longitude=INSIDE.longitude + east)
    metres = math.hypot(north * 110_850, east * 111_320 * math.cos(math.radians(30.27)))
    assume(abs(metres - DOUBTFUL_METRES) > 20)
    draft = listen(intake, [complained(locations=(INSIDE, exif(point)))])
    assert (draft.photo_place == "asked") is (metres > DOUBTFUL_METRES)


def test_a_photo_near_the_place_answers_for_the_others(intake: Intake) -> None:
    points = (INSIDE, exif(ELSEWHERE), exif(INSIDE))
    assert listen(intake, [complained(locations=points)]).gap == "confirmed"


def test_a_road_is_near_along_all_of_its_course(intake: Intake) -> None:
    end = Location(latitude=30.249, longitude=120.1556)  # where 人民路 begins, 3 km from its middle
    draft = listen(intake, [complained("人民路上垃圾没人扫", locations=(exif(end),))])
    assert draft.gap == "confirmed"
    assert draft.place is not None
    assert draft.place.source == "text"


def test_an_old_photo_is_only_evidence(intake: Intake) -> None:
    old = complained(locations=(exif(INSIDE),), photos=("p",))
    old = replace(old, taken_at=(old.at - timedelta(days=8),))
    draft = listen(intake, [old])
    assert (draft.place, draft.photo_spots, draft.occurred) == (None, (), None)
    assert "photo_old" in draft.notes


def test_changing_the_place_does_not_bring_the_photos_back(intake: Intake) -> None:
    draft = listen(intake, [complained(photos=("p",), locations=(exif(INSIDE),))])
    changed = listen(intake, [pressed("change_place"), said("不知道叫什么")], draft)
    assert changed.place is None


# --- albums, videos, times ----------------------------------------------------------------


def test_one_more_photo_of_an_album_is_only_acknowledged(intake: Intake) -> None:
    draft = listen(intake, [said("", "attach", photos=("p1",))])
    assert draft.notes == ("photos_received",)
    more = listen(intake, [said("", "attach", photos=("p2",))], draft)
    assert more.notes == ("photos_received", "asked_already")
    placed = said("", "attach", photos=("p3",), locations=(exif(INSIDE),))
    shown = listen(intake, [complained(), placed], more)
    assert "asked_already" not in shown.notes  # the place is filled: another question follows


def test_one_video_is_kept(intake: Intake) -> None:
    draft = listen(intake, [complained(videos=("v1",))])
    assert (draft.videos, draft.notes) == (("v1",), ("videos_received",))
    more = listen(intake, [said("", "attach", videos=("v2",))], draft)
    assert more.videos == ("v1",)
    assert "too_many_videos" in more.notes


def test_the_moment_of_a_recent_photo_tells_when_it_happened(intake: Intake) -> None:
    now = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)

    def sent(*hours: float) -> Draft:
        taken = tuple(now - timedelta(hours=age) for age in hours)
        message = replace(complained(photos=("p",)), at=now, taken_at=taken)
        return listen(intake, [message])

    draft = sent(20, 2, 100)
    assert draft.occurred is not None
    assert (draft.occurred.start, draft.occurred.source) == (now - timedelta(hours=20), "photo")
    assert draft.occurred.shown == "11月20日 16:00"
    assert sent(73).occurred is None
    assert sent(-1).occurred is None  # a camera that is ahead tells nothing


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # 20:00 in the city


@pytest.mark.parametrize(
    ("correction", "intent", "day"),
    [("不是昨晚是前天晚上", "correct", 19), ("时间改成11月18号", "correct", 18)],
)
def test_the_latest_statement_of_the_time_counts(
    intake: Intake, correction: str, intent: str, day: int
) -> None:
    told = replace(complained("春风里小区昨晚油烟很大"), at=NOW)
    draft = listen(intake, [told])
    assert draft.occurred is not None
    assert draft.occurred.start == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    later = listen(intake, [replace(said(correction, intent), at=NOW)], draft)
    assert later.occurred is not None
    assert later.occurred.start is not None
    assert later.occurred.start.astimezone(CITY_TIME).day == day
    assert (later.words, later.gap) == (draft.words, "confirmed")


def test_words_tell_the_time_better_than_a_photo(intake: Intake) -> None:
    photo = replace(
        complained("春风里小区昨晚油烟很大", photos=("p",)),
        at=NOW,
        taken_at=(NOW - timedelta(hours=1),),
    )
    draft = listen(intake, [photo])
    assert draft.occurred is not None
    assert draft.occurred.source == "words"


def test_a_yes_that_names_a_time_is_a_yes(intake: Intake, ready: Draft) -> None:
    assert listen(intake, [said("对，现在还在冒烟", "affirm")], ready).confirmed


# --- contact ------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["words", "place", "confirmed"])
def test_a_phone_is_taken_out_of_the_words_whenever_it_is_said(intake: Intake, at: str) -> None:
    phone = "我电话13812345678，姓王"
    first = complained(f"{WORDS}，{phone}" if at == "words" else WORDS)
    place = said("春风里小区，" + phone if at == "place" else "春风里小区")
    draft = listen(intake, [first, place])
    if at == "confirmed":
        draft = listen(intake, [said(phone)], draft)
    assert draft.contact == Contact(phone="13812345678", name="王")
    assert draft.gap == "confirmed"
    assert draft.words == (WORDS,)
    assert draft.place is not None
    assert "1381" not in draft.place.address


@pytest.mark.parametrize("text", ["不留了", "匿名吧", "不用留", "电话删掉"])
def test_a_phone_is_removed_again(intake: Intake, ready: Draft, text: str) -> None:
    given = listen(intake, [said("我电话13812345678")], ready)
    for no in (said(text, "cancel"), pressed("change_contact", contact="none")):
        draft = listen(intake, [no], given)
        assert (draft.contact, draft.gap, draft.words) == (None, "confirmed", ready.words)
        assert draft.notes == ("contact_removed",)


def test_asked_for_a_phone_any_number_is_his(intake: Intake, ready: Draft) -> None:
    asking = listen(intake, [pressed("change_contact")], ready)
    assert asking.notes == ("leave_phone",)
    draft = listen(intake, [said("13812345678")], asking)
    assert draft.contact == Contact(phone="13812345678")
    assert listen(intake, [said("还是不留了")], asking).contact is None
    forgot = listen(intake, [complained("半夜噪音也很大")], asking)
    assert not forgot.contact_asked


# --- several problems ---------------------------------------------------------------------

TWO = "春风里小区楼下餐馆油烟大，还有旁边工地半夜施工"


@pytest.fixture
def two(intake: Intake) -> Draft:
    """Two problems told at once: offered to be reported one by one."""
    phone = "我电话13812345678"
    draft = listen(intake, [complained(f"{TWO}，{phone}", photos=("p1",))])
    assert draft.gap == "confirmed"
    assert draft.problems is not None
    return draft


@pytest.mark.parametrize(
    "yes",
    [pressed("choose_split", split="yes"), said("分开吧"), said("好的", "affirm"), said("分开报")],
)
def test_each_problem_is_confirmed_on_its_own(intake: Intake, two: Draft, yes: Heard) -> None:
    first = listen(intake, [yes], two)
    assert first.words == ("春风里小区楼下餐馆油烟大",)
    assert (first.category, first.gap, first.problems) == ("air.cooking_fume", "confirmed", None)
    second = next_problem(listen(intake, [said("对", "affirm")], first))
    assert second is not None
    assert second.words == ("旁边工地半夜施工",)
    assert (second.category, second.gap) == ("noise.construction", "confirmed")
    assert (second.place, second.photos, second.contact) == (first.place, ("p1",), first.contact)
    assert second.id != first.id
    assert next_problem(second) is None


@pytest.mark.parametrize(
    "no", [pressed("choose_split", split="no"), said("合成一件"), said("确认提交", "affirm")]
)
def test_problems_kept_together_are_filed_as_one(intake: Intake, two: Draft, no: Heard) -> None:
    draft = listen(intake, [no], two)
    assert (draft.words, draft.gap, draft.waiting) == ((TWO,), None, ())


def test_each_problem_keeps_the_place_its_words_name(intake: Intake) -> None:
    text = "文昌路12号餐馆油烟大，还有云州火车站旁边工地半夜施工"
    draft = listen(intake, [complained(text), pressed("choose_split", split="yes")])
    assert draft.place is not None
    assert draft.place.address.endswith("文昌路12号")
    second = next_problem(draft)
    assert second is not None
    assert second.place is not None
    assert "云州火车站" in second.place.address


def test_an_old_confirm_button_files_no_undecided_problems(intake: Intake, two: Draft) -> None:
    assert not listen(intake, [pressed("affirm")], two).confirmed
