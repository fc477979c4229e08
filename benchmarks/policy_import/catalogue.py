"""Measures the import's conditions on the sentences of the city's own policies.

    python -m benchmarks.policy_import.catalogue [--errors dev]

Each policy of the catalogue becomes a short text: its title, its summary and its conditions as a
list, in the words of the policy file; the predicates that the file has for them are what should
come out. The policies are split in two by their ids. The phrases of ``phrases.yml`` were written
with the faults of one half in view (``dev``), never with those of the other (``held_out``).
"""

from __future__ import annotations

import argparse
import hashlib

from base.settings import get_settings
from benchmarks.policy_import.corpus import Sample
from benchmarks.policy_import.measure import TODAY, Tally, score_conditions
from matcher.importing.draft import make_draft
from matcher.importing.lexicon import get_phrases
from matcher.policy import Policy, load_policies
from matcher.profile import ATTRIBUTES, KINDS, Kind

SPLITS = ("dev", "held_out")


def split_of(policy: Policy) -> str:
    """Return the half a policy belongs to, by its id alone."""
    return SPLITS[hashlib.sha256(policy.id.encode()).digest()[0] % 2]


def sample_of(policy: Policy) -> Sample:
    """Return a policy as a text with its conditions as a list, and what should come out."""
    audience = "企业" if policy.audience == "enterprise" else "个人"
    lines = [policy.title, policy.summary, f"申请条件（申请对象为{audience}）："]
    lines += [f"{number}. {one.text}；" for number, one in enumerate(policy.eligibility, start=1)]
    conditions = [{"when": one.when, "text": one.text} for one in policy.eligibility]
    gold = {"audience": policy.audience}
    content = "\n".join(lines).encode()
    return Sample(policy.id, split_of(policy) == "held_out", content, gold, conditions)


def unnamed(kind: Kind) -> list[str]:
    """Return the columns that no phrase names, without those worked out from others."""
    phrases = get_phrases().of(kind)
    named = {*phrases.numbers, *phrases.ordered, *phrases.never}
    rules = " ".join([*phrases.says, *(place.district or "" for place in phrases.place)])
    return [
        name
        for name, column in ATTRIBUTES[kind].items()
        if name not in named and name not in rules and not column.derived
    ]


def measure(split: str, *, show_errors: bool) -> tuple[Tally, int, int]:
    """Return the counts of conditions of one half, and of how many policies all are right."""
    tally, whole, count = Tally(), 0, 0
    for policy in load_policies(get_settings().policies_dir):
        if split_of(policy) != split:
            continue
        sample = sample_of(policy)
        draft = make_draft(sample.content, sample.name, TODAY)
        whens = [one.when for one in draft.conditions if one.when]
        right, faults = score_conditions(whens, sample, policy.audience, tally)
        whole, count = whole + right, count + 1
        if show_errors and faults:
            texts = [f"  {one.text}" for one in policy.eligibility]
            print(f"\n{policy.id}", *texts, *(f"    {fault}" for fault in faults), sep="\n")
    return tally, whole, count


def main() -> None:
    """Print precision, recall and F1 of both halves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--errors", choices=["dev"], help="show the faults")
    asked = parser.parse_args()
    for kind in KINDS:
        print(f"{kind}: no phrase for {len(unnamed(kind))} of {len(ATTRIBUTES[kind])} columns")
    for split in SPLITS:
        tally, whole, count = measure(split, show_errors=asked.errors == split)
        row = "{:.2f} / {:.2f} / {:.2f}".format(*tally.row())
        print(
            f"{split}: {count} policies, {tally.wanted} conditions: "
            f"P / R / F1 {row}; all right in {whole}"
        )


if __name__ == "__main__":
    main()
