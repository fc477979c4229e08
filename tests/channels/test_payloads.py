from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.conversation import _for_rasa
from channels.payloads import ENTITIES, INTENTS, is_payload

CARRIED = st.dictionaries(st.sampled_from(sorted(ENTITIES)), st.text(max_size=100), max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=120),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text() | st.sampled_from(sorted(ENTITIES)), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.sampled_from(sorted(INTENTS)), CARRIED, st.booleans())
def test_our_buttons_pass(intent: str, entities: dict[str, str], ascii_only: bool) -> None:
    assert is_payload(f"/{intent}")
    assert is_payload(f"/{intent}" + json.dumps(entities, ensure_ascii=ascii_only))


@given(st.one_of(st.text(), st.from_regex(r"/[a-z_]{1,20}(\{.*\})?", fullmatch=True)))
def test_only_listed_intents_pass(text: str) -> None:
    if is_payload(text):
        named = re.fullmatch(r"/([a-z_]+)(?:\{.*\})?", text, re.DOTALL)
        assert named is not None
        assert named.group(1) in INTENTS


@given(st.sampled_from(sorted(INTENTS)), JSON)
def test_values_are_short_strings_of_known_names(intent: str, value: object) -> None:
    known = isinstance(value, dict) and all(
        name in ENTITIES and isinstance(item, str) and len(item) <= 100
        for name, item in value.items()
    )
    assert is_payload(f"/{intent}{json.dumps(value)}") == known


@pytest.mark.parametrize(
    "text",
    [
        "/restart",
        "/session_start",
        "/back",
        "/attach",
        "/nlu_fallback",
        "/inform",
        "/affirm\n",
        " /affirm",
        "/affirm@0.9",
        "/affirm{",
        "/affirm{}{}",
        '/affirm{"value": 1}',
        '/affirm{"phone": "13800138000"}',
        '/affirm{"": ""}',
        '/affirm{"value": {"b": "c"}}',
        "/affirm" + "{" * 5000 + "}",
        '/affirm{"value": "' + "长" * 101 + '"}',
        "affirm",
        "/",
        "",
    ],
)
def test_what_no_button_carries_is_refused(text: str) -> None:
    assert not is_payload(text)


@given(st.text(min_size=1))
def test_words_never_reach_rasa_as_a_command(text: str) -> None:
    """A citizen cannot make Rasa restart a conversation or name an intent of his choice."""
    told = _for_rasa(text)
    assert told
    assert not told.startswith("/") or told == "/nlu_fallback" or is_payload(text)
