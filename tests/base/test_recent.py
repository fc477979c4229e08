"""What is remembered of the last keys."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.recent import Recent


class Squares:
    """Works out squares and counts how often."""

    def __init__(self, most: int) -> None:
        self.recent = Recent[int](most)
        self.worked_out: list[int] = []

    def of(self, number: int) -> int:
        return self.recent.of(number, lambda: self._square(number))

    def _square(self, number: int) -> int:
        self.worked_out.append(number)
        return number**2


@given(st.lists(st.integers(0, 9)), st.integers(1, 6))
def test_the_last_different_keys_are_known_and_no_more_are_kept(
    asked: list[int], most: int
) -> None:
    squares = Squares(most)
    for place, number in enumerate(asked):
        known = list(dict.fromkeys(reversed(asked[:place])))[:most]
        before = len(squares.worked_out)
        assert squares.of(number) == number**2
        assert (len(squares.worked_out) == before) == (number in known)
        assert len(squares.recent) <= most


def test_what_cannot_be_worked_out_is_not_kept() -> None:
    recent = Recent[float](2)
    with pytest.raises(ZeroDivisionError):
        recent.of("a", lambda: 1 / 0)
    assert recent.of("a", lambda: 0.5) == 0.5


def test_threads_share_it() -> None:
    squares = Squares(4)
    numbers = [number % 11 for number in range(4000)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(squares.of, numbers)) == [number**2 for number in numbers]
    assert len(squares.recent) == 4


def test_its_owner_goes_with_its_last_user() -> None:
    squares = Squares(4)
    squares.of(3)
    gone = weakref.ref(squares)
    gc.disable()
    try:
        del squares
        assert gone() is None
    finally:
        gc.enable()
