"""The client against the specification: its documented examples from a real server, unchanged.

Where the examples come from is said in :mod:`tests.open311.specification`. What the wiki shows in
one format only is also served in the other one, by the wiki's own rule ("Spark convention",
https://wiki.open311.org/JSON_and_XML_Conversion/): those tests say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, SubElement, tostring

import pytest

from dispatch.open311 import (
    DispatchError,
    DispatchNotFoundError,
    DispatchRejectedError,
    DispatchUnreadableError,
    Open311Client,
    RequestAttribute,
    RequestDraft,
    RequestFilter,
    RequestNote,
    ServiceAttribute,
    UpdateDraft,
    Upload,
)
from dispatch.open311.json_format import read_json
from dispatch.open311.models import AttributeValue
from dispatch.open311.reader import read_errors, read_tree
from dispatch.open311.writer import Format
from tests.open311 import specification as said

FORMATS: tuple[Format, ...] = ("json", "xml")
KINDS = {"json": "application/json; charset=utf-8", "xml": "text/xml; charset=utf-8"}
NOTICE = (
    "The City will inspect and require the responsible party to correct within 24 hours and/or "
    "issue a Correction Notice or Notice of Violation of the Public Works Code"
)


class City:
    """An endpoint that serves one format and answers with documented examples."""

    def __init__(self, server: Any, form: Format) -> None:
        self.server = server
        self.form = form
        self.client = Open311Client(
            server.url, "xyz", format=form, timeout=5.0, jurisdiction_id="city.gov"
        )

    def says(self, path: str, name: str, status: int = 200) -> None:
        """Answer ``path`` with the example ``name`` in this format."""
        body: str = getattr(said, f"{name}_{self.form.upper()}")
        self.says_body(path, body, status)

    def says_body(self, path: str, body: str, status: int = 200) -> None:
        self.server.says(f"/{path}.{self.form}", status, body, Content_Type=KINDS[self.form])


@pytest.fixture(params=FORMATS)
def city(odd: Any, request: pytest.FixtureRequest) -> Iterator[City]:
    place = City(odd, request.param)
    with place.client:
        yield place


@pytest.fixture
def xml_city(odd: Any) -> Iterator[City]:
    place = City(odd, "xml")
    with place.client:
        yield place


def as_xml(value: Any, root: str, items: dict[str, str]) -> str:
    """Turn JSON into XML by the Spark convention: a list becomes repeated items in a container."""

    def fill(element: Element, part: Any) -> None:
        if isinstance(part, dict):
            for name, inner in part.items():
                fill(SubElement(element, name), inner)
        elif isinstance(part, list):
            for inner in part:
                fill(SubElement(element, items[element.tag]), inner)
        elif part is not None:
            element.text = str(part)

    top = Element(root)
    fill(top, value)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(top, encoding="unicode")


def test_service_list(city: City) -> None:
    city.says("services", "SERVICES")
    services = city.client.services()
    assert [item.service_code for item in services] == ["001", "002", "003"]
    assert [item.group for item in services] == ["sanitation", "street", "street"]
    assert all(item.metadata and item.type == "realtime" for item in services)
    assert services[0].service_name == "Cans left out 24x7"
    assert services[0].keywords == ("lorem", "ipsum", "dolor")
    assert (services[2].description or "").endswith("holes, and/or chipped curb.")
    assert city.server.asked == [f"/services.{city.form}?jurisdiction_id=city.gov"]


def test_service_definition(city: City) -> None:
    city.says("services/DMV66", "DEFINITION")
    definition = city.client.service_definition("DMV66")
    assert definition is not None
    assert definition.service_code == "DMV66"
    assert definition.attributes == (
        ServiceAttribute(
            code="WHISHETN",
            variable=True,
            datatype="singlevaluelist",
            required=True,
            datatype_description=None,
            order=1,
            description="What is the ticket/tag/DL number?",
            values=(AttributeValue("123", "Ford"), AttributeValue("124", "Chrysler")),
        ),
    )


EVERY_DATATYPE: list[dict[str, Any]] = [
    {
        "variable": datatype != "text",
        "code": f"Q{order}",
        "datatype": datatype,
        "required": order % 2 == 0,
        "datatype_description": "hint" if order == 3 else None,
        "order": order,
        "description": f"Question {order}",
        "values": [{"key": 1, "name": "One"}, {"key": 2, "name": "Two"}]
        if datatype.endswith("list")
        else [],
    }
    for order, datatype in enumerate(
        ("string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"), start=1
    )
]


def test_every_datatype_of_a_definition(city: City) -> None:
    """The table of datatypes in "GET Service Definition", as one definition in both formats."""
    tree = {"service_code": "DMV66", "attributes": EVERY_DATATYPE[::-1]}
    body = (
        json.dumps(tree)
        if city.form == "json"
        else as_xml(tree, "service_definition", {"attributes": "attribute", "values": "value"})
        .replace("True", "true")
        .replace("False", "false")
    )
    city.says_body("services/DMV66", body)
    definition = city.client.service_definition("DMV66")
    assert definition is not None
    choices = (AttributeValue("1", "One"), AttributeValue("2", "Two"))
    assert definition.attributes == tuple(
        ServiceAttribute(
            code=question["code"],
            variable=question["variable"],
            datatype=question["datatype"],
            required=question["required"],
            datatype_description=question["datatype_description"],
            order=question["order"],
            description=question["description"],
            values=choices if question["values"] else (),
        )
        for question in EVERY_DATATYPE
    )


def test_a_definition_with_one_choice_or_none(xml_city: City) -> None:
    """In XML a list of one cannot be told from a field; an empty container is no choice."""
    one = said.DEFINITION_XML.replace(
        "<key>124</key>\n                    <name>Chrysler</name>", ""
    ).replace("<value>\n                    \n                </value>", "")
    xml_city.says_body("services/DMV66", one)
    definition = xml_city.client.service_definition("DMV66")
    assert definition is not None
    assert definition.attributes[0].values == (AttributeValue("123", "Ford"),)
    xml_city.says_body(
        "services/DMV67",
        "<service_definition><service_code>DMV67</service_code><attributes/></service_definition>",
    )
    empty = xml_city.client.service_definition("DMV67")
    assert empty is not None
    assert (empty.service_code, empty.attributes) == ("DMV67", ())


DRAFT = RequestDraft(
    service_code="001",
    lat=37.76524078,
    long=-122.4212043,
    address_string="1234 5th street",
    email="smit333@sfgov.edu",
    device_id="tt222111",
    account_id="123456",
    first_name="john",
    last_name="smith",
    phone="111111111",
    description="A large sinkhole is destroying the street",
    media_urls=("http://farm3.static.flickr.com/2002/2212426634_5ed477a060.jpg",),
    attributes={"WHISPAWN": "123456", "WHISDORN": "COISL001"},
)


def test_post_service_request(city: City) -> None:
    """What is posted is the documented request, field by field; what is answered is read."""
    city.says("requests", "CREATED")
    created = city.client.create(DRAFT, "key-1")
    assert (created.service_request_id, created.token) == ("293944", None)
    assert created.notice == NOTICE
    (form,) = city.server.forms
    documented = dict(parse_qsl(said.POSTED))
    sent = dict(form)
    for name in ("lat", "long"):
        assert float(sent.pop(name)) == pytest.approx(float(documented.pop(name)), abs=1e-7)
    assert sent == documented
    (headers,) = city.server.headers
    assert headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8"


def test_post_with_several_values_of_one_attribute(city: City) -> None:
    """``attribute[code1][]=value1&attribute[code1][]=value2``, "POST Service Request"."""
    city.says("requests", "CREATED")
    draft = RequestDraft("001", address_id="545483", attributes={"code1": ("value1", "value2")})
    city.client.create(draft, "key-1")
    (form,) = city.server.forms
    assert [pair for pair in form if pair[0].startswith("attribute")] == [
        ("attribute[code1][]", "value1"),
        ("attribute[code1][]", "value2"),
    ]
    assert ("address_id", "545483") in form


def test_post_answered_with_a_token_and_the_token_redeemed(city: City) -> None:
    """A token instead of an id (the wiki gives the field, not an example), then its example."""
    token = (
        '[{"token":12345}]'
        if city.form == "json"
        else "<service_requests><request><token>12345</token></request></service_requests>"
    )
    city.says_body("requests", token)
    created = city.client.create(DRAFT, "key-1")
    assert (created.service_request_id, created.token) == (None, "12345")
    city.says("tokens/12345", "TOKEN")
    assert city.client.request_id_for("12345") == "638344"
    assert city.server.asked[-1] == f"/tokens/12345.{city.form}?jurisdiction_id=city.gov"


def check_closed_request(request: Any) -> None:
    moment = datetime(2010, 4, 14, 14, 37, 38, tzinfo=UTC)
    assert request.service_request_id == "638344"
    assert (request.status, request.status_notes) == ("closed", "Duplicate request.")
    assert (request.service_name, request.service_code) == ("Sidewalk and Curb Issues", "006")
    empty = (request.description, request.agency_responsible, request.service_notice)
    assert empty == (None, None, None)
    assert request.requested_datetime == request.updated_datetime == moment
    assert request.expected_datetime == moment.replace(day=15)
    assert (request.address, request.address_id) == ("8TH AVE and JUDAH ST", "545483")
    assert request.zipcode == "94122"
    assert (request.lat, request.long) == (37.762221815, -122.4651145)
    assert request.media_urls == ("http://city.gov.s3.amazonaws.com/requests/media/638344.jpg",)
    assert request.detailed_status is None


def test_get_service_requests(city: City) -> None:
    city.says("requests", "REQUESTS")
    first, second = city.client.requests(
        RequestFilter(
            status="open",
            start=datetime(2010, 5, 24, tzinfo=UTC),
            end=datetime(2010, 6, 24, tzinfo=UTC),
            updated_after=datetime(2010, 6, 1, tzinfo=UTC),
        )
    )
    check_closed_request(first)
    assert (second.service_request_id, second.status) == ("638349", "open")
    assert second.status_notes is None
    assert second.media_urls == ("http://city.gov.s3.amazonaws.com/requests/media/638349.jpg",)
    (asked,) = city.server.asked
    query = dict(parse_qsl(asked.partition("?")[2]))
    assert query["status"] == "open"
    assert query["jurisdiction_id"] == "city.gov"
    for name, day in (("start_date", "2010-05-24"), ("updated_after", "2010-06-01")):
        assert query[name].startswith(day)
        assert datetime.fromisoformat(query[name]).utcoffset() is not None


def test_get_service_request(city: City) -> None:
    city.says("requests/638344", "REQUEST")
    check_closed_request(city.client.request("638344"))


def test_pages_are_walked_to_the_end(city: City) -> None:
    """``page`` and ``page_size`` of the pagination extension."""
    pages = {"1": said.REQUESTS_JSON, "2": said.REQUEST_JSON.replace("638344", "638350")}
    if city.form == "xml":
        pages = {"1": said.REQUESTS_XML, "2": said.REQUEST_XML.replace("638344", "638350")}
    path = f"/requests.{city.form}"
    answers = city.server.answers
    walk = city.client.all_requests(page_size=2)
    city.says_body("requests", pages["1"])
    found = [next(walk).service_request_id, next(walk).service_request_id]
    city.says_body("requests", pages["2"])
    found.append(next(walk).service_request_id)
    answers[path].body = b"[]" if city.form == "json" else b"<service_requests/>"
    assert [*found, *(item.service_request_id for item in walk)] == ["638344", "638349", "638350"]
    sent = [dict(parse_qsl(asked.partition("?")[2])) for asked in city.server.asked]
    assert [(query["page"], query["page_size"]) for query in sent] == [
        ("1", "2"),
        ("2", "2"),
        ("3", "2"),
    ]


ITEMS = {
    "service_requests": "request",
    "attributes": "attribute",
    "photos": "photo",
    "notes": "note",
}


def test_extended_attributes(city: City) -> None:
    """San Francisco's answer to ``extensions=true``; its XML by the Spark convention."""
    body = said.EXTENDED_JSON
    if city.form == "xml":
        body = as_xml(json.loads(body), "service_requests", ITEMS)
    city.says_body("requests/4944710", body)
    request = city.client.request("4944710")
    assert request.description == "Garbage on sidewalk"
    assert len(request.media_urls) == 1
    assert request.media_urls[0].endswith("photo_20150727_162341.jpg")
    assert request.attributes == (
        RequestAttribute("request_type", "Other Loose Garbage / Debris", "Object"),
    )
    assert request.notes == (
        RequestNote(
            "Submitted via Android", "submitted", datetime(2015, 7, 27, 23, 24, 19, tzinfo=UTC)
        ),
        RequestNote("Opened", "opened", datetime(2015, 7, 27, 23, 24, 28, tzinfo=UTC)),
    )
    assert "extensions=true" in city.server.asked[0]


