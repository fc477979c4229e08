from __future__ import annotations

import io
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from base.errors import ConfigurationError, StateError
from base.settings import ROOT
from benchmarks.photos.compose import KINDS, covered, draw_plate, place
from channels.pictures import blurred_copy, everybodys_copy, thumbnail
from channels.redaction import MARGIN, Pixels, Region, hide, load_finder, private_regions
from store.database import unit_of_work
from store.media import read_media, save_media
from store.models import AuditEntry, Media
from tests.channels.clips import mp4
from tests.channels.photos import encoded, exif, scene
from tests.store.city import CityStore, isolated_store

PORTRAIT = ROOT / ".venv-rasa/lib/python3.10/site-packages/matplotlib/mpl-data/sample_data"


@pytest.fixture
def city_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CityStore]:
    with isolated_store(tmp_path, monkeypatch) as store:
        yield store


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def nothing(_: Pixels) -> list[Region]:
    return []


def street(width: int = 1000, height: int = 700) -> Pixels:
    """A grey wall and a road, with noise."""
    picture = np.full((height, width, 3), (140, 150, 155), np.uint8)
    picture[height // 2 :] = (70, 72, 75)
    noise = np.random.default_rng(5).normal(0, 6, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


# --- copies -----------------------------------------------------------------------------


def test_a_public_copy_is_bare_upright_and_of_a_size() -> None:
    data = encoded(scene(3000, 2000), exif=exif(orientation=6))
    copy = blurred_copy(data, nothing)
    with opened(copy) as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (1365, 2048), "RGB")
        assert not image.getexif()
    assert b"TestPhone" not in copy
    with opened(thumbnail(copy)) as image:
        assert image.size == (213, 320)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_a_small_photo_stays_as_large_as_it_is(kind: str) -> None:
    with opened(blurred_copy(encoded(scene(), kind), nothing)) as image:
        assert image.size == (64, 40)
        red, _, blue = image.getpixel((5, 5))  # type: ignore[misc]
        assert red > 150 > blue


def test_what_the_finder_names_is_hidden_and_nothing_else() -> None:
    chart = np.indices((400, 600)).sum(0) % 2 * 255
    data = encoded(Image.fromarray(np.dstack([chart] * 3).astype(np.uint8)), "PNG")
    with opened(blurred_copy(data, lambda _: [Region(100, 100, 200, 100)])) as image:
        pixels = np.asarray(image.convert("L")).astype(int)
    assert pixels[100:200, 100:300].std() < 5
    assert pixels[:, 380:].std() > 100
    assert pixels[:60].std() > 100


# --- hiding -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_hidden_plate_cannot_be_told_from_another(kind: str) -> None:
    """Whoever draws every plate and hides it the same way learns next to nothing.

    The nearest of 40 hidden candidates to a hidden photo of plate 0 would be plate 0 if the
    blocks still told the characters; at most a few blocks may differ at all.
    """
    hidden = []
    for seed in range(40):
        plate = draw_plate(kind, random.Random(seed))
        hide(plate, Region(0, 0, plate.shape[1], plate.shape[0]))
        hidden.append(plate)
    distinct = {plate.tobytes() for plate in hidden}
    assert len(distinct) <= 10
    sharpness = cv2.Laplacian(draw_plate(kind, random.Random(0)), cv2.CV_64F).std()
    assert cv2.Laplacian(hidden[0], cv2.CV_64F).std() < sharpness / 50


@pytest.mark.parametrize(
    "region",
    [
        Region(-50, -50, 30, 30),
        Region(90, 90, 40, 40),
        Region(0, 0, 1, 1),
        Region(500, 500, 10, 10),
        Region(10, 10, 0, 0),
        Region(40, 0, 1, 100),
    ],
)
def test_any_region_is_hidden_as_far_as_it_lies_inside(region: Region) -> None:
    picture = street(100, 100)
    before = picture.copy()
    hide(picture, region)
    assert picture.shape == before.shape
    assert np.array_equal(picture[60:80, 0:20], before[60:80, 0:20])


# --- finding ----------------------------------------------------------------------------


def hidden_part(box: tuple[int, int, int, int], picture: Pixels) -> float:
    """The part of a box that is changed for good when everything found is hidden."""
    across = [
        (
            round(r.left - r.width * MARGIN),
            round(r.top - r.height * MARGIN),
            round(r.width * (1 + 2 * MARGIN)),
            round(r.height * (1 + 2 * MARGIN)),
        )
        for r in private_regions(picture)
    ]
    return covered(box, across)


@pytest.mark.parametrize("width", [60, 120, 240])
@pytest.mark.parametrize("kind", KINDS)
def test_plates_in_the_street_are_found(kind: str, width: int) -> None:
    chance = random.Random(f"{kind}{width}")
    seen = place(draw_plate(kind, chance), street(), width, chance)
    assert hidden_part(seen.box, seen.picture) > 0.8


def test_a_face_is_found_from_both_sides() -> None:
    portrait = cv2.imread(str(PORTRAIT / "grace_hopper.jpg"))
    assert portrait is not None, "matplotlib's portrait is missing from the Rasa runtime"
    for picture, left in ((portrait, 165), (cv2.flip(portrait, 1), 512 - 165 - 210)):
        assert hidden_part((left, 120, 210, 230), picture) > 0.8


def test_an_empty_street_shows_all_of_it() -> None:
    assert private_regions(street()) == []


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (500, 3), (20, 20)])
def test_the_smallest_pictures_pass(size: tuple[int, int]) -> None:
    assert private_regions(np.zeros((*size, 3), np.uint8)) == []


