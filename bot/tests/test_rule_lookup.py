"""Looking rules up finds what trying every rule finds."""

from __future__ import annotations

import json
import random
import unittest
from typing import Any, Dict, List
from unittest import mock

from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.constants import SHOULD_NOT_BE_SET

from bot.rule_lookup import look_rules_up

RASAS_OWN = RulePolicy._get_possible_keys
ACTIONS = ("action_listen", "action_help", "complaint_form")
INTENTS = ("help", "cancel", "inform")

State = Dict[str, Dict[str, Any]]


def sub_states(chance: random.Random, *, rule: bool) -> State:
    """A state as a rule or a conversation may have it: any part of it can be missing."""
    user: Dict[str, Any] = {}
    if chance.random() < 0.8:
        user["intent"] = chance.choice((*INTENTS, *([SHOULD_NOT_BE_SET] if rule else [])))
    elif not rule:
        user["text"] = "怎么办"
    state: State = {"user": user}
    if chance.random() < 0.9:
        state["prev_action"] = {"action_name": chance.choice(ACTIONS)}
    elif chance.random() < 0.3:
        state["prev_action"] = {"action_text": "您好"}
    if chance.random() < 0.3:
        state["active_loop"] = {"name": chance.choice(("complaint_form", SHOULD_NOT_BE_SET))}
    if chance.random() < 0.3:
        state["slots"] = {"place": chance.choice(([1.0], [0.0]))}
    return {name: values for name, values in state.items() if values}


class RuleLookupTest(unittest.TestCase):
    def setUp(self) -> None:
        look_rules_up()
        self.addCleanup(setattr, RulePolicy, "_get_possible_keys", RASAS_OWN)
        self.policy = RulePolicy.__new__(RulePolicy)

    def possible(self, lookup: Dict[str, str], states: List[State]) -> None:
        found = self.policy._get_possible_keys(lookup, states)
        self.assertEqual(found, RASAS_OWN(self.policy, lookup, states))
        self.found += len(found)

    def test_it_finds_what_rasa_finds(self) -> None:
        chance, self.found = random.Random(7), 0
        for _ in range(20):
            rules = [
                [sub_states(chance, rule=True) for _ in range(chance.randint(1, 3))]
                for _ in range(60)
            ]
            lookup = {json.dumps(rule, sort_keys=True): "action_help" for rule in rules}
            for _ in range(30):
                turns = chance.randint(0, 4)
                self.possible(lookup, [sub_states(chance, rule=False) for _ in range(turns)])
        self.assertGreater(self.found, 1000)

    def test_few_rules_are_tried(self) -> None:
        lookup = {
            json.dumps(
                [{"prev_action": {"action_name": "action_listen"}, "user": {"intent": i}}]
            ): i
            for i in map(str, range(500))
        }
        state = {"prev_action": {"action_name": "action_listen"}, "user": {"intent": "7"}}
        with mock.patch.object(RulePolicy, "_is_rule_applicable", return_value=True) as tried:
            found = self.policy._get_possible_keys(lookup, [state])
        self.assertEqual([lookup[key] for key in found], ["7"])
        self.assertEqual(tried.call_count, 1)


if __name__ == "__main__":
    unittest.main()
