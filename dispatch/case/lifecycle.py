"""The life cycle of a work order (发现-派单-处置-核查-评价) as one table."""

from __future__ import annotations

from types import MappingProxyType

from base.errors import StateError

_AT_WORK = ("accepted", "in_progress", "resolved", "rejected", "transferred", "withdrawn")

TRANSITIONS: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        "draft": ("submitted", "withdrawn"),
        "submitted": ("forwarded", "withdrawn"),
        "forwarded": _AT_WORK,
        "accepted": ("in_progress", "resolved", "rejected", "transferred", "withdrawn"),
        "in_progress": ("resolved", "rejected", "transferred", "withdrawn"),
        "transferred": _AT_WORK,
        "resolved": ("verified", "reopened"),
        "verified": ("closed", "reopened"),
        "closed": ("reopened",),
        "rejected": ("reopened",),
        "reopened": _AT_WORK,
        "withdrawn": (),
    }
)
"""Every allowed change of status; whatever is not here is refused."""

STATUS_NAMES: MappingProxyType[str, str] = MappingProxyType(
    {
        "draft": "填写中",
        "submitted": "已提交",
        "forwarded": "已派单",
        "accepted": "已受理",
        "in_progress": "处置中",
        "resolved": "已办结",
        "verified": "已核查",
        "closed": "已结案",
        "rejected": "不予受理",
        "transferred": "已转办",
        "reopened": "重新办理",
        "withdrawn": "已撤回",
    }
)
"""What citizens and officials read."""

STAGES: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {
        "发现": ("submitted",),
        "派单": ("forwarded", "transferred", "reopened"),
        "处置": ("accepted", "in_progress"),
        "核查": ("resolved", "verified"),
        "评价": ("closed",),
        "终止": ("rejected", "withdrawn"),
    }
)
"""The five stages of a work order and the statuses of each; what ended otherwise comes last."""

BEING_HANDLED = ("forwarded", "transferred", "reopened", "accepted", "in_progress")
"""Statuses in which the dispatch system has a case and the limit for settlement runs."""

NEEDS_EXPLANATION = frozenset({"resolved", "rejected", "closed"})
"""Statuses that end work: refused without words for the citizen."""

_EXTERNAL: MappingProxyType[str, str] = MappingProxyType(
    {
        "INVESTIGATING": "accepted",
        "ACTION_SCHEDULED": "accepted",
        "IN_PROGRESS": "in_progress",
        "FIXED": "resolved",
        "CLOSED": "closed",
        "NO_FURTHER_ACTION": "rejected",
        "NOT_COUNCILS_RESPONSIBILITY": "rejected",
        "DUPLICATE": "rejected",
        "REOPEN": "reopened",
        "TRANSFERRED": "transferred",
    }
)

_PRESENT: MappingProxyType[str, str] = MappingProxyType(
    {
        "accepted": "INVESTIGATING",
        "in_progress": "IN_PROGRESS",
        "resolved": "FIXED",
        "verified": "FIXED",
        "closed": "CLOSED",
    }
)


_PASSED: MappingProxyType[str, tuple[str, ...]] = MappingProxyType(
    {"verified": ("resolved",), "closed": ("resolved", "verified")}
)
"""What lies behind a status: hearing of it again changes nothing and is no fault."""

FINISHED = ("resolved", "verified", "closed")
"""Statuses in which the work is done and the citizen is asked for his verdict."""

RATEABLE = (*FINISHED, "reopened")
"""Statuses in which the last handling can be rated; who sends it back may say how it was."""


def external_status(status: str) -> str:
    """Return the Open311 update status of a ticket that stands at ``status``.

    A comment carries it so that the server does not read the comment as a change: mySociety's
    servers take ``OPEN`` on a finished case as its reopening.
    """
    return _PRESENT.get(status, "OPEN")


def keeps_status(current: str, external_status_word: str) -> bool:
    """Tell whether an update status means that a ticket stays where it is.

    An update without a status, with the status the ticket has, or ``OPEN`` while nobody works
    on it. A withdrawn ticket has no news.
    """
    word = external_status_word.upper()
    if current == "withdrawn":
        return False
    return not word or _EXTERNAL.get(word) == current or word == external_status(current)


def check_transition(current: str, target: str) -> None:
    """Refuse a change that the table does not allow.

    Raises:
        StateError: ``transition_refused``.
    """
    if target not in TRANSITIONS.get(current, ()):
        raise StateError(
            "transition_refused",
            "这个工单现在不能这样操作。",
            f"{current} -> {target} is not allowed",
        )


def steps_for(current: str, external_status: str) -> tuple[str, ...]:
    """Return the life-cycle steps an Open311 update status means for a ticket.

    The status names are mySociety's update extension. ``CLOSED`` is the desk's verification
    and closure of a resolved case; from a server that only knows open and closed it means
    that the work is done. A rejected case on which somebody works has been reopened, whether
    or not the server says so.

    Returns:
        Target statuses in order; empty when the update is a comment, changes nothing or tells
        of a step the ticket has long taken.

    Raises:
        StateError: ``transition_refused`` when the table does not allow the change.
    """
    target = _EXTERNAL.get(external_status.upper())
    if target is None or target == current or target in _PASSED.get(current, ()):
        return ()
    steps: tuple[str, ...] = (target,)
    if target == "closed":
        steps = {"resolved": ("verified", "closed"), "verified": ("closed",)}.get(
            current, ("resolved",)
        )
    if current == "rejected" and target in _AT_WORK and target != "withdrawn":
        steps = ("reopened", *steps)
    at = current
    for step in steps:
        check_transition(at, step)
        at = step
    return steps
