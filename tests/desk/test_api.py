"""What the desk sends, looked at as bytes, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from defusedxml.ElementTree import fromstring

from base.errors import ConfigurationError
from base.settings import Settings
from dispatch.desk.app import create_app
from dispatch.desk.privacy import masked

KEY = {"api_key": "desk-key-1"}
GOOD = {**KEY, "service_code": "city.other", "address_string": "文昌路1号"}

# GeoReport v2, GET Service Requests: the fields of a request, in the specification's order.
REQUEST_FIELDS = [
    "service_request_id",
    "status",
    "status_notes",
    "service_name",
    "service_code",
    "description",
    "agency_responsible",
    "service_notice",
    "requested_datetime",
    "updated_datetime",
    "expected_datetime",
    "address",
    "address_id",
    "zipcode",
    "lat",
    "long",
    "media_url",
]


def filed(http: httpx.Client, **fields: str) -> str:
    answer = http.post("/requests.json", data={**GOOD, **fields})
    assert answer.status_code == 200, answer.text
    request_id: str = answer.json()[0]["service_request_id"]
    return request_id


def test_post_answers_an_id_and_never_a_token(http: httpx.Client) -> None:
    answer = http.post("/requests.json", data=GOOD)
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    (record,) = answer.json()
    assert list(record) == ["service_request_id", "service_notice", "account_id"]
    xml = http.post("/requests.xml", data=GOOD)
    assert xml.headers["Content-Type"] == "text/xml; charset=utf-8"
    assert xml.content.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    root = fromstring(xml.content)
    assert root.tag == "service_requests"
    assert [child.tag for child in root[0]] == list(record)


def test_requests_have_the_fields_of_the_specification(http: httpx.Client) -> None:
    request_id = filed(http, lat="30.2741", long="120.1551")
    (record,) = http.get(f"/requests/{request_id}.json").json()
    assert list(record) == REQUEST_FIELDS
    assert isinstance(record["lat"], float)
    assert datetime.fromisoformat(record["requested_datetime"]).utcoffset() is not None
    root = fromstring(http.get(f"/requests/{request_id}.xml").content)
    assert [child.tag for child in root[0]] == REQUEST_FIELDS
    (extended,) = http.get(f"/requests/{request_id}.json?extensions=true").json()
    assert extended["extended_attributes"] == {"detailed_status": "OPEN", "media_urls": []}


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"service_code": "city.other", "address_string": "x"}, 403, "api_key"),
        ({**GOOD, "api_key": "nope"}, 403, "api_key"),
        ({**KEY, "address_string": "x"}, 400, "service_code was not provided"),
        ({**KEY, "service_code": "city.other"}, 400, "one of lat and long"),
        ({**GOOD, "service_code": "no.such"}, 404, "service_code was not found"),
        ({**GOOD, "lat": "30.1"}, 400, "both be numbers"),
        ({**GOOD, "lat": "north", "long": "1"}, 400, "both be numbers"),
        ({**GOOD, "lat": "nan", "long": "1"}, 400, "not WGS 84"),
        ({**GOOD, "lat": "91", "long": "1"}, 400, "not WGS 84"),
        ({**GOOD, "description": "字" * 4001}, 400, "longer than 4000"),
        ({**GOOD, "media_url": "javascript:alert(1)"}, 400, "http or https"),
        ({**GOOD, "media_url": "http://[::1"}, 400, "http or https"),
        ({**GOOD, "address_string": "字" * 501}, 400, "longer than 500"),
    ],
)
def test_refusals_name_the_problem_in_both_formats(
    http: httpx.Client, fields: dict[str, str], status: int, said: str
) -> None:
    answer = http.post("/requests.json", data=fields)
    assert answer.status_code == status
    (error,) = answer.json()
    assert error["code"] == status
    assert said in error["description"]
    xml = http.post("/requests.xml", data=fields)
    assert xml.status_code == status
    root = fromstring(xml.content)
    assert (root.tag, root[0].tag) == ("errors", "error")
    assert root[0].findtext("code") == str(status)
    assert said in (root[0].findtext("description") or "")
    assert http.get("/requests.json").json() == []


def test_every_problem_is_named_at_once(http: httpx.Client) -> None:
    answer = http.post("/requests.json", data=KEY)
    assert answer.status_code == 400
    assert len(answer.json()) == 2


def test_4000_characters_are_taken(http: httpx.Client) -> None:
    request_id = filed(http, description="字" * 4000)
    assert http.get(f"/requests/{request_id}.json").json()[0]["description"] == "字" * 4000


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/requests/none.json", 404),
        ("/requests/none.xml", 404),
        ("/services/none.xml", 404),
        ("/tokens/none.json", 404),
        ("/services.yaml", 404),
        ("/nothing.json", 404),
        ("/media/none.jpg", 404),
        ("/media/..%2Fdesk.db", 404),
        ("/requests.json?status=broken", 400),
        ("/requests.json?page=0", 400),
        ("/requests.json?page_size=1001", 400),
        ("/requests.json?page=x", 400),
        ("/requests.json?start_date=yesterday", 400),
        ("/requests.json?end_date=0001-01-01T00:00:00Z", 400),
        ("/servicerequestupdates.xml?start_date=soon", 400),
    ],
)
def test_reading_refusals(http: httpx.Client, path: str, status: int) -> None:
    answer = http.get(path)
    assert answer.status_code == status
    if path.split("?", maxsplit=1)[0].endswith(".xml"):
        assert fromstring(answer.content)[0].findtext("code") == str(status)
    else:
        assert answer.json()[0]["code"] == status


def test_other_bodies_and_methods_are_refused(http: httpx.Client) -> None:
    assert http.post("/requests.json", json=GOOD).status_code == 415
    assert http.delete("/requests.json").status_code == 405
    broken = http.post(
        "/requests.json",
        content=b"--x\r\nbroken",
        headers={"Content-Type": "multipart/form-data; boundary=x"},
    )
    assert broken.status_code in {400, 403}
    assert broken.json()[0]["code"] == broken.status_code


def test_a_too_large_body_is_refused(
    make_settings: Callable[..., Settings],
    serve: Callable[[Settings], AbstractContextManager[str]],
) -> None:
    with serve(make_settings(max_body_bytes=10_000)) as url:
        field = {**GOOD, "description": "a" * 20_000}
        assert httpx.post(f"{url}/requests.json", data=field).status_code == 413

        def chunks() -> Any:
            for _ in range(40):
                yield b"a" * 1000

        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = httpx.post(f"{url}/requests.json", content=chunks(), headers=headers)
        assert answer.status_code == 413
        assert answer.json()[0]["code"] == 413


def test_markup_and_odd_characters_stay_text(http: httpx.Client) -> None:
    said = "a<b>&\"'\x00\x0b\r\n]]>结束\U0001f600"
    request_id = filed(http, description=said)
    kept = "a<b>&\"'\n]]>结束\U0001f600"
    assert http.get(f"/requests/{request_id}.json").json()[0]["description"] == kept
    root = fromstring(http.get(f"/requests/{request_id}.xml").content)
    assert root[0].findtext("description") == kept


def test_numbers_of_persons_are_masked(http: httpx.Client) -> None:
    request_id = filed(http, description="我是张三，电话13812345678，身份证330102199001011234。")
    text = http.get(f"/requests/{request_id}.json").text
    assert "13812345678" not in text
    assert "330102199001011234" not in text
    assert "138****5678" in text


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("打 138 1234 5678 找我", "打 138****5678 找我"),
        ("+8613812345678", "+86138****5678"),
        ("33010219900101123X", "330102********123X"),
        ("工单SM20261121000042", "工单SM20261121000042"),
        ("热线12345、0599-81230001", "热线12345、0599-81230001"),
        ("编号213812345678901", "编号213812345678901"),
    ],
)
def test_masking(said: str, shown: str) -> None:
    assert masked(said) == shown


def test_discovery(http: httpx.Client, desk: str) -> None:
    document = http.get("/discovery.json").json()
    (endpoint,) = document["endpoints"]
    assert endpoint["url"] == desk
    assert endpoint["specification"].endswith("GeoReport_v2")
    assert endpoint["formats"] == ["text/xml", "application/json"]
    root = fromstring(http.get("/discovery.xml").content)
    assert root.findtext("endpoints/endpoint/url") == desk
    assert [node.text for node in root.findall("endpoints/endpoint/formats/format")] == [
        "text/xml",
        "application/json",
    ]


def test_health(http: httpx.Client) -> None:
    filed(http)
    assert http.get("/health").json() == {
        "status": "ok",
        "requests": 1,
        "webhooks_waiting": 0,
        "webhooks_failing": 0,
    }


def test_an_urgent_report_gets_the_urgent_limits(http: httpx.Client) -> None:
    plain = http.get(
        f"/requests/{filed(http, service_code='air.industrial', description='有黑烟')}.json"
    ).json()[0]
    urgent = http.get(
        f"/requests/{filed(http, service_code='air.industrial', description='氯气泄漏')}.json"
    ).json()[0]
    assert _hours(urgent) < _hours(plain)


def _hours(record: dict[str, Any]) -> float:
    start = datetime.fromisoformat(record["requested_datetime"])
    return (datetime.fromisoformat(record["expected_datetime"]) - start).total_seconds() / 3600


def test_nothing_is_filed_without_a_configured_key(
    make_settings: Callable[..., Settings],
    serve: Callable[[Settings], AbstractContextManager[str]],
) -> None:
    with serve(make_settings(dispatch_api_key="")) as url:
        assert httpx.post(f"{url}/requests.json", data={**GOOD, "api_key": ""}).status_code == 403


def test_production_needs_every_secret(make_settings: Callable[..., Settings]) -> None:
    with pytest.raises(ConfigurationError, match="SHIMIN_WEBHOOK_SECRET"):
        create_app(make_settings(environment="production", webhook_secret=""))


def test_requests_survive_a_restart(
    settings: Settings, serve: Callable[[Settings], AbstractContextManager[str]]
) -> None:
    with serve(settings) as url, httpx.Client(base_url=url) as http:
        key = {"Idempotency-Key": "k-1"}
        first = http.post("/requests.json", data=GOOD, headers=key).json()
    with serve(settings) as url, httpx.Client(base_url=url) as http:
        assert http.post("/requests.json", data=GOOD, headers=key).json() == first
        assert len(http.get("/requests.json").json()) == 1


def test_sqlite_is_in_wal_mode(desk: str, tmp_path: Path) -> None:
    assert httpx.get(f"{desk}/health").status_code == 200
    header = (tmp_path / "desk.db").read_bytes()[:20]
    assert (header[18], header[19]) == (2, 2)  # SQLite file format: 2 means WAL


def test_json_is_plain_utf8(http: httpx.Client) -> None:
    body = http.get("/services.json").content
    assert "餐饮".encode() in body or "油烟".encode() in body
    assert json.loads(body)
