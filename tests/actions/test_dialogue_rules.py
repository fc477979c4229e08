"""The dialogue files, the domain and the action server say the same thing."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa_sdk.executor import ActionExecutor

from actions import forms, server
from actions.registry import ACTIONS
from channels.payloads import INTENTS

ROOT = Path(__file__).resolve().parents[2]
INTERRUPTIONS = {
    "complaint_form": forms.COMPLAINT_INTERRUPTIONS,
    "supplement_form": forms.SUPPLEMENT_INTERRUPTIONS,
    "policy_form": forms.POLICY_INTERRUPTIONS,
    "reopen_form": forms.REOPEN_INTERRUPTIONS,
}
FIXED_INTENTS = [
    "ask_service",
    "ask_materials",
    "ask_place_time",
    "ask_fee",
    "ask_duration",
    "ask_appointment",
    "report_pollution",
    "report_city_issue",
    "check_ticket",
    "supplement_ticket",
    "withdraw_ticket",
    "rate_ticket",
    "ask_policy",
    "ask_policy_detail",
    "update_profile",
    "subscribe_policies",
    "unsubscribe_policies",
    "emergency",
    "ask_human",
    "help",
    "repeat",
    "inform",
    "affirm",
    "deny",
    "cancel",
    "greet",
    "goodbye",
    "thank",
    "complain_bot",
    "chitchat",
    "out_of_scope",
]
FIXED_ENTITIES = [
    "service_item",
    "location",
    "pollution_type",
    "ticket_id",
    "time",
    "industry",
    "age",
    "amount",
    "headcount",
    "person_group",
    "phone",
]
BUILT_IN = {"action_listen", "action_deactivate_loop"}


def read(path: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / path).read_text("utf-8"))
    return document


def domain(section: str) -> Any:
    """One section of the domain, put together from its files."""
    parts = [
        read(str(path.relative_to(ROOT))).get(section)
        for path in sorted((ROOT / "bot" / "domain").glob("*.yml"))
    ]
    given = [part for part in parts if part]
    if isinstance(given[0], dict):
        return {key: value for part in given for key, value in part.items()}
    return [item for part in given for item in part]


def intents_of(step: dict[str, Any]) -> set[str]:
    if "or" in step:
        return {alternative["intent"] for alternative in step["or"]}
    return {step["intent"]} if "intent" in step else set()


def rules_in(*names: str) -> list[dict[str, Any]]:
    return [rule for name in names for rule in read(f"bot/dialogues/{name}.yml")["rules"]]


def interruptions() -> list[dict[str, Any]]:
    """Rules for a message inside a form; the others begin or end something."""
    return [
        rule
        for rule in rules_in("interruptions", "closing", "checklists", "appointments", "quality")
        if "condition" in rule and intents_of(rule["steps"][0])
    ]


def rules_of(form: str) -> list[dict[str, Any]]:
    return [rule for rule in interruptions() if {"active_loop": form} in rule["condition"]]


def training() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted((ROOT / "nlu_data" / "intents").glob("*.yml")):
        for block in read(str(path.relative_to(ROOT)))["nlu"]:
            if "intent" in block:
                lines = [line.strip() for line in block["examples"].splitlines()]
                examples = [line.removeprefix("- ") for line in lines if line]
                found.setdefault(block["intent"], []).extend(examples)
    return found


def registered() -> set[str]:
    assert server.ROOMS
    return set(ACTIONS)


@pytest.mark.parametrize("form", sorted(INTERRUPTIONS))
def test_rules_and_actions_name_the_same_interruptions(form: str) -> None:
    answered = [intent for rule in rules_of(form) for intent in intents_of(rule["steps"][0])]
    assert set(answered) == INTERRUPTIONS[form]
    twice = [intent for intent, count in Counter(answered).items() if count > 1]
    assert not twice, f"two rules answer {twice} in {form}"


def test_every_form_says_how_it_is_interrupted() -> None:
    assert set(domain("forms")) == set(INTERRUPTIONS)
    assert sum(len(rules_of(form)) for form in INTERRUPTIONS) == len(interruptions())
    assert len(rules_in("interruptions")) == len(
        [rule for rule in interruptions() if rule in rules_in("interruptions")]
    )


@pytest.mark.parametrize("form", sorted(INTERRUPTIONS))
def test_an_interruption_returns_to_the_form_or_leaves_it(form: str) -> None:
    for rule in rules_of(form):
        steps = rule["steps"][1:]
        actions = [step["action"] for step in steps if "action" in step]
        loops = [step["active_loop"] for step in steps if "active_loop" in step]
        if actions[-1] == "action_listen":
            assert not loops  # the open question is simply said again
        elif "action_deactivate_loop" in actions:
            assert loops[0] is None
        else:
            assert (actions[-1], loops) == (form, [form])


def test_domain_and_action_server_know_the_same_actions() -> None:
    declared = domain("actions")
    assert len(declared) == len(set(declared))
    assert set(declared) == registered()


def test_dialogues_use_only_what_the_domain_declares() -> None:
    known = set(domain("actions")) | set(domain("forms")) | set(domain("responses")) | BUILT_IN
    intents = {*domain("intents"), "nlu_fallback"}
    for name in (
        "rules",
        "stories",
        "interruptions",
        "closing",
        "joining",
        "checklists",
        "appointments",
        "quality",
    ):
        document = read(f"bot/dialogues/{name}.yml")
        for block in document.get("rules", []) + document.get("stories", []):
            for step in block["steps"]:
                assert intents_of(step) <= intents, block
                assert step.get("action", "action_listen") in known, block


def test_every_intent_begins_something() -> None:
    """Whatever is understood outside a form has a rule; nothing is met with silence."""
    answered: list[str] = []
    for rule in rules_in("rules", "closing", "joining", "checklists", "appointments", "quality"):
        if "condition" not in rule:
            answered += intents_of(rule["steps"][0])
    assert set(answered) == {*domain("intents"), "nlu_fallback"}
    assert len(answered) == len(set(answered))


@pytest.mark.parametrize("intent", FIXED_INTENTS)
def test_every_intent_of_the_design_is_trained(intent: str) -> None:
    assert intent in domain("intents")
    examples = training().get(intent, [])
    assert len(set(examples)) >= 20


def test_trained_intents_are_declared() -> None:
    assert set(training()) <= set(domain("intents"))


def test_no_utterance_is_trained_twice() -> None:
    utterances: dict[str, set[str]] = {}
    for intent, examples in training().items():
        for example in examples:
            bare = re.sub(r"\[([^\]]*)\](\([^)]*\)|\{[^}]*\})", r"\1", example)
            utterances.setdefault(bare, set()).add(intent)
    clashing = {text: names for text, names in utterances.items() if len(names) > 1}
    assert not clashing


def test_trained_entities_are_declared() -> None:
    used = {
        name
        for examples in training().values()
        for example in examples
        for name in re.findall(r"\]\(([a-z_]+)\)", example)
        + re.findall(r'"entity":\s*"([a-z_]+)"', example)
    }
    assert set(FIXED_ENTITIES) <= used
    assert used <= set(domain("entities"))


def test_buttons_carry_declared_intents() -> None:
    assert set(domain("intents")) >= INTENTS


def test_small_talk_has_a_response_for_each_intent() -> None:
    said = set(domain("responses"))
    for name in ("rules", "interruptions", "closing"):
        for rule in read(f"bot/dialogues/{name}.yml")["rules"]:
            if {"action": "action_small_talk"} in rule["steps"]:
                for intent in intents_of(rule["steps"][0]):
                    assert f"utter_{intent}" in said


def test_every_form_slot_can_be_asked_for() -> None:
    names = registered()
    for form, definition in domain("forms").items():
        assert f"validate_{form}" in names
        for slot in definition["required_slots"]:
            assert slot in domain("slots")
            assert f"action_ask_{slot}" in names


def test_rasa_sdk_takes_every_action() -> None:
    executor = ActionExecutor()
    for name, runner in ACTIONS.items():
        executor.register_function(name, runner)
        assert inspect.iscoroutinefunction(runner), name
    assert set(executor.actions) == set(ACTIONS)
