"""The client against servers that differ, misbehave and break off."""

from __future__ import annotations

import gzip
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from base.errors import ConfigurationError, InputError, UpstreamError
from dispatch.open311 import (
    Created,
    DispatchError,
    DispatchNotFoundError,
    DispatchRejectedError,
    DispatchUnreachableError,
    DispatchUnreadableError,
    Open311Client,
    RequestDraft,
    RequestFilter,
    UpdateDraft,
    Upload,
)

DRAFT = RequestDraft(
    "air.odor",
    lat=30.27,
    long=120.15,
    address_string="文昌路 1 号 & 2 号",
    description="臭味+酸味=难闻 100%\r\n第二行\x00",
    media_urls=("http://a/1.jpg", "http://a/2.jpg"),
    attributes={"floor": "3", "when": ("早", "晚")},
)


def test_what_is_sent(odd: Any, client: Open311Client) -> None:
    odd.says("/requests.json", 200, '[{"service_request_id": 7}]')
    client.create(DRAFT, "key-1")
    assert odd.forms[0] == [
        ("api_key", "key"),
        ("service_code", "air.odor"),
        ("lat", "30.2700000"),
        ("long", "120.1500000"),
        ("address_string", "文昌路 1 号 & 2 号"),
        ("description", "臭味+酸味=难闻 100%\n第二行"),
        ("attribute[floor]", "3"),
        ("attribute[when][]", "早"),
        ("attribute[when][]", "晚"),
        ("media_url", "http://a/1.jpg"),
        ("media_url", "http://a/2.jpg"),
    ]
    assert odd.headers[0]["Idempotency-Key"] == "key-1"
    assert odd.headers[0]["Content-Type"].startswith("application/x-www-form-urlencoded")


def test_personal_fields_are_sent_only_when_given(odd: Any, client: Open311Client) -> None:
    odd.says("/requests.json", 200, '[{"service_request_id": "7"}]')
    client.create(DRAFT, "k")
    client.create(RequestDraft("x", address_string="a", phone="13800001234", first_name="伟"), "k2")
    personal = {"phone", "first_name", "last_name", "email", "device_id", "account_id"}
    assert not personal & {name for name, _ in odd.forms[0]}
    assert dict(odd.forms[1])["phone"] == "13800001234"
    assert "lat" not in dict(odd.forms[1])


def test_uploads_go_as_multipart(odd: Any, client: Open311Client) -> None:
    odd.says("/requests.json", 200, '[{"service_request_id": "7"}]')
    photo = Upload("p.jpg", "image/jpeg", b"\xff\xd8photo")
    client.create(RequestDraft("x", address_string="路", uploads=(photo,)), "k")
    ((_, body),) = odd.forms[0]
    assert 'name="media"; filename="p.jpg"' in body
    assert "\xff\xd8photo" in body
    assert odd.headers[0]["Content-Type"].startswith("multipart/form-data; boundary=")


def test_a_server_without_api_key(odd: Any) -> None:
    odd.says("/requests.json", 200, '[{"service_request_id": "7"}]')
    with Open311Client(odd.url, "", jurisdiction_id="yunzhou.gov.cn") as client:
        client.create(DRAFT, "k")
        client.requests()
    assert "api_key" not in dict(odd.forms[0])
    assert dict(odd.forms[0])["jurisdiction_id"] == "yunzhou.gov.cn"
    assert "jurisdiction_id=yunzhou.gov.cn" in odd.asked[1]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, '[{"service_request_id": "293944", "service_notice": "注意", "account_id": null}]'),
        (201, '[{"service_request_id": 293944, "service_notice": "注意"}]'),
        (200, '{"service_request_id": "293944", "service_notice": "注意"}'),
        (
            202,
            '{"service_requests": [{"service_request_id": "293944", "service_notice": "注意"}]}',
        ),
        (
            200,
            '{"service_requests": {"request": '
            '{"service_request_id": "293944", "token": "t", "service_notice": "注意"}}}',
        ),
        (200, '\ufeff[{"service_request_id": " 293944 ", "service_notice": "注意"}]'),
        (
            201,
            "<service_requests><request><service_request_id>293944</service_request_id>"
            "<service_notice>注意</service_notice><account_id/></request></service_requests>",
        ),
        (
            200,
            '\n<?xml version="1.0" encoding="utf-8"?><r:service_requests xmlns:r="urn:x">'
            "<r:request><r:service_request_id>293944</r:service_request_id>"
            "<r:service_notice>注意</r:service_notice></r:request></r:service_requests>",
        ),
        (
            200,
            '<?xml version="1.0" encoding="GB2312"?><service_requests><request>'
            "<service_request_id>293944</service_request_id><service_notice>注意</service_notice>"
            "</request></service_requests>".encode("gb18030"),
        ),
    ],
)
def test_every_shape_of_a_created_answer(
    odd: Any, client: Open311Client, status: int, body: str | bytes
) -> None:
    odd.says("/requests.json", status, body)
    assert client.create(DRAFT, "k") == Created("293944", None, "注意")


