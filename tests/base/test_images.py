from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from base.images import decodes_as_photo


def photo(kind: str, size: tuple[int, int] = (40, 30)) -> bytes:
    output = BytesIO()
    Image.new("RGB", size, "#486").save(output, kind)
    return output.getvalue()


@pytest.mark.parametrize(
    ("kind", "found"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", None)],
)
def test_the_type_is_what_the_bytes_are(kind: str, found: str | None) -> None:
    assert decodes_as_photo(photo(kind), 10_000) == found


def test_half_a_photo_is_none() -> None:
    whole = photo("JPEG", (400, 300))
    assert decodes_as_photo(whole[: len(whole) // 2], 1_000_000) is None


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    assert decodes_as_photo(photo("PNG", (200, 200)), 39_999) is None
    assert decodes_as_photo(photo("PNG", (200, 200)), 40_000) == "image/png"


@given(st.binary(max_size=300))
def test_any_bytes_are_answered(data: bytes) -> None:
    assert decodes_as_photo(data, 1000) is None