def test_discovery(city: City) -> None:
    city.says("discovery", "DISCOVERY")
    document = city.client.discovery()
    assert document is not None
    assert document.changeset == "2011-02-03 14:18"
    assert document.contact.startswith("You can email or call")
    assert document.key_service.endswith("http://api.mycity.gov/api_key/request")
    assert [endpoint.url for endpoint in document.endpoints] == [
        "http://open311.mycity.gov/v2",
        "http://open311.mycity.gov/test/v2",
        "http://open311.mycity.gov/v3",
    ]
    live, test = document.endpoint(), document.endpoint(type="test")
    assert live is not None
    assert test is not None
    assert (live.url, live.formats) == ("http://open311.mycity.gov/v2", ("text/xml",))
    assert live.changeset == "2010-11-23 09:01"
    assert test.formats == ("text/xml", "application/json")
    assert document.endpoint("http://wiki.open311.org/GeoReport_v9") is None


def test_a_server_without_discovery(city: City) -> None:
    assert city.client.discovery() is None
    city.says("discovery", "SERVICES")
    with pytest.raises(DispatchUnreadableError):
        city.client.discovery()


CALLS = {
    "services": lambda client: client.services(),
    "requests": lambda client: client.create(DRAFT, "key-1"),
    "requests/638344": lambda client: client.request("638344"),
    "servicerequestupdates": lambda client: client.post_update(UPDATE),
}
UPDATE = UpdateDraft(
    "passthrough-248",
    "123",
    "Update here",
    datetime(2016, 9, 1, 15, tzinfo=UTC),
    first_name="Bob",
    last_name="Mould",
)


