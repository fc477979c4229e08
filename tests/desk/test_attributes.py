"""What the desk asks with a request, and what it does with the answers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from base.errors import ConfigurationError
from base.settings import Settings
from dispatch.classification.categories import load_categories
from dispatch.desk.questions import LISTS, Question, load_questions
from dispatch.open311 import DispatchRejectedError, Open311Client, RequestDraft
from dispatch.open311.models import AttributeValue

Serve = Callable[[Settings], AbstractContextManager[str]]
KEY = {"api_key": "desk-key-1"}
GOOD = {**KEY, "service_code": "city.other", "address_string": "文昌路1号"}


def question(code: str, datatype: str, **more: Any) -> dict[str, Any]:
    asked = {"code": code, "datatype": datatype, "description": f"问题{code}", **more}
    if datatype in LISTS:
        asked["values"] = [{"key": "a", "name": "甲"}, {"key": "b", "name": "乙"}]
    return asked


EVERY = [
    question("words", "string", required=True),
    question("amount", "number"),
    question("when", "datetime"),
    question("story", "text"),
    question("one", "singlevaluelist", required=True),
    question("some", "multivaluelist"),
    question("note", "text", variable=False),
]


@pytest.fixture
def asking(make_settings: Callable[..., Settings], tmp_path: Path) -> Settings:
    """A desk that asks a question of every datatype."""
    path = tmp_path / "attributes.yml"
    path.write_text(yaml.safe_dump({"common": EVERY}, allow_unicode=True), encoding="utf-8")
    return make_settings(desk_attributes_file=path)


def test_every_service_has_a_definition(client: Open311Client, settings: Settings) -> None:
    for service in client.services():
        assert service.metadata
        definition = client.service_definition(service.service_code)
        assert definition is not None
        assert [item.order for item in definition.attributes] == list(
            range(1, len(definition.attributes) + 1)
        )
        asked = {item.code: item for item in definition.attributes}
        assert asked["shimin_id"].datatype == asked["responsible_unit"].datatype == "string"
        assert asked["occurred_at"].datatype == "datetime"
        assert asked["hot_spot"].datatype == "singlevaluelist"
        assert asked["hot_spot"].values == (AttributeValue("0", "否"), AttributeValue("1", "是"))
    waste = client.service_definition("waste.hazardous")
    assert waste is not None
    assert not waste.attributes[-1].variable


def test_all_datatypes_are_asked_and_answered(asking: Settings, serve: Serve) -> None:
    with serve(asking) as url:
        for form in ("json", "xml"):
            with Open311Client(url, "desk-key-1", format=form) as client:
                definition = client.service_definition("city.other")
                assert definition is not None
                assert [item.datatype for item in definition.attributes] == [
                    asked["datatype"] for asked in EVERY
                ]
                assert [item.required for item in definition.attributes] == [
                    asked.get("required", False) for asked in EVERY
                ]
                draft = RequestDraft(
                    "city.other",
                    address_string="人民路",
                    attributes={
                        "words": "一行字",
                        "amount": "-1.5e3",
                        "when": "2026-11-21T08:30:00+08:00",
                        "story": "两行\n字",
                        "one": "a",
                        "some": ("a", "b"),
                        "nobody_asked": "也收下",
                    },
                )
                assert client.create(draft, f"key-{form}").service_request_id


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"words": ""}, "attribute[words] was not provided"),
        ({"one": " "}, "attribute[one] was not provided"),
        ({"words": "两行\n字"}, "attribute[words] must not contain line breaks"),
        ({"amount": "三个"}, "attribute[amount] must be a number"),
        ({"amount": "nan"}, "attribute[amount] must be a number"),
        ({"when": "昨天晚上"}, "attribute[when] must be an ISO 8601 date-time"),
        ({"one": "c"}, "attribute[one] must be one of a, b"),
        ({"one": ["a", "b"]}, "attribute[one] takes one value"),
        ({"some": ["a", "c"]}, "attribute[some] must be one of a, b"),
    ],
)
def test_answers_that_do_not_fit_are_refused(
    asking: Settings, serve: Serve, answers: dict[str, Any], said: str
) -> None:
    given_answers: dict[str, Any] = {"words": "一行字", "one": "a", **answers}
    fields: dict[str, Any] = {**GOOD}
    for code, value in given_answers.items():
        fields[f"attribute[{code}]" + ("[]" if isinstance(value, list) else "")] = value
    with serve(asking) as url:
        answer = httpx.post(f"{url}/requests.json", data=fields)
        assert answer.status_code == 400
        assert [error["description"] for error in answer.json()] == [said]
        assert httpx.get(f"{url}/requests.json").json() == []


def test_every_missing_answer_is_named(asking: Settings, serve: Serve) -> None:
    with serve(asking) as url:
        errors = httpx.post(f"{url}/requests.json", data=GOOD).json()
    assert [error["description"] for error in errors] == [
        "attribute[words] was not provided",
        "attribute[one] was not provided",
    ]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("[]", "must be a mapping"),
        ("common: 1", "common: must be a list"),
        ("common: []\nmore: 1", "unknown field more"),
        ("common: []\nservices: {no.such: []}", "no.such: no such service"),
        ("common: [{code: a, datatype: colour, description: x}]", "common.0: datatype"),
        ("common: [{code: a, datatype: singlevaluelist, description: x}]", "needs values"),
        (
            "common: [{code: a, datatype: text, description: x, variable: false, required: true}]",
            "a notice cannot be required",
        ),
        (
            "common: [{code: a, datatype: text, description: x}]\n"
            "services: {city.other: [{code: a, datatype: text, description: y}]}",
            "a code occurs twice",
        ),
    ],
)
def test_a_wrong_file_is_named(
    tmp_path: Path, settings: Settings, document: str, said: str
) -> None:
    path = tmp_path / "wrong.yml"
    path.write_text(document, encoding="utf-8")
    codes = load_categories(settings.categories_file).codes
    with pytest.raises(ConfigurationError, match=said) as caught:
        load_questions(path, codes)
    assert str(path) in caught.value.detail


@given(st.lists(st.text(max_size=20), max_size=3), st.sampled_from(EVERY))
def test_any_answer_is_judged(given_answer: list[str], asked: dict[str, Any]) -> None:
    problem = Question.model_validate(asked).problem(given_answer)
    assert problem is None or problem.isascii()
    if not any(value.strip() for value in given_answer):
        assert (problem is None) == (not asked.get("required", False))


def test_a_named_unit_is_the_agency(client: Open311Client, draft: RequestDraft) -> None:
    unit = "云东区文昌街道综合行政执法队"
    named = replace(draft, attributes={"responsible_unit": unit})
    request_id = client.create(named, "key-1").service_request_id
    assert request_id
    request = client.request(request_id)
    assert request.agency_responsible == unit
    assert unit in (request.service_notice or "")


@pytest.mark.parametrize("unit", ["", "   ", "局" * 81])
def test_without_a_usable_unit_the_category_decides(
    client: Open311Client, draft: RequestDraft, settings: Settings, unit: str
) -> None:
    named = replace(draft, attributes={"responsible_unit": unit})
    request_id = client.create(named, "key-1").service_request_id
    assert request_id
    department = load_categories(settings.categories_file)["air.cooking_fume"].department
    assert client.request(request_id).agency_responsible == department


def test_units_seen_are_offered_for_a_transfer(
    dispatcher: Any, desk: str, draft: RequestDraft
) -> None:
    unit = "高新区数字城管中心"
    with Open311Client(desk, "desk-key-1") as client:
        client.create(replace(draft, attributes={"responsible_unit": unit}), "key-1")
        other = client.create(draft, "key-2").service_request_id
        assert other
        before = client.request(other).agency_responsible
        done = dispatcher.act(other, "transfer", explanation="属地管理", agency=unit)
        assert done.status_code == 303
        assert client.request(other).agency_responsible == unit
    page = dispatcher.reads(f"/desk/requests/{other}")
    assert f"转办至{unit}" in page
    assert f"{before} · 李敏" in page  # who handed it over, not who has it now


def test_an_unknown_jurisdiction_is_tolerated(desk: str, draft: RequestDraft) -> None:
    with Open311Client(desk, "desk-key-1", jurisdiction_id="yunzhou.gov.cn") as client:
        request_id = client.create(draft, "key-1").service_request_id
        assert request_id
        assert client.request(request_id).status == "open"
        assert client.services()
        assert client.updates() == ()


def test_a_wrong_answer_files_nothing(client: Open311Client, draft: RequestDraft) -> None:
    with pytest.raises(DispatchRejectedError):
        client.create(replace(draft, attributes={"hot_spot": "maybe"}), "key-1")
    assert client.requests() == ()


def test_discovery_is_read_by_the_client(client: Open311Client, desk: str) -> None:
    document = client.discovery()
    assert document is not None
    endpoint = document.endpoint()
    assert endpoint is not None
    assert endpoint.url == desk
