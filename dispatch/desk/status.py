"""The states of a request at the desk and the one table of allowed steps.

Names are those of mySociety's Open311 update extension; ``WITHDRAWN`` is the desk's own
extension for a citizen who takes a complaint back.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from base.errors import StateError

__all__ = ["ACTIONS", "LABELS", "Action", "Actor", "Status", "action_for", "actions_for", "is_open"]


class Status(StrEnum):
    """Where a request stands."""

    OPEN = "OPEN"
    INVESTIGATING = "INVESTIGATING"
    IN_PROGRESS = "IN_PROGRESS"
    FIXED = "FIXED"
    CLOSED = "CLOSED"
    NO_FURTHER_ACTION = "NO_FURTHER_ACTION"
    NOT_COUNCILS_RESPONSIBILITY = "NOT_COUNCILS_RESPONSIBILITY"
    DUPLICATE = "DUPLICATE"
    REOPEN = "REOPEN"
    WITHDRAWN = "WITHDRAWN"


class Actor(StrEnum):
    """Who took a step: a dispatcher, the citizen side, or the desk for its own records only."""

    DESK = "desk"
    CITIZEN = "citizen"
    OFFICE = "office"


LABELS: dict[Status, str] = {
    Status.OPEN: "待受理",
    Status.INVESTIGATING: "已受理",
    Status.IN_PROGRESS: "处置中",
    Status.FIXED: "已办结待核查",
    Status.CLOSED: "已结案",
    Status.NO_FURTHER_ACTION: "不予受理",
    Status.NOT_COUNCILS_RESPONSIBILITY: "已转办",
    Status.DUPLICATE: "重复件已并案",
    Status.REOPEN: "已重开",
    Status.WITHDRAWN: "已撤回",
}

# GeoReport v2 knows only open and closed. FIXED still waits for the check on site and a
# transferred request goes on at another department of the same desk: both stay open.
_FINISHED = frozenset({Status.CLOSED, Status.NO_FURTHER_ACTION, Status.DUPLICATE, Status.WITHDRAWN})


@dataclass(frozen=True)
class Action:
    """One allowed step: from any of ``sources`` to ``target``.

    ``explain`` is the label of the explanation the step must carry, empty when it is optional;
    ``agency`` tells that the step names another responsible unit, ``main`` that it names the
    request this one is a duplicate of, ``photos`` that it asks for photos of the result.
    """

    key: str
    title: str
    actor: Actor
    sources: frozenset[Status]
    target: Status
    explain: str = ""
    agency: bool = False
    main: bool = False
    photos: bool = False


ACTIONS: tuple[Action, ...] = (
    Action(
        "accept",
        "受理",
        Actor.DESK,
        frozenset({Status.OPEN, Status.REOPEN, Status.NOT_COUNCILS_RESPONSIBILITY}),
        Status.INVESTIGATING,
    ),
    Action("start", "开始处置", Actor.DESK, frozenset({Status.INVESTIGATING}), Status.IN_PROGRESS),
    Action(
        "resolve",
        "办结",
        Actor.DESK,
        frozenset({Status.IN_PROGRESS}),
        Status.FIXED,
        explain="处置情况",
        photos=True,
    ),
    Action(
        "close",
        "核查通过并结案",
        Actor.DESK,
        frozenset({Status.FIXED}),
        Status.CLOSED,
        explain="核查结果",
        photos=True,
    ),
    Action(
        "reopen",
        "重开",
        Actor.DESK,
        frozenset({Status.FIXED, Status.CLOSED, Status.NO_FURTHER_ACTION, Status.DUPLICATE}),
        Status.REOPEN,
        explain="重开原因",
    ),
    Action(
        "transfer",
        "转办",
        Actor.DESK,
        frozenset({Status.OPEN, Status.INVESTIGATING, Status.IN_PROGRESS, Status.REOPEN}),
        Status.NOT_COUNCILS_RESPONSIBILITY,
        explain="转办理由",
        agency=True,
    ),
    Action(
        "duplicate",
        "并入重复件",
        Actor.DESK,
        frozenset({Status.OPEN, Status.INVESTIGATING, Status.REOPEN}),
        Status.DUPLICATE,
        explain="并案说明",
        main=True,
    ),
    Action(
        "reject",
        "不予受理",
        Actor.DESK,
        frozenset({Status.OPEN, Status.INVESTIGATING, Status.REOPEN}),
        Status.NO_FURTHER_ACTION,
        explain="不予受理的理由",
    ),
    Action(
        "withdraw",
        "市民撤回",
        Actor.CITIZEN,
        frozenset(set(Status) - _FINISHED),
        Status.WITHDRAWN,
    ),
    Action(
        "citizen_close",
        "市民确认办结",
        Actor.CITIZEN,
        frozenset({Status.FIXED}),
        Status.CLOSED,
    ),
    Action(
        "citizen_reopen",
        "市民要求重办",
        Actor.CITIZEN,
        frozenset({Status.FIXED, Status.CLOSED, Status.NO_FURTHER_ACTION, Status.DUPLICATE}),
        Status.REOPEN,
    ),
)


def is_open(status: Status) -> bool:
    """Map to GeoReport's base status: true for ``open``, false for ``closed``."""
    return status not in _FINISHED


def actions_for(status: Status) -> tuple[Action, ...]:
    """Return the steps a dispatcher may take from ``status``, in the order to show them."""
    return tuple(
        action for action in ACTIONS if action.actor is Actor.DESK and status in action.sources
    )


def action_for(key: str, status: Status) -> Action:
    """Return the dispatcher's step ``key``.

    Raises:
        StateError: ``transition_refused`` when it is not allowed from ``status``.
    """
    for action in actions_for(status):
        if action.key == key:
            return action
    raise StateError(
        "transition_refused",
        f"当前状态为“{LABELS[status]}”，不能执行这一操作。",
        f"{key} is not allowed from {status}",
    )


def citizen_action(target: str, status: Status) -> Action | None:
    """Return the citizen's step that leads to ``target``, ``None`` when there is none now."""
    for action in ACTIONS:
        if action.actor is Actor.CITIZEN and action.target == target and status in action.sources:
            return action
    return None
