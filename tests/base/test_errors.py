from __future__ import annotations

import re

import pytest

from base import errors
from base.errors import (
    ConfigurationError,
    InputError,
    ShiminError,
    StateError,
    TooLargeError,
    UpstreamError,
)
from dispatch.open311 import DispatchError


def test_the_exported_names_are_the_tree() -> None:
    tree = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, ShiminError)
    }
    assert tree == set(errors.__all__)


@pytest.mark.parametrize("kind", [InputError, TooLargeError, UpstreamError, StateError])
def test_an_error_keeps_what_the_citizen_reads_apart_from_what_the_log_reads(
    kind: type[ShiminError],
) -> None:
    error = kind("photo_too_large", "照片太大了，请压缩后再发。", "12 MB from c-1")
    assert (error.code, error.message) == ("photo_too_large", "照片太大了，请压缩后再发。")
    assert str(error) == "photo_too_large: 12 MB from c-1"
    assert isinstance(error, ShiminError)


def test_without_a_detail_the_log_reads_the_message() -> None:
    assert str(StateError("transition_refused", "现在不能撤回。")) == (
        "transition_refused: 现在不能撤回。"
    )


def test_a_configuration_error_tells_the_citizen_nothing_of_the_house() -> None:
    error = ConfigurationError("SHIMIN_DATA_KEY is not set")
    assert "SHIMIN" not in error.message
    assert re.search(r"[\u4e00-\u9fff]", error.message)
    assert "SHIMIN_DATA_KEY" in str(error)


def test_who_catches_what() -> None:
    assert issubclass(TooLargeError, InputError)
    assert issubclass(DispatchError, UpstreamError)
    assert not issubclass(InputError, ValueError)
