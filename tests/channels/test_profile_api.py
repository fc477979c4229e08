"""Profiles by API on the real gateway: consent, every fault at once, traces of reads, limits."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from channels.gateway.profiles import MAX_BYTES
from store.database import reading, unit_of_work
from store.models import AuditEntry, Citizen, utc_now
from store.notice_contacts import save_contact
from store.people import channels_of, read_told, save_birth, save_profile
from store.privacy import Sealed
from store.tickets import city_day
from tests.channels.conftest import Gateway

FACTORY = {"headcount": 120, "industry": "industry", "registered_in_city": True}


def consent(**changes: Any) -> dict[str, Any]:
    return {
        "purpose": "policy_matching",
        "given_on": city_day(utc_now()).isoformat(),
        "how": "企业服务窗口纸质同意书",
    } | changes


def put(api: httpx.Client, path: str = "enterprise/A1", **body: Any) -> httpx.Response:
    return api.put(f"/api/v1/profiles/{path}", json={"consent": consent()} | body)


def audit(subject: str) -> list[tuple[str, str, str]]:
    with reading() as session:
        rows = session.query(AuditEntry).filter_by(record=f"citizens:{subject}")
        return [(row.actor, row.purpose, row.field) for row in rows]


def test_a_profile_is_stored_replaced_read_and_erased(gateway: Gateway) -> None:
    with gateway.api() as api:
        assert put(api, attributes=FACTORY).status_code == 201
        made = put(api, attributes={"headcount": 130, "revenue_wan": None})
        assert (made.status_code, made.json()["stored"]) == (200, 1)
        found = api.get("/api/v1/profiles/enterprise/A1").json()
        assert found["attributes"] == {"headcount": 130}
        assert found["told_on"] == {"headcount": city_day(utc_now()).isoformat()}
        assert found["consent"].items() >= consent().items()
        assert api.get("/api/v1/profiles/resident/A1").status_code == 404
        erased = api.delete("/api/v1/profiles/enterprise/A1")
        assert erased.json() == {"kind": "enterprise", "id": "A1", "deleted": True}
        assert api.get("/api/v1/profiles/enterprise/A1").status_code == 404
        assert api.delete("/api/v1/profiles/enterprise/A1").json()["deleted"] is False


def test_what_is_stored_is_sealed_and_every_read_leaves_a_trace(gateway: Gateway) -> None:
    with gateway.api() as api:
        assert put(api, "resident/R1", attributes={"age": 81}).status_code == 201
        before = audit("resident:R1")
        assert api.get("/api/v1/profiles/resident/R1").status_code == 200
        added = audit("resident:R1")[len(before) :]
    assert added == [("api", "profile_api", "profile"), ("api", "profile_api", "told")]
    with reading() as session:
        row = session.get_one(Citizen, "resident:R1")
        assert isinstance(row.profile, Sealed)
        assert isinstance(row.told, Sealed)


def test_erasing_takes_contacts_subscriptions_and_consent_along(gateway: Gateway) -> None:
    with gateway.api() as api:
        put(api, "enterprise/B1", attributes=FACTORY)
        with unit_of_work() as session:
            save_contact(session, "enterprise:B1", "email", "a@example.com", None, "表", utc_now())
        api.delete("/api/v1/profiles/enterprise/B1")
    with unit_of_work() as session:
        assert channels_of(session, "enterprise:B1") == ()
        assert read_told(session, "enterprise:B1", "test").consent is None


def test_every_wrong_field_is_reported_without_its_value_and_nothing_is_stored(
    gateway: Gateway,
) -> None:
    wrong = {
        "headcount": -7771,
        "revenue_wan": "很多7772",
        "scale": "tiny7773",
        "is_high_tech": 1,
        "registered_years": float("nan"),
        "age": 80,
        "insured_staff": 3,
    }
    with gateway.api() as api:
        content = json.dumps({"consent": consent(), "attributes": wrong})
        answer = api.put("/api/v1/profiles/enterprise/C1", content=content)
        assert answer.status_code == 422
        assert answer.json()["error"]["code"] == "profile_invalid"
        report = {fault["field"]: fault for fault in answer.json()["report"]}
        assert set(report) == set(wrong) - {"insured_staff"}
        assert report["headcount"]["label"] == "从业人数"
        assert report["headcount"]["message"] == "字段 headcount（从业人数）不能小于0人。"
        assert report["age"] == {"field": "age", "label": "", "message": "企业画像没有这个字段。"}
        assert "777" not in answer.text
        assert api.get("/api/v1/profiles/enterprise/C1").status_code == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"attributes": {}}, "consent_missing"),
        ({"attributes": {}, "consent": {}}, "consent_missing"),
        ({"attributes": {}, "consent": consent(purpose="advertising")}, "request_invalid"),
        ({"attributes": {}, "consent": consent(how=" ")}, "request_invalid"),
        ({"attributes": {}, "consent": consent(how="同" * 201)}, "request_invalid"),
        ({"attributes": {}, "consent": consent(given_on="昨天")}, "request_invalid"),
        ({"attributes": {}, "consent": consent(given_on="2001-01-01")}, "consent_date"),
        (
            {
                "attributes": {},
                "consent": consent(given_on=str(city_day(utc_now()) + timedelta(days=1))),
            },
            "consent_date",
        ),
        ({"consent": consent()}, "request_invalid"),
        ({"attributes": [], "consent": consent()}, "request_invalid"),
        ({"attributes": {f"x{n}": 1 for n in range(300)}, "consent": consent()}, "request_invalid"),
        ({"attributes": {}, "consent": consent(), "id": "B"}, "request_invalid"),
        ([], "request_invalid"),
        ("x", "request_invalid"),
    ],
    ids=str,
)
def test_without_a_right_body_nothing_is_stored(gateway: Gateway, body: Any, code: str) -> None:
    with gateway.api() as api:
        answer = api.put("/api/v1/profiles/enterprise/D1", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, code)
        assert api.get("/api/v1/profiles/enterprise/D1").status_code == 404


@pytest.mark.parametrize(
    "content", [b"{", b"\xff\xfe", b"[" * 60_000, b'{"attributes": {"\\ud800": 1}}', b""]
)
def test_what_is_no_json_is_refused(gateway: Gateway, content: bytes) -> None:
    with gateway.api() as api:
        answer = api.put("/api/v1/profiles/enterprise/D1", content=content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "json_malformed")


def test_a_large_body_is_refused(gateway: Gateway) -> None:
    with gateway.api() as api:
        content = b'{"attributes": {}, "x": "' + b"a" * MAX_BYTES + b'"}'
        answer = api.put("/api/v1/profiles/enterprise/D1", content=content)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "profile_too_large")


@pytest.mark.parametrize("name", ["13812345678", "330106198001011234", "a@b.cn"])
def test_an_id_that_tells_who_somebody_is_is_refused(gateway: Gateway, name: str) -> None:
    with gateway.api() as api:
        answer = put(api, f"resident/{name}", attributes={"age": 80})
        assert answer.status_code == 422
        assert api.get(f"/api/v1/profiles/resident/{name}").status_code in (404, 422)


@pytest.mark.parametrize("path", ["company/A1", "enterprise/a%20b", "enterprise/" + "x" * 101])
def test_another_kind_or_a_strange_id_is_refused(gateway: Gateway, path: str) -> None:
    with gateway.api() as api:
        for answer in (put(api, path, attributes={}), api.get(f"/api/v1/profiles/{path}")):
            assert answer.status_code == 422


@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer wrong"}])
def test_only_with_the_key(gateway: Gateway, header: dict[str, str]) -> None:
    with gateway.client(**header) as client:
        path = "/api/v1/profiles/enterprise/E1"
        body = {"consent": consent(), "attributes": FACTORY}
        for answer in (client.put(path, json=body), client.get(path), client.delete(path)):
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "unauthorized")
    with gateway.api() as api:
        assert api.get(path).status_code == 404


def test_a_later_word_in_the_chat_keeps_the_consent(gateway: Gateway) -> None:
    with gateway.api() as api:
        put(api, "resident/F1", attributes={"age": 81})
        with unit_of_work() as session:
            save_profile(session, "resident:F1", "resident", {"age": 82}, told=("age",))
            save_birth(session, "resident:F1", None)
        found = api.get("/api/v1/profiles/resident/F1").json()
    assert found["attributes"] == {"age": 82}
    assert found["consent"]["how"] == consent()["how"]
