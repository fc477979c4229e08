"""Finding the rules that fit a conversation, without trying every rule.

Rasa 3.6 tries each rule that it learned against the state of the conversation, several times a
turn. Nearly all of them want another intent, or another action before: rules are looked up by
these two here, and only those that may fit are tried, by Rasa's own comparison.
"""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Set, Text

from rasa.core.policies.rule_policy import RulePolicy
from rasa.shared.core.constants import PREVIOUS_ACTION, SHOULD_NOT_BE_SET, USER
from rasa.shared.core.domain import State
from rasa.shared.nlu.constants import ACTION_NAME, INTENT

Lookup = Dict[Text, Text]
"""What follows by rule: JSON of its states, the latest last."""


class Mark(NamedTuple):
    """The action before and the intent of a state, each None where a rule does not ask for one."""

    action: Optional[Text]
    intent: Optional[Text]

    @classmethod
    def of(cls, state: State) -> "Mark":
        """Read a state's mark."""
        action = state.get(PREVIOUS_ACTION, {}).get(ACTION_NAME)
        intent = state.get(USER, {}).get(INTENT)
        return cls(action, None if intent == SHOULD_NOT_BE_SET else intent)


class RulesByMark:
    """The rules of a lookup by the mark of their last state."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup = lookup
        self._rules: Dict[Mark, Lookup] = {}
        for key, following in lookup.items():
            mark = Mark.of(RulePolicy._rule_key_to_state(key)[-1])
            self._rules.setdefault(mark, {})[key] = following

    def that_may_fit(self, state: State) -> Lookup:
        """Return the rules that ask for no other action or intent than those of ``state``.

        At the start of a conversation, with no action before, Rasa compares nothing else.
        """
        if PREVIOUS_ACTION not in state:
            return self.lookup
        action, intent = Mark.of(state)
        fitting: Lookup = {}
        for mark in {Mark(a, i) for a in (action, None) for i in (intent, None)}:
            fitting.update(self._rules.get(mark, {}))
        return fitting


_try_rules = RulePolicy._get_possible_keys
_indices: Dict[int, RulesByMark] = {}


def _fitting_keys(policy: RulePolicy, lookup: Lookup, states: List[State]) -> Set[Text]:
    """Take the place of :meth:`RulePolicy._get_possible_keys` for a model that is trained."""
    index = _indices.get(id(lookup))
    if index is None or index.lookup is not lookup:
        index = _indices[id(lookup)] = RulesByMark(lookup)
    return _try_rules(policy, index.that_may_fit(states[-1]) if states else lookup, states)


def look_rules_up() -> None:
    """Have the policy of this process look rules up by the latest state."""
    RulePolicy._get_possible_keys = _fitting_keys
