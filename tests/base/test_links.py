from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.identity import citizen_id
from base.links import link_is_valid, sign_link

SECRET = "session-key"
EXPIRES = 1_800_000_000


def parts(link: str) -> tuple[str, int, str]:
    split = urlsplit(link)
    query = parse_qs(split.query)
    return split.path, int(query["expires"][0]), query["signature"][0]


@given(
    path=st.from_regex(r"/media/[0-9a-f]{32}", fullmatch=True),
    expires=st.integers(1, 10**11),
    left=st.integers(0, 10**9),
)
def test_a_signed_link_is_valid_until_it_runs_out(path: str, expires: int, left: int) -> None:
    link = sign_link(SECRET, path, expires)
    assert link_is_valid(SECRET, *parts(link), now=expires - left)
    assert not link_is_valid(SECRET, *parts(link), now=expires + 0.001)


@pytest.mark.parametrize(
    ("path", "expires", "secret"),
    [
        ("/media/b", EXPIRES, SECRET),
        ("/media/a", EXPIRES + 1, SECRET),
        ("/media/a", EXPIRES, "other"),
        ("/media/a", EXPIRES, ""),
    ],
)
def test_a_link_opens_one_photo_for_one_time_only(path: str, expires: int, secret: str) -> None:
    signature = parts(sign_link(SECRET, "/media/a", EXPIRES))[2]
    assert link_is_valid(SECRET, "/media/a", EXPIRES, signature, now=0)
    assert not link_is_valid(secret, path, expires, signature, now=0)


def test_without_a_secret_nothing_is_valid() -> None:
    signature = parts(sign_link("", "/media/a", EXPIRES))[2]
    assert not link_is_valid("", "/media/a", EXPIRES, signature, now=0)


@given(signature=st.text(max_size=80))
def test_any_other_text_is_not_a_signature(signature: str) -> None:
    assert not link_is_valid(SECRET, "/media/a", EXPIRES, signature, now=0)


def test_the_same_conversation_id_on_two_channels_is_two_citizens() -> None:
    assert citizen_id("web", "1") == "web:1"
    assert citizen_id("web", "1") != citizen_id("telegram", "1")
