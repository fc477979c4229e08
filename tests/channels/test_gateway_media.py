"""Photos and videos by signed link."""

from __future__ import annotations

import io
import random
import time

import numpy as np
import pytest
from PIL import Image

from base.links import sign_link
from benchmarks.photos.compose import draw_plate
from channels.gateway.ranges import ranged
from store.database import unit_of_work
from store.media import save_media, store_fetched
from store.models import Media
from tests.channels.clips import PICTURE, PLACE, mp4
from tests.channels.conftest import Gateway, refusal
from tests.channels.photos import dms, encoded, exif, scene

CITIZEN = "api:c-1"


@pytest.fixture
def media_path(gateway: Gateway) -> str:
    data = encoded(scene(), exif=exif(orientation=6))
    with unit_of_work() as session:
        return f"/media/{save_media(session, CITIZEN, data, 'image/jpeg', None).id}"


def test_a_signed_link_shows_the_bare_photo(gateway: Gateway, media_path: str) -> None:
    link = sign_link("test-session-key", media_path, int(time.time()) + 60)
    with gateway.client() as http:
        response = http.get(link)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/jpeg"
    assert "private" in response.headers["Cache-Control"]
    assert response.content.startswith(b"\xff\xd8")
    assert b"TestPhone" not in response.content


def test_other_links_show_nothing(gateway: Gateway, media_path: str) -> None:
    later, now = int(time.time()) + 60, int(time.time())
    valid = sign_link("test-session-key", media_path, later)
    wrong = [
        sign_link("test-session-key", media_path, now - 5),
        sign_link("another-key", media_path, later),
        sign_link("", media_path, later),
        valid.replace(str(later), str(later + 1000)),
        valid.replace(media_path, "/media/" + "0" * 32),
        valid[:-1] + ("0" if valid[-1] != "0" else "1"),
        valid.split("&", maxsplit=1)[0],
        media_path,
    ]
    with gateway.client() as http:
        for link in wrong:
            assert refusal(http.get(link)) == (403, "link_invalid"), link
        unknown = sign_link("test-session-key", "/media/" + "0" * 32, later)
        assert refusal(http.get(unknown)) == (404, "not_found")


def test_everybody_else_sees_the_blurred_copies(gateway: Gateway) -> None:
    plate = Image.fromarray(draw_plate("blue", random.Random(1))[:, :, ::-1].copy())
    street = Image.new("RGB", (900, 600), (120, 125, 130))
    street.paste(plate, (200, 300))
    data = encoded(street, quality=90, exif=exif((dms(30, 0, 0), "N"), (dms(120, 0, 0), "E")))
    with unit_of_work() as session:
        media_id = save_media(session, CITIZEN, data, "image/jpeg", None).id
    later = int(time.time()) + 60
    path = f"/media/{media_id}"
    detail = {}
    with gateway.client() as http:
        http.timeout = 120  # finding faces takes long on a busy machine
        for name, size in (("public", (900, 600)), ("thumb", (320, 213))):
            response = http.get(sign_link("test-session-key", f"{path}/{name}", later))
            assert response.status_code == 200
            assert response.headers["Content-Type"] == "image/jpeg"
            assert response.headers["Content-Disposition"] == f'inline; filename="{media_id}.jpg"'
            assert "private" in response.headers["Cache-Control"]
            assert b"TestPhone" not in response.content
            with Image.open(io.BytesIO(response.content)) as image:
                assert image.size == size
                box = [round(n * size[0] / 900) for n in (210, 310, 630, 430)]
                detail[name] = np.asarray(image.convert("L").crop(box)).std()
        whole = http.get(sign_link("test-session-key", path, later))
        with Image.open(io.BytesIO(whole.content)) as image:
            seen = np.asarray(image.convert("L").crop((210, 310, 630, 430))).std()
        assert detail["public"] < seen / 3
        assert detail["thumb"] < seen / 3
        for signed, asked in (("", "/public"), ("/public", ""), ("/public", "/thumb")):
            link = sign_link("test-session-key", path + signed, later)
            wrong = link.replace(path + signed, path + asked)
            assert refusal(http.get(wrong)) == (403, "link_invalid")


def test_a_video_goes_to_the_dispatcher_only_without_its_metadata(gateway: Gateway) -> None:
    with unit_of_work() as session:
        media_id = save_media(session, CITIZEN, mp4(), "video/mp4", None).id
    later = int(time.time()) + 60
    link = sign_link("test-session-key", f"/media/{media_id}", later)
    with gateway.client() as http:
        whole = http.get(link)
        assert (whole.status_code, whole.headers["Content-Type"]) == (200, "video/mp4")
        assert whole.headers["Accept-Ranges"] == "bytes"
        assert whole.headers["Content-Disposition"].endswith('.mp4"')
        assert PICTURE in whole.content
        assert PLACE not in whole.content
        part = http.get(link, headers={"Range": "bytes=4-11"})
        assert (part.status_code, part.content) == (206, whole.content[4:12])
        assert part.headers["Content-Range"] == f"bytes 4-11/{len(whole.content)}"
        for name in ("public", "thumb"):
            public = sign_link("test-session-key", f"/media/{media_id}/{name}", later)
            assert refusal(http.get(public)) == (404, "not_found")


@pytest.mark.parametrize(
    ("asked", "status", "content"),
    [
        ("bytes=0-0", 206, b"0"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-30", 206, b"0123456789"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=10-", 416, b""),
        ("bytes=-0", 416, b""),
        ("bytes=5-4", 200, b"0123456789"),
        ("bytes=-", 200, b"0123456789"),
        ("bytes=0-1,3-4", 200, b"0123456789"),
        ("lines=0-1", 200, b"0123456789"),
        ("", 200, b"0123456789"),
    ],
)
def test_parts_of_a_file(asked: str, status: int, content: bytes) -> None:
    response = ranged(b"0123456789", asked, "video/mp4", {})
    assert (response.status_code, response.body) == (status, content)
    assert response.headers["Content-Length"] == str(len(content))


def test_a_photo_that_is_still_to_be_fetched_comes_later(gateway: Gateway) -> None:
    media_id = "ef" * 16
    with unit_of_work() as session:
        session.add(
            Media(
                id=media_id,
                citizen_id=CITIZEN,
                role="after",
                source_url="http://127.0.0.1:1/a.jpg",
                content_type="image/jpeg",
                size=0,
                sha256="",
            )
        )
    later = int(time.time()) + 60
    with gateway.client() as http:
        http.timeout = 120
        for end in ("", "/public", "/thumb"):
            response = http.get(sign_link("test-session-key", f"/media/{media_id}{end}", later))
            assert refusal(response) == (404, "media_awaited")
            assert int(response.headers["Retry-After"]) > 0
        with unit_of_work() as session:
            media = session.get_one(Media, media_id)
            store_fetched(session, media, encoded(scene()), "image/jpeg", None)
        for end in ("", "/public", "/thumb"):
            link = sign_link("test-session-key", f"/media/{media_id}{end}", later)
            assert http.get(link).status_code == 200
