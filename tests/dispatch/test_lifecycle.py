from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from base.errors import StateError
from dispatch.case.lifecycle import (
    NEEDS_EXPLANATION,
    STATUS_NAMES,
    TRANSITIONS,
    check_transition,
    steps_for,
)
from dispatch.desk.status import Status
from store.tickets import FINAL

STATUSES = sorted(TRANSITIONS)
EXTERNAL = [
    *Status,
    "ACTION_SCHEDULED",
    "TRANSFERRED",
    "",
    "SOMETHING_NEW",
]


def test_the_table_speaks_of_the_documented_statuses_only() -> None:
    documented = [
        "draft",
        "submitted",
        "forwarded",
        "accepted",
        "in_progress",
        "resolved",
        "verified",
        "closed",
        "rejected",
        "transferred",
        "reopened",
        "withdrawn",
    ]
    assert set(TRANSITIONS) == set(STATUS_NAMES) == set(documented)
    assert {target for targets in TRANSITIONS.values() for target in targets} <= set(documented)
    assert set(documented) >= NEEDS_EXPLANATION


def test_every_status_is_reachable_and_only_a_withdrawal_is_for_ever() -> None:
    seen, edge = {"draft"}, ["draft"]
    while edge:
        edge = [t for status in edge for t in TRANSITIONS[status] if t not in seen]
        seen.update(edge)
    assert seen == set(TRANSITIONS)
    assert [status for status in STATUSES if not TRANSITIONS[status]] == ["withdrawn"]


def test_the_straight_way() -> None:
    way = [
        "draft",
        "submitted",
        "forwarded",
        "accepted",
        "in_progress",
        "resolved",
        "verified",
        "closed",
    ]
    for current, target in itertools.pairwise(way):
        check_transition(current, target)


@pytest.mark.parametrize(
    ("current", "target"),
    [
        ("draft", "forwarded"),
        ("submitted", "closed"),
        ("resolved", "withdrawn"),
        ("closed", "withdrawn"),
        ("withdrawn", "submitted"),
        ("in_progress", "closed"),
        ("closed", "closed"),
        ("unheard-of", "closed"),
        ("draft", "unheard-of"),
    ],
)
def test_whatever_is_not_in_the_table_is_refused(current: str, target: str) -> None:
    with pytest.raises(StateError) as caught:
        check_transition(current, target)
    assert caught.value.code == "transition_refused"


def test_a_finished_ticket_cannot_be_withdrawn_and_nothing_more_is_polled_for_it() -> None:
    for status in FINAL:
        assert "withdrawn" not in TRANSITIONS[status]


@pytest.mark.parametrize(
    ("current", "external", "steps"),
    [
        ("forwarded", "INVESTIGATING", ("accepted",)),
        ("forwarded", "investigating", ("accepted",)),
        ("accepted", "IN_PROGRESS", ("in_progress",)),
        ("in_progress", "FIXED", ("resolved",)),
        ("resolved", "CLOSED", ("verified", "closed")),
        ("verified", "CLOSED", ("closed",)),
        ("forwarded", "CLOSED", ("resolved",)),  # a server that knows open and closed only
        ("accepted", "DUPLICATE", ("rejected",)),
        ("closed", "REOPEN", ("reopened",)),
        ("accepted", "INVESTIGATING", ()),
        ("accepted", "", ()),
        ("accepted", "OPEN", ()),
    ],
)
def test_what_the_desk_says_becomes_steps(
    current: str, external: str, steps: tuple[str, ...]
) -> None:
    assert steps_for(current, external) == steps


@given(current=st.sampled_from(STATUSES), said=st.lists(st.sampled_from(EXTERNAL), max_size=12))
def test_no_sequence_of_statuses_leaves_the_table(current: str, said: list[str]) -> None:
    for external in said:
        try:
            steps = steps_for(current, external)
        except StateError as error:
            assert error.code == "transition_refused"
            continue
        for step in steps:
            assert step in TRANSITIONS[current]
            current = step


@given(current=st.sampled_from(STATUSES), external=st.text(max_size=20))
def test_an_unknown_status_changes_nothing(current: str, external: str) -> None:
    if external.upper() not in EXTERNAL:
        assert steps_for(current, external) == ()


def test_every_way_through_the_table_is_one_a_ticket_may_go() -> None:
    """Walk every transition; what lies behind a status is neither a step nor an error."""
    for current, targets in TRANSITIONS.items():
        for target in targets:
            check_transition(current, target)
    ends = {"verified": ["FIXED"], "closed": ["FIXED", "CLOSED"], "resolved": ["FIXED"]}
    for current, words in ends.items():
        assert [steps_for(current, word) for word in words] == [()] * len(words)
    assert steps_for("closed", "REOPEN") == ("reopened",)
    for target in ("accepted", "in_progress", "rejected"):
        assert target not in TRANSITIONS["closed"]
