from __future__ import annotations

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import InputError
from base.signing import REPLAY_WINDOW_SECONDS, sign, verify

SECRET = "webhook-secret"
NOW = 1_795_000_000
BODY = b'{"update_id": "U1", "status": "FIXED"}'


def refused(
    timestamp: str, signature: str, body: bytes = BODY, secret: str = SECRET, now: float = NOW
) -> bool:
    try:
        verify(secret, timestamp, signature, body, now)
    except InputError as error:
        assert error.code == "signature_invalid"
        return True
    return False


def test_the_scheme_is_the_documented_one() -> None:
    digest = hmac.new(SECRET.encode(), f"{NOW}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert sign(SECRET, NOW, BODY) == f"sha256={digest}"


@given(body=st.binary(max_size=200), timestamp=st.integers(0, 10**11), secret=st.text(min_size=1))
def test_what_was_signed_verifies(body: bytes, timestamp: int, secret: str) -> None:
    signature = sign(secret, timestamp, body)
    assert not refused(str(timestamp), signature, body, secret, float(timestamp))


@given(body=st.binary(max_size=200), other=st.binary(max_size=200))
def test_another_body_is_refused(body: bytes, other: bytes) -> None:
    assert refused(str(NOW), sign(SECRET, NOW, body), other) == (body != other)


@pytest.mark.parametrize(
    ("age", "is_refused"),
    [
        (0, False),
        (REPLAY_WINDOW_SECONDS, False),
        (REPLAY_WINDOW_SECONDS + 1, True),
        (-REPLAY_WINDOW_SECONDS, False),
        (-REPLAY_WINDOW_SECONDS - 1, True),
    ],
)
def test_the_replay_window_is_five_minutes_either_way(age: int, is_refused: bool) -> None:
    assert refused(str(NOW - age), sign(SECRET, NOW - age, BODY)) is is_refused


def test_a_signature_is_bound_to_its_timestamp() -> None:
    assert refused(str(NOW + 1), sign(SECRET, NOW, BODY))


def test_the_secret_must_be_the_same_and_must_not_be_empty() -> None:
    assert refused(str(NOW), sign("other", NOW, BODY))
    assert refused(str(NOW), sign("", NOW, BODY), secret="")


@pytest.mark.parametrize(
    "timestamp",
    ["", "abc", "-1", "1e9", " 1795000000", "１７９５００００００", "9" * 400, "9" * 5000],
)
def test_a_malformed_timestamp_is_refused(timestamp: str) -> None:
    assert refused(timestamp, sign(SECRET, NOW, BODY))


@given(signature=st.text(max_size=80))
def test_any_other_text_is_not_a_signature(signature: str) -> None:
    assert refused(str(NOW), signature)
