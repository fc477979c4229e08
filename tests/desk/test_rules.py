"""The table of steps, session cookies and the login limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import StateError
from dispatch.desk.sessions import SESSION_SECONDS, LoginLimiter, SessionKeeper
from dispatch.desk.status import (
    ACTIONS,
    LABELS,
    Actor,
    Status,
    action_for,
    actions_for,
    citizen_action,
    is_open,
)


def test_every_status_has_a_name_and_can_be_reached() -> None:
    assert set(LABELS) == set(Status)
    assert {action.target for action in ACTIONS} | {Status.OPEN} == set(Status)


def test_every_ending_carries_an_explanation() -> None:
    for action in ACTIONS:
        if action.actor is Actor.DESK and (
            not is_open(action.target) or action.target in {Status.FIXED, Status.REOPEN}
        ):
            assert action.explain, action.key


def test_a_closure_goes_through_the_check() -> None:
    closing = [action for action in ACTIONS if action.target is Status.CLOSED]
    assert {action.actor for action in closing} == {Actor.DESK, Actor.CITIZEN}
    assert {action.sources for action in closing} == {frozenset({Status.FIXED})}


def test_withdrawal_is_final_and_open_to_every_open_request() -> None:
    assert actions_for(Status.WITHDRAWN) == ()
    for status in Status:
        allowed = citizen_action("WITHDRAWN", status) is not None
        assert allowed == is_open(status)
        confirmed = citizen_action("CLOSED", status) is not None
        assert confirmed == (status is Status.FIXED)


@given(st.lists(st.sampled_from(sorted({action.key for action in ACTIONS}))))
def test_no_sequence_leaves_the_table(keys: list[str]) -> None:
    status = Status.OPEN
    for key in keys:
        try:
            action = action_for(key, status)
        except StateError as error:
            assert error.code == "transition_refused"
            assert all(allowed.key != key for allowed in actions_for(status))
            continue
        assert action.actor is Actor.DESK
        assert status in action.sources
        status = action.target


@given(st.text(max_size=60))
def test_only_our_cookies_are_read(text: str) -> None:
    assert SessionKeeper("key").read(text) is None


@given(st.integers(min_value=0), st.sampled_from("0123456789abcdefAZ.=-_"))
def test_a_changed_cookie_is_refused(index: int, letter: str) -> None:
    keeper = SessionKeeper("key")
    session = keeper.issue("李敏")
    cookie = keeper.cookie(session)
    place = index % len(cookie)
    changed = cookie[:place] + letter + cookie[place + 1 :]
    assert keeper.read(cookie) == session
    assert changed == cookie or keeper.read(changed) is None


def test_cookies_of_another_key_and_expired_ones_are_refused() -> None:
    now = 1_000_000.0
    keeper = SessionKeeper("key", clock=lambda: now)
    cookie = keeper.cookie(keeper.issue("李敏"))
    assert SessionKeeper("other", clock=lambda: now).read(cookie) is None
    now += SESSION_SECONDS
    assert keeper.read(cookie) is not None
    now += 1
    assert keeper.read(cookie) is None


def test_csrf_tokens_belong_to_one_session() -> None:
    keeper = SessionKeeper("key")
    mine, theirs = keeper.issue("a"), keeper.issue("a")
    assert keeper.csrf_matches(mine, keeper.csrf(mine))
    assert not keeper.csrf_matches(theirs, keeper.csrf(mine))
    assert not keeper.csrf_matches(mine, "")


@pytest.mark.parametrize("addresses", [["a"] * 5, [f"10.0.0.{number}" for number in range(50)]])
def test_the_login_limit_opens_again(addresses: list[str]) -> None:
    now = 0.0
    limiter = LoginLimiter(clock=lambda: now)
    for address in addresses:
        assert limiter.allows(address)
        limiter.failed(address)
    assert not limiter.allows("a")
    now = 300.0
    assert limiter.allows("a")