@pytest.mark.parametrize("path", CALLS)
def test_errors(city: City, path: str) -> None:
    """403 for a wrong key, 404 for what does not exist, 400 for the rest, each with the list."""
    kinds: dict[int, type[DispatchError]] = {
        400: DispatchRejectedError,
        403: DispatchRejectedError,
        404: DispatchNotFoundError,
    }
    for status, kind in kinds.items():
        city.says(path, "ERRORS", status)
        with pytest.raises(kind) as caught:
            CALLS[path](city.client)
        assert caught.value.status == status
        assert not caught.value.retryable
        # The body's own code is told when it says more than the HTTP status.
        assert caught.value.detail == ("HTTP 403" if status == 403 else f"HTTP {status}: 403")


def test_the_documented_error_is_read(city: City) -> None:
    body: str = getattr(said, f"ERRORS_{city.form.upper()}")
    (error,) = read_errors(read_tree(body.encode(), KINDS[city.form]))
    assert error.code == "403"
    assert error.description == "Invalid api_key received -- can't proceed with create_request."


def test_several_errors_at_once(city: City) -> None:
    """ "Multiple errors codes and descriptions can be returned in the body"."""
    listed = [{"code": 1001, "description": "no service"}, {"code": 1002, "description": "no lat"}]
    city.says_body(
        "requests",
        json.dumps(listed)
        if city.form == "json"
        else as_xml(listed, "errors", {"errors": "error"}),
        400,
    )
    with pytest.raises(DispatchRejectedError) as caught:
        city.client.create(DRAFT, "key-1")
    assert caught.value.detail == "HTTP 400: 1001; 1002"