@pytest.mark.parametrize(
    "name", ["", "nowhere:finder", "channels.redaction:none", "channels.redaction:MARGIN"]
)
def test_a_wrong_finder_is_told_at_the_start(name: str) -> None:
    with pytest.raises(ConfigurationError, match="SHIMIN_REGION_FINDER"):
        load_finder(name)


def test_a_finder_is_loaded_by_name() -> None:
    assert load_finder("channels.redaction:private_regions") is private_regions


# --- made once --------------------------------------------------------------------------


def kept_photo(content_type: str = "image/jpeg", data: bytes | None = None) -> str:
    data = data or encoded(scene(900, 600))
    with unit_of_work() as session:
        return save_media(session, "web:1", data, content_type, None).id


def test_copies_are_made_once_whoever_asks(city_store: CityStore) -> None:
    media_id = kept_photo()
    calls: list[int] = []

    def counted(picture: Pixels) -> list[Region]:
        calls.append(picture.shape[1])
        return []

    answers: list[bytes] = []

    def ask(copy: str) -> None:
        name = "thumb" if copy == "thumb" else "public"
        answers.append(everybodys_copy(media_id, name, counted, actor="page"))  # type: ignore[arg-type]

    threads = [threading.Thread(target=ask, args=(c,)) for c in ("thumb", "public") * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [900]
    assert len(set(answers)) == 2
    assert everybodys_copy(media_id, "thumb", counted, actor="page") in answers
    assert calls == [900]
    assert {entry.field for entry in city_store.rows(AuditEntry)} == {"content", "public", "thumb"}
    with unit_of_work() as session:
        _, kept = read_media(session, media_id, actor="test", purpose="p", copy="public")
    assert kept in answers


def test_there_is_no_public_copy_of_a_video_or_of_nothing(city_store: CityStore) -> None:
    video = kept_photo("video/mp4", mp4())
    for media_id in (video, "0" * 32):
        with pytest.raises(LookupError):
            everybodys_copy(media_id, "public", nothing, actor="page")
    with unit_of_work() as session:
        session.get_one(Media, video).source_url = "http://127.0.0.1/1"
        session.get_one(Media, video).id = "ab" * 16
    with pytest.raises(StateError, match="media_awaited"):
        everybodys_copy("ab" * 16, "thumb", nothing, actor="page")
