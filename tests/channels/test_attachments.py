from __future__ import annotations

import io
import random
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import sklearn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageEnhance

from base.errors import InputError, TooLargeError
from base.pictures import taken_at
from base.settings import Settings
from channels.attachments import (
    CheckedMedia,
    check_audio,
    check_location,
    check_photo,
    check_video,
)
from channels.message import Audio, Photo, SharedLocation, Video
from channels.pictures import clean_copy
from store.media import SAME_PICTURE, hash_distance
from tests.channels.clips import mp4, webm
from tests.channels.photos import ORIENTATION, b64, bomb, dms, encoded, exif, scene

SETTINGS = Settings(
    max_photo_bytes=400_000,
    max_video_bytes=100_000,
    max_audio_bytes=1000,
    max_photo_pixels=2_000_000,
    _env_file=None,
)
JPEG = encoded(scene(), "JPEG", exif=exif((dms(30, 16, 26.76), "N"), (dms(120, 9, 18.36), "E")))


def check(data: bytes, declared: str = "image/jpeg") -> CheckedMedia:
    return check_photo(Photo(type="photo", content_type=declared, data=b64(data)), SETTINGS)


def checked_video(data: bytes) -> CheckedMedia:
    video = Video(type="video", content_type="application/octet-stream", data=b64(data))
    return check_video(video, SETTINGS)


def refused(data: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        check(data)
    assert any("一" <= char <= "鿿" for char in caught.value.message)
    return caught.value


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("HEIF", "image/heic"),
    ],
)
def test_real_photos_pass_with_their_true_type(kind: str, content_type: str) -> None:
    data = encoded(scene(), kind)
    checked = check(data, declared="application/octet-stream")
    assert checked == CheckedMedia(data, content_type, {}, checked.perceptual_hash)
    assert checked.perceptual_hash is not None
    assert len(checked.perceptual_hash) == 16


def test_a_jpeg_with_a_second_picture_is_a_jpeg() -> None:
    """Many phones write MPO: a JPEG with a preview or a depth map behind it."""
    data = encoded(scene(), "MPO", save_all=True, append_images=[scene(32, 20)])
    assert check(data).content_type == "image/jpeg"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_position_and_time_are_read(kind: str) -> None:
    written = exif(
        (dms(30, 16, 26.76), "N"), (dms(120, 9, 18.36), "E"), taken="2026:11:20 08:30:00"
    )
    evidence = check(encoded(scene(), kind, exif=written)).evidence
    assert evidence["latitude"] == pytest.approx(30.2741, abs=1e-6)
    assert evidence["longitude"] == pytest.approx(120.1551, abs=1e-6)
    assert evidence["taken_at"] == "2026-11-20T08:30:00+08:00"


def test_south_and_west_are_negative() -> None:
    written = exif((dms(33, 30, 0), "S"), (dms(70, 36, 0), "W"))
    evidence = check(encoded(scene(), exif=written)).evidence
    assert (evidence["latitude"], evidence["longitude"]) == (-33.5, -70.6)


@pytest.mark.parametrize(
    "written",
    [
        exif(latitude=(dms(30, 0, 0), "N")),
        exif((dms(95, 0, 0), "N"), (dms(120, 0, 0), "E")),
        exif((dms(30, 0, 0), "N"), (dms(200, 0, 0), "E")),
        exif((dms(30, 0, 0)[:2], "N"), (dms(120, 0, 0), "E")),
        exif((dms(0, 0, 0), "N"), (dms(0, 0, 0), "E")),
    ],
    ids=["no longitude", "no such latitude", "no such longitude", "two numbers", "no fix"],
)
def test_half_a_position_is_no_position(written: Image.Exif) -> None:
    checked = check(encoded(scene(), exif=written))
    assert "latitude" not in checked.evidence
    assert "longitude" not in checked.evidence


NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("original", "offset", "expected"),
    [
        ("2026:11:20 08:30:00", "", "2026-11-20T08:30:00+08:00"),
        ("2026:11:20 08:30:00\x00", "+08:00", "2026-11-20T08:30:00+08:00"),
        ("2026:11:20 08:30:00", "+09:00", "2026-11-20T08:30:00+09:00"),
        ("2026:11:20 08:30:00", "   :  ", "2026-11-20T08:30:00+08:00"),
        ("2026:11:20 08:30:00", "+99:00", None),
        ("2026:11:21 20:05:00", "", "2026-11-21T20:05:00+08:00"),
        ("2026:11:21 20:11:00", "", None),
        ("2027:01:01 00:00:00", "", None),
        ("0000:00:00 00:00:00", "", None),
        ("2026:02:30 10:00:00", "", None),
        ("2026:11:20 24:00:00", "", None),
        ("1980:01:01 00:00:00", "", None),
        ("    :  :     :  :  ", "", None),
        ("2026-11-20 08:30:00", "", None),
    ],
)
def test_when_a_photo_was_taken(original: str, offset: str, expected: str | None) -> None:
    moment = taken_at(original, offset, NOW)
    assert (moment.isoformat() if moment else None) == expected