@pytest.mark.parametrize("form", FORMATS)
def test_get_service_request_updates(odd: Any, form: Format) -> None:
    """mySociety's answers; the JSON is the same records as a list."""
    fields = ("description", "media_url", "service_request_id", "status", "update_id")
    listed = [
        dict(zip((*fields, "updated_datetime"), values, strict=True))
        for values in (
            ("Fixed", "", 0, "closed", 1, "2014-01-01T13:00:00Z"),
            ("Have investigated. Looks tricky!", "", 1, "open", 2, "2014-03-01T13:00:00Z"),
        )
    ]
    city = City(odd, form)
    city.says_body(
        "servicerequestupdates", json.dumps(listed) if form == "json" else said.UPDATES_XML
    )
    with city.client:
        first, second = city.client.updates(datetime(2014, 1, 1, 12, tzinfo=UTC))
    assert (first.update_id, first.service_request_id) == ("1", "0")
    assert (first.status, first.description, first.media_urls) == ("CLOSED", "Fixed", ())
    assert first.updated_datetime == datetime(2014, 1, 1, 13, tzinfo=UTC)
    assert (second.status, second.description) == ("OPEN", "Have investigated. Looks tricky!")
    assert "start_date=2014-01-01T20" in odd.asked[0]


def test_no_updates_and_photos_of_an_update(xml_city: City) -> None:
    xml_city.says_body("servicerequestupdates", said.NO_UPDATES_XML)
    assert xml_city.client.updates() == ()
    photos = "<media_url>http://a/1.jpg</media_url><media_url>http://a/2.jpg</media_url>"
    body = said.UPDATES_XML.replace("<media_url></media_url>", photos, 1)
    xml_city.says_body("servicerequestupdates", body)
    assert xml_city.client.updates()[0].media_urls == ("http://a/1.jpg", "http://a/2.jpg")