def test_json_in_the_servers_own_charset(odd: Any, client: Open311Client) -> None:
    body = '[{"service_request_id": "7", "service_notice": "稍候"}]'.encode("gbk")
    odd.says("/requests.json", 200, body, Content_Type="application/json; charset=GBK")
    assert client.create(DRAFT, "k").notice == "稍候"


def test_tokens(odd: Any, client: Open311Client) -> None:
    odd.says("/requests.json", 200, '[{"token": "abc/1"}]')
    assert client.create(DRAFT, "k") == Created(None, "abc/1", None)
    odd.says("/tokens/abc%2F1.json", 200, '[{"token": "abc/1", "service_request_id": ""}]')
    assert client.request_id_for("abc/1") is None
    odd.says("/tokens/abc%2F1.json", 200, '[{"token": "abc/1", "service_request_id": 99}]')
    assert client.request_id_for("abc/1") == "99"
    for status in (400, 404):
        odd.says("/tokens/abc%2F1.json", status, "[]")
        assert client.request_id_for("abc/1") is None
    odd.says("/tokens/abc%2F1.json", 503, "")
    with pytest.raises(DispatchUnreachableError):
        client.request_id_for("abc/1")


@pytest.mark.parametrize(
    "body",
    [
        '[{"code": 400, "description": "lat is required"}]',
        '{"code": "400", "detail": "lat is required"}',
        '{"errors": [{"code": 400, "description": "lat is required"}]}',
        '{"error": {"code": 400, "message": "lat is required"}}',
        '{"error": "lat is required"}',
        '{"detail": [{"loc": ["lat"], "msg": "lat is required"}]}',
        "<errors><error><code>400</code>"
        "<description>lat is required</description></error></errors>",
        "<error><code>400</code><description>lat is required</description></error>",
    ],
)
def test_every_shape_of_an_error(odd: Any, client: Open311Client, body: str) -> None:
    odd.says("/requests.json", 400, body)
    with pytest.raises(DispatchRejectedError) as caught:
        client.create(DRAFT, "k")
    error = caught.value
    assert (error.code, error.status, error.retryable) == ("dispatch_rejected", 400, False)
    assert error.detail == "HTTP 400"
    assert isinstance(error, UpstreamError)


@pytest.mark.parametrize("status", [400, 500])
def test_what_a_server_repeats_of_the_citizens_words_is_not_kept(
    odd: Any, client: Open311Client, status: int
) -> None:
    said = [
        {"code": "lat_missing", "description": "油烟太大，我的电话13800138000"},
        {"code": "x" * 200, "description": "春风里3幢"},
    ]
    odd.says("/requests.json", status, json.dumps(said))
    with pytest.raises(DispatchError) as caught:
        client.create(DRAFT, "k")
    assert caught.value.detail.startswith(f"HTTP {status}: lat_missing; xxx")
    assert len(caught.value.detail) <= 120
    assert "13800138000" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_missing_request(odd: Any, client: Open311Client, status: int) -> None:
    odd.says("/requests/7.json", status, '[{"code": 404, "description": "not found"}]')
    with pytest.raises(DispatchNotFoundError):
        client.request("7")


def test_an_empty_or_foreign_answer_is_a_missing_request(odd: Any, client: Open311Client) -> None:
    for body in ("[]", "", '[{"service_request_id": "8", "status": "open"}]'):
        odd.says("/requests/7.json", 200, body)
        with pytest.raises(DispatchNotFoundError):
            client.request("7")


@pytest.mark.parametrize("status", [400, 404, 405, 501])
def test_servers_without_definitions(odd: Any, client: Open311Client, status: int) -> None:
    odd.says("/services/x.json", status, "nope")
    assert client.service_definition("x") is None


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_what_may_pass_is_retryable(odd: Any, client: Open311Client, status: int) -> None:
    page = "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
    odd.says("/requests.json", status, page, Retry_After="120", Content_Type="text/html")
    with pytest.raises(DispatchUnreachableError) as caught:
        client.create(DRAFT, "k")
    assert caught.value.code == "dispatch_unreachable"
    assert caught.value.retryable
    assert caught.value.status == status
    assert caught.value.retry_after == 120


