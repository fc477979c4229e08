"""What the desk writes, the client reads back unchanged, in both formats."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch.open311 import reader, writer
from dispatch.open311.errors import DispatchUnreadableError
from dispatch.open311.json_format import Node
from dispatch.open311.models import (
    AttributeValue,
    Created,
    RequestUpdate,
    ServerError,
    Service,
    ServiceAttribute,
    ServiceDefinition,
    ServiceRequest,
)

Format = Literal["json", "xml"]

# Readers trim text and read empty text as absent, so the written values are neither.
words = st.text(min_size=1, max_size=60).map(lambda text: writer.plain(text).strip()).filter(bool)
maybe = st.none() | words
names = st.from_regex(r"[A-Za-z0-9._-]{1,20}", fullmatch=True)
urls = st.lists(names.map(lambda name: f"http://host/{name}?a=1&b=2"), max_size=3).map(tuple)
formats = st.sampled_from(["json", "xml"])
moments = st.datetimes(
    min_value=datetime(2000, 1, 1),
    max_value=datetime(2100, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=5))]),
).map(lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000))
places = st.none() | st.tuples(
    st.floats(-90, 90, allow_nan=False), st.floats(-180, 180, allow_nan=False)
)


@st.composite
def service_requests(draw: st.DrawFn) -> ServiceRequest:
    place = draw(places)
    return ServiceRequest(
        service_request_id=draw(names),
        status=draw(st.sampled_from(["open", "closed"])),
        status_notes=draw(maybe),
        service_name=draw(maybe),
        service_code=draw(maybe),
        description=draw(maybe),
        agency_responsible=draw(maybe),
        service_notice=draw(maybe),
        requested_datetime=draw(st.none() | moments),
        updated_datetime=draw(st.none() | moments),
        expected_datetime=draw(st.none() | moments),
        address=draw(maybe),
        address_id=draw(maybe),
        zipcode=draw(maybe),
        lat=place[0] if place else None,
        long=place[1] if place else None,
        media_urls=draw(urls),
        detailed_status=draw(st.sampled_from([None, "OPEN", "IN_PROGRESS"])),
    )


updates = st.builds(
    RequestUpdate,
    update_id=names,
    service_request_id=names,
    status=st.sampled_from(["", "FIXED", "CLOSED"]),
    updated_datetime=moments,
    description=st.just("") | words,
    agency_responsible=maybe,
    media_urls=urls,
)
keywords = st.lists(names, max_size=3).map(tuple)
services = st.builds(
    Service,
    service_code=names,
    service_name=words,
    description=maybe,
    metadata=st.booleans(),
    type=st.sampled_from(["realtime", "batch", "blackbox"]),
    keywords=keywords,
    group=maybe,
)
values = st.lists(st.builds(AttributeValue, key=names, name=words), max_size=3).map(tuple)
attributes = st.builds(
    ServiceAttribute,
    code=names,
    variable=st.booleans(),
    datatype=st.sampled_from(["string", "singlevaluelist", "datetime"]),
    required=st.booleans(),
    datatype_description=maybe,
    order=st.integers(1, 50),
    description=maybe,
    values=values,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # one draw is slow on a busy machine
@given(st.lists(service_requests(), max_size=4), formats)
def test_requests(items: list[ServiceRequest], form: Format) -> None:
    body = writer.write_requests(items, form, extensions=True)
    assert reader.read_requests(reader.read_tree(body)) == tuple(items)


@given(st.lists(updates, max_size=4), formats)
def test_updates(items: list[RequestUpdate], form: Format) -> None:
    body = writer.write_updates(items, form)
    expected = tuple(sorted(items, key=lambda update: update.updated_datetime))
    assert reader.read_updates(reader.read_tree(body)) == expected


@given(st.lists(services, max_size=4), formats)
def test_services(items: list[Service], form: Format) -> None:
    body = writer.write_services(items, form)
    assert reader.read_services(reader.read_tree(body)) == tuple(items)


@given(names, st.lists(attributes, max_size=4), formats)
def test_definitions(code: str, items: list[ServiceAttribute], form: Format) -> None:
    items.sort(key=lambda attribute: attribute.order)
    definition = ServiceDefinition(code, tuple(items))
    body = writer.write_definition(definition, form)
    assert reader.read_definition(reader.read_tree(body), "other") == definition


@given(names, maybe, formats)
def test_created(name: str, notice: str | None, form: Format) -> None:
    for created in (Created(name, None, notice), Created(None, name, None)):
        body = writer.write_created(created, form)
        assert reader.read_created(reader.read_tree(body)) == created
    assert reader.read_token(reader.read_tree(writer.write_token("t", name, form))) == name


@given(st.lists(st.builds(ServerError, st.just("400"), words), max_size=3), formats)
def test_errors(items: list[ServerError], form: Format) -> None:
    body = writer.write_errors(items, form)
    assert reader.read_errors(reader.read_tree(body)) == tuple(items)


@given(st.text(), formats)
def test_any_text_can_be_written(text: str, form: Format) -> None:
    body = writer.write_errors([ServerError("500", text)], form)
    (error,) = reader.read_errors(reader.read_tree(body))
    assert error.description == writer.plain(text).strip()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "service_request_id",
                    "token",
                    "update_id",
                    "service_code",
                    "attributes",
                    "code",
                    "extended_attributes",
                    "media_url",
                    "lat",
                    "long",
                    "order",
                    "values",
                    "x",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
)


@given(JSON)
def test_any_tree_is_read_or_refused(tree: Node) -> None:
    for read in (
        reader.read_services,
        reader.read_requests,
        reader.read_updates,
        reader.read_created,
        reader.read_token,
        reader.read_errors,
        reader.read_posted_update,
    ):
        try:
            read(tree)
        except DispatchUnreadableError:
            continue
    with contextlib.suppress(DispatchUnreadableError):
        reader.read_definition(tree, "x")


@given(st.binary(max_size=200), st.sampled_from(["", "text/xml; charset=gbk", "charset=zzz"]))
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str) -> None:
    with contextlib.suppress(DispatchUnreadableError):
        reader.read_tree(body, content_type)


@given(moments)
def test_times(moment: datetime) -> None:
    assert reader.parse_time(writer.write_time(moment)) == moment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T08:00:00+0800", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21T00:00:00Z", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026-11-21 08:00:00", datetime(2026, 11, 21, tzinfo=UTC)),
        ("2026/11/21 08:00", datetime(2026, 11, 21, tzinfo=UTC)),
        ("0001-01-01T00:00:00", None),
        ("昨天", None),
        ("", None),
        (None, None),
    ],
)
def test_sloppy_times(text: str | None, expected: datetime | None) -> None:
    assert reader.parse_time(text) == expected
