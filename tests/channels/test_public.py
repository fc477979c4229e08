"""The pages for everybody, under the real gateway."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread
from typing import Any
from xml.etree import ElementTree

import pytest

from channels.public.kept import Kept
from dispatch.case.filing import file_complaint
from dispatch.case.updates import Outcome, apply_update
from dispatch.case.wording import progress_url
from dispatch.open311 import RequestUpdate
from dispatch.reporting.intake import Spot, new_draft
from store.database import unit_of_work
from store.models import Ticket
from store.tickets import add_event
from tests.channels.conftest import Gateway

WORDS = "我叫李四，油烟直往五楼窗户里灌"


@pytest.fixture
def ticket(gateway: Gateway) -> Ticket:
    """A handled case."""
    categories = gateway.server.config.app.state.categories  # type: ignore[union-attr]
    spot = Spot(
        address="云东区文昌路18号", district="云东区", latitude=30.2741, longitude=120.1551,
        source="text",
    )  # fmt: skip
    draft = new_draft().model_copy(
        update={"words": (WORDS,), "place": spot, "category": "waste.garbage"}
    )
    with unit_of_work() as session:
        found = file_complaint(session, draft, f"web:{draft.id}", categories).ticket
        add_event(session, found, "forwarded", actor="relay")
        found.external_id = f"pub-{found.id}"
    update = RequestUpdate(
        f"pub-{found.id}", f"pub-{found.id}", "FIXED", datetime.now(UTC),
        "已清运 <script>alert(1)</script>，联系人13812345678", "城管队",
    )  # fmt: skip
    with unit_of_work() as session:
        assert apply_update(session, update, categories) is Outcome.APPLIED
        return session.get_one(Ticket, found.id)


def test_the_progress_page_tells_how_far_it_is_and_nothing_of_the_person(
    gateway: Gateway, ticket: Ticket
) -> None:
    with gateway.client() as http:
        answer = http.get(f"/progress/{ticket.progress_token}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert '<meta name="robots" content="noindex' in answer.text
    assert "已办结" in answer.text
    assert "云东区" in answer.text
    for secret in (ticket.id, ticket.citizen_id, "李四", "文昌路", "五楼", "1381234", "30.27"):
        assert secret not in answer.text
    assert "<script>alert" not in answer.text
    assert "style=" not in answer.text  # the gateway's policy would refuse it


@pytest.mark.parametrize("token", ["nope", "a" * 32, "a" * 500, "%00", "..%2f..%2fetc", "测试"])
def test_an_unknown_link_is_answered_kindly(gateway: Gateway, token: str) -> None:
    with gateway.client() as http:
        answer = http.get(f"/progress/{token}")
    assert answer.status_code == 404
    if "%2f" not in token:
        assert "没有找到这个进度页面" in answer.text
        assert "noindex" in answer.headers["X-Robots-Tag"]


def test_the_card_of_a_message_links_to_the_page(gateway: Gateway, ticket: Ticket) -> None:
    url = progress_url(gateway.settings, ticket)
    assert url == f"{gateway.settings.public_url}/progress/{ticket.progress_token}"


@pytest.mark.parametrize("days", ["", "?days=30", "?days=90", "?days=1000000000", "?days=x"])
def test_the_map_is_a_page_with_a_drawing(gateway: Gateway, ticket: Ticket, days: str) -> None:
    with gateway.client() as http:
        answer = http.get(f"/map{days}")
    assert answer.status_code == 200
    assert "max-age=60" in answer.headers["Cache-Control"]
    start, end = answer.text.index("<svg"), answer.text.index("</svg>") + 6
    drawing = ElementTree.fromstring(answer.text[start:end])
    assert len(drawing.findall(".//path[@class]")) >= 6
    assert f"最近{'90' if '90' in days else '30'}天市民" in answer.text
    assert "style=" not in answer.text
    assert ticket.id not in answer.text


def test_open_data_has_the_numbers_of_the_map(gateway: Gateway, ticket: Ticket) -> None:
    with gateway.client() as http:
        found: dict[str, Any] = http.get("/map.json?days=90").json()
        page = http.get("/map?days=90").text
    assert found["days"] == 90
    assert f'data-testid="reported">{found["reported"]}<' in page
    assert sum(one["reported"] for one in found["districts"]) == found["reported"]
    assert all(
        set(dot) == {"latitude", "longitude", "reports", "categories"} for dot in found["dots"]
    )
    text = json.dumps(found, ensure_ascii=False)
    for secret in (ticket.id, ticket.citizen_id, "文昌路", "30.2741"):
        assert secret not in text


def test_the_pages_own_files_are_served(gateway: Gateway) -> None:
    with gateway.client() as http:
        answer = http.get("/public/public.css")
        assert answer.headers["Content-Type"].startswith("text/css")
        assert http.get("/public/../routes.py").status_code == 404


def test_a_value_is_made_once_while_it_is_good() -> None:
    now, made = [0.0], []
    kept: Kept[int] = Kept(60, clock=lambda: now[0])

    def make() -> int:
        made.append(1)
        return len(made)

    threads = [Thread(target=lambda: kept.get("a", make)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.get("a", make) == 1
    now[0] = 61
    assert kept.get("a", make) == 2
    assert kept.get("b", make) == 3


def test_nobody_waits_for_a_value_that_is_made_anew() -> None:
    now = [0.0]
    kept: Kept[str] = Kept(60, clock=lambda: now[0])
    assert kept.get("a", lambda: "old") == "old"
    now[0] = 61
    started, finish = Event(), Event()

    def slow() -> str:
        started.set()
        assert finish.wait(10)
        return "new"

    maker = Thread(target=kept.get, args=("a", slow))
    maker.start()
    assert started.wait(10)
    assert kept.get("a", lambda: "never") == "old"
    finish.set()
    maker.join()
    assert kept.get("a", lambda: "never") == "new"


def test_a_failure_is_not_kept() -> None:
    kept: Kept[int] = Kept(60)

    def fail() -> int:
        raise LookupError

    with pytest.raises(LookupError):
        kept.get("a", fail)
    answer: Callable[[], int] = lambda: 7  # noqa: E731
    assert kept.get("a", answer) == 7
