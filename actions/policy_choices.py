"""What a list of policies leaves to decide: which of two, and what is only just missed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from actions import policy_replies as replies
from actions.resources import catalogue
from matcher.alternatives import alternatives, choices_beside, compare
from matcher.counterfactual import Counterfactual, nearly_eligible
from matcher.policy import Policy
from matcher.profile import Profile
from matcher.ranking import Match, match
from store.database import unit_of_work
from store.models import utc_now
from store.people import read_told
from store.tickets import city_day

__all__ = ["asks_which", "choice_text", "choices_for", "choices_text", "near_misses"]

_WHICH = re.compile(
    r"(?:一起|同时|一块儿?|都能?|重复|叠加).{0,4}(?:拿|领|享受|申请|申报|报|要)"
    r"|(?:哪|那)(?:个|项|一?种|样|边).{0,3}(?:划算|合适|更?好|钱多|多|值)|选哪|挑哪|二选一"
    r"|冲突|互斥|(?:能|可以)叠加"
)


def asks_which(text: str) -> bool:
    """Tell whether a message asks if policies go together, or which is better."""
    return bool(_WHICH.search(text))


def choices_for(policy: Policy, profile: Profile) -> str:
    """Return the comparison that belongs to the details of a policy; empty when there is none.

    Only who has told something of himself has a choice that can be compared.
    """
    if not profile.attributes:
        return ""
    today = city_day(utc_now())
    others = choices_beside(policy, catalogue().policies, profile, today)
    return compare((policy, *others), profile, today) if others else ""


def choice_text(policy: Policy, profile: Profile) -> str:
    """Answer whether ``policy`` goes together with others, and which is better."""
    today = city_day(utc_now())
    others = choices_beside(policy, catalogue().policies, profile, today)
    if others:
        return compare((policy, *others), profile, today)
    return (
        f"按政策文本，没有写明《{policy.title}》不能和别的政策同时享受。"
        "同一笔支出一般不能重复补，具体以受理部门答复为准。"
    )


def choices_text(matches: Sequence[Match], profile: Profile) -> str:
    """Answer the same about a list; empty for an empty one."""
    if not matches:
        return ""
    today = city_day(utc_now())
    groups = alternatives(matches)
    if groups:
        told = [compare([found.policy for found in group], profile, today) for group in groups]
        return "\n".join(told[: replies.NEARLY_SHOWN])
    names = "".join(f"《{found.policy.title}》" for found in matches)
    return (
        f"按政策文本，{names}没有写明不能同时享受，可以分别申请。"
        "同一笔支出一般不能重复补，具体以受理部门答复为准。"
    )


def near_misses(
    profile: Profile, query: str | None, said: dict[str, str]
) -> tuple[tuple[Match, Counterfactual], ...]:
    """The policies that fail by one condition, without those that he does not want."""
    with unit_of_work() as session:
        told = read_told(session, profile.id, "policy_matching")
    scope = replies.scope(said, include_ineligible=True)
    matches = match(catalogue(), profile, query, scope=scope)
    wanted = (found for found in matches if said.get(found.policy.id) is None)
    return nearly_eligible(wanted, profile, told.birth)
