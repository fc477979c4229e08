"""The OpenAPI document says what the Chat API does: schemathesis asks it by the document."""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.channels.conftest import Gateway, refusal

EXAMPLES = 25
"""A route; the whole of it takes some seconds, and the same ones every time."""

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)


ROUTES = [
    ("POST", "/api/v1/messages"),
    ("GET", "/api/v1/messages"),
    ("GET", "/api/v1/health"),
    ("PUT", "/api/v1/profiles/{kind}/{name}"),
    ("GET", "/api/v1/profiles/{kind}/{name}"),
    ("DELETE", "/api/v1/profiles/{kind}/{name}"),
]


def document(gateway: Gateway) -> dict[str, Any]:
    with gateway.api() as http:
        answer = http.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return dict(answer.json())


def test_the_document_is_for_who_has_the_key(gateway: Gateway) -> None:
    with gateway.client() as http:
        assert refusal(http.get("/api/v1/openapi.json")) == (401, "unauthorized")
        assert http.get("/openapi.json").status_code == 404
    paths = document(gateway)["paths"]
    told = {(method.upper(), path) for path, item in paths.items() for method in item}
    assert told == set(ROUTES)
    for item in paths.values():
        for operation in item.values():
            assert {"429", "503"} <= set(operation["responses"])


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_keeps_to_the_document(gateway: Gateway, method: str, path: str) -> None:
    schema = schemathesis.openapi.from_dict(document(gateway))
    schema.config.update(base_url=gateway.url)
    codes: Counter[int] = Counter()

    @given(case=schema[path][method].as_strategy())
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: schemathesis.Case) -> None:
        key = {"Authorization": "Bearer test-api-key"}
        answer = case.call_and_validate(headers=key, checks=list(CHECKS), timeout=20)
        codes[answer.status_code] += 1

    ask()
    sys.stdout.write(f"{method} {path}: {dict(codes)}\n")
    assert codes.total() >= 1
    assert 401 not in codes