def test_retry_after_as_a_date(odd: Any, client: Open311Client) -> None:
    for moment, low, high in (
        (datetime.now(UTC) + timedelta(seconds=90), 80, 90),
        (datetime.now(UTC) - timedelta(days=1), 0, 0),
    ):
        odd.says("/services.json", 503, "", Retry_After=format_datetime(moment, usegmt=True))
        with pytest.raises(DispatchUnreachableError) as caught:
            client.services()
        assert caught.value.retry_after is not None
        assert low <= caught.value.retry_after <= high
    odd.says("/services.json", 503, "", Retry_After="soon")
    with pytest.raises(DispatchUnreachableError) as caught:
        client.services()
    assert caught.value.retry_after is None


@pytest.mark.parametrize("status", [301, 302, 307, 401, 403, 409, 413, 422])
def test_what_will_not_pass_is_permanent(odd: Any, client: Open311Client, status: int) -> None:
    odd.says("/requests.json", status, "no", Location="http://127.0.0.1:1/")
    with pytest.raises(DispatchRejectedError) as caught:
        client.create(DRAFT, "k")
    assert not caught.value.retryable
    assert len(odd.asked) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>please log in</body></html>",
        b"not json",
        b'{"service_request_id": ',
        b"<service_requests><request>",
        b'{"ok": true}',
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b"<a>" * 5_000 + b"</a>" * 5_000,
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>',
        b'<?xml version="1.0"?><!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
        b'<?xml version="1.0" encoding="no-such"?><x/>',
        b"42",
        b"",
        b"[]",
    ],
)
def test_nonsense_is_unreadable(odd: Any, client: Open311Client, body: bytes) -> None:
    odd.says("/requests.json", 200, body)
    with pytest.raises(DispatchUnreadableError) as caught:
        client.create(DRAFT, "k")
    assert (caught.value.code, caught.value.retryable) == ("dispatch_unreadable", False)


@pytest.mark.parametrize("body", ["", "[]", "<services/>", '{"services": []}', "null"])
def test_an_empty_list_is_empty(odd: Any, client: Open311Client, body: str) -> None:
    odd.says("/services.json", 200, body)
    assert client.services() == ()


def test_an_answer_cut_short(odd: Any, client: Open311Client) -> None:
    odd.says("/requests.json", 200, '[{"service_request_id": "7"}]')
    odd.answers["/requests.json"].promised = 4000
    with pytest.raises(DispatchUnreachableError):
        client.create(DRAFT, "k")


def test_a_huge_answer_is_not_swallowed(odd: Any, client: Open311Client) -> None:
    odd.says("/services.json", 200, b" " * (6 * 1024 * 1024))
    with pytest.raises(DispatchUnreadableError, match="larger"):
        client.services()
    odd.says("/services.json", 503, b" " * (6 * 1024 * 1024))
    with pytest.raises(DispatchUnreachableError):
        client.services()


def test_a_compressed_bomb_is_not_swallowed(odd: Any, client: Open311Client) -> None:
    bomb = gzip.compress(b" " * (50 * 1024 * 1024))
    odd.says("/services.json", 200, bomb, Content_Encoding="gzip")
    with pytest.raises(DispatchUnreadableError, match="larger"):
        client.services()
    odd.says("/services.json", 200, b"not gzip", Content_Encoding="gzip")
    with pytest.raises(DispatchUnreadableError):
        client.services()


def test_a_dripping_answer_is_cut_off(odd: Any, client: Open311Client) -> None:
    odd.says("/services.json", 200, b" " * 400)
    odd.answers["/services.json"].drip_seconds = 0.05
    started = time.monotonic()
    with pytest.raises(DispatchUnreachableError):
        client.services()
    assert time.monotonic() - started < 5


def test_a_silent_server_and_no_server() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        hasty = Open311Client(url, "k", timeout=0.2)
        with hasty, pytest.raises(DispatchUnreachableError, match="Timeout"):
            hasty.services()
    client = Open311Client(url, "k", timeout=0.5)
    with client, pytest.raises(DispatchUnreachableError):
        client.create(DRAFT, "k")


