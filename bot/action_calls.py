"""Calls of the action server, without most of what Rasa does for each of them.

Rasa 3.6 sends the whole conversation with every call, which grows with every message of a day;
the actions look at its last messages only (“再说一遍”). It also connects anew for every call; the
connections stay open here.

It gives each answer to ``jsonschema.validate``, which first holds the schema (that of every
kind of event) against the metaschema. Measured, that was four fifths of what the dialogue
server did in a turn. What was left went into holding every event against the schema of every kind
of event; it is held against that of its own kind here, the only one that it can fit.
"""

from __future__ import annotations

import copy
from collections import deque
from functools import lru_cache
from typing import Any, Deque, Dict, Optional, Text

from aiohttp import ClientSession
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig

Schema = Dict[Text, Any]

RECENT_MESSAGES = 10
"""Messages of the citizen, with all that followed each, which a call brings along."""

_whole_call = RemoteAction._action_call_format
_new_session = EndpointConfig.session


@lru_cache(maxsize=1)
def _whole() -> Draft202012Validator:
    schema = RemoteAction("any", None).action_response_format_spec()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@lru_cache(maxsize=1)
def _frame() -> Draft202012Validator:
    """The schema of an answer without that of its events."""
    schema = _whole().schema
    return Draft202012Validator(
        {**schema, "properties": {**schema["properties"], "events": {"type": "array"}}}
    )


@lru_cache(maxsize=1)
def _kinds() -> Dict[Text, Draft202012Validator]:
    """The schema of an event by its ``event``, which is another constant in each of ``oneOf``."""
    event: Schema = dict(_whole().schema["properties"]["events"]["items"])
    kinds = event.pop("oneOf")
    validators = {
        kind["properties"]["event"]["const"]: Draft202012Validator({"allOf": [event, kind]})
        for kind in kinds
    }
    if len(validators) != len(kinds):
        raise AssertionError("two kinds of events have the same name")
    return validators


def _fits(event: Any) -> bool:
    name = event.get("event") if isinstance(event, dict) else None
    kind = _kinds().get(name) if isinstance(name, str) else None
    return kind is not None and kind.is_valid(event)


def _check(_action: RemoteAction, result: Dict[Text, Any]) -> bool:
    """Take the place of :meth:`RemoteAction._validate_action_result`.

    Raises:
        jsonschema.ValidationError: the answer is not one of the action protocol.
    """
    if _frame().is_valid(result) and all(map(_fits, result.get("events", ()))):
        return True
    error = best_match(_whole().iter_errors(result))
    if error is not None:
        raise error
    return True


def _call(action: RemoteAction, tracker: DialogueStateTracker, domain: Domain) -> Dict[Text, Any]:
    """Take the place of :meth:`RemoteAction._action_call_format`."""
    recent = copy.copy(tracker)
    recent.events = _since(tracker, RECENT_MESSAGES)
    call: Dict[Text, Any] = _whole_call(action, recent, domain)
    call.setdefault("domain", {})  # rasa-sdk refuses a call without one (bot/endpoints.yml)
    return call


def _since(tracker: DialogueStateTracker, messages: int) -> Deque[Event]:
    recent: Deque[Event] = deque()
    for event in reversed(tracker.events):
        recent.appendleft(event)
        messages -= isinstance(event, UserUttered)
        if not messages:
            break
    return recent


class _OpenSession:
    """A session for one request, which leaves it open for the next."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def __aenter__(self) -> ClientSession:
        return self._session

    async def __aexit__(self, *_: Any) -> None:
        pass


def _session(endpoint: EndpointConfig) -> _OpenSession:
    """Take the place of :meth:`EndpointConfig.session`."""
    session: Optional[ClientSession] = getattr(endpoint, "open_session", None)
    if session is None or session.closed:
        session = endpoint.open_session = _new_session(endpoint)
    return _OpenSession(session)


async def end_calls(endpoint: Optional[EndpointConfig]) -> None:
    """Close the connections to an action server."""
    session: Optional[ClientSession] = getattr(endpoint, "open_session", None)
    if session is not None:
        await session.close()


def make_calls_short() -> None:
    """Have the remote actions of this process call and check as this module does."""
    EndpointConfig.session = _session
    RemoteAction._action_call_format = _call
    RemoteAction._validate_action_result = _check