def test_post_service_request_update(xml_city: City) -> None:
    xml_city.says_body("servicerequestupdates", said.POSTED_UPDATE_XML)
    assert xml_city.client.post_update(UPDATE) == "392732"
    (form,) = xml_city.server.forms
    sent = dict(form)
    assert datetime.fromisoformat(sent.pop("updated_datetime")) == UPDATE.updated_datetime
    assert sent == {
        "api_key": "xyz",
        "jurisdiction_id": "city.gov",
        "service_request_id": "passthrough-248",
        "update_id": "123",
        "first_name": "Bob",
        "last_name": "Mould",
        "description": "Update here",
        "status": "OPEN",
    }


def test_media_as_multipart(city: City) -> None:
    """The "media handling" extension as Helsinki runs it: ``media`` parts beside the fields."""
    city.says("requests", "CREATED")
    draft = RequestDraft("001", 60.17, 24.94, uploads=(Upload("a.jpg", "image/jpeg", b"JPEG"),))
    assert city.client.create(draft, "key-1").service_request_id == "293944"
    ((_, raw),) = city.server.forms[0]
    assert 'name="media"; filename="a.jpg"' in raw
    assert 'name="service_code"\r\n\r\n001' in raw


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('{"a":001}', {"a": "001"}),
        ('{"a":[007,010, 8]}', {"a": ["007", "010", 8]}),
        ('{"a":"001, 002","b":03}', {"a": "001, 002", "b": "03"}),
        (
            r'{"a":"\"x\": 001","b":0.5,"c":-1e05,"d":00}',
            {"a": '"x": 001', "b": 0.5, "c": -1e5, "d": "00"},
        ),
    ],
)
def test_padded_numbers_are_read_as_text(text: str, read: Any) -> None:
    assert read_json(text.encode()) == read


@pytest.mark.parametrize("text", ['{"a":001', '{"a":0x01}', '{"a":1.2.3, "b":01}', "001 002"])
def test_what_is_broken_otherwise_stays_refused(text: str) -> None:
    with pytest.raises(DispatchUnreadableError):
        read_json(text.encode())
