from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.contextvars import get_contextvars

from base.tracing import Trace, current, parse, pass_on, traced

ID = "4bf92f3577b34da6a3ce929d0e0e4736"
GIVEN = f"00-{ID}-00f067aa0ba902b7-01"

hexadecimal = st.text("0123456789abcdef", min_size=32, max_size=32).filter(lambda t: int(t, 16))


@given(hexadecimal, hexadecimal.map(lambda t: t[:16]).filter(lambda t: int(t, 16)))
def test_what_is_written_is_read(trace_id: str, span_id: str) -> None:
    step = Trace(trace_id, span_id)
    assert parse(str(step)) == step


@given(st.text())
def test_anything_else_is_no_trace(words: str) -> None:
    assert parse(words) is None


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (GIVEN, True),
        (GIVEN.replace("00-", "cc-", 1) + "-what-the-future-adds", True),
        (GIVEN + "-more", False),
        (GIVEN.replace("00-", "ff-", 1), False),
        (GIVEN.upper(), False),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", False),
        (f"00-{ID}-{'0' * 16}-01", False),
        (f" {GIVEN}", False),
        ("", False),
        (None, False),
    ],
)
def test_the_rules_of_the_standard(header: str | None, known: bool) -> None:
    assert (parse(header) is not None) == known


def test_a_step_keeps_the_trace_and_has_a_span_of_its_own() -> None:
    assert current() is None
    with traced(GIVEN) as outer:
        assert (outer.trace_id, outer.flags) == (ID, "01")
        assert outer.span_id != "00f067aa0ba902b7"
        assert get_contextvars()["trace"] == ID
        with traced(None) as other:
            assert other.trace_id != ID
            assert current() == other
        assert current() == outer
    assert current() is None
    assert "trace" not in get_contextvars()


def test_outgoing_requests_carry_the_step() -> None:
    request = httpx.Request("GET", "http://127.0.0.1/")
    pass_on(request)
    assert "traceparent" not in request.headers
    with traced(GIVEN) as step:
        pass_on(request)
    assert request.headers["traceparent"] == str(step)
