"""The client and the desk over HTTP, in both formats."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from PIL import Image

from base.settings import Settings
from dispatch.classification.categories import load_categories
from dispatch.open311 import (
    DispatchNotFoundError,
    DispatchRejectedError,
    Open311Client,
    RequestDraft,
    RequestFilter,
    UpdateDraft,
    Upload,
)


def supplement(request_id: str, update_id: str, text: str, status: str = "OPEN") -> UpdateDraft:
    return UpdateDraft(request_id, update_id, text, datetime.now(UTC), status)


def test_services_are_the_categories(client: Open311Client, settings: Settings) -> None:
    categories = load_categories(settings.categories_file)
    services = client.services()
    assert [item.service_code for item in services] == list(categories.codes)
    fume = next(item for item in services if item.service_code == "air.cooking_fume")
    assert fume.service_name == categories["air.cooking_fume"].name
    assert fume.keywords == categories["air.cooking_fume"].keywords
    assert fume.metadata


def test_definition_of_a_dotted_code(client: Open311Client) -> None:
    definition = client.service_definition("noise.construction")
    assert definition is not None
    assert definition.service_code == "noise.construction"
    assert [attribute.code for attribute in definition.attributes] == [
        "shimin_id",
        "responsible_unit",
        "occurred_at",
        "hot_spot",
    ]
    assert client.service_definition("noise.nothing") is None


def test_a_filed_request_reads_back(client: Open311Client, draft: RequestDraft) -> None:
    created = client.create(draft, "key-1")
    assert created.service_request_id
    assert created.token is None
    assert "小时内受理" in (created.notice or "")
    request = client.request(created.service_request_id)
    assert request.status == "open"
    assert request.detailed_status == "OPEN"
    assert request.service_code == draft.service_code
    assert request.description == draft.description
    assert request.address == draft.address_string
    assert (request.lat, request.long) == (draft.lat, draft.long)
    assert request.media_urls == draft.media_urls
    assert request.requested_datetime is not None
    assert abs(datetime.now(UTC) - request.requested_datetime) < timedelta(minutes=1)
    assert request.expected_datetime is not None
    assert request.expected_datetime > request.requested_datetime


def test_the_same_key_is_the_same_request(client: Open311Client, draft: RequestDraft) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.create(draft, "key-same"), range(16)))
    assert len({answer.service_request_id for answer in answers}) == 1
    assert len(client.requests()) == 1
    other = client.create(draft, "key-other")
    assert other.service_request_id != answers[0].service_request_id


def test_an_unknown_request_is_not_found(client: Open311Client) -> None:
    with pytest.raises(DispatchNotFoundError) as caught:
        client.request("YZ00000000000000")
    assert caught.value.code == "dispatch_rejected"
    assert not caught.value.retryable
    assert caught.value.detail == "HTTP 404"


def test_a_wrong_key_is_refused(desk: str, draft: RequestDraft) -> None:
    for form in ("json", "xml"):
        with Open311Client(desk, "wrong", format=form) as client:
            with pytest.raises(DispatchRejectedError) as caught:
                client.create(draft, "key-1")
            assert caught.value.status == 403
            with pytest.raises(DispatchRejectedError):
                client.post_update(supplement("YZ1", "u-1", "补充"))


def test_an_unknown_service_is_refused(client: Open311Client, draft: RequestDraft) -> None:
    with pytest.raises(DispatchNotFoundError):
        client.create(replace(draft, service_code="air.nothing"), "key-1")


def test_filters_and_pages(client: Open311Client, draft: RequestDraft) -> None:
    for number in range(5):
        client.create(draft, f"fume-{number}")
    noise = client.create(replace(draft, service_code="noise.social"), "noise")
    assert len(client.requests()) == 6
    only = client.requests(RequestFilter(service_codes=("noise.social",)))
    assert [item.service_request_id for item in only] == [noise.service_request_id]
    assert client.requests(RequestFilter(status="closed")) == ()
    assert len(client.requests(RequestFilter(status="open"))) == 6
    first, second = client.requests(page_size=4), client.requests(page=2, page_size=4)
    assert (len(first), len(second)) == (4, 2)
    walked = [item.service_request_id for item in client.all_requests(page_size=4)]
    assert walked == [item.service_request_id for item in client.requests()]
    later = datetime.now(UTC) + timedelta(hours=1)
    assert client.requests(RequestFilter(start=later)) == ()
    assert len(client.requests(RequestFilter(end=later))) == 6
    some = tuple(walked[:2])
    assert {
        item.service_request_id for item in client.requests(RequestFilter(service_request_ids=some))
    } == set(some)
    with pytest.raises(DispatchRejectedError, match="HTTP 400"):
        client.requests(RequestFilter(start=later - timedelta(days=91), end=later))


def test_a_token_leads_to_the_request(
    client: Open311Client, http: httpx.Client, draft: RequestDraft
) -> None:
    fields = {"api_key": "desk-key-1", "service_code": "city.other", "address_string": "人民路"}
    answer = http.post("/requests.json", data=fields, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202
    (record,) = answer.json()
    assert set(record) == {"token"}
    request_id = client.request_id_for(record["token"])
    assert request_id is not None
    assert client.request(request_id).address == "人民路"
    assert client.request_id_for("no-such-token") is None


def test_uploaded_photos_are_written_anew(client: Open311Client, draft: RequestDraft) -> None:
    photo = Image.new("RGB", (64, 48), (200, 30, 30))
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    out = io.BytesIO()
    photo.save(out, "JPEG", exif=exif)
    upload = Upload("p.jpg", "image/jpeg", out.getvalue() + b"<script>tail</script>")
    created = client.create(replace(draft, media_urls=(), uploads=(upload,)), "with-photo")
    assert created.service_request_id
    (url,) = client.request(created.service_request_id).media_urls
    stored = httpx.get(url)
    assert stored.headers["Content-Type"] == "image/jpeg"
    assert stored.headers["X-Content-Type-Options"] == "nosniff"
    assert b"SecretCamera" not in stored.content
    assert b"script" not in stored.content
    with Image.open(io.BytesIO(stored.content)) as opened:
        assert opened.size == (64, 48)


def test_a_file_that_is_no_photo_is_refused(client: Open311Client, draft: RequestDraft) -> None:
    upload = Upload("p.svg", "image/svg+xml", b"<svg onload='alert(1)'/>")
    with pytest.raises(DispatchRejectedError, match="HTTP 400"):
        client.create(replace(draft, uploads=(upload,)), "svg")
    assert client.requests() == ()


def test_supplements_do_not_change_the_state(client: Open311Client, draft: RequestDraft) -> None:
    request_id = client.create(draft, "key-1").service_request_id
    assert request_id
    update = supplement(request_id, "s-1", "今天晚上又排了两个小时。")
    first = client.post_update(update)
    assert first
    assert client.post_update(update) == first
    assert client.post_update(supplement(request_id, "s-2", "再补充一点")) != first
    assert client.request(request_id).detailed_status == "OPEN"
    # The desk's own steps are listed, the citizen's are not read back to him.
    assert client.updates() == ()


def test_a_citizen_withdraws(client: Open311Client, draft: RequestDraft) -> None:
    request_id = client.create(draft, "key-1").service_request_id
    assert request_id
    client.post_update(supplement(request_id, "w-1", "市民撤回", "WITHDRAWN"))
    request = client.request(request_id)
    assert (request.status, request.detailed_status) == ("closed", "WITHDRAWN")
    # What comes after cannot bring it back.
    client.post_update(supplement(request_id, "w-2", "又不撤了", "REOPEN"))
    assert client.request(request_id).detailed_status == "WITHDRAWN"


def test_a_citizen_cannot_set_the_desks_states(client: Open311Client, draft: RequestDraft) -> None:
    request_id = client.create(draft, "key-1").service_request_id
    assert request_id
    for status in ("FIXED", "CLOSED", "IN_PROGRESS", "NONSENSE"):
        client.post_update(supplement(request_id, f"u-{status}", "我来改状态", status))
    assert client.request(request_id).detailed_status == "OPEN"


def test_an_update_of_an_unknown_request_is_refused(client: Open311Client) -> None:
    with pytest.raises(DispatchNotFoundError):
        client.post_update(supplement("YZ00000000000000", "u-1", "补充"))


def test_attributes_and_contact_reach_the_dispatcher_only(
    client: Open311Client, draft: RequestDraft, http: httpx.Client
) -> None:
    personal = replace(draft, first_name="小明", phone="13800001234", attributes={"floor": "3楼"})
    request_id = client.create(personal, "key-1").service_request_id
    for path in (f"/requests/{request_id}.json?extensions=true", "/requests.xml"):
        assert "13800001234" not in http.get(path).text
        assert "小明" not in http.get(path).text
