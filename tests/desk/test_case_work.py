"""Calls, hot spots, merging, the citizen's own steps, and photos of the result."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from base.settings import Settings
from dispatch.classification.categories import load_categories
from dispatch.desk.database import Database
from dispatch.desk.forms import parse_request
from dispatch.desk.office import Filter, Office, Step
from dispatch.desk.status import Status
from dispatch.open311 import (
    DispatchNotFoundError,
    Open311Client,
    RequestDraft,
    RequestFilter,
    UpdateDraft,
    Upload,
)

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


@pytest.fixture
def api(desk: str) -> Any:
    with Open311Client(desk, "desk-key-1") as client:
        yield client


@pytest.fixture
def request_id(api: Open311Client, draft: RequestDraft) -> str:
    created = api.create(draft, "key-1").service_request_id
    assert created
    return created


def jpeg(colour: tuple[int, int, int] = (90, 160, 90)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "JPEG")
    return out.getvalue()


def says(
    api: Open311Client, request_id: str, number: str, words: str, status: str = "OPEN"
) -> None:
    api.post_update(UpdateDraft(request_id, number, words, datetime.now(UTC), status))


def at_work(dispatcher: Any, request_id: str) -> None:
    for action in ("accept", "start"):
        assert dispatcher.act(request_id, action).status_code == 303


# --- photos of the result -----------------------------------------------------------------


def test_after_photos_travel_by_webhook_and_by_polling(
    receiver: Any, dispatcher: Any, request_id: str, api: Open311Client, desk: str
) -> None:
    at_work(dispatcher, request_id)
    photos = (jpeg(), jpeg((10, 10, 200)))
    answer = dispatcher.act(request_id, "resolve", photos, explanation="已清洗烟道")
    assert answer.status_code == 303
    pushed = receiver.wait_for(3)[-1]
    assert len(pushed["media_urls"]) == 2
    assert all(re.fullmatch(rf"{desk}/media/[\w-]{{43}}\.jpg", url) for url in pushed["media_urls"])
    for form in ("json", "xml"):
        with Open311Client(desk, "desk-key-1", format=form) as client:
            polled = client.updates()[-1]
        assert polled.update_id == pushed["update_id"]
        assert list(polled.media_urls) == pushed["media_urls"]
    for url in pushed["media_urls"]:
        with Image.open(io.BytesIO(httpx.get(url).content)) as opened:
            assert opened.size == (64, 48)
    page = dispatcher.reads(f"/desk/requests/{request_id}")
    assert "处置前" in page
    assert "处置后" in page
    assert page.count(pushed["media_urls"][0]) >= 2


def test_photos_are_asked_for_and_not_required(dispatcher: Any, request_id: str) -> None:
    at_work(dispatcher, request_id)
    page = dispatcher.reads(f"/desk/requests/{request_id}")
    assert 'enctype="multipart/form-data"' in page
    assert "请尽量上传" in page
    assert dispatcher.act(request_id, "resolve", explanation="已处理").status_code == 303


@pytest.mark.parametrize(
    ("photos", "words", "said"),
    [
        ((b"not a photo",), "已处理", "照片无法识别"),
        ((jpeg(), b"<svg onload='alert(1)'/>"), "已处理", "照片无法识别"),
        ((jpeg(),) * 4, "已处理", "处置照片最多3张"),
        ((jpeg(),), "", "请填写处置情况"),
    ],
)
def test_a_refused_step_keeps_no_photos(
    dispatcher: Any,
    request_id: str,
    settings: Settings,
    photos: tuple[bytes, ...],
    words: str,
    said: str,
) -> None:
    at_work(dispatcher, request_id)
    answer = dispatcher.act(request_id, "resolve", photos, explanation=words)
    assert answer.status_code == 422
    assert said in answer.text
    assert list(settings.desk_media_dir.glob("*")) == []
    assert ">处置中</span>" in dispatcher.reads(f"/desk/requests/{request_id}")


def test_videos_are_linked_and_not_embedded(
    dispatcher: Any, api: Open311Client, draft: RequestDraft, settings: Settings
) -> None:
    gateway = settings.public_url
    urls = (f"{gateway}/media/a.MP4", f"{gateway}/media/b?kind=video&x=1", f"{gateway}/media/c")
    request_id = api.create(replace(draft, media_urls=urls), "k").service_request_id
    page = dispatcher.reads(f"/desk/requests/{request_id}")
    assert re.findall(r'<img src="([^"]+)"', page) == [urls[2]]
    assert page.count("▶ 打开视频") == 2


# --- what the citizen side says --------------------------------------------------------------


def test_calls_are_marked_counted_and_found(
    dispatcher: Any, api: Open311Client, request_id: str, draft: RequestDraft
) -> None:
    other = api.create(draft, "key-2").service_request_id
    says(api, request_id, "c-1", "【催办】已超过受理时限3小时，请尽快受理。")
    says(api, request_id, "c-1", "【催办】已超过受理时限3小时，请尽快受理。")  # sent again
    assert ">催办</span>" in dispatcher.reads("/desk")
    for number, kind in enumerate(("预警", "督办", "升级"), start=2):
        says(api, request_id, f"c-{number}", f"【{kind}】请尽快办理。")
    listed = dispatcher.reads("/desk?only=called")
    assert ">升级×4</span>" in listed
    assert request_id in listed
    assert other not in listed
    page = dispatcher.reads(f"/desk/requests/{request_id}")
    assert page.count('<li class="call">') == 4
    assert "市民端系统" in page
    # A call is not a step, whatever status it bears.
    says(api, request_id, "c-9", "【催办】请尽快。", "WITHDRAWN")
    assert api.request(request_id).detailed_status == "OPEN"
    # Words that only mention it are the citizen's own.
    says(api, other or "", "s-1", "市民补充：请【催办】一下")
    assert dispatcher.reads("/desk?only=called").count(other or "-") == 0


def test_a_rating_is_shown_as_one(dispatcher: Any, api: Open311Client, request_id: str) -> None:
    says(api, request_id, "r-1", "市民评价：5分")
    page = dispatcher.reads(f"/desk/requests/{request_id}")
    assert "<strong>市民评价</strong>" in page
    assert "市民评价：5分" in page


def test_a_citizen_confirms_and_the_case_is_closed(
    dispatcher: Any, api: Open311Client, request_id: str
) -> None:
    at_work(dispatcher, request_id)
    says(api, request_id, "x-0", "可以了", "CLOSED")
    assert api.request(request_id).detailed_status == "IN_PROGRESS"
    dispatcher.act(request_id, "resolve", explanation="已处理")
    says(api, request_id, "x-1", "", "CLOSED")
    request = api.request(request_id)
    assert (request.status, request.detailed_status) == ("closed", "CLOSED")
    assert request.status_notes == "市民确认办结"
    page = dispatcher.reads(f"/desk/requests/{request_id}")
    assert page.count("市民确认办结") >= 2
    assert "状态不变" in page
    # He knows his own step: it is neither pushed nor listed.
    assert [update.status for update in api.updates()] == ["INVESTIGATING", "IN_PROGRESS", "FIXED"]


def test_a_citizen_reopens_with_reason_and_photos(
    dispatcher: Any, api: Open311Client, request_id: str
) -> None:
    at_work(dispatcher, request_id)
    dispatcher.act(request_id, "resolve", explanation="已处理")
    before = api.request(request_id).expected_datetime
    upload = Upload("a.jpg", "image/jpeg", jpeg())
    moment = datetime.now(UTC)
    words = "市民要求重办：今晚还是有油烟"
    api.post_update(UpdateDraft(request_id, "r", words, moment, "REOPEN", uploads=(upload,)))
    request = api.request(request_id)
    assert (request.status, request.detailed_status) == ("open", "REOPEN")
    # A reopened case has its limits anew.
    assert request.expected_datetime is not None
    assert before is not None
    assert request.expected_datetime > before
    assert "24小时" in (request.service_notice or "") or "小时内受理" in (
        request.service_notice or ""
    )
    page = dispatcher.reads(f"/desk/requests/{request_id}")
    assert "<strong>市民要求重办</strong>" in page
    assert words in page
    assert page.count("/media/") >= 2
    assert dispatcher.act(request_id, "accept").status_code == 303


def test_photos_of_an_unknown_request_are_not_kept(api: Open311Client, settings: Settings) -> None:
    upload = Upload("a.jpg", "image/jpeg", jpeg())
    draft = UpdateDraft("YZ00000000000000", "u", "补充", datetime.now(UTC), uploads=(upload,))
    with pytest.raises(DispatchNotFoundError):
        api.post_update(draft)
    assert not settings.desk_media_dir.exists()


def test_a_hot_spot_has_its_badge_and_filter(
    dispatcher: Any, api: Open311Client, request_id: str, draft: RequestDraft
) -> None:
    hot = api.create(replace(draft, attributes={"hot_spot": "1"}), "hot").service_request_id
    plain = api.create(replace(draft, attributes={"hot_spot": "0"}), "cold").service_request_id
    listed = dispatcher.reads("/desk?only=hot")
    assert hot is not None
    assert hot in listed
    assert plain is not None
    assert plain not in listed
    assert request_id not in listed
    assert "热点</span>" in dispatcher.reads(f"/desk/requests/{hot}")


# --- merging --------------------------------------------------------------------------------


def test_a_duplicate_is_merged_into_its_original(
    receiver: Any, dispatcher: Any, api: Open311Client, request_id: str, draft: RequestDraft
) -> None:
    near = replace(draft, lat=30.2751, long=120.1561)
    copy = api.create(near, "copy").service_request_id
    assert copy
    page = dispatcher.reads(f"/desk/requests/{copy}")
    assert f'<option value="{request_id}">' in page  # offered: same kind, 150 m away
    done = dispatcher.act(copy, "duplicate", explanation="同一家餐馆", main=request_id)
    assert done.status_code == 303
    assert api.request(copy).detailed_status == "DUPLICATE"
    main = api.request(request_id)
    assert main.detailed_status == "OPEN"
    assert f"并入重复件 {copy}" in dispatcher.reads(f"/desk/requests/{request_id}")
    assert f'href="/desk/requests/{request_id}"' in dispatcher.reads(f"/desk/requests/{copy}")
    # The original has no news for its citizen.
    assert [item["service_request_id"] for item in receiver.wait_for(1)] == [copy]
    assert [update.service_request_id for update in api.updates()] == [copy]
    third = api.create(draft, "third").service_request_id or ""
    answer = dispatcher.act(third, "duplicate", explanation="同上", main=copy)
    assert answer.status_code == 422
    assert f"已并入{request_id}" in answer.text


@pytest.mark.parametrize("main", ["", "YZ00000000000000", "self"])
def test_a_duplicate_needs_another_request(
    dispatcher: Any, api: Open311Client, request_id: str, main: str
) -> None:
    target = request_id if main == "self" else main
    answer = dispatcher.act(request_id, "duplicate", explanation="重复", main=target)
    assert answer.status_code == 422
    assert "请填写要并入的工单编号" in answer.text
    assert api.request(request_id).detailed_status == "OPEN"


# --- filters and the map ----------------------------------------------------------------------


def test_overdue_is_what_the_badge_says(settings: Settings) -> None:
    moment = NOW
    database = Database(settings.desk_database_url)
    office = Office(
        database,
        load_categories(settings.categories_file),
        on_step=lambda: None,
        clock=lambda: moment,
    )
    fields = {"service_code": ["air.cooking_fume"], "address_string": ["人民路"]}
    fresh, taken, done = (office.file(parse_request(fields), None).request_id for _ in range(3))
    category = office.categories["air.cooking_fume"]
    for request_id, steps in ((taken, ("accept", "start")), (done, ("accept", "start", "resolve"))):
        for key in steps:
            office.act(request_id, Step(key, "说明", operator="李敏"))

    def overdue() -> set[str]:
        return {row.request_id for row in office.page(Filter(only="overdue")).rows}

    assert overdue() == set()
    moment = NOW + timedelta(hours=category.respond_hours, seconds=1)
    assert overdue() == {fresh}
    moment = NOW + timedelta(hours=category.resolve_hours, seconds=1)
    assert overdue() == {fresh, taken}
    assert office.count(Filter(only="overdue", statuses=(Status.OPEN,))) == 1
    database.close()


def test_updated_after_finds_what_changed(
    dispatcher: Any, api: Open311Client, request_id: str, draft: RequestDraft
) -> None:
    api.create(draft, "key-2")
    mark = datetime.now(UTC)
    dispatcher.act(request_id, "accept")
    changed = api.requests(RequestFilter(updated_after=mark))
    assert [item.service_request_id for item in changed] == [request_id]
    assert len(api.requests(RequestFilter(updated_before=mark))) == 1
    assert api.requests(RequestFilter(updated_after=mark, status="closed")) == ()


def test_the_map_has_a_dot_for_every_placed_request(
    dispatcher: Any, api: Open311Client, request_id: str, draft: RequestDraft
) -> None:
    twin = api.create(draft, "twin").service_request_id
    api.create(RequestDraft("city.other", address_string="人民路"), "nowhere")
    api.create(replace(draft, lat=39.9042, long=116.4074), "beijing")
    answer = dispatcher.http.get("/desk/map")
    page = answer.text
    dots = re.findall(r'<g class="dot (\w+)" transform="translate\(([\d.]+) ([\d.]+)\)', page)
    assert len(dots) == 2
    assert len({(x, y) for _, x, y in dots}) == 2  # two at one spot can both be touched
    for filed in (request_id, twin):
        assert f'<a href="/desk/requests/{filed}" aria-label="餐饮油烟，待受理' in page
    assert "图上 2 件，另有 2 件没有坐标或不在图内" in page
    assert "style=" not in page
    assert "<script" not in page
    assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
    dispatcher.act(request_id, "accept")
    assert re.search(r'class="dot busy"', dispatcher.reads("/desk/map"))
    assert (
        'class="dot new"'
        not in dispatcher.reads("/desk/map?status=INVESTIGATING").split("legend")[0]
    )


def test_the_map_shows_one_district(dispatcher: Any, request_id: str) -> None:
    whole = re.search(r'viewBox="([\d. -]+)" role', dispatcher.reads("/desk/map"))
    part = re.search(
        r'viewBox="([\d. -]+)" role', dispatcher.reads("/desk/map?district=云东区&only=urgent")
    )
    assert whole is not None
    assert part is not None
    assert float(part[1].split()[2]) < float(whole[1].split()[2]) / 2
    unknown = dispatcher.reads("/desk/map?district=火星区&status=x&only=y&agency=z&page=-1")
    assert f'viewBox="{whole[1]}" role' in unknown


def test_the_map_needs_a_login(http: httpx.Client) -> None:
    assert http.get("/desk/map").headers["Location"] == "/desk/login"


def test_links_of_the_filters_keep_each_other(dispatcher: Any, request_id: str) -> None:
    page = dispatcher.reads("/desk?status=all&only=urgent&category=air.cooking_fume&q=YZ")
    assert (
        'href="/desk/map?status=all&amp;category=air.cooking_fume&amp;q=YZ&amp;only=urgent"' in page
    )
    assert request_id not in page
    agency = dispatcher.reads("/desk?agency=" + "市综合行政执法局")
    assert request_id in agency


# --- personal data ----------------------------------------------------------------------------


def test_personal_data_is_sealed_and_looking_is_written_down(
    dispatcher: Any, api: Open311Client, draft: RequestDraft, tmp_path: Path, settings: Settings
) -> None:
    personal = replace(
        draft, first_name="张伟", phone="13800001234", attributes={"floor": "三单元"}
    )
    request_id = api.create(personal, "k").service_request_id or ""
    says(api, request_id, "s", "市民补充：油烟味更重了")
    files = b"".join(path.read_bytes() for path in tmp_path.glob("desk.db*"))
    for words in ("张伟", "13800001234", draft.description, "油烟味更重了", "三单元"):
        assert words.encode() not in files
        assert json.dumps(words)[1:-1].encode() not in files
    dispatcher.reads("/desk")
    assert audits(settings) == []
    page = dispatcher.reads(f"/desk/requests/{request_id}")
    assert "13800001234" in page
    assert "已留痕" in page
    assert audits(settings) == [("李敏", request_id, "contact")]
    plain = api.create(draft, "anonymous").service_request_id
    assert "已留痕" not in dispatcher.reads(f"/desk/requests/{plain}")
    assert len(audits(settings)) == 1


def audits(settings: Settings) -> list[tuple[str, str, str]]:
    from sqlalchemy import select

    from dispatch.desk.tables import AuditRow

    database = Database(settings.desk_database_url)
    with database.reading() as session:
        found = [
            (row.operator, row.request_id, row.field)
            for row in session.scalars(select(AuditRow).order_by(AuditRow.pk))
        ]
    database.close()
    return found