def test_requests_of_a_sloppy_server(odd: Any, client: Open311Client) -> None:
    odd.says(
        "/requests.json",
        200,
        """{"requests": [
            {"service_request_id": 1, "status": "OPEN", "lat": "30.5", "long": 120.1,
             "requested_datetime": "2026/11/21 08:00:00", "media_url": ["http://a/1", "http://a/2"],
             "extended_attributes": {"detailed_status": "in_progress"}},
            {"service_request_id": "2", "status": "closed", "lat": "", "long": "120",
             "updated_datetime": "someday", "media_url": null, "extended_attributes": []},
            {"service_request_id": null, "status": "open"},
            {"service_request_id": "3", "lat": 300, "long": 1, "description": true}
        ]}""",
    )
    first, second, third = client.requests(RequestFilter(status="open"))
    assert first.service_request_id == "1"
    assert (first.status, first.detailed_status) == ("open", "IN_PROGRESS")
    assert (first.lat, first.long) == (30.5, 120.1)
    assert first.media_urls == ("http://a/1", "http://a/2")
    assert first.requested_datetime == datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
    assert (second.lat, second.long, second.updated_datetime) == (None, None, None)
    assert (third.lat, third.status) == (None, "")


def test_updates_are_sorted_and_broken_ones_skipped(odd: Any) -> None:
    odd.says(
        "/servicerequestupdates.xml",
        200,
        """<service_requests_updates>
        <request_update><update_id>2</update_id><service_request_id>7</service_request_id>
          <status>fixed</status><updated_datetime>2026-11-21T10:00:00+08:00</updated_datetime>
          <description>好了</description></request_update>
        <request_update><update_id>1</update_id><service_request_id>7</service_request_id>
          <status>INVESTIGATING</status><updated_datetime>2026-11-21T01:00:00Z</updated_datetime>
          <description/></request_update>
        <request_update><update_id>3</update_id><service_request_id>7</service_request_id>
          <status>CLOSED</status><updated_datetime/></request_update>
        </service_requests_updates>""",
    )
    since = datetime(2026, 11, 20, tzinfo=UTC)
    with Open311Client(odd.url, "k", format="xml") as client:
        updates = client.updates(since)
    assert [(update.update_id, update.status) for update in updates] == [
        ("1", "INVESTIGATING"),
        ("2", "FIXED"),
    ]
    assert "start_date=2026-11-20T08%3A00%3A00.000%2B08%3A00" in odd.asked[0]


def test_walking_pages_of_a_server_that_ignores_them(odd: Any, client: Open311Client) -> None:
    odd.says("/requests.json", 200, '[{"service_request_id": 1}, {"service_request_id": 2}]')
    assert [item.service_request_id for item in client.all_requests()] == ["1", "2"]
    assert len(odd.asked) == 2


def test_posting_an_update(odd: Any, client: Open311Client) -> None:
    draft = UpdateDraft(
        "7", "u-1", "补充", datetime(2026, 11, 21, tzinfo=UTC), "WITHDRAWN", ("http://a",)
    )
    odd.says("/servicerequestupdates.json", 200, '[{"update_id": 248}]')
    assert client.post_update(draft) == "248"
    assert odd.forms[0] == [
        ("api_key", "key"),
        ("update_id", "u-1"),
        ("service_request_id", "7"),
        ("updated_datetime", "2026-11-21T08:00:00.000+08:00"),
        ("status", "WITHDRAWN"),
        ("description", "补充"),
        ("media_url", "http://a"),
    ]
    odd.says("/servicerequestupdates.json", 201, "")
    assert client.post_update(draft) is None


def test_a_bad_address_is_a_configuration_error() -> None:
    for url in ("", "ftp://x", "127.0.0.1:8311", "http://", "http://x:port"):
        with pytest.raises(ConfigurationError):
            Open311Client(url, "k")


@pytest.mark.parametrize(
    "changes",
    [
        {"service_code": " "},
        {"lat": 30.0, "long": None},
        {"lat": None, "long": None, "address_string": None},
        {"lat": float("nan")},
        {"lat": 91.0},
        {"description": "字" * 4001},
    ],
)
def test_an_impossible_draft_is_refused(changes: dict[str, Any]) -> None:
    good: dict[str, Any] = {"service_code": "x", "lat": 1.0, "long": 2.0, "address_string": "a"}
    with pytest.raises(InputError) as caught:
        RequestDraft(**{**good, **changes})
    assert caught.value.code == "draft_invalid"


def test_every_dispatch_error_knows_whether_to_retry() -> None:
    kinds = {kind.__name__: kind.retryable for kind in DispatchError.__subclasses__()}
    assert kinds == {
        "DispatchUnreachableError": True,
        "DispatchRejectedError": False,
        "DispatchUnreadableError": False,
    }