@given(st.text(max_size=30), st.text(max_size=10))
def test_any_words_as_a_moment_are_aware_or_nothing(original: str, offset: str) -> None:
    moment = taken_at(original, offset, NOW)
    assert moment is None or moment.tzinfo is not None


@given(st.datetimes(datetime(1995, 1, 1), datetime(2026, 11, 20)), st.integers(-14, 14))
def test_the_zone_of_the_photo_counts(local: datetime, hours: int) -> None:
    zone = timezone(timedelta(hours=hours))
    offset = f"{'-' if hours < 0 else '+'}{abs(hours):02}:00"
    moment = taken_at(local.strftime("%Y:%m:%d %H:%M:%S"), offset, NOW)
    assert moment == local.replace(microsecond=0, tzinfo=zone)


REAL = Path(sklearn.__file__).parent / "datasets" / "images"


def hash_of(image: Image.Image, **options: Any) -> str:
    hashed = check(encoded(image, quality=85, **options)).perceptual_hash
    assert hashed is not None
    return hashed


def test_edited_copies_of_a_photo_are_alike_and_other_photos_are_not() -> None:
    china, flower = (Image.open(REAL / name) for name in ("china.jpg", "flower.jpg"))
    known = hash_of(china)
    width, height = china.size
    for edited in (
        china.resize((width // 2, height // 2)),
        ImageEnhance.Brightness(china).enhance(0.7),
        china.crop((6, 4, width - 6, height - 4)),
    ):
        assert hash_distance(known, hash_of(edited)) <= SAME_PICTURE
    assert hash_distance(known, hash_of(flower)) > 2 * SAME_PICTURE


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_hash_is_that_of_the_upright_photo(orientation: int) -> None:
    china = Image.open(REAL / "china.jpg")
    data = encoded(china, quality=90, exif=exif(orientation=orientation))
    turned = check(data).perceptual_hash
    upright = check(clean_copy(data)).perceptual_hash
    assert turned is not None
    assert upright is not None
    assert hash_distance(turned, upright) <= 2


def test_a_picture_of_one_shade_has_no_hash() -> None:
    assert check(encoded(Image.new("RGB", (300, 200), (9, 9, 12)))).perceptual_hash is None


@pytest.mark.parametrize("seed", range(40))
def test_broken_exif_does_not_spoil_a_photo(seed: int) -> None:
    """Bytes inside the EXIF segment are overwritten; the picture itself stays whole."""
    chance = random.Random(seed)
    start = JPEG.index(b"Exif\0\0") + 6
    length = int.from_bytes(JPEG[start - 8 : start - 6], "big") - 8
    data = bytearray(JPEG)
    for _ in range(12):
        data[start + chance.randrange(length)] = chance.randrange(256)
    checked = check(bytes(data))
    assert checked.content_type == "image/jpeg"
    assert abs(checked.evidence.get("latitude", 0)) <= 90
    with Image.open(io.BytesIO(clean_copy(bytes(data)))) as copy:
        assert copy.width * copy.height == 64 * 40


@pytest.mark.parametrize(
    "data",
    [b"hello", b"%PDF-1.7\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"\xff\xd8\xff"],
)
def test_what_is_no_photo_is_refused(data: bytes) -> None:
    assert refused(data).code == "photo_not_image"


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF"])
def test_other_formats_are_refused(kind: str) -> None:
    assert refused(encoded(scene(), kind)).code == "photo_not_image"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIF"])
def test_half_a_photo_is_broken(kind: str) -> None:
    noise = Image.frombytes("RGB", (60, 60), random.Random(1).randbytes(60 * 60 * 3))
    data = encoded(noise, kind)
    assert refused(data[: len(data) * 2 // 3]).code == "photo_broken"


def test_not_base64_is_broken() -> None:
    for data in ("***", "YQ=", "", "照片"):
        with pytest.raises(InputError, match="photo_broken"):
            check_photo(Photo(type="photo", content_type="image/png", data=data), SETTINGS)


def test_many_bytes_are_too_large() -> None:
    error = refused(b"\xff\xd8\xff" + bytes(SETTINGS.max_photo_bytes))
    assert (type(error), error.code) == (TooLargeError, "photo_too_large")


def test_many_pixels_are_too_large() -> None:
    data = encoded(Image.new("1", (2000, 1001)), "PNG")
    error = refused(data)
    assert (type(error), error.code) == (TooLargeError, "photo_too_large")


@pytest.mark.parametrize("side", [10_000, 20_000, 100_000])
def test_a_decompression_bomb_is_too_large_and_never_unpacked(side: int) -> None:
    data = bomb(side)
    assert len(data) < 100_000
    error = refused(data)
    assert (type(error), error.code) == (TooLargeError, "photo_too_large")


def test_the_clean_copy_is_upright_and_bare() -> None:
    """Orientation 6: the camera was turned; the red corner comes out at the upper right."""
    written = exif((dms(30, 0, 0), "N"), (dms(120, 0, 0), "E"), "2026:11:20 08:30:00", 6)
    data = encoded(scene(), quality=95, exif=written)
    assert b"TestPhone" in data
    copy = clean_copy(data)
    assert b"Exif" not in copy
    assert b"TestPhone" not in copy
    with Image.open(io.BytesIO(copy)) as image:
        assert (image.format, image.size) == ("JPEG", (40, 64))
        assert ORIENTATION not in image.getexif()
        assert not image.getexif().get_ifd(ExifTags.IFD.GPSInfo)
        red, _, blue = image.getpixel((35, 5))  # type: ignore[misc]
        assert red > 150 > blue
        red, _, blue = image.getpixel((5, 5))  # type: ignore[misc]
        assert blue > 150 > red


@pytest.mark.parametrize("mode", ["RGBA", "L", "P", "CMYK"])
def test_the_clean_copy_takes_every_kind_of_colour(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    with Image.open(io.BytesIO(clean_copy(encoded(scene().convert(mode), kind)))) as image:
        assert (image.format, image.mode) == ("JPEG", "RGB")


def test_recordings() -> None:
    audio = Audio(type="audio", content_type="audio/wav", data=b64(b"RIFF"))
    assert check_audio(audio, SETTINGS) == b"RIFF"
    with pytest.raises(TooLargeError, match="audio_too_large"):
        check_audio(audio.model_copy(update={"data": b64(bytes(2000))}), SETTINGS)
    with pytest.raises(InputError, match="audio_broken"):
        check_audio(audio.model_copy(update={"data": "?"}), SETTINGS)


@given(st.floats(), st.floats())
def test_only_points_on_the_globe_pass(latitude: float, longitude: float) -> None:
    point = SharedLocation(type="location", latitude=latitude, longitude=longitude)
    if -90 <= latitude <= 90 and -180 <= longitude <= 180:
        check_location(point)
    else:
        with pytest.raises(InputError, match="location_out_of_range"):
            check_location(point)


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (mp4(), "video/mp4"),
        (mp4(b"qt  "), "video/quicktime"),
        (webm(b"webm"), "video/webm"),
        (webm(b"matroska"), "video/x-matroska"),
    ],
)
def test_videos_pass_with_their_true_type(data: bytes, content_type: str) -> None:
    assert checked_video(data) == CheckedMedia(data, content_type)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (JPEG, "video_not_video"),
        (encoded(scene(), "HEIF"), "video_not_video"),
        (mp4(b"M4A "), "video_not_video"),
        (webm(b"other"), "video_not_video"),
        (b"RIFF....WAVE", "video_not_video"),
        (mp4()[:-10], "video_broken"),
        (mp4()[:40], "video_broken"),
        (b"", "video_broken"),
        (bytes(SETTINGS.max_video_bytes + 10), "video_too_large"),
    ],
)
def test_other_videos_are_refused(data: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        checked_video(data)
    assert caught.value.code == code
    assert "视频" in caught.value.message


SEEDS = [JPEG, *(encoded(scene(8, 8), kind) for kind in ("PNG", "WEBP", "JPEG", "HEIF"))]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_bytes_pass_or_are_refused(data: st.DataObject) -> None:
    """Random bytes, and real photos with random damage, raise nothing but InputError."""
    raw = bytearray(data.draw(st.one_of(st.binary(max_size=200), st.sampled_from(SEEDS))))
    for _ in range(data.draw(st.integers(0, 8))):
        if raw:
            raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw
    try:
        checked = check(bytes(raw))
    except InputError as error:
        assert error.code in {"photo_not_image", "photo_broken", "photo_too_large"}
    else:
        assert checked.data == bytes(raw)
        assert clean_copy(checked.data).startswith(b"\xff\xd8")


@given(st.text(max_size=300))
def test_any_text_as_base64_passes_or_is_refused(text: str) -> None:
    try:
        check_photo(Photo(type="photo", content_type="image/png", data=text), SETTINGS)
    except InputError as error:
        assert error.code in {"photo_not_image", "photo_broken"}
