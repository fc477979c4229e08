"""Checking what the action server answers, without checking the schema itself every time.

Rasa 3.6 gives each answer to ``jsonschema.validate``, which first holds the schema (that of every
kind of event) against the metaschema. Measured, that was four fifths of what the dialogue
server did in a turn; the check of the answer alone is a small part of it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, Text

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from rasa.core.actions.action import RemoteAction


@lru_cache(maxsize=1)
def _validator() -> Draft202012Validator:
    schema = RemoteAction("any", None).action_response_format_spec()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def _check(_action: RemoteAction, result: Dict[Text, Any]) -> bool:
    """Take the place of :meth:`RemoteAction._validate_action_result`.

    Raises:
        jsonschema.ValidationError: the answer is not one of the action protocol.
    """
    error = best_match(_validator().iter_errors(result))
    if error is not None:
        raise error
    return True


def check_schema_once() -> None:
    """Make Rasa check the schema of action answers once a process."""
    RemoteAction._validate_action_result = _check
