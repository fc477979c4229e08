from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from structlog.testing import capture_logs

from base.settings import Settings
from dispatch.case import after_photos
from dispatch.case.after_photos import GIVE_UP_AFTER, fetch_pending, origin_allowed, photo_client
from dispatch.case.updates import PHOTOS_ADDED, Outcome, apply_update
from dispatch.classification.categories import Categories
from dispatch.open311 import RequestUpdate
from store.database import unit_of_work
from store.media import read_media
from store.models import Media, Ticket, utc_now
from store.people import inbox
from store.tickets import add_event
from tests.serving import http_server
from tests.store.city import CityStore

File = Callable[..., str]
_SENT = iter(range(10_000))


def jpeg() -> bytes:
    output = BytesIO()
    Image.new("RGB", (64, 48), "#486").save(output, "JPEG")
    return output.getvalue()


class Shelf:
    """A real server that serves what a test puts on it, at the address of the dispatch system."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.drip = 0.0

    def put(self, path: str, data: bytes = b"", status: int = 200, **headers: str) -> str:
        self.pages[path] = status, headers, data
        return f"{self.url}{path}"


@pytest.fixture
def shelf(city_store: CityStore) -> Iterator[Shelf]:
    found = Shelf(city_store.settings.dispatch_url)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            status, headers, data = found.pages.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            try:
                for start in range(0, len(data), 65536):
                    self.wfile.write(data[start : start + 65536])
                    time.sleep(found.drip)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the reader had enough

        def log_message(self, *args: Any) -> None:
            pass

    with http_server(Handler, city_store.settings.desk_port):
        yield found


@pytest.fixture
def ticket_id(filed: File) -> str:
    found = filed()
    with unit_of_work() as session:
        ticket = session.get_one(Ticket, found)
        ticket.external_id = "YZ1"
        add_event(session, ticket, "forwarded", actor="relay")
    return found


@pytest.fixture
def desk(categories: Categories) -> Callable[..., Outcome]:
    def say(status: str, words: str, *urls: str) -> Outcome:
        update = RequestUpdate(f"P{next(_SENT)}", "YZ1", status, utc_now(), words, "城管队", urls)
        with unit_of_work() as session:
            return apply_update(session, update, categories)

    return say


def fetch(store: CityStore, **later: float) -> int:
    with photo_client() as client:
        return fetch_pending(client, store.settings, now=utc_now() + timedelta(**later))


def photos(store: CityStore) -> list[Media]:
    return store.rows(Media)


def test_a_photo_of_the_result_is_fetched_kept_encrypted_and_shown(
    city_store: CityStore, ticket_id: str, shelf: Shelf, desk: Callable[..., Outcome]
) -> None:
    data = jpeg()
    assert desk("FIXED", "已清洗", shelf.put("/media/a.jpg", data)) is Outcome.APPLIED
    with unit_of_work() as session:
        (_, replies) = inbox(session, "web:1", 0)[-1]
    (expected,) = photos(city_store)
    link = replies[0]["cards"][0]["fields"]["处置后照片"]
    assert link.startswith(f"{city_store.settings.public_url}/media/{expected.id}/public?expires=")
    assert fetch(city_store) == 1
    with unit_of_work() as session:
        photo, stored = read_media(session, expected.id, actor="test", purpose="test")
    assert stored == data
    assert (photo.role, photo.size, photo.ticket_id) == ("after", len(data), ticket_id)
    files = [path.read_bytes() for path in (city_store.folder / "media").rglob("*.bin")]
    assert all(data not in file for file in files)
    assert fetch(city_store) == 0
    assert shelf.asked == ["/media/a.jpg"]


def test_the_same_photo_is_expected_once_and_new_ones_alone_are_news(
    city_store: CityStore, ticket_id: str, shelf: Shelf, desk: Callable[..., Outcome]
) -> None:
    first, second = shelf.put("/a.jpg", jpeg()), shelf.put("/b.jpg", jpeg())
    assert desk("FIXED", "已清洗", first, first) is Outcome.APPLIED
    assert desk("FIXED", "", first) is Outcome.NOTHING_NEW
    assert desk("FIXED", "", second) is Outcome.APPLIED
    assert desk("FIXED", "", shelf.put("/c.jpg", jpeg())) is Outcome.APPLIED
    assert len(photos(city_store)) == 3
    with unit_of_work() as session:
        assert PHOTOS_ADDED in inbox(session, "web:1", 0)[-1][1][0]["text"]


def test_a_refused_update_leaves_no_photo(
    city_store: CityStore, ticket_id: str, shelf: Shelf, desk: Callable[..., Outcome]
) -> None:
    assert desk("FIXED", "", shelf.put("/a.jpg", jpeg())) is Outcome.REFUSED
    assert photos(city_store) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:{port}/a.jpg",
        "https://127.0.0.1:{port}/a.jpg",
        "http://127.0.0.1:{port}@evil.example/a.jpg",
        "http://user@127.0.0.1:{port}/a.jpg",
        "http://127.0.0.1:{port}.evil.example/a.jpg",
        "http://127.0.0.1:{port}\\@evil.example/a.jpg",
        "file:///etc/passwd",
        "ftp://127.0.0.1:{port}/a.jpg",
        "//127.0.0.1:{port}/a.jpg",
        "http://127.0.0.1:99999/a.jpg",
        "http://[::1/a.jpg",
        "http://127.0.0.1:{port}/a b.jpg",
        "",
    ],
)
def test_other_addresses_are_never_asked(
    city_store: CityStore, ticket_id: str, desk: Callable[..., Outcome], url: str
) -> None:
    address = url.format(port=city_store.settings.desk_port)
    assert not origin_allowed(address, city_store.settings)
    with capture_logs() as logs:
        assert desk("FIXED", "已清洗", address) is Outcome.APPLIED  # the news is news all the same
    assert logs[0]["event"] == "after_photo_refused"
    assert photos(city_store) == []


def test_origins_the_operator_names_are_asked(city_store: CityStore) -> None:
    city_store.configure(DISPATCH_MEDIA_ORIGINS="https://img.city.example, http://10.0.0.5:8080")
    settings = city_store.settings
    assert origin_allowed("https://IMG.city.example:443/x.jpg", settings)
    assert origin_allowed("http://10.0.0.5:8080/x.jpg", settings)
    assert not origin_allowed("http://img.city.example/x.jpg", settings)


@given(st.text(max_size=40))
def test_any_text_is_judged(text: str) -> None:
    assert not origin_allowed(text, Settings(dispatch_url="http://desk.example"))


def test_an_origin_that_is_no_longer_allowed_is_cleared(
    city_store: CityStore, ticket_id: str, shelf: Shelf, desk: Callable[..., Outcome]
) -> None:
    desk("FIXED", "已清洗", shelf.put("/a.jpg", jpeg()))
    city_store.configure(DISPATCH_URL="http://elsewhere.example")
    with capture_logs() as logs:
        assert [fetch(city_store), fetch(city_store)] == [0, 0]
    assert [entry["event"] for entry in logs] == ["after_photo_refused"]  # said once
    assert shelf.asked == []


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ((404, {}, b""), "HTTP 404"),
        ((302, {"Location": "http://169.254.169.254/"}, b""), "HTTP 302"),
        ((200, {}, b"<html>"), "photo_not_image"),
        ((200, {}, b"x" * 400_000), "too large"),
        ((200, {"Content-Encoding": "gzip"}, b"x"), "photo_not_image"),
    ],
)
def test_what_is_no_photo_stays_missing_for_a_day(
    city_store: CityStore, ticket_id: str, shelf: Shelf, desk: Callable[..., Outcome],
    page: tuple[int, dict[str, str], bytes], why: str,
) -> None:  # fmt: skip
    city_store.configure(MAX_PHOTO_BYTES="300000")
    url = shelf.put("/a.jpg")
    shelf.pages["/a.jpg"] = page
    desk("FIXED", "已清洗", url)
    with capture_logs() as logs:
        assert fetch(city_store) == 0
    assert [entry["why"] for entry in logs] == [why]
    shelf.pages["/a.jpg"] = (200, {}, jpeg())
    assert fetch(city_store) == 1


def test_after_a_day_it_is_given_up_and_not_shown(
    city_store: CityStore, ticket_id: str, shelf: Shelf, desk: Callable[..., Outcome]
) -> None:
    desk("FIXED", "已清洗", f"{shelf.url}/never.jpg")
    with capture_logs() as logs:
        assert fetch(city_store, hours=GIVE_UP_AFTER.total_seconds() / 3600 + 1) == 0
        assert fetch(city_store) == 0
    assert [entry["event"] for entry in logs] == ["after_photo_given_up"]
    desk("CLOSED", "核查合格")
    with unit_of_work() as session:
        fields = inbox(session, "web:1", 0)[-1][1][0]["cards"][0]["fields"]
    assert "处置后照片" not in fields


def test_a_silent_server_is_asked_once_a_pass(
    city_store: CityStore, ticket_id: str, desk: Callable[..., Outcome]
) -> None:
    base = city_store.settings.dispatch_url  # nobody listens there
    desk("FIXED", "已清洗", *(f"{base}/{number}.jpg" for number in range(4)))
    with capture_logs() as logs:
        assert fetch(city_store) == 0
    assert [entry["why"] for entry in logs] == ["ConnectError"]


def test_bytes_that_drip_for_ever_are_left(
    city_store: CityStore, ticket_id: str, shelf: Shelf, desk: Callable[..., Outcome],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(after_photos, "LONGEST_FETCH", timedelta(seconds=0.2))
    shelf.drip = 0.3
    desk("FIXED", "已清洗", shelf.put("/a.jpg", b"x" * 300_000))
    with capture_logs() as logs:
        fetch(city_store)
    assert [entry["why"] for entry in logs] == ["too slow"]


def test_two_passes_at_once_store_one_photo(
    city_store: CityStore, ticket_id: str, shelf: Shelf, desk: Callable[..., Outcome]
) -> None:
    desk("FIXED", "已清洗", shelf.put("/a.jpg", jpeg()))
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(fetch(city_store))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 1


def test_the_client_follows_nothing_and_sends_no_key(city_store: CityStore) -> None:
    with photo_client() as client:
        assert not client.follow_redirects
        assert "authorization" not in client.headers
        assert isinstance(client, httpx.Client)
