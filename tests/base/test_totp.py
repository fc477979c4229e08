"""Codes of RFC 6238."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from base.settings import Settings
from base.totp import STEP_SECONDS, address_of, matching_step, new_secret

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_vectors_of_the_standard(at: int, code: str) -> None:
    """RFC 6238, appendix B, the last six of its eight digits."""
    assert matching_step(SECRET, code, at, 0) == at // STEP_SECONDS


def test_a_step_early_or_late_is_right_two_are_not() -> None:
    at, code = 1111111111, "050471"
    for steps, found in ((-2, None), (-1, at // 30), (0, at // 30), (1, at // 30), (2, None)):
        assert matching_step(SECRET, code, at + steps * STEP_SECONDS, 0) == found


def test_a_step_counts_once() -> None:
    at, code = 1111111111, "050471"
    assert matching_step(SECRET, code, at, at // 30 - 1) == at // 30
    assert matching_step(SECRET, code, at, at // 30) is None


@pytest.mark.parametrize("code", ["", "5", "05047", "0504711", "05o471", "０５０４７１", "050 471"])
def test_what_is_no_code_is_refused(code: str) -> None:
    assert matching_step(SECRET, code, 1111111111, 0) is None


def test_the_address_holds_what_an_app_needs() -> None:
    secret = new_secret()
    parts = urlsplit(address_of(secret, "小李"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert parse_qs(parts.query)["secret"] == [secret]
    assert len(base64.b32decode(secret)) == 20


@pytest.mark.parametrize(
    ("setting", "url", "required"),
    [
        ("auto", "https://12345.example", True),
        ("auto", "http://127.0.0.1:8000", False),
        ("required", "http://127.0.0.1:8000", True),
        ("optional", "https://12345.example", False),
    ],
)
def test_when_a_second_factor_is_required(setting: str, url: str, required: bool) -> None:
    settings = Settings(console_totp=setting, public_url=url)  # type: ignore[arg-type]
    assert settings.is_totp_required is required
