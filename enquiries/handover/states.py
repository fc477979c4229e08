"""The states of a hand-over and every step between them, as one table.

::

    offered    asked out of hours, or too many wait: a call-back is offered, the phone is asked for
    waiting    in the queue; the bot goes on answering
    serving    an agent has it; what the citizen says goes to him
    callback   a call is promised
    ended      an agent spoke with the citizen
    cancelled  the citizen did without
    called     he was called and reached
    unreached  he was called several times in vain
"""

from __future__ import annotations

from enum import StrEnum

from base.errors import StateError


class State(StrEnum):
    """Where a hand-over is."""

    OFFERED = "offered"
    WAITING = "waiting"
    SERVING = "serving"
    CALLBACK = "callback"
    ENDED = "ended"
    CANCELLED = "cancelled"
    CALLED = "called"
    UNREACHED = "unreached"


class Event(StrEnum):
    """What happens to a hand-over."""

    QUEUE = "queue"  # asked for a person while one may be waited for
    PHONE = "phone"  # left a number
    DECLINE = "decline"  # the citizen does not want it any more
    EXPIRE = "expire"  # no number was left in time
    CLOSE = "close"  # the hours ended while he waited
    CLAIM = "claim"  # an agent took it
    TRANSFER = "transfer"  # given to another agent
    REQUEUE = "requeue"  # given back to the queue
    END = "end"  # the agent or the citizen is done
    REACH = "reach"  # the call was answered
    MISS = "miss"  # it was not
    GIVE_UP = "give_up"  # and that was the last attempt


S, E = State, Event

STEPS: dict[tuple[State, Event], State] = {
    (S.OFFERED, E.QUEUE): S.WAITING,
    (S.OFFERED, E.PHONE): S.CALLBACK,
    (S.OFFERED, E.DECLINE): S.CANCELLED,
    (S.OFFERED, E.EXPIRE): S.CANCELLED,
    (S.WAITING, E.CLAIM): S.SERVING,
    (S.WAITING, E.PHONE): S.CALLBACK,
    (S.WAITING, E.DECLINE): S.CANCELLED,
    (S.WAITING, E.CLOSE): S.OFFERED,
    (S.SERVING, E.TRANSFER): S.SERVING,
    (S.SERVING, E.REQUEUE): S.WAITING,
    (S.SERVING, E.END): S.ENDED,
    (S.CALLBACK, E.QUEUE): S.WAITING,
    (S.CALLBACK, E.PHONE): S.CALLBACK,
    (S.CALLBACK, E.DECLINE): S.CANCELLED,
    (S.CALLBACK, E.REACH): S.CALLED,
    (S.CALLBACK, E.MISS): S.CALLBACK,
    (S.CALLBACK, E.GIVE_UP): S.UNREACHED,
}
"""``(state, event)`` to the state after it; what is not here is refused."""

FINAL = frozenset({S.ENDED, S.CANCELLED, S.CALLED, S.UNREACHED})


def after(state: str, event: Event) -> State:
    """Return the state after an event.

    Raises:
        StateError: ``handover_step_refused``; the state does not allow the event.
    """
    found = STEPS.get((State(state), event))
    if found is None:
        raise StateError(
            "handover_step_refused",
            "这位市民的情况刚刚有变化，请刷新后再看。",
            f"{event} in state {state}",
        )
    return found
